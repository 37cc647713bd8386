//! The quarantine of a restored node: no timer fires until every partner has given back what it had, or a person ends the waiting.

use fenghuo_durable::{Error, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest reason, in characters.
pub const REASON_MAX: usize = 500;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// No timer fires.
    Held,
    /// A person ended the waiting; some partners have not answered.
    Released,
    /// Every partner has given back what it had.
    Over,
}

/// The last quarantine of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// `provinces/{code}/quarantine`.
    pub name: String,
    /// Raised by each change.
    pub revision: u64,
    /// State.
    pub state: QuarantineState,
    /// When the restored node was started, wall time.
    pub begun_at: Timestamp,
    /// Who ended the waiting.
    #[serde(default)]
    pub released_by: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// When, wall time.
    #[serde(default)]
    pub released_at: Option<Timestamp>,
    /// When every partner had answered, wall time.
    #[serde(default)]
    pub over_at: Option<Timestamp>,
}

impl Quarantine {
    /// The name of a province's.
    pub fn name_of(province_code: &str) -> String {
        format!("provinces/{province_code}/quarantine")
    }

    /// A new one, after those before.
    pub fn begin(before: Option<&Self>, province_code: &str, now: Timestamp) -> Self {
        Self {
            name: Self::name_of(province_code),
            revision: before.map_or(0, |before| before.revision),
            state: QuarantineState::Held,
            begun_at: now,
            released_by: String::new(),
            reason: String::new(),
            released_at: None,
            over_at: None,
        }
    }

    /// A person ends the waiting; FAILED_PRECONDITION `NOT_IN_QUARANTINE` if nothing waits.
    pub fn release(&mut self, person: &str, reason: &str, now: Timestamp) -> Result<()> {
        if self.state != QuarantineState::Held {
            return Err(not_in_quarantine());
        }
        (self.state, self.released_at) = (QuarantineState::Released, Some(now));
        (self.released_by, self.reason) = (person.to_owned(), reason.to_owned());
        Ok(())
    }

    /// Every partner has answered; `false` if that was known.
    pub fn end(&mut self, now: Timestamp) -> bool {
        if self.state == QuarantineState::Over {
            return false;
        }
        (self.state, self.over_at) = (QuarantineState::Over, Some(now));
        true
    }
}

/// Nothing waits.
pub fn not_in_quarantine() -> Error {
    Error::precondition("NOT_IN_QUARANTINE", "this node is not in quarantine: its clocks run; there is nothing to release")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_released_once_and_ends_once() {
        let now = Timestamp::UNIX_EPOCH;
        let mut quarantine = Quarantine::begin(None, "420000", now);
        quarantine.release("provinces/420000/people/1", "电话核对过", now).unwrap();
        assert_eq!(quarantine.release("x", "y", now).unwrap_err().reason, "NOT_IN_QUARANTINE");
        assert!(quarantine.end(now) && !quarantine.end(now));
        let mut next = Quarantine { revision: 7, ..Quarantine::begin(Some(&quarantine), "420000", now) };
        assert!((next.state, next.reason.as_str()) == (QuarantineState::Held, "") && next.end(now));
        assert!(next.release("x", "y", now).is_err());
    }
}
