//! Backup and restore of a node: one file with every database as it was at one instant, and the province's keys.
//!
//! The file is a tar: the parts first, `manifest.json` last, so that a file that was cut off has none. [`take`] writes it beside the running
//! node; [`archive`] reads it and compares every byte with the manifest; [`check`] recomputes the chains; [`restore`] puts it in place, whole or
//! not at all, marked so that the node starts in quarantine.

pub mod archive;
pub mod check;
pub mod keys;
pub mod manifest;
pub mod postgres;
pub mod restore;
pub mod take;

use std::path::{Path, PathBuf};

use fenghuo_durable::{Error, Locations, Result};

/// Where a node is: what backup and restore need of its configuration.
#[derive(Debug, Clone)]
pub struct Place {
    /// Six-digit code.
    pub province_code: String,
    /// SQLite databases, and the mark of a restored node.
    pub data_dir: PathBuf,
    /// The province's keys; below the data folder, unless replicas share them.
    pub keys_dir: PathBuf,
    /// PostgreSQL; without it SQLite in the data folder.
    pub database_url: Option<String>,
}

impl Place {
    /// Where its databases are.
    pub fn locations(&self) -> Locations {
        match &self.database_url {
            Some(url) => Locations::Postgres(url.clone()),
            None => Locations::Sqlite(self.data_dir.join("spaces")),
        }
    }
}

/// Says how far a long work is: bytes done and all bytes, of the part with this name.
pub type Progress<'a> = &'a mut (dyn FnMut(&str, u64, u64) + Send);

/// A file or folder that could not be read or written.
fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    let reason = if error.kind() == std::io::ErrorKind::StorageFull { "DISK_FULL" } else { "FILE" };
    Error::precondition(reason, format!("cannot {verb} {}: {error}", path.display())).caused_by(error)
}

/// Puts a folder's entries on disk.
fn sync_dir(dir: &Path) -> Result<()> {
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| cannot("write", dir, error))
}

/// The folder in which a path lies.
fn parent_of(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// The last name of a path.
fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
