//! Pictures of a node's databases that stay as they are while the node goes on writing: what a backup copies.
//!
//! A picture is an open read transaction, in a process of its own beside the node: on SQLite a WAL snapshot, on PostgreSQL an exported
//! one. All databases are fixed one after another, the node's own first, and then it is asked whether the node's has changed meanwhile; if
//! so, all are fixed anew. So the databases agree: no exercise is open whose space is not in the backup, and no partner has a stream who is
//! not in the directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection as _;

use crate::db::Location;
use crate::error::{Error, Result};
use crate::spaces::Locations;
use crate::tx::{postgres_error, sqlite_error};

/// How often all pictures are taken anew because the node's database changed between the first and the last.
const TRIES: u32 = 20;
/// Pages copied between two words about progress: 4 MiB.
const STEP_PAGES: i32 = 1024;

/// How far the log of a database was: its chain proves everything up to here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Last sequence number.
    pub sequence: u64,
    /// SHA-256 of the chain there.
    pub chain_hash: Vec<u8>,
}

/// A database of a node, by its short name: "node", "real", "ex_{uuid}".
#[derive(Debug, Clone)]
pub struct Named {
    /// Short name.
    pub name: String,
    /// Where it is.
    pub location: Location,
}

/// One database as it was at one instant.
pub struct Picture {
    /// Which database.
    pub database: Named,
    /// How far its log was.
    pub head: Head,
    /// The steps of every service's schema that it has: (service, version).
    pub schema: Vec<(String, i64)>,
    /// Events written by then, numbered or not.
    events: i64,
    held: Held,
}

enum Held {
    Sqlite(rusqlite::Connection),
    // The transaction ends with the connection.
    Postgres { _connection: Box<sqlx::PgConnection>, snapshot: String },
}

impl Locations {
    /// The databases of this node that exist now, the node's own first, then the real space, then exercises in order of their names.
    pub async fn existing(&self) -> Result<Vec<Named>> {
        let mut found = match self {
            Self::Sqlite(dir) => sqlite_files(dir)?,
            Self::Postgres(url) => postgres_databases(url).await?,
        };
        found.sort_by_key(|one| (order(&one.name), one.name.clone()));
        Ok(found)
    }
}

fn order(name: &str) -> u8 {
    match name {
        "node" => 0,
        "real" => 1,
        _ => 2,
    }
}

/// Is this the short name of a database that a node makes?
pub fn is_database_name(name: &str) -> bool {
    let of_exercise = |rest: &str| rest.len() == 32 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    matches!(name, "node" | "real") || name.strip_prefix("ex_").is_some_and(of_exercise)
}

fn sqlite_files(dir: &Path) -> Result<Vec<Named>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::internal(format!("cannot read {}", dir.display())).caused_by(error)),
    };
    let named = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".sqlite3")?.to_owned();
        is_database_name(&name).then_some(Named { name, location: Location::Sqlite(path) })
    };
    Ok(entries.flatten().filter_map(|entry| named(entry.path())).collect())
}

async fn postgres_databases(url: &str) -> Result<Vec<Named>> {
    let (server, base) =
        url.rsplit_once('/').ok_or_else(|| Error::invalid("database_url", "must look like postgres://user@host:port/name"))?;
    let mut conn = sqlx::PgConnection::connect(url).await.map_err(|error| postgres_error("connect", error))?;
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1 || '_')")
        .bind(base)
        .fetch_all(&mut conn)
        .await
        .map_err(|error| postgres_error("look for the databases", error))?;
    let _ = conn.close().await;
    let named = |database: String| {
        let name = database.strip_prefix(base)?.strip_prefix('_')?.to_owned();
        is_database_name(&name).then(|| Named { name, location: Location::Postgres(format!("{server}/{database}")) })
    };
    Ok(names.into_iter().filter_map(named).collect())
}

/// Fixes every database of a node as it is now. NOT_FOUND if there is none.
pub async fn fix_all(locations: &Locations) -> Result<Vec<Picture>> {
    for _ in 0..TRIES {
        let mut pictures = Vec::new();
        for database in locations.existing().await? {
            pictures.push(fix(database).await?);
        }
        let Some(node) = pictures.first().filter(|first| first.database.name == "node") else {
            return Err(Error::new(
                crate::error::Code::NotFound,
                "NO_NODE",
                "there is no node's database here; see --data and --database-url",
            ));
        };
        if fix(node.database.clone()).await?.events == node.events {
            return Ok(pictures);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Error::unavailable("NODE_BUSY", "people, partners or exercises changed without pause; take the backup again"))
}

async fn fix(database: Named) -> Result<Picture> {
    match &database.location {
        Location::Sqlite(path) => fix_sqlite(&path.clone(), database),
        Location::Postgres(url) => fix_postgres(&url.clone(), database).await,
    }
}

const HEAD: &str = "SELECT seq, chain_hash FROM log_head WHERE one = 1";
const SCHEMA: &str = "SELECT service, version FROM durable_migration ORDER BY service, version";
const EVENTS: &str = "SELECT COUNT(*) FROM log_event";

fn fix_sqlite(path: &Path, database: Named) -> Result<Picture> {
    let look = || -> rusqlite::Result<Picture> {
        let conn = rusqlite::Connection::open(path)?;
        conn.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; BEGIN")?;
        // The first read fixes the picture.
        let (sequence, chain_hash): (i64, Vec<u8>) = conn.query_row(HEAD, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let events = conn.query_row(EVENTS, [], |row| row.get(0))?;
        let schema = conn.prepare(SCHEMA)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let head = Head { sequence: sequence.unsigned_abs(), chain_hash };
        Ok(Picture { database: database.clone(), head, schema, events, held: Held::Sqlite(conn) })
    };
    look().map_err(|error| sqlite_error(&format!("read {}", path.display()), error))
}

async fn fix_postgres(url: &str, database: Named) -> Result<Picture> {
    let failed = |error| postgres_error("fix the picture", error);
    let mut conn = sqlx::PgConnection::connect(url).await.map_err(|error| postgres_error("connect", error))?;
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut conn).await.map_err(failed)?;
    let snapshot = sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut conn).await.map_err(failed)?;
    let (sequence, chain_hash): (i64, Vec<u8>) = sqlx::query_as(HEAD).fetch_one(&mut conn).await.map_err(failed)?;
    let events = sqlx::query_scalar(EVENTS).fetch_one(&mut conn).await.map_err(failed)?;
    let schema = sqlx::query_as(SCHEMA).fetch_all(&mut conn).await.map_err(failed)?;
    let head = Head { sequence: sequence.unsigned_abs(), chain_hash };
    Ok(Picture { database, head, schema, events, held: Held::Postgres { _connection: Box::new(conn), snapshot } })
}

impl Picture {
    /// The exported snapshot, for `pg_dump --snapshot`; `None` on SQLite.
    pub fn snapshot(&self) -> Option<&str> {
        match &self.held {
            Held::Sqlite(_) => None,
            Held::Postgres { snapshot, .. } => Some(snapshot),
        }
    }

    /// Copies a SQLite database as it is in the picture into a new file, by SQLite's own backup; tells the pages done and all pages.
    /// The node's writer is not held up.
    pub fn copy_to(&self, file: &Path, mut progress: impl FnMut(u64, u64)) -> Result<()> {
        let Held::Sqlite(source) = &self.held else { return Err(Error::internal("only a SQLite database is copied page by page")) };
        let mut copy = || -> rusqlite::Result<()> {
            let mut target = rusqlite::Connection::open(file)?;
            {
                let backup = rusqlite::backup::Backup::new(source, &mut target)?;
                loop {
                    let step = backup.step(STEP_PAGES)?;
                    let pages = backup.progress();
                    progress((pages.pagecount - pages.remaining).unsigned_abs().into(), pages.pagecount.unsigned_abs().into());
                    match step {
                        rusqlite::backup::StepResult::Done => break,
                        rusqlite::backup::StepResult::More => {}
                        _ => std::thread::sleep(Duration::from_millis(20)),
                    }
                }
            }
            // One file, without a journal beside it. The node that opens it goes back to WAL.
            target.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
            target.close().map_err(|(_, error)| error)
        };
        copy().map_err(|error| sqlite_error(&format!("copy to {}", file.display()), error))?;
        std::fs::File::open(file)
            .and_then(|file| file.sync_all())
            .map_err(|error| Error::internal(format!("cannot write {}", file.display())).caused_by(error))
    }
}
