//! The queries of incident-intake: a file for each noun. Every write of a record also writes its event.

pub mod incident;
pub mod report;
