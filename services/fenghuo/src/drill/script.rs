//! The drill script: a readable TOML file with its sources. The format is documented in `seeds/drills/README.md`.
//!
//! What is written wrong is an error that names the line. Unknown keys are wrong: a misspelt fact must not silently be unknown.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Spanned;

use super::script_facts::{Decision, Effect, FactsText, GradeText, NotifyKind, Origin, PlaceText, SubstanceText, Upward};

/// A text in both languages.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TextPair {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A drill.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Version of the format.
    pub format: Spanned<u32>,
    /// Title.
    pub title: TextPair,
    /// What happens, in a sentence or two.
    pub summary: TextPair,
    /// Where the exercise's clock begins.
    #[serde(deserialize_with = "time")]
    pub start: Timestamp,
    /// What the script makes up.
    pub invented: Spanned<Vec<String>>,
    /// What it rests on.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
    /// The nodes that take part.
    #[serde(rename = "node")]
    pub nodes: Vec<Spanned<NodeText>>,
    /// Who acts.
    #[serde(rename = "person")]
    pub people: Vec<Spanned<PersonText>>,
    /// The nodes' records of the emergency.
    #[serde(rename = "incident")]
    pub incidents: Vec<Spanned<IncidentText>>,
    /// What happens.
    #[serde(rename = "step")]
    pub steps: Vec<Spanned<Step>>,
}

/// A citation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Label.
    pub id: String,
    /// Where it stands.
    pub citation: String,
}

/// A province's node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeText {
    /// Six-digit code of the province.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// 24 h telephone.
    pub duty_telephone: String,
    /// Display name of the administrator.
    pub administrator: String,
}

/// A named person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonText {
    /// Label, and user name.
    pub id: String,
    /// Name as shown.
    pub name: String,
    /// Post and body.
    pub post: String,
    /// Province code of the node.
    pub node: String,
    /// Roles by their stable names.
    pub roles: Vec<String>,
    /// Administrative code.
    pub jurisdiction: String,
}

/// A node's record of the emergency.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentText {
    /// Label.
    pub id: String,
    /// Province code of the node that keeps it.
    pub node: String,
    /// The step whose report opens it, or whose notification does on arrival.
    pub opened_by: String,
}

/// Something that happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Label.
    pub id: String,
    /// When. Absent for an acknowledgement that waits for the arrival.
    #[serde(default, deserialize_with = "optional_time")]
    pub at: Option<Timestamp>,
    /// How long after the arrival of what it acknowledges.
    pub minutes_after_arrival: Option<u32>,
    /// Who does it.
    pub by: String,
    /// What it rests on.
    #[serde(default)]
    pub source: Vec<String>,
    /// What of it is made up.
    pub invented: Option<String>,
    submit_report: Option<SubmitReport>,
    update_facts: Option<UpdateFacts>,
    decide_grade: Option<DecideGrade>,
    record_upward_report: Option<RecordUpwardReport>,
    record_duty_done: Option<RecordDutyDone>,
    record_body_learned: Option<RecordBodyLearned>,
    notify: Option<Notify>,
    acknowledge: Option<Acknowledge>,
    close: Option<Close>,
    cut_link: Option<Link>,
    restore_link: Option<Link>,
}

/// The one thing that a step does.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a> {
    /// A report is taken.
    SubmitReport(&'a SubmitReport),
    /// Facts change.
    UpdateFacts(&'a UpdateFacts),
    /// A person decides the grade.
    DecideGrade(&'a DecideGrade),
    /// A report upward is recorded.
    RecordUpwardReport(&'a RecordUpwardReport),
    /// A duty without a report is recorded as done.
    RecordDutyDone(&'a RecordDutyDone),
    /// When a body learned is stated.
    RecordBodyLearned(&'a RecordBodyLearned),
    /// A notification is drafted and approved.
    Notify(&'a Notify),
    /// A notification is acknowledged.
    Acknowledge(&'a Acknowledge),
    /// The incident is closed.
    Close(&'a Close),
    /// The line between the nodes breaks.
    CutLink,
    /// The line between the nodes is back.
    RestoreLink,
}

impl Action<'_> {
    /// The name of its table in the script.
    pub fn name(&self) -> &'static str {
        match self {
            Action::SubmitReport(_) => "submit_report",
            Action::UpdateFacts(_) => "update_facts",
            Action::DecideGrade(_) => "decide_grade",
            Action::RecordUpwardReport(_) => "record_upward_report",
            Action::RecordDutyDone(_) => "record_duty_done",
            Action::RecordBodyLearned(_) => "record_body_learned",
            Action::Notify(_) => "notify",
            Action::Acknowledge(_) => "acknowledge",
            Action::Close(_) => "close",
            Action::CutLink => "cut_link",
            Action::RestoreLink => "restore_link",
        }
    }

    /// The label of the incident that it is about, if it names one.
    pub fn incident(&self) -> Option<&str> {
        match self {
            Action::SubmitReport(report) => report.incident.as_deref(),
            Action::UpdateFacts(update) => Some(&update.incident),
            Action::DecideGrade(decision) => Some(&decision.incident),
            Action::RecordUpwardReport(report) => Some(&report.incident),
            Action::RecordDutyDone(duty) => Some(&duty.incident),
            Action::RecordBodyLearned(learned) => Some(&learned.incident),
            Action::Notify(notify) => Some(&notify.incident),
            Action::Close(close) => Some(&close.incident),
            Action::Acknowledge(_) | Action::CutLink | Action::RestoreLink => None,
        }
    }
}

impl Step {
    /// All things that it says it does; a checked script has exactly one.
    pub fn actions(&self) -> Vec<Action<'_>> {
        let all = [
            self.submit_report.as_ref().map(Action::SubmitReport),
            self.update_facts.as_ref().map(Action::UpdateFacts),
            self.decide_grade.as_ref().map(Action::DecideGrade),
            self.record_upward_report.as_ref().map(Action::RecordUpwardReport),
            self.record_duty_done.as_ref().map(Action::RecordDutyDone),
            self.record_body_learned.as_ref().map(Action::RecordBodyLearned),
            self.notify.as_ref().map(Action::Notify),
            self.acknowledge.as_ref().map(Action::Acknowledge),
            self.close.as_ref().map(Action::Close),
            self.cut_link.as_ref().map(|_| Action::CutLink),
            self.restore_link.as_ref().map(|_| Action::RestoreLink),
        ];
        all.into_iter().flatten().collect()
    }

    /// The one thing that it does; `None` only in a script that was not checked.
    pub fn action(&self) -> Option<Action<'_>> {
        self.actions().first().copied()
    }
}

/// `SubmitReport`: its message's fields, times as `..._at`; `incident` is a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmitReport {
    pub incident: Option<String>,
    #[serde(default)]
    pub open_new: bool,
    pub origin: Origin,
    #[serde(default)]
    pub reporter_name: String,
    #[serde(default)]
    pub reporter_telephone: String,
    #[serde(default)]
    pub reporter_organisation: String,
    #[serde(default)]
    pub reporting_body_code: String,
    #[serde(default, deserialize_with = "optional_time")]
    pub reporting_body_learned_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_time")]
    pub learned_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_time")]
    pub occurred_at: Option<Timestamp>,
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub place: PlaceText,
    #[serde(default)]
    pub substances: Vec<SubstanceText>,
    #[serde(default)]
    pub facts: FactsText,
}

/// `UpdateFacts`: its message's fields, times as `..._at`; `incident` is a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateFacts {
    pub incident: String,
    pub source_words: String,
    #[serde(default)]
    pub substances: Vec<SubstanceText>,
    #[serde(default)]
    pub facts: FactsText,
}

/// `DecideGrade`: its message's fields, times as `..._at`; `incident` is a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideGrade {
    pub incident: String,
    pub grade: GradeText,
    pub kind: Decision,
    pub authority: String,
    #[serde(default)]
    pub reason: String,
}

/// `RecordUpwardReport`: its message's fields, times as `..._at`; `incident` is a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordUpwardReport {
    pub incident: String,
    pub body_code: String,
    pub kind: Upward,
    #[serde(default, deserialize_with = "optional_time")]
    pub sent_at: Option<Timestamp>,
    pub receiver: String,
    #[serde(default)]
    pub receipt_number: String,
    #[serde(default)]
    pub by_telephone: bool,
    pub text: String,
}

/// `RecordDutyDone`: the clock is found by body and row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDutyDone {
    pub incident: String,
    pub body_code: String,
    pub row: String,
    pub remark: String,
}

/// `RecordBodyLearned`: its message's fields, times as `..._at`; `incident` is a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordBodyLearned {
    pub incident: String,
    pub body_code: String,
    #[serde(default, deserialize_with = "optional_time")]
    pub learned_at: Option<Timestamp>,
}

/// `DraftNotification` with these overrides, and `ApproveNotification`. `incident` and the links are labels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    pub incident: String,
    pub to: String,
    pub kind: NotifyKind,
    pub approved_by: String,
    #[serde(default, deserialize_with = "optional_time")]
    pub approved_at: Option<Timestamp>,
    pub subject: String,
    pub situation: String,
    #[serde(default)]
    pub section_sender_name: String,
    #[serde(default)]
    pub section_recipient_name: String,
    pub flow_m3_per_s: Option<f64>,
    #[serde(default)]
    pub measures_taken: String,
    #[serde(default)]
    pub requested_action: String,
    #[serde(default, deserialize_with = "optional_time")]
    pub next_update_at: Option<Timestamp>,
    pub boundary_effect: Option<Effect>,
    pub grade: Option<GradeText>,
    pub follows: Option<String>,
    pub corrects: Option<String>,
    pub revokes: Option<String>,
    pub ends: Option<String>,
}

impl Notify {
    /// The notifications that it refers to, by key.
    pub fn links(&self) -> [(&'static str, Option<&String>); 4] {
        [
            ("follows", self.follows.as_ref()),
            ("corrects", self.corrects.as_ref()),
            ("revokes", self.revokes.as_ref()),
            ("ends", self.ends.as_ref()),
        ]
    }
}

/// `AcknowledgeNotification`: `notification` is the label of the step that notifies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    pub notification: String,
    #[serde(default)]
    pub remark: String,
}

/// `CloseIncident`: its message's fields, times as `..._at`; `incident` is a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    pub incident: String,
}

/// The line between the nodes, in both directions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {}

/// A TOML date and time with its offset.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let stated = toml::value::Datetime::deserialize(from)?;
    stated.to_string().parse().map_err(|_| {
        serde::de::Error::custom(format!("`{stated}` must be a date and time with an offset, for example 2014-08-13T06:10:00+08:00"))
    })
}

pub(super) fn optional_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    time(from).map(Some)
}

/// What is wrong with a script, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.problem),
            line => write!(f, "line {line}: {}", self.problem),
        }
    }
}

impl Script {
    /// Reads and checks a script. All that is wrong, not the first alone, unless it cannot be read at all.
    pub fn parse(text: &str) -> Result<Self, Vec<ScriptError>> {
        let script: Script = toml::from_str(text).map_err(|error| {
            vec![ScriptError { line: error.span().map_or(0, |span| line_of(text, &span)), problem: error.message().trim().to_owned() }]
        })?;
        let errors = super::script_check::faults(text, &script);
        if errors.is_empty() { Ok(script) } else { Err(errors) }
    }

    /// The step of this label.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().map(Spanned::get_ref).find(|step| step.id == id)
    }

    /// The person of this label.
    pub fn person(&self, id: &str) -> Option<&PersonText> {
        self.people.iter().map(Spanned::get_ref).find(|person| person.id == id)
    }

    /// The node's first person with this role.
    pub fn person_with(&self, node: &str, role: &str) -> Option<&PersonText> {
        self.people.iter().map(Spanned::get_ref).find(|person| person.node == node && person.roles.iter().any(|has| has == role))
    }

    /// The incident of this label.
    pub fn incident(&self, id: &str) -> Option<&IncidentText> {
        self.incidents.iter().map(Spanned::get_ref).find(|incident| incident.id == id)
    }

    /// What this step notifies, if it does.
    pub fn notify(&self, id: &str) -> Option<&Notify> {
        self.step(id).and_then(|step| step.notify.as_ref())
    }
}

pub(super) fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start.min(text.len())).map_or(0, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
