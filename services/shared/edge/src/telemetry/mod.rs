//! What the node tells of itself: log lines ([`log`]), and by OTLP spans and metrics, where a collector is named.
//!
//! Spans are made with OpenTelemetry's own interface, not out of log events: so the caller's context goes on through store, log and envelope
//! also where nothing is exported, and costs next to nothing there. The names are those of the semantic conventions, version 1.45, where they
//! have one, and `fenghuo.*` where not; every metric stands in `deploy/telemetry.md`.

mod board;
mod call;
mod export;
mod log;
mod sampler;

pub use board::{Board, Gauge, Sample};
pub(crate) use call::{ClientCall, ServerCall, Via};
pub(crate) use export::check_endpoint;
pub use export::{Telemetry, probe};
pub use log::LOG_VARIABLE;

use fenghuo_durable::Result;

use crate::config::NodeConfig;

/// Starts the log of this process and, where `otlp_endpoint` is set, the export; once, inside the runtime, before anything is measured.
/// INVALID_ARGUMENT if the log's filter or the endpoint cannot be used, FAILED_PRECONDITION at a second call.
pub fn init(config: &NodeConfig) -> Result<Telemetry> {
    log::start(config.log_format)?;
    Telemetry::start(config)
}
