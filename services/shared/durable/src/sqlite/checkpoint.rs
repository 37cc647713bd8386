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
            while commits.recv().is_ok() {
                std::thread::sleep(LOOK_AFTER);
                match look(&conn) {
                    Ok(begin_anew) => asks.store(begin_anew, Ordering::Relaxed),
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the WAL could not be brought into the database")
                    }
                }
            }
        });
        let thread = thread.map_err(|error| Error::internal("cannot start the thread of the WAL").caused_by(error))?;
        Ok(Self { committed, finish, thread })
    }

    /// Called by the writer after each COMMIT.
    pub(super) fn committed(&self, writer: &Connection) {
        if self.finish.swap(false, Ordering::Relaxed)
            && let Err(error) = copy(writer)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the rest of the WAL could not be brought into the database");
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
