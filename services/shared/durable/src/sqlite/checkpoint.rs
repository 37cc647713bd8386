//! Bringing the WAL into the database beside the writer, who would stand still for it in the middle of a group.
//!
//! A thread with a connection of its own copies what has been committed once that is much. A WAL can begin anew only when all of it has
//! been copied, and a writer that never rests is always a little ahead; so where it has grown large the writer copies the rest itself, which
//! is little by then. A failure (a full disk) leaves the WAL as it is: nothing is lost, and the next look tries again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::error::{Error, Result};

/// Pages of 4 KiB that are worth a copy. Little at a time: the disk makes a COMMIT wait while it writes down what was copied.
const COPY_PAGES: i64 = 512;
/// From so many pages on the WAL should begin anew.
const BEGIN_ANEW_PAGES: i64 = 8192;
/// After a commit it looks so much later.
const LOOK_AFTER: Duration = Duration::from_millis(20);
/// Copies in a row: each has less to do than the one before, unless the disk is too slow for this rate of writes.
const IN_A_ROW: usize = 4;

/// The thread, as the writer sees it.
pub(super) struct Checkpointer {
    committed: SyncSender<()>,
    finish: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Checkpointer {
    /// Starts it on a connection of its own, for a writer that does no checkpoints by itself.
    pub(super) fn start(conn: Connection) -> Result<Self> {
        let (committed, commits) = mpsc::sync_channel(1);
        let finish = Arc::new(AtomicBool::new(false));
        let asks = finish.clone();
        let thread = std::thread::Builder::new().name("sqlite-wal".to_owned()).spawn(move || {
            let mut failing = false;
            while commits.recv().is_ok() {
                std::thread::sleep(LOOK_AFTER);
                let looked = look(&conn);
                asks.store(matches!(looked, Ok(true)), Ordering::Relaxed);
                // Told once: on a full disk every look fails.
                if let (Err(error), false) = (&looked, failing) {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "the WAL cannot be brought into the database; it grows until that succeeds"
                    );
                }
                failing = looked.is_err();
            }
        });
        let thread = thread.map_err(|error| Error::internal("cannot start the thread of the WAL").caused_by(error))?;
        Ok(Self { committed, finish, thread })
    }

    /// Called by the writer after each COMMIT.
    pub(super) fn committed(&self, writer: &Connection) {
        if self.finish.swap(false, Ordering::Relaxed) {
            // A failure shows at the next look of the thread, which tells it.
            let _ = copy(writer);
        }
        if let Err(TrySendError::Disconnected(())) = self.committed.try_send(()) {
            tracing::error!("the thread of the WAL is gone; the WAL grows until this node starts again");
        }
    }

    /// Ends it.
    pub(super) fn stop(self) {
        drop(self.committed);
        let _ = self.thread.join();
    }
}

/// Copies while that is worth it; whether the WAL should begin anew.
fn look(conn: &Connection) -> rusqlite::Result<bool> {
    for _ in 0..IN_A_ROW {
        let (pages, copied) = pages(conn, "NOOP")?;
        if pages - copied < COPY_PAGES {
            break;
        }
        copy(conn)?;
    }
    Ok(pages(conn, "NOOP")?.0 >= BEGIN_ANEW_PAGES)
}

/// Copies all that has been committed and no reader still needs the older form of.
fn copy(conn: &Connection) -> rusqlite::Result<()> {
    pages(conn, "PASSIVE").map(|_| ())
}

/// Pages in the WAL, and how many of them stand in the database.
fn pages(conn: &Connection, mode: &str) -> rusqlite::Result<(i64, i64)> {
    conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| Ok((row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::db::{Db, Location};
    use crate::params;

    const ROUNDS: u64 = 160;
    const ROUND_BYTES: usize = 1 << 20;

    #[tokio::test]
    async fn the_wal_is_copied_beside_a_writer_that_never_rests_and_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db.sqlite3");
        let db = Db::open(&Location::Sqlite(path.clone()), Arc::new(Clock::real())).await.unwrap();
        db.script("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)").await.unwrap();
        for round in 0..ROUNDS {
            let row = (round % 8, vec![round as u8; ROUND_BYTES]);
            let sql = "INSERT INTO t (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
            db.write(row, move |(id, body), tx| Box::pin(async move { tx.execute_one(sql, params![*id, body]).await })).await.unwrap();
        }
        let wal = std::fs::metadata(dir.path().join("db.sqlite3-wal")).unwrap().len();
        assert!(wal < ROUNDS * ROUND_BYTES as u64 / 2, "a WAL of {wal} bytes after {ROUNDS} MiB: it never began anew");
        let conn = Connection::open(&path).unwrap();
        let end = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let (all, copied) = pages(&conn, "NOOP").unwrap();
            if all - copied < COPY_PAGES {
                break;
            }
            assert!(std::time::Instant::now() < end, "{copied} of {all} pages were copied");
            tokio::time::sleep(LOOK_AFTER).await;
        }
        db.close().await;
    }
}
