//! Signatures that cost nothing: a keyed digest. Nobody in the simulation forges; what must show is which key was used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fenghuo_api::partner::v1::SigningKey;
use fenghuo_durable::{Code, Error, Result, sha256};
use fenghuo_edge::signing::key_id;
use fenghuo_mailbox::core::{OwnKeys, Trust};
use parking_lot::Mutex;

/// The folder of keys of one province. It is no part of a backup of the databases.
#[derive(Debug, Default)]
pub struct Folder {
    /// Public keys, oldest first.
    pub keys: Vec<Vec<u8>>,
    /// Made, and not yet announced everywhere.
    pub next: Option<Vec<u8>>,
}

/// Keys of one province.
#[derive(Debug)]
pub struct SimKeys {
    pub code: String,
    pub folder: Arc<Mutex<Folder>>,
}

pub fn public_key(code: &str, number: usize) -> Vec<u8> {
    sha256(format!("{code}/{number}").as_bytes()).to_vec()
}

pub fn signing_key(public_key: &[u8]) -> SigningKey {
    SigningKey { key_id: key_id(public_key), public_key: public_key.to_vec() }
}

fn sign(public_key: &[u8], domain: &str, digest: &[u8; 32]) -> [u8; 64] {
    let once = sha256(&[public_key, domain.as_bytes(), digest].concat());
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&once);
    signature
}

fn verify(public_key: &[u8], domain: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
    if sign(public_key, domain, digest) == signature {
        return Ok(());
    }
    Err(Error::new(Code::InvalidArgument, "SIGNATURE_INVALID", format!("not signed by key {}", key_id(public_key))))
}

impl SimKeys {
    fn own(&self, id: &str) -> Result<Vec<u8>> {
        let folder = self.folder.lock();
        let found = folder.keys.iter().chain(&folder.next).find(|key| key_id(key) == id).cloned();
        found.ok_or_else(|| Error::precondition("SIGNING_KEY_LOST", format!("no key {id}")))
    }
}

impl OwnKeys for SimKeys {
    fn province_code(&self) -> &str {
        &self.code
    }

    fn present(&self) -> SigningKey {
        signing_key(self.folder.lock().keys.last().expect("a province has a key"))
    }

    fn successor(&self, id: &str) -> Option<SigningKey> {
        let present = self.present();
        (present.key_id != id && self.folder.lock().keys.iter().any(|key| key_id(key) == id)).then_some(present)
    }

    fn sign_envelope(&self, id: &str, digest: &[u8; 32]) -> Result<[u8; 64]> {
        Ok(sign(&self.own(id)?, "envelope", digest))
    }

    fn sign_receipt(&self, id: &str, digest: &[u8; 32]) -> Result<[u8; 64]> {
        Ok(sign(&self.own(id)?, "receipt", digest))
    }

    fn verify_envelope(&self, id: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
        verify(&self.own(id)?, "envelope", digest, signature)
    }

    fn verify_receipt(&self, id: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
        verify(&self.own(id)?, "receipt", digest, signature)
    }
}

/// What one running node believes of its partners: the key of the enrolment, and what was announced.
#[derive(Debug, Default)]
pub struct SimTrust(pub Mutex<BTreeMap<String, BTreeSet<Vec<u8>>>>);

impl SimTrust {
    pub fn believe(&self, partner: &str, public_key: Vec<u8>) {
        self.0.lock().entry(partner.to_owned()).or_default().insert(public_key);
    }

    fn known(&self, partner: &str, id: &str) -> Result<Vec<u8>> {
        let found = self.0.lock().get(partner).and_then(|keys| keys.iter().find(|key| key_id(key) == id).cloned());
        found.ok_or_else(|| Error::new(Code::InvalidArgument, "SIGNING_KEY_UNKNOWN", format!("SIGNING_KEY_UNKNOWN {id} of {partner}")))
    }
}

impl Trust for SimTrust {
    fn knows(&self, partner: &str, id: &str) -> bool {
        self.known(partner, id).is_ok()
    }

    fn verify_envelope(&self, partner: &str, id: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
        verify(&self.known(partner, id)?, "envelope", digest, signature)
    }

    fn verify_receipt(&self, partner: &str, id: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
        verify(&self.known(partner, id)?, "receipt", digest, signature)
    }

    fn add_signing_key(&self, partner: &str, public_key: &[u8]) -> Result<()> {
        self.believe(partner, public_key.to_vec());
        Ok(())
    }
}
