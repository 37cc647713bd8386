//! A report as it came in. It is never changed afterwards.

use fenghuo_rules::Facts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::place::{Place, Substance};

/// How a report reached the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportOrigin {
    /// Public complaint hotline 12345.
    Hotline,
    /// The firm itself.
    Enterprise,
    /// A lower environment department.
    DistrictBureau,
    /// Another authority.
    OtherAuthority,
    /// A device or warning alarm.
    DeviceAlarm,
    /// A neighbouring province (Order 17, Art. 8).
    Neighbour,
    /// Own officer in the field.
    FieldOfficer,
    /// Press or online opinion.
    Media,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `provinces/{code}/reports/{uuid}`.
    pub name: String,
    /// Its incident.
    pub incident: String,
    /// How it reached us.
    pub origin: ReportOrigin,
    /// Empty if anonymous.
    pub reporter_name: String,
    /// Telephone.
    pub reporter_telephone: String,
    /// Body or firm.
    pub reporter_organisation: String,
    /// Code of the reporting environment department; empty otherwise.
    pub reporting_body_code: String,
    /// When that department learned.
    pub reporting_body_learn_time: Option<Timestamp>,
    /// When this desk learned: a stated fact, apart from `record_time`.
    pub learn_time: Timestamp,
    /// When it happened.
    pub occur_time: Option<Timestamp>,
    /// When it was stored here.
    pub record_time: Timestamp,
    /// One line.
    pub title: String,
    /// In words.
    pub description: String,
    /// Where.
    pub place: Place,
    /// What polluted.
    pub substances: Vec<Substance>,
    /// Harm so far.
    pub facts: Facts,
    /// The neighbour's notification that it was made from; empty otherwise.
    #[serde(default)]
    pub source_notification: String,
    /// The incident at the neighbour's, for a report made from a notification; empty otherwise.
    #[serde(default)]
    pub remote_incident: String,
    /// The neighbour found the pollution and looks for its cause on our side (a search report).
    #[serde(default)]
    pub cause_sought_here: bool,
    /// Who took it.
    pub recorded_by: String,
}
