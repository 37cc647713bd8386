//! The standing connection to a PostgreSQL database, beside the pool: it hears what other replicas sequence, and holds leases.
//!
//! A lease is an advisory lock of this connection's session. It is lost when the connection breaks, which for a killed process is at
//! once. A process that stands still or a machine that vanished stops asking; then the server breaks the connection by itself. Whoever
//! holds a lease does alone what would be wasteful to do twice. It is never the proof that something happens once: that is the business
//! of transactions.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// The channel on which the sequencer tells the head of the log.
pub(crate) const HEAD_CHANNEL: &str = "fenghuo_head";

/// How often leases that others hold are asked for, and the connection shows that it lives.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// An answer that takes longer means that the connection is lost.
const ANSWER: Duration = Duration::from_secs(3);
/// The server ends a session that asks nothing for so long, in milliseconds: longer than we need to notice it ourselves.
const SERVER_PATIENCE_MS: u32 = 6_000;
/// Before a lost connection is made anew.
const RECONNECT: Duration = Duration::from_millis(500);

/// A claim on a name that one process holds at a time. Dropped, it is given up.
#[derive(Debug)]
pub struct Lease {
    held: watch::Receiver<bool>,
    // On SQLite nobody else can ask: the claim is its own sender.
    _alone: Option<watch::Sender<bool>>,
}

impl Lease {
    /// A lease that nobody else can ask for.
    pub(crate) fn alone() -> Self {
        let sender = watch::Sender::new(true);
        Self { held: sender.subscribe(), _alone: Some(sender) }
    }

    /// Does this process hold it now?
    pub fn is_held(&self) -> bool {
        *self.held.borrow()
    }

    /// Waits until this process holds it.
    pub async fn held(&mut self) {
        self.becomes(true).await;
    }

    /// Waits until this process holds it no longer.
    pub async fn lost(&mut self) {
        self.becomes(false).await;
    }

    async fn becomes(&mut self, wanted: bool) {
        if self.held.wait_for(|held| *held == wanted).await.is_err() {
            // The database is closed: nothing changes any more.
            std::future::pending::<()>().await;
        }
    }
}

/// The standing connection of one open database. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Standing {
    shared: Arc<Shared>,
    options: PgConnectOptions,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    /// Names that this process claims, with what their holders are told.
    claims: Mutex<HashMap<String, watch::Sender<bool>>>,
    claimed: tokio::sync::Notify,
    head: watch::Sender<u64>,
    /// Hints are heard now.
    hears: AtomicBool,
    stop: watch::Sender<bool>,
}

impl Standing {
    /// Nothing is connected before [`Standing::start`].
    pub(crate) fn new(options: &PgConnectOptions) -> Self {
        let shared = Shared {
            claims: Mutex::default(),
            claimed: tokio::sync::Notify::new(),
            head: watch::Sender::new(0),
            hears: AtomicBool::new(false),
            stop: watch::Sender::new(false),
        };
        let options = options.clone().options([("idle_session_timeout", SERVER_PATIENCE_MS)]);
        Self { shared: Arc::new(shared), options, task: Mutex::default() }
    }

    /// Connects and stays connected, unless it does already.
    pub(crate) fn start(&self) {
        let mut task = self.task.lock();
        if task.is_none() && !*self.shared.stop.borrow() {
            *task = Some(tokio::spawn(stand(self.shared.clone(), self.options.clone())));
        }
    }

    /// The head of the log as other replicas tell it; a hint.
    pub(crate) fn head(&self) -> watch::Receiver<u64> {
        self.shared.head.subscribe()
    }

    /// Are hints heard now?
    pub(crate) fn hears(&self) -> bool {
        self.shared.hears.load(Ordering::Acquire)
    }

    /// Claims a name.
    pub(crate) fn lease(&self, name: &str) -> Lease {
        self.start();
        let held = self.shared.claims.lock().entry(name.to_owned()).or_default().subscribe();
        self.shared.claimed.notify_one();
        Lease { held, _alone: None }
    }

    /// Gives every lease up and disconnects.
    pub(crate) async fn stop(&self) {
        self.shared.stop.send_replace(true);
        let task = self.task.lock().take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.shared.stop.send_replace(true);
    }
}

async fn stand(shared: Arc<Shared>, options: PgConnectOptions) {
    let mut stop = shared.stop.subscribe();
    loop {
        let outcome = connected(&shared, &options, &mut stop).await;
        shared.hears.store(false, Ordering::Release);
        shared.lose_all();
        let Err(error) = outcome else { return };
        tracing::warn!(error = &error as &dyn std::error::Error, "the standing connection to the database was lost; its leases with it");
        if timeout(RECONNECT, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Until the connection is lost (an error) or is no longer wanted.
async fn connected(shared: &Shared, options: &PgConnectOptions, stop: &mut watch::Receiver<bool>) -> sqlx::Result<()> {
    // A pool of one, because a listener takes its connection from a pool.
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).acquire_timeout(ANSWER);
    let pool = pool.connect_with(options.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    answered(listener.listen(HEAD_CHANNEL)).await?;
    shared.hears.store(true, Ordering::Release);
    loop {
        answered(shared.ask(&mut listener)).await?;
        let next = Instant::now() + ASK_EVERY;
        let stopped = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => true,
            () = sleep_until(next) => false,
            () = shared.claimed.notified() => false,
            lost = shared.hear(&mut listener) => return Err(lost),
        };
        if stopped {
            let _ = answered(give_up(&mut listener)).await;
            return Ok(());
        }
    }
}

async fn answered<T>(asking: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout_at(Instant::now() + ANSWER, asking).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn give_up(listener: &mut PgListener) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(listener).await.map(|_| ())
}

impl Shared {
    /// Asks for every lease that is claimed and not held, gives up those that nobody claims any more, and shows that we live.
    async fn ask(&self, listener: &mut PgListener) -> sqlx::Result<()> {
        for name in self.unclaimed() {
            sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))").bind(key_of(&name)).execute(&mut *listener).await?;
        }
        let wanted: Vec<String> = self.claims.lock().iter().filter(|(_, held)| !*held.borrow()).map(|(name, _)| name.clone()).collect();
        if wanted.is_empty() {
            return sqlx::query("SELECT 1").execute(listener).await.map(|_| ());
        }
        for name in wanted {
            let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
            if sqlx::query(sql).bind(key_of(&name)).fetch_one(&mut *listener).await?.try_get(0)? {
                self.tell(&name, true);
            }
        }
        Ok(())
    }

    /// Leases that are held and that nobody here claims any more; forgotten from now on.
    fn unclaimed(&self) -> Vec<String> {
        let mut claims = self.claims.lock();
        let gone = claims.iter().filter(|(_, held)| held.receiver_count() == 0 && *held.borrow()).map(|(name, _)| name.clone()).collect();
        claims.retain(|_, held| held.receiver_count() > 0);
        gone
    }

    fn tell(&self, name: &str, held: bool) {
        if let Some(sender) = self.claims.lock().get(name) {
            sender.send_replace(held);
        }
    }

    fn lose_all(&self) {
        for held in self.claims.lock().values() {
            held.send_if_modified(std::mem::take);
        }
    }

    /// Hears hints for ever; why it cannot any more.
    async fn hear(&self, listener: &mut PgListener) -> sqlx::Error {
        loop {
            match listener.try_recv().await {
                Ok(Some(told)) => {
                    let told = told.payload().parse().unwrap_or(0);
                    self.head.send_if_modified(|head| told > std::mem::replace(head, told.max(*head)));
                }
                Ok(None) => return sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()),
                Err(error) => return error,
            }
        }
    }
}

/// Kept apart from the locks of transactions, which share the same numbers.
fn key_of(name: &str) -> String {
    format!("lease.{name}")
}
