//! SQLite: one writer thread that commits closures in groups, and a few readers.
//!
//! Why a thread of its own and not sqlx: `tests/README.md` has the measurement. The rules: a group's closures run one after
//! another; one durable COMMIT; only then is anybody answered. Most closures that fail have written nothing, and a savepoint for each
//! costs a tenth of the time; so there is none at first. Once one fails after it has written, the group is rolled back and runs again with a
//! savepoint for each. After an error other than a constraint's the transaction may be gone (a full disk rolls all of it back): then the
//! group is void and each member runs again alone.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use opentelemetry::trace::TraceContextExt as _;
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use tokio::sync::{Semaphore, oneshot, watch};

mod checkpoint;
mod queue;

pub use queue::ahead;

use self::checkpoint::Checkpointer;
use self::queue::Queue;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::measure::GROUP_SIZE;
use crate::trace::{self, Context, KeyValue};
use crate::tx::{AfterCommit, Backend, Recorder, Tx, sqlite_error};

/// At most so many closures share one COMMIT: bounds the wait of the first of them.
const GROUP_MAX: usize = 256;
/// Readers besides the writer.
const READERS: usize = 4;
/// The pages of the largest group fit in: what does not is written to the WAL, read back and written again before the COMMIT.
const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// A closure waiting for the writer, with its answer's type hidden.
trait Job: Send {
    /// Runs once; `true` if its changes should stay.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// The error of the last run asked for another run (its transaction was void).
    fn wants_rerun(&self) -> bool;
    /// Answers: what the last run gave, or the error that undid it. So many writes shared the COMMIT.
    fn finish(self: Box<Self>, undone: Option<Error>, group: usize);
}

/// What a write closure looks like; see [`crate::Db::write`].
pub(crate) type WriteFn<C, T> = dyn for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync;

struct TypedJob<C, T> {
    context: C,
    run: Arc<WriteFn<C, T>>,
    outcome: Option<Result<T>>,
    trace: Context,
    after_commit: Vec<AfterCommit>,
    reply: oneshot::Sender<Result<T>>,
}

impl<C: Send + Sync, T: Send> Job for TypedJob<C, T> {
    fn run(&mut self, tx: &mut Tx) -> bool {
        tx.trace = self.trace.clone();
        let outcome = {
            let _in_trace = trace::in_trace(&self.trace).then(|| self.trace.clone().attach());
            run_now((self.run)(&self.context, tx))
        };
        self.after_commit = std::mem::take(&mut tx.after_commit);
        let stays = outcome.is_ok();
        self.outcome = Some(outcome);
        stays
    }

    fn wants_rerun(&self) -> bool {
        matches!(&self.outcome, Some(Err(error)) if error.rerun)
    }

    fn finish(mut self: Box<Self>, undone: Option<Error>, group: usize) {
        let after = std::mem::take(&mut self.after_commit);
        if undone.is_none() && matches!(self.outcome, Some(Ok(_))) {
            after.into_iter().for_each(|act| act());
        }
        if trace::installed() {
            self.trace.span().set_attribute(KeyValue::new("fenghuo.db.group.size", group as i64));
        }
        let outcome = match undone {
            Some(error) => Err(error),
            None => self.outcome.unwrap_or_else(|| Err(Error::internal("a write was never run"))),
        };
        // The caller may have gone away; its change stands all the same, and its request_id finds the answer.
        let _ = self.reply.send(outcome);
    }
}

/// Polls a store-only future to its end: its awaits never wait.
fn run_now<T>(future: BoxFuture<'_, Result<T>>) -> Result<T> {
    match std::panic::catch_unwind(AssertUnwindSafe(|| future.now_or_never())) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => Err(Error::internal("a write closure awaited something other than the store")),
        Err(panic) => Err(Error::internal(format!("a write closure panicked: {}", panic_text(&*panic)))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

pub(crate) struct Sqlite {
    jobs: Arc<Queue<Box<dyn Job>>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Arc<Mutex<Vec<Tx>>>,
    permits: Arc<Semaphore>,
}

fn connect(path: &Path, read_only: bool) -> Result<rusqlite::Connection> {
    let open = || -> rusqlite::Result<rusqlite::Connection> {
        let conn = rusqlite::Connection::open(path)?;
        conn.set_prepared_statement_cache_capacity(512);
        // Plans do not hang on parameters: SQLite would plan a statement anew for each call.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.execute_batch(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
            PRAGMA temp_store = MEMORY;",
        )?;
        // The checkpointer's work.
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        if read_only {
            conn.execute_batch("PRAGMA query_only = ON;")?;
        } else {
            conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        }
        Ok(conn)
    };
    open().map_err(|error| {
        let refused = sqlite_error("open", error);
        match refused.reason {
            "DISK_FULL" => {
                Error { message: format!("cannot open {}: the disk is full; free some space and start again", path.display()), ..refused }
            }
            _ => Error { message: format!("cannot open the database {}", path.display()), ..refused },
        }
    })
}

impl Sqlite {
    pub(crate) fn open(
        path: &Path,
        clock: &Arc<Clock>,
        group_max: Option<usize>,
        recording: Arc<Mutex<Option<Recorder>>>,
        head: watch::Sender<u64>,
    ) -> Result<Self> {
        let tx = |conn| Tx::new(Backend::Sqlite(conn), clock.clone());
        let writer_tx = tx(connect(path, false)?);
        let checkpointer = Checkpointer::start(connect(path, false)?)?;
        let mut readers = Vec::new();
        for _ in 0..READERS {
            readers.push(tx(connect(path, true)?));
        }
        let jobs = Arc::new(Queue::new());
        let writer =
            Writer { tx: writer_tx, jobs: jobs.clone(), head, recording, checkpointer, most: group_max.unwrap_or(GROUP_MAX).max(1) };
        let writer = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| Error::internal("cannot start the writer thread").caused_by(error))?;
        Ok(Self {
            jobs,
            writer: Mutex::new(Some(writer)),
            readers: Arc::new(Mutex::new(readers)),
            permits: Arc::new(Semaphore::new(READERS)),
        })
    }

    pub(crate) async fn write<C, T>(&self, context: C, run: Arc<WriteFn<C, T>>, trace: Context) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(TypedJob { context, run, outcome: None, trace, after_commit: Vec::new(), reply });
        if !self.jobs.push(job, queue::asked_ahead()) {
            return Err(closed());
        }
        answer.await.map_err(|_| closed())?
    }

    pub(crate) async fn read<C, T>(&self, context: C, run: Arc<WriteFn<C, T>>) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
    {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| closed())?;
        let readers = self.readers.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut tx = readers.lock().pop().ok_or_else(closed)?;
            let outcome = batch(&mut tx, "BEGIN").and_then(|()| run_now(run(&context, &mut tx)));
            let ended = batch(&mut tx, "ROLLBACK");
            readers.lock().push(tx);
            ended.and(outcome)
        });
        task.await.map_err(|error| Error::internal("a read was broken off").caused_by(error))?
    }

    /// Writes that wait for the writer.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// Lets the writer finish what is queued, then ends it.
    pub(crate) fn close(&self) {
        self.jobs.close();
        if let Some(writer) = self.writer.lock().take() {
            let _ = writer.join();
        }
        self.permits.close();
        self.readers.lock().clear();
    }
}

fn closed() -> Error {
    Error::unavailable("DATABASE_CLOSED", "this node is stopping; repeat the call with the same request_id when it is back")
}

fn batch(tx: &mut Tx, sql: &str) -> Result<()> {
    match &mut tx.backend {
        Backend::Sqlite(conn) => conn.execute_batch(sql).map_err(|error| sqlite_error(sql, error)),
        Backend::Postgres(_) => Err(Error::internal("a SQLite script on another database")),
    }
}

/// No transaction is open: an error took the whole of it away.
fn transaction_gone(tx: &Tx) -> bool {
    matches!(&tx.backend, Backend::Sqlite(conn) if conn.is_autocommit())
}

/// The writer's thread.
struct Writer {
    tx: Tx,
    jobs: Arc<Queue<Box<dyn Job>>>,
    head: watch::Sender<u64>,
    recording: Arc<Mutex<Option<Recorder>>>,
    checkpointer: Checkpointer,
    /// Members of a group.
    most: usize,
}

impl Writer {
    fn run(mut self) {
        while let Some((first, ahead)) = self.jobs.wait() {
            self.tx.recorder = self.recording.lock().clone();
            let queue = self.jobs.clone();
            let joining = Joining { queue: &queue, most: self.most, ends: ahead };
            self.run_group(vec![first], Some(joining));
            if let Backend::Sqlite(conn) = &self.tx.backend {
                self.checkpointer.committed(conn);
            }
        }
        self.checkpointer.stop();
    }

    /// Runs a group to its answers. Jobs that come meanwhile join it from the queue.
    fn run_group(&mut self, mut group: Vec<Box<dyn Job>>, joining: Option<Joining<'_>>) {
        let attempted = match attempt(&mut self.tx, &mut group, Guard::Group, joining) {
            Err(error) if error.reason == WROTE_AND_FAILED => attempt(&mut self.tx, &mut group, Guard::Member, None),
            attempted => attempted,
        };
        match attempted {
            Ok(moved) => {
                raise(&self.head, moved.unwrap_or(0));
                let size = group.len();
                GROUP_SIZE.record(size as u64, &[]);
                group.into_iter().for_each(|job| job.finish(None, size));
            }
            Err(error) if group.len() == 1 => group.into_iter().for_each(|job| {
                // Keep the job's own error where it has one: it says more.
                let undone = if job.wants_rerun() { None } else { Some(same_kind(&error)) };
                job.finish(undone, 1);
            }),
            Err(_) => {
                tracing::warn!(members = group.len(), "a group of writes was void; each runs again alone");
                for job in group {
                    self.run_group(vec![job], None);
                }
            }
        }
    }
}

/// From where jobs join a group that is under way.
#[derive(Clone, Copy)]
struct Joining<'q> {
    queue: &'q Queue<Box<dyn Job>>,
    most: usize,
    /// The first of the group went ahead.
    ends: bool,
}

/// What is undone when a member fails after it has written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// The whole group.
    Group,
    /// The member alone, by a savepoint.
    Member,
}

/// Reason of the error that a group ends with when one of it fails after it has written and has no savepoint.
const WROTE_AND_FAILED: &str = "WROTE_AND_FAILED";

/// Tells the head of the log, if it is news.
pub(crate) fn raise(head: &watch::Sender<u64>, to: u64) {
    head.send_if_modified(|known| to > std::mem::replace(known, to.max(*known)));
}

fn same_kind(error: &Error) -> Error {
    Error::new(error.code, error.reason, error.message.clone())
}

/// One BEGIN to one COMMIT; the head of the log if it has moved. An error means that nothing of the group is on disk.
fn attempt(tx: &mut Tx, group: &mut Vec<Box<dyn Job>>, guard: Guard, joining: Option<Joining<'_>>) -> Result<Option<u64>> {
    tx.chain = None;
    batch(tx, "BEGIN IMMEDIATE")?;
    let run = run_members(tx, group, guard, joining).and_then(|()| run_now(Box::pin(tx.keep_head())));
    let outcome = run.and_then(|head| batch(tx, "COMMIT").map(|()| head));
    if outcome.is_err() && !transaction_gone(tx) {
        let _ = batch(tx, "ROLLBACK");
    }
    outcome
}

fn run_members(tx: &mut Tx, group: &mut Vec<Box<dyn Job>>, guard: Guard, joining: Option<Joining<'_>>) -> Result<()> {
    let (mut at, mut ends) = (0, joining.is_some_and(|from| from.ends));
    loop {
        if at == group.len() {
            let Some((job, ahead)) = joining.filter(|from| at < from.most).and_then(|from| from.queue.join(ends)) else { return Ok(()) };
            ends |= ahead;
            group.push(job);
        }
        let alone = group.len() == 1;
        run_member(tx, &mut *group[at], guard, alone)?;
        at += 1;
    }
}

fn run_member(tx: &mut Tx, job: &mut dyn Job, guard: Guard, alone: bool) -> Result<()> {
    if guard == Guard::Member {
        batch(tx, "SAVEPOINT member")?;
    }
    let (chain, changes) = (tx.chain.clone(), changes(tx));
    let stays = job.run(tx);
    if transaction_gone(tx) || (job.wants_rerun() && !alone) {
        return Err(Error::unavailable("GROUP_VOID", "nothing was changed; repeat the call with the same request_id"));
    }
    match (guard, stays) {
        (Guard::Group, true) => Ok(()),
        (Guard::Group, false) if changes == self::changes(tx) => Ok(()),
        (Guard::Group, false) => Err(Error::unavailable(WROTE_AND_FAILED, "it runs again with savepoints")),
        (Guard::Member, true) => batch(tx, "RELEASE member"),
        (Guard::Member, false) => {
            tx.chain = chain;
            batch(tx, "ROLLBACK TO member; RELEASE member")
        }
    }
}

/// Grows with every row that is written and with every script.
fn changes(tx: &Tx) -> u64 {
    match &tx.backend {
        Backend::Sqlite(conn) => conn.total_changes() + tx.scripts,
        Backend::Postgres(_) => 0,
    }
}
