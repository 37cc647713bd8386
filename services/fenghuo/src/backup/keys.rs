//! The folder of a province's keys, as far as a backup is concerned.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use fenghuo_durable::{Error, Result};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::{cannot, name_of, sync_dir};

/// The province that the keys in a folder state.
pub fn stated_province(keys: &Path) -> Result<String> {
    let path = keys.join("ca-certificate.pem");
    let bytes = fs::read(&path).map_err(|error| cannot("read", &path, error))?;
    let unusable = |text: String| Error::precondition("KEYS_NOT_USABLE", format!("{}: {text}", path.display()));
    let certificate = CertificateDer::from_pem_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
    fenghuo_edge::certificate::stated_province(&certificate).map_err(unusable)
}

/// Refuses the keys of another province.
pub fn require_province(keys: &Path, province_code: &str) -> Result<()> {
    let stated = stated_province(keys)?;
    if stated == province_code {
        return Ok(());
    }
    let text = format!("{} holds the keys of province {stated}, and the configuration says {province_code}", keys.display());
    Err(Error::precondition("WRONG_PROVINCE", text))
}

/// Copies a folder of keys, which only its owner can read afterwards.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    let entries = fs::read_dir(from).map_err(|error| cannot("read", from, error))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let copy = to.join(name_of(&path));
        fs::copy(&path, &copy).and_then(|_| fs::File::open(&copy)?.sync_all()).map_err(|error| cannot("write", &copy, error))?;
    }
    sync_dir(to)
}

/// A new folder for its owner alone.
pub fn make_folder(dir: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| cannot("make", dir, error))
}

/// Gives a file its access mode.
pub fn set_mode(file: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).map_err(|error| cannot("write", file, error))
}
