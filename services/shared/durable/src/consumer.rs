//! Reading the log after a cursor that moves in the transaction of the effect: every event takes effect once.

use futures::future::BoxFuture;

use crate::db::{Db, Isolation};
use crate::error::Result;
use crate::log::Event;
use crate::params;
use crate::trace::{self, FutureExt as _, KeyValue, Span, SpanKind};
use crate::tx::{Dialect, Tx};

/// Events that take effect in one transaction.
const BATCH: usize = 64;
/// Events that are looked at in one transaction: most kinds do not concern most readers.
const LOOK: i64 = 512;

/// A reader of the log with effects in the same space.
pub trait Consumer: Send + Sync + 'static {
    /// Unique and never reused: names the cursor.
    fn name(&self) -> &'static str;

    /// Is this type of event of interest? Others only move the cursor.
    fn wants(&self, kind: &str) -> bool;

    /// The effect, in the transaction that moves the cursor. An error stops this consumer, visibly, until a retry succeeds; no
    /// event is ever skipped.
    fn handle<'t>(&'t self, tx: &'t mut Tx, event: &'t Event) -> BoxFuture<'t, Result<()>>;
}

/// How far a consumer is, for the desk and the operator.
#[derive(Debug, Clone)]
pub struct ConsumerState {
    /// Its name.
    pub consumer: String,
    /// Last event that took effect.
    pub seq: u64,
    /// Failures in a row; 0 while it runs.
    pub failures: u64,
    /// Last failure in words.
    pub last_error: String,
}

/// Lets a consumer take up to `most` further events; how many the log moved on for it.
pub(crate) async fn advance(db: &Db, consumer: std::sync::Arc<dyn Consumer>, most: Option<i64>) -> Result<usize> {
    let most = most.unwrap_or(LOOK);
    // READ COMMITTED with the cursor's row locked: the cursor decides, and nobody else moves it meanwhile.
    db.write_isolated(Isolation::ReadCommitted, (consumer, most), |(consumer, most), tx| {
        Box::pin(async move {
            if !behind(tx, consumer.name()).await? {
                return Ok(0);
            }
            let seq = lock_cursor(tx, consumer.name()).await?;
            let near = tx.kinds_after(seq, *most).await?;
            let Some(last) = take_wanted(tx, consumer.as_ref(), &near).await? else {
                return Ok(0);
            };
            let sql = "UPDATE log_cursor SET seq = $1, failures = 0, last_error = '' WHERE consumer = $2";
            tx.execute_one(sql, params![last, consumer.name()]).await?;
            Ok(usize::try_from(last - seq).unwrap_or(usize::MAX))
        })
    })
    .await
}

/// Takes the events that are wanted, at most [`BATCH`]; the number of the last that is done with, wanted or not.
async fn take_wanted(tx: &mut Tx, consumer: &dyn Consumer, near: &[(u64, String)]) -> Result<Option<u64>> {
    let (mut taken, mut last) = (0, None);
    for (seq, kind) in near {
        if consumer.wants(kind) {
            if taken == BATCH {
                break;
            }
            let event = tx.event(*seq).await?;
            take(tx, consumer, &event).await?;
            taken += 1;
        }
        last = Some(*seq);
    }
    Ok(last)
}

/// One event's effect, as work in the trace that the event belongs to.
async fn take(tx: &mut Tx, consumer: &dyn Consumer, event: &Event) -> Result<()> {
    let Some(parent) = trace::parse(&event.traceparent) else { return consumer.handle(tx, event).await };
    if !trace::installed() {
        let before = tx.set_trace(parent);
        let outcome = consumer.handle(tx, event).await;
        tx.set_trace(before);
        return outcome;
    }
    let span = Span::child(SpanKind::Consumer, format!("process {}", event.kind), &parent, || {
        vec![
            KeyValue::new("messaging.system", "fenghuo"),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.destination.name", "log"),
            KeyValue::new("messaging.consumer.group.name", consumer.name()),
            KeyValue::new("messaging.message.id", event.event_id.clone()),
            KeyValue::new("fenghuo.event.kind", event.kind.clone()),
            KeyValue::new("fenghuo.space.kind", tx.space_kind()),
        ]
    });
    let before = tx.set_trace(span.context().clone());
    let outcome = consumer.handle(tx, event).with_context(span.context().clone()).await;
    tx.set_trace(before);
    if let Err(error) = &outcome {
        span.fail(error.reason, error.message.clone());
    }
    outcome
}

/// Is there anything to read? Looked at without the lock, which would be a write to the disk at each look of an idle node.
async fn behind(tx: &mut Tx, name: &'static str) -> Result<bool> {
    let sql = "SELECT CASE WHEN seq > COALESCE((SELECT seq FROM log_cursor WHERE consumer = $1), 0) THEN 1 ELSE 0 END FROM log_head WHERE one = 1";
    Ok(tx.row(sql, params![name]).await?.map(|row| row.int(0)).transpose()? == Some(1))
}

async fn lock_cursor(tx: &mut Tx, name: &'static str) -> Result<u64> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT seq FROM log_cursor WHERE consumer = $1",
        Dialect::Postgres => "SELECT seq FROM log_cursor WHERE consumer = $1 FOR UPDATE",
    };
    if let Some(row) = tx.row(sql, params![name]).await? {
        return row.count(0);
    }
    let make = "INSERT INTO log_cursor (consumer, seq, failures, last_error) VALUES ($1, 0, 0, '') ON CONFLICT DO NOTHING";
    tx.execute(make, params![name]).await?;
    Ok(tx.row(sql, params![name]).await?.map(|row| row.count(0)).transpose()?.unwrap_or(0))
}

/// Makes a failure visible.
pub(crate) async fn note_failure(db: &Db, name: &'static str, text: String) -> Result<()> {
    db.write((name, text), |(name, text), tx| {
        Box::pin(async move {
            lock_cursor(tx, name).await?;
            let sql = "UPDATE log_cursor SET failures = failures + 1, last_error = $1 WHERE consumer = $2";
            tx.execute_one(sql, params![text, *name]).await
        })
    })
    .await
}

impl Tx {
    /// How far every consumer is.
    pub async fn consumers(&mut self) -> Result<Vec<ConsumerState>> {
        let rows = self.rows("SELECT consumer, seq, failures, last_error FROM log_cursor ORDER BY consumer", &[]).await?;
        rows.iter()
            .map(|row| Ok(ConsumerState { consumer: row.text(0)?, seq: row.count(1)?, failures: row.count(2)?, last_error: row.text(3)? }))
            .collect()
    }
}
