//! Putting a backup in place: whole, or not at all.
//!
//! From the first change to the last a file `restoring` stands in the data folder, and a node refuses to start beside it. Everything is
//! read, checked and loaded under other names; the databases get theirs in one step, which is the restore. What was interrupted before that
//! step is removed by the next restore; after it only the file is left to remove. The node then finds `restored` and starts in quarantine.

use std::fs;
use std::path::{Path, PathBuf};

use fenghuo_durable::databases::{beginning_with, drop_all, rename_all};
use fenghuo_durable::{Error, Location, Result, Verification, create_postgres_database, lock_folder};
use fenghuo_mailbox::restored_flag;

use super::manifest::Manifest;
use super::{Place, Progress, archive, cannot, check, keys, postgres, sync_dir};

/// What the data folder holds while a restore runs.
const MARK: &str = "restoring";
/// What the mark says once all stands ready and only the databases' names are wanting.
const PLACING: &str = "placing";
/// The same where the restore has put the keys in place as well.
const PLACING_WITH_KEYS: &str = "placing, with keys";
/// Where a restore works.
const WORK: &str = ".restoring";

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The backup's manifest; `None` if an interrupted restore was only brought to its end.
    pub manifest: Option<Manifest>,
    /// What its logs proved.
    pub checked: Verification,
}

/// Refuses to start a node where a restore was interrupted.
pub fn refuse_unfinished(data_dir: &Path) -> Result<()> {
    if !data_dir.join(MARK).exists() {
        return Ok(());
    }
    let text = format!("a restore into {} was interrupted; run `fenghuo restore` again", data_dir.display());
    Err(Error::precondition("RESTORE_UNFINISHED", text))
}

/// Restores a backup into an empty place. `own_keys` is a folder of keys for a backup without any.
pub async fn restore(file: &Path, place: &Place, own_keys: Option<&Path>, progress: Progress<'_>) -> Result<Restored> {
    // Refuses while a node runs here, and keeps one from starting.
    let lock = lock_folder(&place.data_dir)?;
    let target = Target::new(place)?;
    if target.finish_interrupted().await? {
        return Ok(Restored { manifest: None, checked: Verification::default() });
    }
    target.require_empty().await?;
    target.mark("")?;
    let outcome = match target.prepare(file, own_keys, progress).await {
        Ok(done) => target.put_in_place(&done.0).await.map(|()| done),
        Err(error) => Err(error),
    };
    drop(lock);
    match outcome {
        Ok((manifest, checked)) => Ok(Restored { manifest: Some(manifest), checked }),
        Err(error) => {
            // Best effort: what cannot be removed now, the mark leaves to the next restore.
            if let Err(left) = target.clean().await {
                tracing::warn!(error = &left as &dyn std::error::Error, "what an unfinished restore left could not be removed");
            }
            Err(error)
        }
    }
}

struct Target<'p> {
    place: &'p Place,
    /// Server and base name of the databases on PostgreSQL.
    postgres: Option<(String, String)>,
}

impl<'p> Target<'p> {
    fn new(place: &'p Place) -> Result<Self> {
        let postgres = match &place.database_url {
            None => None,
            Some(url) => {
                postgres::can_load()?;
                let (server, base) =
                    url.rsplit_once('/').ok_or_else(|| Error::invalid("database_url", "must look like postgres://user@host:port/name"))?;
                Some((server.to_owned(), base.to_owned()))
            }
        };
        Ok(Self { place, postgres })
    }

    fn in_folder(&self, name: &str) -> PathBuf {
        self.place.data_dir.join(name)
    }

    fn url(&self) -> &str {
        self.place.database_url.as_deref().unwrap_or_default()
    }

    fn mark(&self, stage: &str) -> Result<()> {
        let mark = self.in_folder(MARK);
        fs::write(&mark, stage).map_err(|error| cannot("write", &mark, error))?;
        fs::File::open(&mark).and_then(|file| file.sync_all()).map_err(|error| cannot("write", &mark, error))?;
        sync_dir(&self.place.data_dir)
    }

    fn unmark(&self) -> Result<()> {
        let mark = self.in_folder(MARK);
        fs::remove_file(&mark).map_err(|error| cannot("remove", &mark, error))?;
        sync_dir(&self.place.data_dir)
    }

    /// Are the node's databases there under their own names?
    async fn databases_are_there(&self) -> Result<bool> {
        Ok(match &self.postgres {
            None => self.in_folder("spaces").exists(),
            Some(_) => !self.place.locations().existing().await?.is_empty(),
        })
    }

    /// Ends what an interrupted restore left: `true` if only its last step was wanting.
    async fn finish_interrupted(&self) -> Result<bool> {
        let Ok(stage) = fs::read_to_string(self.in_folder(MARK)) else { return Ok(false) };
        if stage.starts_with(PLACING) && self.databases_are_there().await? {
            archive::remove(&self.in_folder(WORK))?;
            self.unmark()?;
            return Ok(true);
        }
        self.clean().await?;
        Ok(false)
    }

    /// Removes what an unfinished restore made, the mark last. Without the mark there is nothing of the kind.
    async fn clean(&self) -> Result<()> {
        for name in [WORK, "spaces"] {
            archive::remove(&self.in_folder(name))?;
        }
        if fs::read_to_string(self.in_folder(MARK)).is_ok_and(|stage| stage == PLACING_WITH_KEYS) {
            archive::remove(&self.place.keys_dir)?;
        }
        let flag = restored_flag(&self.place.data_dir);
        if flag.exists() {
            fs::remove_file(&flag).map_err(|error| cannot("remove", &flag, error))?;
        }
        if let Some((_, base)) = &self.postgres {
            drop_all(self.url(), &beginning_with(self.url(), &format!("{base}_restoring_")).await?).await?;
        }
        self.unmark()
    }

    async fn require_empty(&self) -> Result<()> {
        let dir = &self.place.data_dir;
        let entries = fs::read_dir(dir).map_err(|error| cannot("read", dir, error))?;
        if let Some(entry) = entries.flatten().find(|entry| entry.file_name() != "lock") {
            let text = format!(
                "{} is not empty: it holds {}; restore into a new folder, and move the old one away yourself",
                dir.display(),
                entry.file_name().to_string_lossy()
            );
            return Err(Error::precondition("TARGET_NOT_EMPTY", text));
        }
        if self.postgres.is_some() && self.databases_are_there().await? {
            let text =
                "the server has databases of a node under this name already; give another --database-url, or drop or rename them yourself";
            return Err(Error::precondition("TARGET_NOT_EMPTY", text));
        }
        Ok(())
    }

    /// Do replicas share keys that stand apart from the data?
    fn keys_are_there(&self) -> bool {
        fs::read_dir(&self.place.keys_dir).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Everything but the names: read, compared, loaded, verified.
    async fn prepare(&self, file: &Path, own_keys: Option<&Path>, progress: Progress<'_>) -> Result<(Manifest, Verification)> {
        let work = self.in_folder(WORK);
        keys::make_folder(&work)?;
        let manifest = archive::read(file, Some(&work), progress)?;
        check::manifest(&manifest, &self.place.province_code, self.postgres.is_some())?;
        match (manifest.with_keys, own_keys) {
            (true, None) => {}
            (false, Some(folder)) => keys::copy(folder, &work.join("keys"))?,
            (true, Some(_)) => return Err(Error::invalid("keys", "the backup has its own keys; leave --keys out")),
            (false, None) if self.keys_are_there() => {}
            (false, None) => return Err(Error::invalid("keys", "the backup has no keys; name the folder that has them with --keys")),
        }
        let (new, there) = (work.join("keys"), &self.place.keys_dir);
        keys::require_province(if new.exists() { &new } else { there }, &self.place.province_code)?;
        if new.exists() && self.keys_are_there() {
            let text = format!("{} holds keys already; move them away, or restore a backup without keys", there.display());
            return Err(Error::precondition("TARGET_NOT_EMPTY", text));
        }
        let checked = match &self.postgres {
            None => check::folder(&work, &manifest).await?,
            Some((server, base)) => self.load(&manifest, &work, server, base, progress).await?,
        };
        if let Some(fault) = checked.faults.first() {
            let text = format!("the log of the backup does not hold: {fault} ({} faults); use another backup", checked.faults.len());
            return Err(Error::precondition("BACKUP_DAMAGED", text));
        }
        Ok((manifest, checked))
    }

    /// Loads the dumps into databases under other names.
    async fn load(&self, manifest: &Manifest, work: &Path, server: &str, base: &str, progress: Progress<'_>) -> Result<Verification> {
        let mut all = Verification::default();
        for (at, (part, database)) in manifest.databases().enumerate() {
            progress(&part.name, 0, 0);
            let name = format!("{base}_restoring_{at}");
            create_postgres_database(self.url(), &name).await?;
            let url = format!("{server}/{name}");
            postgres::load(&url, &work.join(&part.name)).await?;
            let found = check::database(&Location::Postgres(url), database, &self.place.province_code).await?;
            check::add(&mut all, found, &part.name);
        }
        Ok(all)
    }

    /// The names: keys, the word for the node that it was restored, and last the databases.
    async fn put_in_place(&self, manifest: &Manifest) -> Result<()> {
        let dir = &self.place.data_dir;
        let work = self.in_folder(WORK);
        let rename = |from: PathBuf, to: PathBuf| fs::rename(&from, &to).map_err(|error| cannot("move into place", &to, error));
        let flag = restored_flag(dir);
        fs::write(&flag, "").map_err(|error| cannot("write", &flag, error))?;
        let new_keys = work.join("keys");
        self.mark(if new_keys.exists() { PLACING_WITH_KEYS } else { PLACING })?;
        if new_keys.exists() {
            // They may stand on another disk than the data.
            keys::copy(&new_keys, &self.place.keys_dir)?;
        }
        match &self.postgres {
            None => rename(work.join("databases"), self.in_folder("spaces"))?,
            Some((_, base)) => {
                let pair = |(at, (_, database)): (usize, (_, &super::manifest::DatabasePart))| {
                    (format!("{base}_restoring_{at}"), format!("{base}_{}", database.name))
                };
                rename_all(self.url(), &manifest.databases().enumerate().map(pair).collect::<Vec<_>>()).await?;
            }
        }
        sync_dir(dir)?;
        archive::remove(&work)?;
        self.unmark()
    }
}
