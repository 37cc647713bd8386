//! Durable timers. Firing is one transaction: the timer goes, and what its handler writes comes.

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::clock::{new_id, wall};
use crate::db::{Db, Isolation};
use crate::error::{Code, Error, Result};
use crate::measure::TIMERS_FIRED;
use crate::params;
use crate::trace::{self, Context, FutureExt as _, KeyValue, Span, SpanKind};
use crate::tx::{Dialect, Tx};

/// Longest wait between two tries of a failing timer, in seconds.
const RETRY_MAX_S: i64 = 300;

/// A timer to be set.
#[derive(Debug, Clone)]
pub struct NewTimer {
    /// Names its handler.
    pub kind: &'static str,
    /// Resource name of the record that it is about.
    pub subject: String,
    /// Generation of the record: the timer is void once the record has moved on. The handler compares.
    pub generation: u64,
    /// When, in the space's time.
    pub due_at: Timestamp,
    /// JSON for the handler.
    pub payload: String,
}

/// A timer that fires.
#[derive(Debug, Clone)]
pub struct Timer {
    /// UUID.
    pub timer_id: String,
    /// Names its handler.
    pub kind: String,
    /// Resource name of the record.
    pub subject: String,
    /// Generation of the record when it was set.
    pub generation: u64,
    /// When it was due.
    pub due_at: Timestamp,
    /// The space's time now: later than `due_at` after a stop.
    pub fired_at: Timestamp,
    /// JSON for the handler.
    pub payload: String,
}

/// What happens when a kind of timer fires.
pub trait TimerHandler: Send + Sync + 'static {
    /// The kind.
    fn kind(&self) -> &'static str;

    /// The effect, in the transaction that deletes the timer.
    fn fire<'t>(&'t self, tx: &'t mut Tx, timer: &'t Timer) -> BoxFuture<'t, Result<()>>;
}

impl Tx {
    /// Sets a timer.
    pub async fn schedule(&mut self, timer: NewTimer) -> Result<()> {
        let sql = "INSERT INTO timer_due (timer_id, kind, subject, generation, due_us, payload, failures, retry_us, last_error) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '')";
        let id = new_id().to_string();
        self.execute_one(sql, params![id, timer.kind, timer.subject, timer.generation, timer.due_at, timer.payload]).await
    }

    /// Takes back every timer of this kind about this record; how many there were.
    pub async fn cancel_timers(&mut self, kind: &str, subject: &str) -> Result<u64> {
        self.execute("DELETE FROM timer_due WHERE subject = $1 AND kind = $2", params![subject, kind]).await
    }

    /// When the next timer is due, in the space's time.
    pub async fn next_timer(&mut self) -> Result<Option<Timestamp>> {
        let row = self.row("SELECT due_us FROM timer_due ORDER BY due_us, timer_id LIMIT 1", &[]).await?;
        row.map(|row| row.time(0)).transpose()
    }
}

/// Who fires which kinds.
#[derive(Clone)]
pub(crate) struct Hands {
    here: Arc<[Arc<dyn TimerHandler>]>,
    /// Kinds that another process fires, each between commas; empty if there are none.
    elsewhere: Arc<str>,
}

impl Hands {
    pub(crate) fn new(here: Vec<Arc<dyn TimerHandler>>, elsewhere: &[&'static str]) -> Self {
        let elsewhere = if elsewhere.is_empty() { String::new() } else { format!(",{},", elsewhere.join(",")) };
        Self { here: here.into(), elsewhere: elsewhere.into() }
    }

    fn elsewhere(&self, kind: &str) -> bool {
        self.elsewhere.contains(&format!(",{kind},"))
    }
}

/// Fires the first due timer, if there is one for us; its kind.
pub(crate) async fn fire_next(db: &Db, hands: Hands) -> Result<Option<String>> {
    let fired = db.write_isolated(Isolation::ReadCommitted, hands, |hands, tx| Box::pin(fire_in(tx, hands))).await?;
    match fired {
        Fired::None => Ok(None),
        Fired::Done(kind) => Ok(Some(kind)),
        Fired::Failed(timer, error) => {
            note_failure(db, timer, error.to_string()).await?;
            Err(error)
        }
    }
}

enum Fired {
    None,
    Done(String),
    Failed(String, Error),
}

async fn fire_in(tx: &mut Tx, hands: &Hands) -> Result<Fired> {
    // In an exercise the order is part of the result: one replica fires at a time, and a kind of another process is waited for. In the real
    // space whoever is free takes the next one.
    let in_order = tx.clock().setting().is_some();
    if in_order {
        tx.lock("durable.timers").await?;
    }
    let passed_over = if in_order { "" } else { &*hands.elsewhere };
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "SELECT timer_id, kind, subject, generation, due_us, payload FROM timer_due
            WHERE due_us <= $1 AND (retry_us <= $2 OR retry_us > $4) AND instr($3, ',' || kind || ',') = 0 ORDER BY due_us, timer_id LIMIT 1"
        }
        Dialect::Postgres => {
            "SELECT timer_id, kind, subject, generation, due_us, payload FROM timer_due
            WHERE due_us <= $1 AND (retry_us <= $2 OR retry_us > $4) AND strpos($3, ',' || kind || ',') = 0 ORDER BY due_us, timer_id LIMIT 1 FOR UPDATE SKIP LOCKED"
        }
    };
    let fired_at = tx.now();
    // No wait is longer than the longest: a retry beyond that was set before the system's clock was set back.
    let now = wall::now();
    let Some(row) = tx.row(sql, params![fired_at, now, passed_over, now.as_microsecond() + RETRY_MAX_S * 1_000_000]).await? else {
        return Ok(Fired::None);
    };
    let timer = Timer {
        timer_id: row.text(0)?,
        kind: row.text(1)?,
        subject: row.text(2)?,
        generation: row.count(3)?,
        due_at: row.time(4)?,
        payload: row.text(5)?,
        fired_at,
    };
    if hands.elsewhere(&timer.kind) {
        return Ok(Fired::None);
    }
    let Some(handler) = hands.here.iter().find(|handler| handler.kind() == timer.kind) else {
        // The timer stays until a program that knows it runs.
        return Ok(Fired::Failed(timer.timer_id, Error::internal(format!("no handler for timers of kind {}", timer.kind))));
    };
    tx.script("SAVEPOINT fire").await?;
    tx.execute_one("DELETE FROM timer_due WHERE timer_id = $1", params![&timer.timer_id]).await?;
    match fire(tx, handler.as_ref(), &timer).await {
        Ok(()) => {
            let space = tx.space_kind();
            tx.count(&TIMERS_FIRED, || {
                vec![KeyValue::new("fenghuo.timer.kind", handler.kind()), KeyValue::new("fenghuo.space.kind", space)]
            });
            Ok(Fired::Done(timer.kind))
        }
        // A lost race, and a database that fails, are none of the handler's doing.
        Err(error) if error.rerun || error.code == Code::Unavailable => Err(error),
        Err(error) => {
            // Undo what the handler did, and the deletion with it.
            tx.after_commit.clear();
            tx.script("ROLLBACK TO SAVEPOINT fire").await?;
            Ok(Fired::Failed(timer.timer_id, error))
        }
    }
}

/// Lets the handler act, as the beginning of a trace: it may be days since the timer was set. A link leads to the trace of the record's
/// last change.
async fn fire(tx: &mut Tx, handler: &dyn TimerHandler, timer: &Timer) -> Result<()> {
    if !trace::installed() {
        return handler.fire(tx, timer).await;
    }
    let sql = "SELECT traceparent FROM log_event WHERE subject = $1 ORDER BY revision DESC LIMIT 1";
    let last = tx.row(sql, params![&timer.subject]).await?.map(|row| row.text(0)).transpose()?.unwrap_or_default();
    let link = trace::parse(&last).unwrap_or_default();
    let span = Span::linked(SpanKind::Consumer, format!("fire {}", handler.kind()), &Context::new(), &link, || {
        vec![
            KeyValue::new("fenghuo.timer.kind", handler.kind()),
            KeyValue::new("fenghuo.timer.delay_ms", timer.fired_at.duration_since(timer.due_at).as_millis() as i64),
            KeyValue::new("fenghuo.space.kind", tx.space_kind()),
        ]
    });
    let before = tx.set_trace(span.context().clone());
    let outcome = handler.fire(tx, timer).with_context(span.context().clone()).await;
    tx.set_trace(before);
    if let Err(error) = &outcome {
        span.fail(error.reason, error.message.clone());
    }
    outcome
}

async fn note_failure(db: &Db, timer_id: String, text: String) -> Result<()> {
    db.write((timer_id, text), |(timer_id, text), tx| {
        Box::pin(async move {
            let row = tx.row("SELECT failures FROM timer_due WHERE timer_id = $1", params![timer_id]).await?;
            let failures = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
            let wait_s = (1_i64 << failures.clamp(0, 16)).min(RETRY_MAX_S);
            let retry = wall::now().as_microsecond() + wait_s * 1_000_000;
            let sql = "UPDATE timer_due SET failures = failures + 1, last_error = $1, retry_us = $2 WHERE timer_id = $3";
            tx.execute(sql, params![text, retry, timer_id]).await?;
            Ok(())
        })
    })
    .await
}
