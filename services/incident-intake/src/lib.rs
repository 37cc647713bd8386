//! incident-intake: reports become incidents, graded and clocked.
//!
//! A report comes in by a call or from a neighbour (`reactions::neighbour`). [`take`] matches it with an open incident or opens one,
//! asks the rules (`fenghuo-rules`) for the grade and the clauses that give it, and lets the statutory clocks follow: a change of
//! route supersedes and starts, a timer misses what is not done (`reactions::clock_due`). The [`domain::Incident`] is one record
//! with its clocks inside it, because they change together; reports are records of their own and never change.
//!
//! Events: `incident.*` with a snapshot of the incident (no personal data), and `report.taken`.
//! It must not know: how partners are reached, who signs in, which database it runs on.

pub mod domain;
pub mod reactions;
pub mod rpc;
mod service;
pub mod store;
pub mod take;
pub mod wire;

pub use service::{MIGRATIONS, RECORDS, Service, fit};
