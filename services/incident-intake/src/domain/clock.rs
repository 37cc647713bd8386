//! A statutory clock of one body. Nobody can waive one; a miss stays a miss unless the duty turns out to have been done in time.

use fenghuo_durable::{Error, Result};
use fenghuo_rules::{Citation, ClockSpec, DutyKind, Recipient, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// State of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// The body's learning time is not known, or what starts the duty has not come.
    NotStarted,
    /// Running.
    Running,
    /// Done in time, or done where the law has no figure.
    Kept,
    /// Not done in time.
    Missed,
    /// Replaced by the route of another grade.
    Superseded,
}

/// A clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// `{incident}/clocks/{uuid}`.
    pub name: String,
    /// Stable key of the rules.
    pub key: String,
    /// Row of the reporting table.
    pub row_id: String,
    /// What it obliges to.
    pub kind: DutyKind,
    /// The clauses.
    pub citations: Vec<Citation>,
    /// The duty in words.
    pub text: Text,
    /// Obliged body.
    pub body_code: String,
    /// Its name.
    pub body_name: String,
    /// To whom.
    pub recipients: Vec<Recipient>,
    /// The neighbour or the lower body that it is about.
    pub counterpart_code: Option<String>,
    /// Start; `None`: not started.
    pub starts_at: Option<Timestamp>,
    /// Due; `None`: no figure in the law, or not started.
    pub due_at: Option<Timestamp>,
    /// State.
    pub state: ClockState,
    /// When the duty was done.
    pub kept_at: Option<Timestamp>,
    /// By what.
    pub kept_by: String,
    /// Why it was superseded.
    pub ground: String,
}

impl Clock {
    /// A clock from the rules. What was overdue when recorded is missed at once.
    pub fn start(name: String, spec: &ClockSpec, now: Timestamp) -> Self {
        let mut clock = Self {
            name,
            key: spec.key.clone(),
            row_id: spec.row_id.clone(),
            kind: spec.kind,
            citations: Vec::new(),
            text: spec.text.clone(),
            body_code: spec.body_code.clone(),
            body_name: spec.body_name.clone(),
            recipients: spec.recipients.clone(),
            counterpart_code: spec.counterpart_code.clone(),
            starts_at: None,
            due_at: None,
            state: ClockState::NotStarted,
            kept_at: None,
            kept_by: String::new(),
            ground: String::new(),
        };
        clock.follow(spec, now);
        clock
    }

    /// Takes over what the rules say now of the same duty: a start that has become known, a further clause.
    pub fn follow(&mut self, spec: &ClockSpec, now: Timestamp) {
        self.citations.clone_from(&spec.citations);
        if self.state == ClockState::NotStarted && spec.starts_at.is_some() {
            (self.starts_at, self.due_at) = (spec.starts_at, spec.due_at);
            self.state = ClockState::Running;
        }
        self.expire(now);
    }

    /// Misses it if it is due by now; `true` if it was missed just now.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let overdue = self.state == ClockState::Running && self.due_at.is_some_and(|due| due <= now);
        if overdue {
            self.state = ClockState::Missed;
        }
        overdue
    }

    /// The duty was done at this time.
    pub fn done(&mut self, at: Timestamp, by: &str) -> Result<()> {
        let in_time = self.due_at.is_none_or(|due| at <= due);
        self.state = match self.state {
            ClockState::NotStarted | ClockState::Running if in_time => ClockState::Kept,
            // Done in time, and told late.
            ClockState::Missed if in_time && self.kept_at.is_none() => ClockState::Kept,
            ClockState::Running | ClockState::NotStarted | ClockState::Missed if self.kept_at.is_none() => ClockState::Missed,
            _ => {
                return Err(Error::precondition(
                    "CLOCK_SETTLED",
                    format!("{} is settled ({:?}); nothing is left to do there", self.name, self.state),
                ));
            }
        };
        self.kept_at = Some(at);
        by.clone_into(&mut self.kept_by);
        Ok(())
    }

    /// Another route replaces it. What was kept or missed stays as it is.
    pub fn supersede(&mut self, ground: &str) {
        if self.is_open() {
            self.state = ClockState::Superseded;
            ground.clone_into(&mut self.ground);
        }
    }

    /// Something may still be done here.
    pub fn is_open(&self) -> bool {
        matches!(self.state, ClockState::NotStarted | ClockState::Running)
    }

    /// It runs, or it was missed and nobody has done the duty since: it belongs on top of the queue.
    pub fn presses(&self) -> bool {
        self.state == ClockState::Running || (self.state == ClockState::Missed && self.kept_at.is_none())
    }
}
