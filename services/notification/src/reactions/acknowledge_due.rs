//! Nobody has acknowledged in time: every silence is an alarm.

use std::sync::LazyLock;

use fenghuo_durable::measure::{Counter, KeyValue, counter};
use fenghuo_durable::{NewTimer, Result, Timer, TimerHandler, Tx};
use futures::future::BoxFuture;

use crate::domain::{Direction, Notification};
use crate::store::notification::{self, Told};

/// Names the timers.
pub const KIND: &str = "notification.acknowledge";

static MISSED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.clock.missed", "{clock}", "Statutory clocks missed, and acknowledgements not given in time"));

/// Fires when a person's acknowledgement is missed.
#[derive(Debug)]
pub struct AcknowledgeDue;

/// Sets the timer of a notification that wants an acknowledgement.
pub async fn watch(tx: &mut Tx, found: &Notification) -> Result<()> {
    let Some(due_at) = found.acknowledge_due else { return Ok(()) };
    let timer = NewTimer { kind: KIND, subject: found.name.clone(), generation: found.revision, due_at, payload: String::new() };
    tx.schedule(timer).await
}

impl TimerHandler for AcknowledgeDue {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn fire<'t>(&'t self, tx: &'t mut Tx, timer: &'t Timer) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let Some(mut found) = notification::get(tx, &timer.subject).await? else { return Ok(()) };
            if !found.missed(timer.due_at) {
                return Ok(());
            }
            let space = tx.space_kind();
            tx.count(&MISSED, || vec![KeyValue::new("fenghuo.clock.kind", "acknowledgement"), KeyValue::new("fenghuo.space.kind", space)]);
            let (zh, en) = match found.direction {
                Direction::Outgoing => ("通报逾期未获确认,请电话催办", "Not acknowledged in time: telephone"),
                Direction::Incoming => ("来件逾期未确认", "We have not acknowledged in time"),
            };
            let told = Told {
                kind: "notification.acknowledgement_overdue",
                actor: format!("timers/{KIND}"),
                request_id: String::new(),
                zh: zh.to_owned(),
                en: en.to_owned(),
            };
            notification::save(tx, &mut found, told).await
        })
    }
}
