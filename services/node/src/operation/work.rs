//! Does the work of each space go on: numbering, consumers, timers?

use std::sync::Arc;

use fenghuo_durable::consumer::ConsumerState;
use fenghuo_durable::waiting::FailingTimers;
use fenghuo_durable::{Result, Space, Tx, wall};
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::{Severity, Text};
use jiff::{SignedDuration, Timestamp};

/// Failures in a row of a consumer that are no hiccup.
const FAILURES: u64 = 2;
/// Events that wait longer for their number wait too long.
const NUMBERED_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// Looks into every space; one that cannot be read now is left to the look at the databases.
pub(super) async fn look(spaces: &[Arc<Space>]) -> Vec<Condition> {
    let mut found = Vec::new();
    for space in spaces {
        let id = space.id().to_string();
        match space.db().read((), |(), tx| Box::pin(state(tx))).await {
            Ok(state) => found.extend(conditions(&id, state)),
            Err(error) => tracing::debug!(space.id = %id, error = &error as &dyn std::error::Error, "a space could not be looked at"),
        }
    }
    found
}

struct State {
    consumers: Vec<ConsumerState>,
    timers: Vec<FailingTimers>,
    unnumbered: (u64, Option<Timestamp>),
}

async fn state(tx: &mut Tx) -> Result<State> {
    Ok(State { consumers: tx.consumers().await?, timers: tx.failing_timers().await?, unnumbered: tx.oldest_unsequenced().await? })
}

fn conditions(space: &str, state: State) -> Vec<Condition> {
    let stopped = state.consumers.into_iter().filter(|one| one.failures >= FAILURES).map(|one| consumer_stopped(space, &one));
    let failing = state.timers.into_iter().map(|one| timer_failing(space, &one));
    let behind = state.unnumbered.1.filter(|first| wall::now().duration_since(*first) > NUMBERED_WITHIN);
    stopped.chain(failing).chain(behind.map(|first| sequencer_behind(space, state.unnumbered.0, first))).collect()
}

fn tell_engineers() -> Text {
    Text::new(
        "告知技术人员查看日志；什么也不会丢，排除后自动继续。",
        "Tell the engineers to look at the log; nothing is lost, and it goes on by itself once the cause is gone.",
    )
}

fn consumer_stopped(space: &str, one: &ConsumerState) -> Condition {
    Condition {
        code: "CONSUMER_STOPPED",
        subject: format!("{space} {}", one.consumer),
        severity: Severity::Degraded,
        since: None,
        text: Text::new(
            format!("后台处理“{}”停在第 {} 条记录", one.consumer, one.seq),
            format!("The background work \"{}\" stands still after event {}", one.consumer, one.seq),
        ),
        next: tell_engineers(),
        detail: one.last_error.clone(),
    }
}

fn timer_failing(space: &str, one: &FailingTimers) -> Condition {
    Condition {
        code: "TIMER_FAILING",
        subject: format!("{space} {}", one.kind),
        severity: Severity::Degraded,
        since: None,
        text: Text::new(
            format!("{} 个到期的计时（{}）没有处理成，正在重试", one.count, one.kind),
            format!("{} due timers ({}) fail and are tried again", one.count, one.kind),
        ),
        next: Text::new("自己盯住时限；告知技术人员查看日志。", "Watch the deadlines yourself; tell the engineers to look at the log."),
        detail: one.last_error.clone(),
    }
}

fn sequencer_behind(space: &str, count: u64, first: Timestamp) -> Condition {
    Condition {
        code: "SEQUENCER_BEHIND",
        subject: space.to_owned(),
        severity: Severity::Degraded,
        since: Some(first),
        text: Text::new("新的记录没有编号：各台页面不更新", "New events have no number: the desks do not see what is new"),
        next: tell_engineers(),
        detail: format!("{count} events"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hiccup_is_nothing_and_a_standstill_is_told() {
        let consumer = |failures| ConsumerState { consumer: "notification.copy".into(), seq: 7, failures, last_error: "no".into() };
        let state = |failures, first| State { consumers: vec![consumer(failures)], timers: Vec::new(), unnumbered: (1, first) };
        assert_eq!(conditions("real", state(1, Some(wall::now()))), []);
        let long_ago = wall::now() - SignedDuration::from_secs(60);
        let codes: Vec<_> = conditions("real", state(2, Some(long_ago))).into_iter().map(|one| (one.code, one.subject)).collect();
        assert_eq!(codes, [("CONSUMER_STOPPED", "real notification.copy".into()), ("SEQUENCER_BEHIND", "real".into())]);
    }
}
