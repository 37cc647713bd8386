//! Statutory clocks: from the route and the obliged bodies to who must do what by when.
//!
//! Nothing here keeps time. A clock is a statement: this body, this duty, from this instant, within this limit. Where the law gives
//! no figure there is no due time. A body that has not learned yet has clocks without a start (Order 17, Art. 5 lets the
//! province require it to check). A change of route replaces the clocks of the old route, by [`diff`].

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::codes::Tristate;
use crate::grade::{GradeState, Route};
use crate::reporting::{BodyLevel, ClockStart, DutyKind, DutyRow, Recipient, ReportingTable, Trigger};
use crate::text::{Citation, Text};

/// What the clocks are worked out from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFacts {
    /// The route of the assessment, or of the grade that a person decided.
    pub route: Route,
    /// The state of the grading; "unclear and sensitive" adds Art. 4 to the citations.
    pub state: GradeState,
    /// When the route last changed by a re-grading. `None`: this is the first route, and limits run from learning.
    /// The limits of a changed route run from the change, for the law follows "the changed grade" (Art. 3).
    pub route_changed_at: Option<Timestamp>,
    /// The obliged environment departments, each code once.
    pub bodies: Vec<ObligedBody>,
    /// Administrative code of the province where it happened, as far as known. Art. 8 obliges its departments.
    pub place_province_code: String,
    /// Whether adjoining areas are or may be affected. Only yes starts the duties of Art. 8.
    pub neighbours_may_be_affected: Tristate,
    /// Those areas, as far as known.
    pub neighbours: Vec<Neighbour>,
}

/// An environment department with reporting duties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObligedBody {
    /// Administrative code, six digits.
    pub code: String,
    /// Name, for people.
    pub name: String,
    /// Level.
    pub level: BodyLevel,
    /// When it learned; for the province: when it received the report. `None`: not known, or not yet.
    pub learned_at: Option<Timestamp>,
    /// When a neighbour's notification reached it (Art. 8); it has then learned at the latest.
    pub notified_by_neighbour_at: Option<Timestamp>,
}

impl ObligedBody {
    /// The instant from which it knew.
    pub fn knew_at(&self) -> Option<Timestamp> {
        match (self.learned_at, self.notified_by_neighbour_at) {
            (Some(learned), Some(notified)) => Some(learned.min(notified)),
            (learned, notified) => learned.or(notified),
        }
    }
}

/// An adjoining area; the department of the same level is to be notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Administrative code, six digits.
    pub code: String,
    /// Its level.
    pub level: BodyLevel,
}

/// One duty of one body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSpec {
    /// Stable key: row, body, route (`any` if the duty does not depend on it) and counterpart. The same duty has the same key after
    /// a re-grading.
    pub key: String,
    /// Row of the reporting table.
    pub row_id: String,
    /// The clauses; the first is the duty's own, a second is Art. 4 if it carries the case.
    pub citations: Vec<Citation>,
    /// Code of the obliged body.
    pub body_code: String,
    /// Its name.
    pub body_name: String,
    /// Its level.
    pub body_level: BodyLevel,
    /// What it obliges to.
    pub kind: DutyKind,
    /// To whom.
    pub recipients: Vec<Recipient>,
    /// Code of the neighbour to notify, or of the lower body to be required; `None` if there is none or it is not worked out yet.
    pub counterpart_code: Option<String>,
    /// The duty in words.
    pub text: Text,
    /// How fast, in the law's words.
    pub promptness: Text,
    /// What the limit runs from.
    pub starts: ClockStart,
    /// The start. `None`: not started.
    pub starts_at: Option<Timestamp>,
    /// The limit in seconds. `None`: the law gives no figure.
    pub limit_seconds: Option<u32>,
    /// When it is due. `None` without a start or without a figure.
    pub due_at: Option<Timestamp>,
}

/// The clocks of all bodies, in the order of the table's duties and then of the bodies.
pub fn reporting_clocks(table: &ReportingTable, facts: &ClockFacts) -> Vec<ClockSpec> {
    let mut clocks = Vec::new();
    for duty in table.duties.iter().filter(|duty| duty.routes.contains(&facts.route)) {
        for body in facts.bodies.iter().filter(|body| duty.levels.contains(&body.level)) {
            clocks.extend(counterparts(duty, body, facts).into_iter().map(|counterpart| clock(duty, body, counterpart, facts)));
        }
    }
    clocks
}

/// One entry per clock that the duty gives this body: the counterpart, or `None` where there is none to name.
fn counterparts<'a>(duty: &DutyRow, body: &ObligedBody, facts: &'a ClockFacts) -> Vec<Option<&'a str>> {
    let once = |arises: bool| if arises { vec![None] } else { Vec::new() };
    match duty.trigger {
        Trigger::Learned => once(true),
        Trigger::NotifiedByNeighbour => once(body.notified_by_neighbour_at.is_some()),
        Trigger::LowerBodyNotLearned if body.knew_at().is_none() => Vec::new(),
        Trigger::LowerBodyNotLearned => {
            let lower = |other: &&ObligedBody| other.knew_at().is_none() && is_above(body, other);
            facts.bodies.iter().filter(lower).map(|other| Some(other.code.as_str())).collect()
        }
        Trigger::NeighboursMayBeAffected => {
            let concerns = facts.neighbours_may_be_affected == Tristate::Yes && same_province(&body.code, &facts.place_province_code);
            let of_level = |neighbour: &&Neighbour| concerns && neighbour.level == body.level && neighbour.code != body.code;
            let named: Vec<_> = facts.neighbours.iter().filter(of_level).map(|neighbour| Some(neighbour.code.as_str())).collect();
            // Each level owes its like over there a notice. That only the neighbouring province is named does not free the county.
            if named.is_empty() { once(concerns) } else { named }
        }
    }
}

/// Whether `upper` is a department above `lower`: the first two digits name the province, the first four the prefecture.
fn is_above(upper: &ObligedBody, lower: &ObligedBody) -> bool {
    let digits = if upper.level == BodyLevel::Province { 2 } else { 4 };
    upper.level > lower.level && upper.code.get(..digits).is_some_and(|prefix| lower.code.starts_with(prefix))
}

fn same_province(code: &str, province_code: &str) -> bool {
    province_code.get(..2).is_some_and(|prefix| code.starts_with(prefix))
}

fn clock(duty: &DutyRow, body: &ObligedBody, counterpart: Option<&str>, facts: &ClockFacts) -> ClockSpec {
    let starts_at = starts_at(duty, body, facts);
    let due_at = match (starts_at, duty.limit_seconds) {
        (Some(start), Some(limit)) => start.checked_add(SignedDuration::from_secs(i64::from(limit))).ok(),
        _ => None,
    };
    let mut citations = vec![duty.citation.clone()];
    if facts.state == GradeState::UnclearSensitive {
        citations.extend(duty.when_unclear_sensitive.clone());
    }
    ClockSpec {
        key: key(duty, body, counterpart),
        row_id: duty.id.clone(),
        citations,
        body_code: body.code.clone(),
        body_name: body.name.clone(),
        body_level: body.level,
        kind: duty.kind,
        recipients: duty.recipients.clone(),
        counterpart_code: counterpart.map(str::to_owned),
        text: duty.text.clone(),
        promptness: duty.promptness.clone(),
        starts: duty.starts,
        starts_at,
        limit_seconds: duty.limit_seconds,
        due_at,
    }
}

fn starts_at(duty: &DutyRow, body: &ObligedBody, facts: &ClockFacts) -> Option<Timestamp> {
    let start = match duty.starts {
        ClockStart::Learning | ClockStart::ReceiptOfReport => body.knew_at(),
        ClockStart::Notification => body.notified_by_neighbour_at,
        ClockStart::FactsClear | ClockStart::HandlingFinished => None,
    }?;
    match facts.route_changed_at {
        Some(changed) if duty.restarts_on_route_change => Some(start.max(changed)),
        _ => Some(start),
    }
}

fn key(duty: &DutyRow, body: &ObligedBody, counterpart: Option<&str>) -> String {
    let route = match duty.routes.as_slice() {
        [only] => only.code(),
        _ => "any",
    };
    let counterpart = counterpart.map(|code| format!(":{code}")).unwrap_or_default();
    format!("{}:{}:{route}{counterpart}", duty.id, body.code)
}

/// What a new assessment does to the clocks that there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClockDiff {
    /// Clocks that stay. Their start may have become known since.
    pub kept: Vec<ClockSpec>,
    /// Keys of clocks that no longer apply: superseded by the new route.
    pub superseded: Vec<String>,
    /// Clocks that begin.
    pub started: Vec<ClockSpec>,
}

/// Compares the keys of the clocks that there are with the clocks that there ought to be.
pub fn diff<K: AsRef<str>>(old_keys: &[K], new_specs: Vec<ClockSpec>) -> ClockDiff {
    let old: BTreeSet<&str> = old_keys.iter().map(AsRef::as_ref).collect();
    let new: BTreeSet<String> = new_specs.iter().map(|spec| spec.key.clone()).collect();
    let superseded = old.iter().filter(|key| !new.contains(**key)).map(|key| (*key).to_owned()).collect();
    let (kept, started) = new_specs.into_iter().partition(|spec| old.contains(spec.key.as_str()));
    ClockDiff { kept, superseded, started }
}
