//! Taking a backup of a node, whether it runs or not.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use fenghuo_durable::picture::{Named, Picture, fix_all};
use fenghuo_durable::{Error, Location, Result, wall};
use ring::digest;

use super::manifest::{DatabasePart, FORMAT, MANIFEST, Manifest, Part, Step};
use super::{Place, Progress, cannot, keys, name_of, parent_of, postgres, sync_dir};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// Takes a backup into a new file, which only its owner can read. The node goes on meanwhile.
pub async fn take(place: &Place, with_keys: bool, out: &Path, progress: Progress<'_>) -> Result<Manifest> {
    if out.exists() {
        return Err(exists(out));
    }
    let key_files = if with_keys { files_of_keys(place)? } else { Vec::new() };
    let work = Work::begin(out)?;
    let pictures = fix_all(&place.locations()).await?;
    let taken_at = wall::now();
    let mut parts = Vec::new();
    for picture in &pictures {
        parts.push(work.add_database(picture, progress).await?);
    }
    for key in key_files {
        parts.push(work.add_key(&key)?);
    }
    let databases = if place.database_url.is_some() { "postgres" } else { "sqlite" }.to_owned();
    let (program, province_code) = (env!("CARGO_PKG_VERSION").to_owned(), place.province_code.clone());
    let manifest = Manifest { format: FORMAT, program, province_code, taken_at, databases, with_keys, parts };
    work.finish(&manifest, out)?;
    Ok(manifest)
}

fn exists(out: &Path) -> Error {
    Error::precondition("FILE_EXISTS", format!("{} is there already; choose another name, nothing is overwritten", out.display()))
}

/// The files of the province's keys; refuses a folder without them, and the keys of another province.
fn files_of_keys(place: &Place) -> Result<Vec<PathBuf>> {
    let dir = place.keys_dir.clone();
    keys::require_province(&dir, &place.province_code)?;
    let entries = fs::read_dir(&dir).map_err(|error| cannot("read", &dir, error))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// The file as it grows, under a name beside its place. Dropped before its end, it goes.
struct Work {
    archive: std::cell::RefCell<tar::Builder<File>>,
    file: PathBuf,
    /// Where a part stands before it goes into the file.
    part: PathBuf,
}

impl Work {
    fn begin(out: &Path) -> Result<Self> {
        let dir = parent_of(out);
        let (file, part) = (dir.join(format!(".{}.partial", name_of(out))), dir.join(format!(".{}.part", name_of(out))));
        for left in [&file, &part] {
            // Of a backup that was cut short; it was never under its own name.
            let _ = fs::remove_file(left);
        }
        let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&file);
        let archive = tar::Builder::new(opened.map_err(|error| cannot("make", &file, error))?);
        Ok(Self { archive: std::cell::RefCell::new(archive), file, part })
    }

    async fn add_database(&self, picture: &Picture, progress: Progress<'_>) -> Result<Part> {
        let Named { name, location } = &picture.database;
        let _ = fs::remove_file(&self.part);
        // Made here, so that nobody else can ever read it.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.part).map_err(|error| cannot("make", &self.part, error))?;
        let ending = match location {
            Location::Sqlite(_) => {
                picture.copy_to(&self.part, |done, all| progress(name, done, all))?;
                "sqlite3"
            }
            Location::Postgres(url) => {
                let snapshot = picture.snapshot().ok_or_else(|| Error::internal("a picture without a snapshot"))?;
                postgres::dump(url, snapshot, &self.part, |done| progress(name, done, 0)).await?;
                "dump"
            }
        };
        let schema = picture.schema.iter().map(|(service, version)| Step { service: service.clone(), version: *version }).collect();
        let head = &picture.head;
        let database = DatabasePart { name: name.clone(), sequence: head.sequence, chain_hash: hex::encode(&head.chain_hash), schema };
        let part = self.append(&self.part, format!("databases/{name}.{ending}"), None, Some(database))?;
        fs::remove_file(&self.part).map_err(|error| cannot("remove", &self.part, error))?;
        Ok(part)
    }

    fn add_key(&self, key: &Path) -> Result<Part> {
        let mode = fs::metadata(key).map_err(|error| cannot("read", key, error))?.permissions().mode() & 0o777;
        self.append(key, format!("keys/{}", name_of(key)), Some(mode), None)
    }

    /// Appends a file, reading it once for its digest and once for its bytes: what stands in the manifest is what stands in the file.
    fn append(&self, path: &Path, name: String, mode: Option<u32>, database: Option<DatabasePart>) -> Result<Part> {
        let read = |error| cannot("read", path, error);
        let mut from = File::open(path).map_err(read)?;
        let bytes = from.metadata().map_err(read)?.len();
        let sha256 = sha256_of(&mut from).map_err(read)?;
        from.seek(SeekFrom::Start(0)).map_err(read)?;
        self.entry(&name, bytes, &mut from)?;
        Ok(Part { name, bytes, sha256, mode, database })
    }

    fn entry(&self, name: &str, bytes: u64, from: &mut dyn Read) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(wall::now().as_second().unsigned_abs());
        header.set_cksum();
        let mut archive = self.archive.borrow_mut();
        archive.append_data(&mut header, name, from).map_err(|error| cannot("write", &self.file, error))
    }

    fn finish(self, manifest: &Manifest, out: &Path) -> Result<()> {
        let text =
            serde_json::to_vec_pretty(manifest).map_err(|error| Error::internal("the manifest cannot be written").caused_by(error))?;
        self.entry(MANIFEST, text.len() as u64, &mut text.as_slice())?;
        let write = |error| cannot("write", &self.file, error);
        {
            let mut archive = self.archive.borrow_mut();
            archive.finish().map_err(write)?;
            let file = archive.get_mut();
            file.flush().and_then(|()| file.sync_all()).map_err(write)?;
        }
        // A link, and not a rename, which would replace what somebody has put there meanwhile.
        fs::hard_link(&self.file, out).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(out),
            _ => cannot("make", out, error),
        })?;
        drop(self);
        sync_dir(&parent_of(out))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        for left in [&self.file, &self.part] {
            let _ = fs::remove_file(left);
        }
    }
}

/// SHA-256 of what is left to read, hexadecimal.
pub fn sha256_of(from: &mut dyn Read) -> std::io::Result<String> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok(hex::encode(hash.finish())),
            read => hash.update(&chunk[..read]),
        }
    }
}
