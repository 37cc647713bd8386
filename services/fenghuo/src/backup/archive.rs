//! Reading a backup from its beginning to its end, and comparing every byte with its manifest.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fenghuo_durable::{Error, Result};
use ring::digest;

use super::manifest::{MANIFEST, Manifest, is_part_name};
use super::{Progress, cannot, keys};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// A manifest is never longer.
const MANIFEST_MAX_BYTES: u64 = 16 << 20;

/// One entry as it was found.
struct Found {
    name: String,
    bytes: u64,
    sha256: String,
}

/// Reads a backup; the parts go below `into`, if it is given. What it returns is whole: every part is there with the bytes that the manifest
/// names, in its order, and nothing else.
pub fn read(file: &Path, into: Option<&Path>, progress: Progress<'_>) -> Result<Manifest> {
    let opened = File::open(file).map_err(|error| cannot("read", file, error))?;
    let broken = |error: std::io::Error| not_a_backup(file, &error.to_string());
    let mut archive = tar::Archive::new(BufReader::new(opened));
    let (mut found, mut manifest) = (Vec::new(), None);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if manifest.is_some() {
            return Err(not_a_backup(file, &format!("\"{name}\" stands after the manifest")));
        }
        if name == MANIFEST {
            let mut text = Vec::new();
            (&mut entry).take(MANIFEST_MAX_BYTES).read_to_end(&mut text).map_err(broken)?;
            manifest = Some(Manifest::read(&text)?);
            continue;
        }
        if !is_part_name(&name) || !entry.header().entry_type().is_file() {
            return Err(not_a_backup(file, &format!("it holds \"{name}\", which no backup has")));
        }
        let to = into.map(|dir| dir.join(&name));
        found.push(take_out(name, entry.size(), &mut entry, to, progress).map_err(|error| named(file, error))?);
    }
    let manifest = manifest.ok_or_else(|| not_a_backup(file, "it ends before its manifest: it was cut off, or is something else"))?;
    compare(file, &manifest, &found)?;
    if let Some(dir) = into {
        set_modes(dir, &manifest)?;
    }
    Ok(manifest)
}

fn take_out(name: String, size: u64, from: &mut dyn Read, to: Option<PathBuf>, progress: Progress<'_>) -> Result<Found> {
    let mut file = match &to {
        Some(path) => Some(new_file(path)?),
        None => None,
    };
    let mut hash = digest::Context::new(&digest::SHA256);
    let (mut bytes, mut chunk) = (0, vec![0; CHUNK]);
    loop {
        let read = from.read(&mut chunk).map_err(|error| Error::precondition("NOT_A_BACKUP", error.to_string()))?;
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
        if let (Some(file), Some(path)) = (&mut file, &to) {
            file.write_all(&chunk[..read]).map_err(|error| cannot("write", path, error))?;
        }
        bytes += read as u64;
        progress(&name, bytes, size);
    }
    if let (Some(file), Some(path)) = (&file, &to) {
        file.sync_all().map_err(|error| cannot("write", path, error))?;
    }
    Ok(Found { name, bytes, sha256: hex::encode(hash.finish()) })
}

fn new_file(path: &Path) -> Result<File> {
    if let Some(dir) = path.parent() {
        keys::make_folder(dir)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| cannot("make", path, error))
}

fn compare(file: &Path, manifest: &Manifest, found: &[Found]) -> Result<()> {
    for (part, found) in manifest.parts.iter().zip(found) {
        if part.name != found.name {
            return Err(not_a_backup(file, &format!("the manifest names {}, and there is {}", part.name, found.name)));
        }
        if (part.bytes, &part.sha256) != (found.bytes, &found.sha256) {
            let text = format!("{} is not what was backed up: SHA-256 {} and not {}", part.name, found.sha256, part.sha256);
            return Err(Error::precondition("BACKUP_DAMAGED", format!("{}: {text}; use another backup", file.display())));
        }
    }
    if manifest.parts.len() != found.len() {
        return Err(not_a_backup(file, &format!("the manifest names {} parts, and there are {}", manifest.parts.len(), found.len())));
    }
    Ok(())
}

fn set_modes(dir: &Path, manifest: &Manifest) -> Result<()> {
    for part in &manifest.parts {
        if let Some(mode) = part.mode {
            keys::set_mode(&dir.join(&part.name), mode & 0o700 | mode & 0o044)?;
        }
    }
    Ok(())
}

/// Removes a folder with all that is in it, if it is there.
pub fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot("remove", dir, error)),
        _ => Ok(()),
    }
}

fn not_a_backup(file: &Path, what: &str) -> Error {
    Error::precondition("NOT_A_BACKUP", format!("{} is not a whole backup: {what}", file.display()))
}

fn named(file: &Path, error: Error) -> Error {
    if error.reason == "NOT_A_BACKUP" { not_a_backup(file, &error.message) } else { error }
}
