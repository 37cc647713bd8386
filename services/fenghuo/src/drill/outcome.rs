//! What a drill came to, in the form in which the expected result is written. See `seeds/drills/README.md`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// An instant, written in Beijing time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Beijing(pub Timestamp);

impl std::fmt::Display for Beijing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let civil = self.0.to_zoned_datetime(TimeZone::fixed(Offset::constant(8)));
        f.write_str(&civil.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string())
    }
}

impl Serialize for Beijing {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// All that is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Name of the script's file without its ending.
    pub drill: String,
    /// Grading table in force.
    pub grading_table: String,
    /// Grading table printed beside it.
    pub what_if_table: String,
    /// Each node's record of the emergency.
    pub incidents: Vec<IncidentOutcome>,
    /// Notifications in the order of the script.
    pub notifications: Vec<NotificationOutcome>,
    /// Whether each node's event log verifies.
    pub logs: BTreeMap<String, String>,
}

/// A node's record of the emergency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentOutcome {
    /// Label of the script.
    pub incident: String,
    /// Province code.
    pub node: String,
    /// State at the end.
    pub state: String,
    /// Last decision of a person on the grade.
    pub decided: Option<Decided>,
    /// The rules' answers over time.
    pub grades: Vec<GradeEntry>,
    /// When the node noted by itself, by its timers, that a clock was missed.
    pub missed: Vec<Beijing>,
    /// All clocks.
    pub clocks: Vec<ClockOutcome>,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The grade.
    pub grade: Option<String>,
    /// Label of the person.
    pub by: String,
}

/// What the rules said from an instant on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeEntry {
    /// From when.
    pub at: Beijing,
    /// Whether the grade can be told.
    pub state: String,
    /// The grade; while unclear: at least this.
    pub grade: Option<String>,
    /// What unknown facts could raise it to.
    pub could_reach: Option<String>,
    /// Rows that fired, gravest first.
    pub fired: Vec<String>,
    /// Sensitive cases that hold.
    pub sensitive_cases: Vec<u32>,
    /// The same facts by the other table.
    pub what_if: WhatIf,
}

/// The answer of the other table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// Whether the grade can be told.
    pub state: String,
    /// The grade; while unclear: at least this.
    pub grade: Option<String>,
    /// Rows that fired, gravest first.
    pub fired: Vec<String>,
}

impl GradeEntry {
    /// The same answer, whenever it was given?
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }
}

/// A clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockOutcome {
    /// Row of the reporting table.
    pub row: String,
    /// Code of the obliged body.
    pub body: String,
    /// Limit in hours; none where the law has no figure.
    pub limit_hours: Option<f64>,
    /// Start.
    pub start: Option<Beijing>,
    /// Due.
    pub due: Option<Beijing>,
    /// State at the end.
    pub state: String,
    /// When the duty was done.
    pub done: Option<Beijing>,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationOutcome {
    /// Label of the step.
    pub notification: String,
    /// Sender.
    pub from: String,
    /// Recipient.
    pub to: String,
    /// Kind.
    pub kind: String,
    /// Label of the person.
    pub approved_by: String,
    /// When.
    pub approved: Option<Beijing>,
    /// State at the end.
    pub state: String,
    /// Outcome in the machine receipt.
    pub receipt: String,
    /// What the runner found of the signatures of envelope and receipt.
    pub signatures: String,
    /// Label of the person.
    pub acknowledged_by: Option<String>,
    /// When.
    pub acknowledged: Option<Beijing>,
    /// Whether the acknowledgement was late.
    pub overdue: bool,
}
