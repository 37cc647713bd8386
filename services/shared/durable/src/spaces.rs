//! All spaces of a node, and where their databases are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::clock::ClockSetting;
use crate::db::{Location, create_postgres_database};
use crate::error::{Error, Result};
use crate::space::{Fittings, Space};
use crate::space_id::SpaceId;

/// Where a node keeps its databases: one for itself (people, partners, exercises), one for each space.
#[derive(Debug, Clone)]
pub enum Locations {
    /// Files in a folder that belongs to one process at a time.
    Sqlite(PathBuf),
    /// Databases of one PostgreSQL server, their names beginning with that of the URL's database.
    Postgres(String),
}

impl Locations {
    /// The database of the node itself.
    pub async fn node(&self) -> Result<Location> {
        self.named("node").await
    }

    /// The database of a space.
    pub async fn space(&self, id: SpaceId) -> Result<Location> {
        match id {
            SpaceId::Real => self.named("real").await,
            SpaceId::Exercise(uuid) => self.named(&format!("ex_{}", uuid.simple())).await,
        }
    }

    async fn named(&self, name: &str) -> Result<Location> {
        match self {
            Self::Sqlite(dir) => {
                std::fs::create_dir_all(dir)
                    .map_err(|error| Error::internal(format!("cannot make the folder {}", dir.display())).caused_by(error))?;
                Ok(Location::Sqlite(dir.join(format!("{name}.sqlite3"))))
            }
            Self::Postgres(url) => {
                let bad = || Error::invalid("database_url", "must look like postgres://user@host:port/name, without parameters");
                let (server, base) =
                    url.rsplit_once('/').filter(|(server, base)| server.contains("://") && !base.is_empty()).ok_or_else(bad)?;
                let database = format!("{base}_{name}");
                // PostgreSQL would cut a longer name, and two spaces could become one.
                if database.len() > 63 {
                    return Err(Error::invalid(
                        "database_url",
                        format!("the name {base} is too long: at most 27 characters, so that {database} has at most 63"),
                    ));
                }
                create_postgres_database(url, &database).await?;
                Ok(Location::Postgres(format!("{server}/{database}")))
            }
        }
    }
}

/// The open spaces of a node.
pub struct Spaces {
    locations: Locations,
    fittings: Fittings,
    open: RwLock<HashMap<SpaceId, Arc<Space>>>,
    ended: RwLock<HashMap<SpaceId, Arc<Space>>>,
    changed: watch::Sender<u64>,
}

impl Spaces {
    /// Opens the real space; exercises are opened one by one.
    pub async fn open(locations: Locations, fittings: Fittings) -> Result<Arc<Self>> {
        let spaces = Self { locations, fittings, open: RwLock::default(), ended: RwLock::default(), changed: watch::Sender::new(0) };
        spaces.open_space(SpaceId::Real, None).await?;
        Ok(Arc::new(spaces))
    }

    /// Opens an exercise: `first_clock` where it is new here, `None` after a restart. Already open: the one that is open.
    pub async fn open_exercise(&self, id: SpaceId, first_clock: Option<ClockSetting>) -> Result<Arc<Space>> {
        if let Some(space) = self.open.read().get(&id) {
            return Ok(space.clone());
        }
        self.open_space(id, first_clock).await
    }

    async fn open_space(&self, id: SpaceId, first_clock: Option<ClockSetting>) -> Result<Arc<Space>> {
        let location = self.locations.space(id).await?;
        let space = Space::open(id, &location, first_clock, self.fittings.clone()).await?;
        self.open.write().insert(id, space.clone());
        self.changed.send_modify(|count| *count += 1);
        Ok(space)
    }

    /// Opens an exercise that is over, to be read: no tasks, and every write is refused.
    pub async fn open_ended(&self, id: SpaceId, first_clock: ClockSetting) -> Result<Arc<Space>> {
        if let Some(space) = self.ended.read().get(&id) {
            return Ok(space.clone());
        }
        let location = self.locations.space(id).await?;
        let space = Space::open_idle(id, &location, Some(first_clock), self.fittings.clone()).await?;
        space.end().await?;
        self.ended.write().insert(id, space.clone());
        Ok(space)
    }

    /// An open space, or an exercise that is over and can be read; FAILED_PRECONDITION `EXERCISE_NOT_OPEN` for one that is neither.
    pub fn get(&self, id: SpaceId) -> Result<Arc<Space>> {
        let found = self.open.read().get(&id).cloned().or_else(|| self.ended.read().get(&id).cloned());
        found.ok_or_else(|| {
            Error::precondition("EXERCISE_NOT_OPEN", format!("{id} is not open on this node; a liaison opens it"))
                .with("space", id.to_string())
        })
    }

    /// Every open space, without the exercises that are over.
    pub fn all(&self) -> Vec<Arc<Space>> {
        self.open.read().values().cloned().collect()
    }

    /// Every exercise that is over and can be read.
    pub fn ended(&self) -> Vec<Arc<Space>> {
        self.ended.read().values().cloned().collect()
    }

    /// Wakes when a space is opened or closed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Ends an exercise: its tasks and streams stop, its data stays readable through [`Spaces::get`].
    pub async fn end_exercise(&self, id: SpaceId) -> Result<()> {
        let space = {
            let mut open = self.open.write();
            let Some(space) = open.remove(&id) else { return Ok(()) };
            self.ended.write().insert(id, space.clone());
            space
        };
        self.changed.send_modify(|count| *count += 1);
        space.end().await
    }

    /// Ends an exercise's tasks and closes its database; the data stays where it is.
    pub async fn close_exercise(&self, id: SpaceId) {
        let space = self.open.write().remove(&id);
        self.changed.send_modify(|count| *count += 1);
        if let Some(space) = space {
            space.stop().await;
        }
    }

    /// Stops every space.
    pub async fn stop(&self) {
        let mut spaces: Vec<_> = self.open.write().drain().map(|(_, space)| space).collect();
        spaces.extend(self.ended.write().drain().map(|(_, space)| space));
        for space in spaces {
            space.stop().await;
        }
    }
}

/// Holds a data folder for this process alone, until dropped.
#[derive(Debug)]
pub struct FolderLock(#[allow(dead_code)] std::fs::File); // Held for its lock.

/// Takes the folder for this process; refuses while another one has it.
pub fn lock_folder(dir: &std::path::Path) -> Result<FolderLock> {
    let failed = |error: std::io::Error| Error::internal(format!("cannot lock the folder {}", dir.display())).caused_by(error);
    std::fs::create_dir_all(dir).map_err(failed)?;
    let file = std::fs::File::create(dir.join("lock")).map_err(failed)?;
    file.try_lock().map_err(|_| {
        Error::precondition(
            "FOLDER_IN_USE",
            format!("another Fenghuo process is using {}; stop it first, or choose another folder", dir.display()),
        )
    })?;
    Ok(FolderLock(file))
}
