//! A database of either kind: how writes and reads are run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::measure;
use crate::space_clock::{self, Kept};
use crate::sqlite::{Sqlite, WriteFn};
use crate::standing::{Lease, Standing};
use crate::trace::{self, Context, KeyValue, Span, SpanKind};
use crate::tx::{Backend, Dialect, Recorder, Tx, postgres_error};

/// Settings of each session. A machine that vanished is noticed by keepalives, a process that stands still in mid-transaction by the
/// time limit: neither may hold the others up for longer than seconds.
const SESSION: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("idle_in_transaction_session_timeout", "10000"),
];
/// A read holds nobody up, and may think for long between its statements.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Runs of one write before the caller is asked to repeat it.
const RERUNS_MAX: u32 = 60;

/// A caller waits no longer for a connection: an officer at a database that is down is to know within seconds, and repeat.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, as a URL.
    Postgres(String),
}

/// How a write transaction is isolated on PostgreSQL. SQLite has one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// The safe default.
    Serializable,
    /// Where an explicit lock on what is decided stands in its place, and a race test proves it.
    ReadCommitted,
}

/// How busy a database is, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// SQLite.
    Sqlite {
        /// Writes that the writer has not taken up.
        writes_waiting: usize,
    },
    /// PostgreSQL.
    Postgres {
        /// Connections at work.
        used: usize,
        /// Connections that wait for work.
        idle: usize,
    },
}

enum Kind {
    Sqlite(Sqlite),
    Postgres(sqlx::PgPool),
}

/// One database.
pub struct Db {
    kind: Kind,
    /// Of the file without its ending, or of the database.
    name: Arc<str>,
    clock: Arc<Clock>,
    frozen: AtomicBool,
    health: crate::health::Health,
    /// On PostgreSQL.
    standing: Option<Standing>,
    /// The clock's row as it was last seen; in an exercise each transaction looks at it, once there is one.
    clock_seen: parking_lot::Mutex<Option<Kept>>,
    recorder: Arc<Mutex<Option<Recorder>>>,
    /// The last sequence number; a hint.
    pub(crate) head: watch::Sender<u64>,
    /// Told after every write on PostgreSQL, where events get their numbers afterwards.
    pub(crate) logged: tokio::sync::Notify,
}

impl Db {
    /// Opens it. A SQLite file is made if it is not there; a PostgreSQL database must exist.
    pub async fn open(location: &Location, clock: Arc<Clock>) -> Result<Arc<Self>> {
        Self::open_with(location, clock, None).await
    }

    /// As [`Db::open`], with a limit on how many writes share one SQLite COMMIT (for benchmarks).
    pub async fn open_with(location: &Location, clock: Arc<Clock>, group_max: Option<usize>) -> Result<Arc<Self>> {
        let (recorder, head) = (Arc::new(Mutex::new(None)), watch::Sender::new(0));
        let (kind, standing) = match location {
            Location::Sqlite(path) => (Kind::Sqlite(Sqlite::open(path, &clock, group_max, recorder.clone(), head.clone())?), None),
            Location::Postgres(url) => {
                let options: PgConnectOptions = url
                    .parse()
                    .map_err(|error: sqlx::Error| Error::invalid("database_url", "must be a postgres:// URL").caused_by(error))?;
                let options = options.options(SESSION);
                let standing = Standing::new(&options);
                let pool = PgPoolOptions::new()
                    .max_connections(8)
                    .acquire_timeout(CONNECT_WITHIN)
                    .connect_with(options)
                    .await
                    .map_err(|error| postgres_error("connect", error))?;
                (Kind::Postgres(pool), Some(standing))
            }
        };
        let (frozen, clock_seen, logged) = (AtomicBool::new(false), parking_lot::Mutex::default(), tokio::sync::Notify::new());
        let health = crate::health::Health::default();
        Ok(Arc::new(Self { kind, name: name_of(location), clock, frozen, recorder, health, standing, clock_seen, head, logged }))
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match self.kind {
            Kind::Sqlite(_) => Dialect::Sqlite,
            Kind::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What reads and writes have met lately.
    pub fn health(&self) -> crate::health::Seen {
        self.health.seen()
    }

    /// The last sequence number of the log that this process knows of. On SQLite that is every one that it has answered for.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// The clock of its space.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Runs a write. The closure may run several times (a lost race, a void group): it must decide from what it reads in its
    /// transaction and await nothing but the store. When this returns `Ok`, the change is on disk.
    pub async fn write<C, T, F>(&self, context: C, run: F) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        self.write_isolated(Isolation::Serializable, context, run).await
    }

    /// As [`Db::write`], with the isolation said.
    pub async fn write_isolated<C, T, F>(&self, isolation: Isolation, context: C, run: F) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        if self.frozen.load(Ordering::Acquire) {
            return Err(over());
        }
        // Another replica may have ended the exercise.
        let outcome =
            self.write_unheard(isolation, (context, run), |(context, run), tx| if tx.over { refuse_over() } else { run(context, tx) });
        let outcome = outcome.await;
        if self.dialect() == Dialect::Postgres {
            // A hint only: the sequencer also looks by itself.
            self.logged.notify_one();
        }
        outcome
    }

    /// As [`Db::write_isolated`], without the hint to the sequencer, and also in an exercise that is over: for the sequencer's own writes,
    /// which would wake it for ever, and for the end itself.
    pub(crate) async fn write_unheard<C, T, F>(&self, isolation: Isolation, context: C, run: F) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let span = self.write_span();
        let outcome = match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.write(context, Arc::new(run) as Arc<WriteFn<C, T>>, span.context().clone()).await,
            Kind::Postgres(pool) => self.write_postgres(pool, isolation, &context, &run, &span).await,
        };
        if let Err(error) = &outcome {
            span.fail(error.reason, error.message.clone());
        }
        self.health.note(&outcome);
        outcome
    }

    /// A write as work in the trace of whoever asks for it; none where nobody does.
    fn write_span(&self) -> Span {
        if !trace::installed() {
            return Span::none(Context::current());
        }
        let (kind, system) = match self.kind {
            Kind::Sqlite(_) => (SpanKind::Internal, "sqlite"),
            Kind::Postgres(_) => (SpanKind::Client, "postgresql"),
        };
        Context::map_current(|parent| {
            Span::child(kind, format!("write {}", self.name), parent, || {
                vec![
                    KeyValue::new("db.system.name", system),
                    KeyValue::new("db.namespace", self.name.clone()),
                    KeyValue::new("db.operation.name", "write"),
                ]
            })
        })
    }

    async fn write_postgres<C, T>(
        &self,
        pool: &sqlx::PgPool,
        isolation: Isolation,
        context: &C,
        run: &WriteFn<C, T>,
        span: &Span,
    ) -> Result<T> {
        let begin = match isolation {
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        let mut tries = 0;
        loop {
            let outcome = self.try_postgres(pool, begin, context, run, span.context()).await;
            match outcome {
                Err(error) if error.rerun && tries < RERUNS_MAX => {
                    tries += 1;
                    measure::RERUNS.add(1, &[]);
                    // Spread the losers, so that they do not meet again at once.
                    let spread = u64::from(crate::clock::wall::now().subsec_nanosecond().unsigned_abs()) / 1000 % 7;
                    tokio::time::sleep(Duration::from_millis(u64::from(tries.min(10)) + spread)).await;
                }
                other => {
                    span.set("fenghuo.db.reruns", i64::from(tries));
                    return other;
                }
            }
        }
    }

    async fn try_postgres<C, T>(
        &self,
        pool: &sqlx::PgPool,
        begin: &'static str,
        context: &C,
        run: &WriteFn<C, T>,
        trace: &Context,
    ) -> Result<T> {
        let transaction = pool.begin_with(begin).await.map_err(|error| postgres_error(begin, error))?;
        let mut tx = Tx::new(Backend::Postgres(transaction), self.clock.clone());
        tx.recorder = self.recorder.lock().clone();
        tx.trace = trace.clone();
        let outcome = match self.look_at_clock(&mut tx).await {
            Ok(()) => run(context, &mut tx).await,
            Err(error) => Err(error),
        };
        let after = std::mem::take(&mut tx.after_commit);
        let Backend::Postgres(transaction) = tx.backend else {
            return Err(Error::internal("a transaction changed its database"));
        };
        match outcome {
            Ok(value) => {
                transaction.commit().await.map_err(|error| postgres_error("COMMIT", error))?;
                after.into_iter().for_each(|act| act());
                Ok(value)
            }
            Err(error) => {
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// Runs a read on one unchanging picture of the database.
    pub async fn read<C, T, F>(&self, context: C, run: F) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let outcome = match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.read(context, Arc::new(run) as Arc<WriteFn<C, T>>).await,
            Kind::Postgres(pool) => self.try_postgres(pool, READ, &context, &run, &Context::new()).await,
        };
        self.health.note(&outcome);
        outcome
    }

    /// In an exercise another replica may have set the clock, or ended it.
    async fn look_at_clock(&self, tx: &mut Tx) -> Result<()> {
        let seen = self.clock_seen.lock().is_some();
        if seen && let Some(kept) = space_clock::kept(tx).await? {
            tx.over = kept.ended;
            self.follow_clock(kept);
        }
        Ok(())
    }

    pub(crate) fn follow_clock(&self, kept: Kept) {
        space_clock::follow(&self.clock, &self.clock_seen, kept);
    }

    /// Claims a name that one process holds at a time, for what need not be done twice. On SQLite this process holds it.
    pub fn lease(&self, name: &str) -> Lease {
        self.standing.as_ref().map_or_else(Lease::alone, |standing| standing.lease(name))
    }

    /// The standing connection, where there is one.
    pub(crate) fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// Runs a script of statements without parameters (migrations).
    pub(crate) async fn script(&self, sql: &'static str) -> Result<()> {
        self.write(sql, |sql, tx| Box::pin(tx.script(sql))).await
    }

    /// Lets a benchmark see every statement of the writes with its parameters (on PostgreSQL those of the reads as well).
    pub fn record_statements(&self, recorder: Option<Recorder>) {
        *self.recorder.lock() = recorder;
    }

    /// From now on only reads: every write is refused with FAILED_PRECONDITION `EXERCISE_ENDED`. For the data of what is over.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
    }

    /// How busy it is now.
    pub fn load(&self) -> Load {
        match &self.kind {
            Kind::Sqlite(sqlite) => Load::Sqlite { writes_waiting: sqlite.waiting() },
            Kind::Postgres(pool) => {
                let idle = pool.num_idle();
                Load::Postgres { used: (pool.size() as usize).saturating_sub(idle), idle }
            }
        }
    }

    /// Is this the data of what is over? Nothing is written to it any more.
    pub fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }

    /// Finishes what is queued and closes.
    pub async fn close(&self) {
        if let Some(standing) = &self.standing {
            standing.stop().await;
        }
        match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.close(),
            Kind::Postgres(pool) => pool.close().await,
        }
    }
}

fn name_of(location: &Location) -> Arc<str> {
    match location {
        Location::Sqlite(path) => path.file_stem().unwrap_or_default().to_string_lossy().into(),
        Location::Postgres(url) => url.rsplit('/').next().and_then(|name| name.split('?').next()).unwrap_or_default().into(),
    }
}

fn refuse_over<'t, T: Send + 't>() -> BoxFuture<'t, Result<T>> {
    Box::pin(async { Err(over()) })
}

/// The refusal of a write to what is over.
fn over() -> Error {
    Error::precondition("EXERCISE_ENDED", "the exercise is over; its data can be read and no longer changed")
}

/// Makes a PostgreSQL database if it is not there, through a connection to another one of the same server.
pub async fn create_postgres_database(admin_url: &str, name: &str) -> Result<()> {
    use sqlx::Connection as _;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        return Err(Error::invalid("database_name", "may have lower-case letters, digits and underscores"));
    }
    let mut conn = sqlx::PgConnection::connect(admin_url).await.map_err(|error| postgres_error("connect", error))?;
    let there = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(name).fetch_optional(&mut conn).await;
    if there.map_err(|error| postgres_error("look for the database", error))?.is_none() {
        // An identifier cannot be a parameter; the name was checked above.
        let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"));
        match sqlx::raw_sql(sql).execute(&mut conn).await {
            Ok(_) => {}
            // Another replica made it in between.
            Err(error) if error.as_database_error().and_then(|db| db.code()).is_some_and(|code| code == "42P04" || code == "23505") => {}
            Err(error) => return Err(postgres_error("CREATE DATABASE", error)),
        }
    }
    let _ = conn.close().await;
    Ok(())
}

/// Drops the databases of a node that is no more: `base` and those whose names begin with it and an underscore. For drills and tests,
/// whose bases carry an identifier of their own run.
pub async fn drop_postgres_databases(admin_url: &str, base: &str) -> Result<()> {
    use sqlx::Connection as _;
    if base.len() < 16 || !base.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        return Err(Error::invalid(
            "base",
            "must be the full base name of one run: at least 16 lower-case letters, digits and underscores",
        ));
    }
    let mut conn = sqlx::PgConnection::connect(admin_url).await.map_err(|error| postgres_error("connect", error))?;
    let names: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname = $1 OR starts_with(datname, $1 || '_')")
            .bind(base)
            .fetch_all(&mut conn)
            .await
            .map_err(|error| postgres_error("look for the databases", error))?;
    // The names come from the server and begin with what was checked above.
    for name in names.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')) {
        let sql = sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        sqlx::raw_sql(sql).execute(&mut conn).await.map_err(|error| postgres_error("DROP DATABASE", error))?;
    }
    let _ = conn.close().await;
    Ok(())
}
