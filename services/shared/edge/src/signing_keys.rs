//! The signing keys of this province: the present one, those before it, and one that is being announced.
//!
//! `signing-key.pk8` is the first; `signing-key-2.pk8` and so on came after it. `signing-key-next.pk8` was made and is not announced to every
//! partner yet; it becomes the present one by being renamed. Several processes may share the folder: what one of them does not know it looks
//! up there. Old files stay: their public halves verify what was signed with them, for ever.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fenghuo_api::partner::v1::SigningKey;
use fenghuo_durable::{Error, Result, new_id};
use parking_lot::RwLock;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::keys::{cannot, damaged, read_private, sync_dir, write_new};
use crate::signing;

const FIRST: &str = "signing-key.pk8";
const NEXT: &str = "signing-key-next.pk8";

/// One key with its identifier.
#[derive(Clone)]
pub(crate) struct OwnKey {
    pub(crate) id: String,
    pub(crate) pair: Arc<Ed25519KeyPair>,
}

impl OwnKey {
    fn read(path: &Path) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(&read_private(path)?).map_err(|e| damaged(path, e))?;
        Ok(Self { id: signing::key_id(pair.public_key().as_ref()), pair: Arc::new(pair) })
    }

    pub(crate) fn public(&self) -> SigningKey {
        SigningKey { key_id: self.id.clone(), public_key: self.pair.public_key().as_ref().to_vec() }
    }
}

struct Ring {
    /// Oldest first, never empty; the last one is the present key.
    keys: Vec<OwnKey>,
    next: Option<OwnKey>,
}

/// The signing keys in one folder.
pub(crate) struct SigningKeys {
    dir: PathBuf,
    ring: RwLock<Ring>,
}

impl SigningKeys {
    pub(crate) fn load(dir: &Path) -> Result<Self> {
        Ok(Self { dir: dir.to_owned(), ring: RwLock::new(read_ring(dir)?) })
    }

    /// The first key of a province, in a folder that is being made.
    pub(crate) fn create(dir: &Path) -> Result<()> {
        write_new(&dir.join(FIRST), 0o600, generate()?.as_ref())
    }

    pub(crate) fn present(&self) -> OwnKey {
        let ring = self.ring.read();
        // A ring is never empty.
        ring.keys[ring.keys.len() - 1].clone()
    }

    /// One of our keys; looked for in the folder again if another process made it.
    pub(crate) fn find(&self, id: &str) -> Result<OwnKey> {
        if let Some(found) = self.ring.read().find(id) {
            return Ok(found);
        }
        self.reload()?;
        self.ring.read().find(id).ok_or_else(|| {
            let text = format!(
                "the signing key {id} of this province is not in {}: put its file there from a newer copy of the folder, or let every partner enrol this province anew",
                self.dir.display()
            );
            Error::precondition("SIGNING_KEY_LOST", text).with("keyId", id)
        })
    }

    /// The present key, if the given one is an older one of ours.
    pub(crate) fn successor(&self, id: &str) -> Option<OwnKey> {
        let ring = self.ring.read();
        let at = ring.keys.iter().position(|key| key.id == id)?;
        (at + 1 < ring.keys.len()).then(|| ring.keys[ring.keys.len() - 1].clone())
    }

    /// The key that is to become the present one: made now, or by a rotation that was broken off.
    pub(crate) fn prepare(&self) -> Result<OwnKey> {
        let path = self.dir.join(NEXT);
        if !path.exists() {
            // Not the process id: replicas in containers share a folder and have the same one.
            let draft = self.dir.join(format!(".{NEXT}.{}", new_id().simple()));
            write_new(&draft, 0o600, generate()?.as_ref())?;
            // A link fails if another process was first; its key is taken then.
            match std::fs::hard_link(&draft, &path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(cannot("make", &path, error)),
                _ => {}
            }
            std::fs::remove_file(&draft).map_err(|e| cannot("remove", &draft, e))?;
            sync_dir(&self.dir)?;
        }
        self.reload()?;
        self.ring.read().next.clone().ok_or_else(|| Error::unavailable("ROTATION_RACED", "another process has just rotated the key"))
    }

    /// The key of a rotation that was broken off.
    pub(crate) fn pending(&self) -> Option<OwnKey> {
        self.ring.read().next.clone()
    }

    /// Makes the prepared key the present one. Without one nothing changes: another process was first.
    pub(crate) fn promote(&self) -> Result<()> {
        let place = self.dir.join(format!("signing-key-{}.pk8", read_ring(&self.dir)?.keys.len() + 1));
        match std::fs::rename(self.dir.join(NEXT), &place) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot("make", &place, error)),
            _ => sync_dir(&self.dir)?,
        }
        self.reload()
    }

    /// Reads the folder again: another process may have rotated the key.
    pub(crate) fn reload(&self) -> Result<()> {
        let ring = read_ring(&self.dir)?;
        *self.ring.write() = ring;
        Ok(())
    }
}

impl Ring {
    fn find(&self, id: &str) -> Option<OwnKey> {
        self.keys.iter().chain(&self.next).find(|key| key.id == id).cloned()
    }
}

fn read_ring(dir: &Path) -> Result<Ring> {
    let mut keys = vec![OwnKey::read(&dir.join(FIRST))?];
    loop {
        let path = dir.join(format!("signing-key-{}.pk8", keys.len() + 1));
        if !path.exists() {
            break;
        }
        keys.push(OwnKey::read(&path)?);
    }
    let next = dir.join(NEXT);
    let next = if next.exists() { Some(OwnKey::read(&next)?) } else { None };
    Ok(Ring { keys, next })
}

fn generate() -> Result<ring::pkcs8::Document> {
    // Keys come from the system's secure source, never from a seed: nothing else may be able to guess them.
    Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| Error::internal("the system gives no secure randomness"))
}
