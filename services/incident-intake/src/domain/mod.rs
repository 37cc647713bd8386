//! Incidents, reports and clocks in states that cannot be wrong. Pure: no SQL, no tonic, no clock.

pub mod clock;
pub mod facts;
pub mod incident;
pub mod matching;
pub mod place;
pub mod report;
pub mod validate;

pub use clock::{Clock, ClockState};
pub use incident::{Change, Incident, IncidentState};
pub use place::{Place, Substance};
pub use report::{Report, ReportOrigin};
