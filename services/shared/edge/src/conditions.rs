//! What is wrong with this node now: one place to which everybody who knows of something reports, and from which everybody is told.
//!
//! A source reports the whole of what it sees, again and again; what it no longer sees is over. Beginning and end are lines of the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenghuo_durable::wall;
use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::watch;

/// How grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All work goes on.
    Notice,
    /// A part of the work is cut off.
    Degraded,
    /// Nothing can be kept, or what is kept cannot be relied on.
    Critical,
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Chinese, the text of reference.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A text.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Stable name of the kind, upper case.
    pub code: &'static str,
    /// What it concerns; empty if the whole node.
    pub subject: String,
    /// How grave.
    pub severity: Severity,
    /// Since when, wall time. A source that does not know leaves it out: then it is since it was first reported.
    pub since: Option<Timestamp>,
    /// What is cut off.
    pub text: Text,
    /// What to do next.
    pub next: Text,
    /// For the engineer.
    pub detail: String,
}

/// Name of a source: its reports replace each other.
type Source = &'static str;
type Key = (Source, &'static str, String);

/// The conditions of a node.
#[derive(Debug)]
pub struct Conditions {
    known: RwLock<BTreeMap<Key, Condition>>,
    changed: watch::Sender<u64>,
}

impl Conditions {
    /// Nothing is wrong yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { known: RwLock::default(), changed: watch::Sender::new(0) })
    }

    /// All that a source sees now. What it reported before and no longer sees is over.
    pub fn report(&self, source: Source, seen: Vec<Condition>) {
        let mut known = self.known.write();
        let mut moved = false;
        let before: Vec<Key> = known.keys().filter(|key| key.0 == source).cloned().collect();
        for key in before {
            if !seen.iter().any(|one| (one.code, &one.subject) == (key.1, &key.2)) {
                known.remove(&key).iter().for_each(say_end);
                moved = true;
            }
        }
        for mut one in seen {
            let key = (source, one.code, one.subject.clone());
            let old = known.get(&key);
            one.since = one.since.or_else(|| old.and_then(|old| old.since)).or_else(|| Some(wall::now()));
            if old.is_none() {
                say_begin(&one);
            }
            moved |= old != Some(&one);
            known.insert(key, one);
        }
        drop(known);
        if moved {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// What is wrong now: the gravest first, of the same severity the oldest first.
    pub fn now(&self) -> Vec<Condition> {
        let mut all: Vec<Condition> = self.known.read().values().cloned().collect();
        all.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.since.cmp(&b.since)));
        all
    }

    /// Is this kind of condition reported now?
    pub fn has(&self, code: &str) -> bool {
        self.known.read().keys().any(|key| key.1 == code)
    }

    /// Wakes when something changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

fn say_begin(one: &Condition) {
    let (code, subject, what, detail) = (one.code, one.subject.as_str(), one.text.en.as_str(), one.detail.as_str());
    match one.severity {
        Severity::Critical => {
            tracing::error!(condition.code = code, condition.subject = subject, condition.detail = detail, "CONDITION: {what}")
        }
        _ => tracing::warn!(condition.code = code, condition.subject = subject, condition.detail = detail, "condition: {what}"),
    }
}

fn say_end(one: &Condition) {
    let lasted_s = one.since.map_or(0, |since| wall::now().duration_since(since).as_secs());
    tracing::info!(
        condition.code = one.code,
        condition.subject = one.subject,
        condition.lasted_s = lasted_s,
        "condition over: {}",
        one.text.en
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(partner: &str, severity: Severity) -> Condition {
        let (text, next) = (Text::new("断", "down"), Text::new("电话", "telephone"));
        Condition { code: "PARTNER_DOWN", subject: partner.into(), severity, since: None, text, next, detail: String::new() }
    }

    #[test]
    fn what_a_source_no_longer_sees_is_over_and_others_stay() {
        let conditions = Conditions::new();
        let changes = conditions.changes();
        conditions.report("links", vec![down("500000", Severity::Degraded), down("420000", Severity::Critical)]);
        conditions.report("disk", vec![Condition { code: "DISK_LOW", subject: String::new(), ..down("", Severity::Notice) }]);
        let codes: Vec<_> = conditions.now().into_iter().map(|one| (one.code, one.subject)).collect();
        assert_eq!(codes, [("PARTNER_DOWN", "420000".into()), ("PARTNER_DOWN", "500000".into()), ("DISK_LOW", String::new())]);
        let since = conditions.now()[1].since;
        conditions.report("links", vec![down("500000", Severity::Degraded)]);
        assert_eq!(conditions.now()[0].since, since, "it goes on");
        assert_eq!(*changes.borrow(), 3);
        conditions.report("links", vec![down("500000", Severity::Degraded)]);
        assert_eq!(*changes.borrow(), 3, "the same again is no news");
        conditions.report("links", Vec::new());
        assert!(conditions.has("DISK_LOW") && !conditions.has("PARTNER_DOWN"));
    }
}
