//! A province's own keys: its certificate authority, its signing key, and the TLS leaf of this process.
//!
//! The folder holds `ca-key.pem` and `signing-key.pk8` (private, mode 0600) and `ca-certificate.pem`. It is made as a whole
//! beside its place and then renamed, so that it is there complete or not at all. Later signing keys are added beside the first, see
//! `signing_keys.rs`. The leaf's key never touches the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use fenghuo_api::partner::v1::SigningKey;
use fenghuo_durable::{Code, Error, Result, new_id};
use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use rcgen::{Issuer, KeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::certificate::{self, Leaf};
use crate::province_code::check_province_code;
use crate::signing::{self, ENVELOPE_DOMAIN, RECEIPT_DOMAIN};
use crate::signing_keys::SigningKeys;

const CA_KEY: &str = "ca-key.pem";
const CA_CERTIFICATE: &str = "ca-certificate.pem";
/// A leaf that ends sooner than this is made anew.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The keys of this province, loaded.
pub struct ProvinceKeys {
    province_code: String,
    hosts: Vec<String>,
    ca_certificate: CertificateDer<'static>,
    pub(crate) issuer: Issuer<'static, KeyPair>,
    signing: SigningKeys,
    leaf: RwLock<CurrentLeaf>,
}

struct CurrentLeaf {
    key: Arc<CertifiedKey>,
    not_after: Timestamp,
}

impl std::fmt::Debug for ProvinceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvinceKeys").field("province_code", &self.province_code).field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}

impl ProvinceKeys {
    /// Loads the keys in `dir`, or makes them at the first start. The TLS leaf is new each time; it carries the province's URI,
    /// localhost, 127.0.0.1, ::1 and `hosts` (the host of the partner endpoint; empty ones and doubles are left out).
    ///
    /// Refuses (FAILED_PRECONDITION) a private key that others may read, an incomplete folder, and the keys of another province.
    pub fn load_or_create(dir: &Path, province_code: &str, hosts: &[String], now: Timestamp) -> Result<Self> {
        check_province_code("province_code", province_code)?;
        if !has_entries(dir)? {
            create(dir, province_code, now)?;
        }
        Self::load(dir, province_code, hosts, now)
    }

    fn load(dir: &Path, province_code: &str, hosts: &[String], now: Timestamp) -> Result<Self> {
        let ca_key = dir.join(CA_KEY);
        let pem = String::from_utf8(read_private(&ca_key)?).map_err(|e| damaged(&ca_key, e))?;
        let ca_key = KeyPair::from_pem(&pem).map_err(|e| damaged(&ca_key, e))?;
        let ca_path = dir.join(CA_CERTIFICATE);
        let ca_certificate = CertificateDer::from_pem_slice(&read(&ca_path)?).map_err(|e| damaged(&ca_path, e))?;
        check_own_ca(&ca_certificate, &ca_key, province_code, now).map_err(|what| keys_error("KEYS_NOT_USABLE", &ca_path, &what))?;
        let issuer = Issuer::from_ca_cert_der(&ca_certificate, ca_key).map_err(|e| damaged(&ca_path, e))?;
        let signing = SigningKeys::load(dir)?;
        let hosts = all_hosts(hosts);
        let leaf = RwLock::new(current_leaf(&issuer, province_code, &hosts, now)?);
        Ok(Self { province_code: province_code.to_owned(), hosts, ca_certificate, issuer, signing, leaf })
    }

    /// Our six-digit code.
    pub fn province_code(&self) -> &str {
        &self.province_code
    }

    /// Our authority's certificate.
    pub fn ca_certificate(&self) -> &CertificateDer<'static> {
        &self.ca_certificate
    }

    /// The same as PEM, for programs that call this node's console by https.
    pub fn ca_certificate_pem(&self) -> String {
        to_pem(&self.ca_certificate)
    }

    /// Identifier of the key that signs now.
    pub fn key_id(&self) -> String {
        self.signing.present().id
    }

    /// The public half of the key that signs now: 32 bytes.
    pub fn signing_public_key(&self) -> Vec<u8> {
        self.signing_key().public_key
    }

    /// The same with its identifier, as bundles and announcements carry it.
    pub fn signing_key(&self) -> SigningKey {
        self.signing.present().public()
    }

    /// The present key, if the given one is an older one of ours.
    pub fn successor(&self, key_id: &str) -> Option<SigningKey> {
        self.signing.successor(key_id).map(|key| key.public())
    }

    /// The public half of one of our keys, present, former or being announced. FAILED_PRECONDITION, reason SIGNING_KEY_LOST, if it is not here.
    pub fn public_key(&self, key_id: &str) -> Result<Vec<u8>> {
        Ok(self.signing.find(key_id)?.public().public_key)
    }

    /// Signs the digest (SHA-256) of an envelope's bytes with the present key.
    pub fn sign_envelope(&self, digest: &[u8; 32]) -> [u8; 64] {
        signing::sign(&self.signing.present().pair, ENVELOPE_DOMAIN, digest)
    }

    /// Signs the digest (SHA-256) of a receipt's bytes with the present key.
    pub fn sign_receipt(&self, digest: &[u8; 32]) -> [u8; 64] {
        signing::sign(&self.signing.present().pair, RECEIPT_DOMAIN, digest)
    }

    /// As [`Self::sign_envelope`], with one of our keys. FAILED_PRECONDITION, reason SIGNING_KEY_LOST, if it is not here.
    pub fn sign_envelope_with(&self, key_id: &str, digest: &[u8; 32]) -> Result<[u8; 64]> {
        Ok(signing::sign(&self.signing.find(key_id)?.pair, ENVELOPE_DOMAIN, digest))
    }

    /// As [`Self::sign_receipt`], with one of our keys. FAILED_PRECONDITION, reason SIGNING_KEY_LOST, if it is not here.
    pub fn sign_receipt_with(&self, key_id: &str, digest: &[u8; 32]) -> Result<[u8; 64]> {
        Ok(signing::sign(&self.signing.find(key_id)?.pair, RECEIPT_DOMAIN, digest))
    }

    /// Makes the key that is to follow the present one, or finds the one that a rotation made which was broken off. It signs nothing before it
    /// was announced; see [`Self::promote_signing_key`].
    pub fn prepare_signing_key(&self) -> Result<SigningKey> {
        self.signing.prepare().map(|key| key.public())
    }

    /// The key of a rotation that was broken off.
    pub fn pending_signing_key(&self) -> Option<SigningKey> {
        self.signing.pending().map(|key| key.public())
    }

    /// Makes the prepared key the present one, when it stands announced in every stream. The former ones stay and verify for ever.
    pub fn promote_signing_key(&self) -> Result<()> {
        self.signing.promote()
    }

    /// Reads the signing keys again: another process of this province may have rotated them.
    pub fn reload_signing_keys(&self) -> Result<()> {
        self.signing.reload()
    }

    /// A further leaf below our authority, for another process of this province (a load balancer, a foreign client).
    pub fn issue_leaf(&self, hosts: &[String], now: Timestamp) -> Result<Leaf> {
        certificate::issue_leaf(&self.issuer, &self.province_code, &all_hosts(hosts), now)
    }

    /// The leaf to present now; made anew when it is about to end.
    pub(crate) fn leaf(&self, now: Timestamp) -> Arc<CertifiedKey> {
        let renew = |leaf: &CurrentLeaf| now > leaf.not_after.checked_sub(RENEW_BEFORE).unwrap_or(leaf.not_after);
        let current = self.leaf.read();
        if !renew(&current) {
            return current.key.clone();
        }
        drop(current);
        let mut current = self.leaf.write();
        if renew(&current) {
            match current_leaf(&self.issuer, &self.province_code, &self.hosts, now) {
                Ok(leaf) => *current = leaf,
                Err(error) => tracing::error!(%error, "the TLS certificate could not be renewed; the old one stays in use"),
            }
        }
        current.key.clone()
    }
}

fn all_hosts(more: &[String]) -> Vec<String> {
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    for host in more {
        let host = host.trim_matches(['[', ']']);
        if !host.is_empty() && !hosts.iter().any(|known| known == host) {
            hosts.push(host.to_owned());
        }
    }
    hosts
}

fn current_leaf(issuer: &Issuer<'_, KeyPair>, province_code: &str, hosts: &[String], now: Timestamp) -> Result<CurrentLeaf> {
    let leaf = certificate::issue_leaf(issuer, province_code, hosts, now)?;
    let not_after = certificate::not_after(&leaf.certificate)?;
    Ok(CurrentLeaf { key: crate::tls::certified(leaf)?, not_after })
}

fn check_own_ca(ca: &CertificateDer<'_>, key: &KeyPair, province_code: &str, now: Timestamp) -> std::result::Result<(), String> {
    certificate::check_ca(ca, now)?;
    if !certificate::states_province(ca, province_code) {
        let stated = certificate::stated_province(ca).unwrap_or_else(|_| "unknown".to_owned());
        return Err(format!("these are the keys of province {stated}, and the configuration says {province_code}"));
    }
    if certificate::public_key_info(ca)? != rcgen::PublicKeyData::subject_public_key_info(key) {
        return Err(format!("the certificate does not belong to {CA_KEY}"));
    }
    Ok(())
}

fn has_entries(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot("read", dir, error)),
    }
}

/// Makes all keys in a folder beside `dir` and renames it into place. If another process was first, its keys stay: replicas that start
/// together have the same keys.
fn create(dir: &Path, province_code: &str, now: Timestamp) -> Result<()> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| cannot("make", parent, e))?;
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Not the process id: replicas in containers share a folder and have the same one.
    let draft = parent.join(format!(".{name}.draft-{}", new_id().simple()));
    DirBuilder::new().mode(0o700).create(&draft).map_err(|e| cannot("make", &draft, e))?;
    let made = write_keys(&draft, province_code, now).and_then(|()| match fs::rename(&draft, dir) {
        Ok(()) => sync_dir(parent),
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => Ok(()),
        Err(error) => Err(cannot("make", dir, error)),
    });
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(|e| cannot("remove", &draft, e))?;
    }
    made
}

fn write_keys(dir: &Path, province_code: &str, now: Timestamp) -> Result<()> {
    // Keys come from the system's secure source, never from a seed: nothing else may be able to guess them.
    let key = KeyPair::generate().map_err(|e| Error::internal("cannot make the CA key").caused_by(e))?;
    let certificate = certificate::issue_ca(province_code, &key, now)?;
    write_new(&dir.join(CA_KEY), 0o600, key.serialize_pem().as_bytes())?;
    SigningKeys::create(dir)?;
    write_new(&dir.join(CA_CERTIFICATE), 0o644, to_pem(&certificate).as_bytes())?;
    sync_dir(dir)
}

fn to_pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(|e| cannot("make", path, e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| cannot("write", path, e))
}

pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| cannot("write", dir, e))
}

pub(crate) fn read_private(path: &Path) -> Result<Vec<u8>> {
    let mode = fs::metadata(path).map_err(|e| missing_or(path, e))?.permissions().mode();
    if mode & 0o077 != 0 {
        let what =
            format!("others may read or change this private key (mode {:04o}); give it to its owner alone: chmod 600", mode & 0o7777);
        return Err(keys_error("KEY_FILE_EXPOSED", path, &what));
    }
    read(path)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| missing_or(path, e))
}

fn missing_or(path: &Path, error: std::io::Error) -> Error {
    if error.kind() == ErrorKind::NotFound {
        return keys_error("KEYS_INCOMPLETE", path, "this file is missing; restore the whole folder of keys from a backup");
    }
    cannot("read", path, error)
}

pub(crate) fn damaged(path: &Path, error: impl std::fmt::Display) -> Error {
    keys_error("KEYS_NOT_USABLE", path, &format!("damaged: {error}; restore the whole folder of keys from a backup"))
}

fn keys_error(reason: &'static str, path: &Path, what: &str) -> Error {
    Error::new(Code::FailedPrecondition, reason, format!("{}: {what}", path.display())).with("path", path.display().to_string())
}

pub(crate) fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Code::FailedPrecondition, "KEYS_NOT_USABLE", format!("cannot {verb} {}: {error}", path.display())).caused_by(error)
}
