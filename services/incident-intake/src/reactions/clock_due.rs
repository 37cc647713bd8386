//! A statutory clock's time has come: if the duty is not done, it is missed, and that is an event that cannot be hidden.

use std::sync::LazyLock;

use fenghuo_durable::measure::{Counter, KeyValue, counter};
use fenghuo_durable::{Result, Timer, TimerHandler, Tx};
use futures::future::BoxFuture;
use jiff::tz::Offset;

use crate::domain::Incident;
use crate::store::incident::{self, Told};

/// Kind of the timers.
pub const KIND: &str = "intake.clock_due";

/// Misses clocks that are due.
#[derive(Debug)]
pub struct ClockDue;

impl TimerHandler for ClockDue {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn fire<'t>(&'t self, tx: &'t mut Tx, timer: &'t Timer) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let Some(mut incident) = incident::get(tx, &timer.subject).await? else {
                return Ok(());
            };
            // The payload names the clock; a clock that was kept or superseded meanwhile does not expire: the timer is void.
            if !incident.expire_clock(&timer.payload, timer.fired_at) {
                return Ok(());
            }
            let told = missed(&incident, &timer.payload, "timers/clock", "");
            count_missed(tx, &incident, &timer.payload);
            incident::save(tx, &mut incident, told).await
        })
    }
}

static MISSED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.clock.missed", "{clock}", "Statutory clocks missed, and acknowledgements not given in time"));

/// Counts a missed clock, if this transaction commits.
pub fn count_missed(tx: &mut Tx, incident: &Incident, clock: &str) {
    let (kind, space) = (incident.clocks.iter().find(|known| known.name == clock).map(|clock| clock.kind), tx.space_kind());
    tx.count(&MISSED, || {
        let kind = kind.map_or("unknown", fenghuo_rules::DutyKind::code);
        vec![KeyValue::new("fenghuo.clock.kind", kind), KeyValue::new("fenghuo.space.kind", space)]
    });
}

/// What is told of a missed clock.
pub fn missed(incident: &Incident, clock: &str, actor: &str, request_id: &str) -> Told {
    let clock = incident.clocks.iter().find(|known| known.name == clock);
    let (zh, en, body) = clock.map_or(("", "", ""), |clock| (clock.text.zh.as_str(), clock.text.en.as_str(), clock.body_name.as_str()));
    let due = clock.and_then(|clock| clock.due_at).map(|due| Offset::constant(8).to_datetime(due).strftime("%m-%d %H:%M").to_string());
    let due = due.unwrap_or_default();
    Told {
        kind: "incident.clock_missed",
        actor: actor.to_owned(),
        request_id: request_id.to_owned(),
        zh: format!("时限已过未办:{body} {zh}(应于 {due} 前)"),
        en: format!("Limit missed: {body}: {en} (due {due} Beijing time)"),
    }
}
