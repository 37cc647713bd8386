//! The law as pure functions over rule tables: no clock, no storage, no network.
//!
//! The legal thresholds, limits and lists are data in `seeds/rules/`, each row with its clause, each table with the dates between which
//! it holds and the date that selects it. [`RuleBook::builtin`] has them all, read and checked once. From there it goes:
//!
//! 1. [`Facts`]: what is known of an incident. Absent is unknown, and unknown is never zero.
//! 2. [`grade()`]: facts and tables to an [`Assessment`]: the grade, the clauses that fired, what could still raise it, the sensitive
//!    cases, and the reporting route. The rules propose; a person decides.
//! 3. [`reporting_clocks`]: route, bodies and neighbours to [`ClockSpec`]s: who must do what by when. [`diff`] tells what a
//!    re-grading keeps, supersedes and starts.
//! 4. [`grade_json`]: the same offline, from JSON to JSON, documented by [`FACTS_SCHEMA`].
//!
//! A decision is worth keeping with the hash of its table: published tables never change, a correction is a new one.

pub mod assess;
pub mod book;
pub mod clocks;
pub mod codes;
pub mod condition;
pub mod divisions;
pub mod error;
pub mod fact;
pub mod facts;
pub mod grade;
pub mod offline;
pub mod reporting;
pub mod table;
pub mod text;

pub use assess::{Assessment, FiredClause, OpenQuestion, SensitiveCase, grade};
pub use book::RuleBook;
pub use clocks::{ClockDiff, ClockFacts, ClockSpec, Neighbour, ObligedBody, diff, reporting_clocks};
pub use codes::{
    BoundaryEffect, BoundaryStatus, EcologicalHarm, FigureStatus, NuclearEmergency, NuclearFacility, RadiationConsequence, SourceClass,
    SourceEvent, Tristate, WaterIntakeInterruption,
};
pub use error::RulesError;
pub use facts::{Facts, FieldViolation, Figure, RadiationFacts};
pub use grade::{Grade, GradeState, Route};
pub use offline::{FACTS_SCHEMA, grade_json, parse_facts};
pub use reporting::{BodyLevel, ClockStart, DutyKind, Recipient, ReportItem, ReportKind, ReportingTable};
pub use table::{GradingRow, GradingTable, SelectedBy, TableHead};
pub use text::{Citation, Text};
