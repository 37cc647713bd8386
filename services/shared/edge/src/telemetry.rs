//! Log lines: to standard error, for people or as JSON.

use fenghuo_durable::{Error, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::LogFormat;

/// The variable that filters the log, for example "info,fenghuo_mailbox=debug".
pub const LOG_VARIABLE: &str = "FENGHUO_LOG";
/// Without it.
const DEFAULT_FILTER: &str = "info,h2=warn,hyper=warn,rustls=warn,sqlx=warn,tonic=warn";

/// Starts the log of this process, once. INVALID_ARGUMENT if the filter cannot be read, FAILED_PRECONDITION at a second call.
pub fn init(format: LogFormat) -> Result<()> {
    let filter = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| DEFAULT_FILTER.to_owned());
    let filter = EnvFilter::try_new(&filter).map_err(|e| Error::invalid(LOG_VARIABLE, format!("\"{filter}\" is not a log filter: {e}")))?;
    let writer = BoxMakeWriter::new(std::io::stderr);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = match format {
        LogFormat::Human => subscriber.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|e| Error::precondition("LOG_STARTED", format!("the log was started already: {e}")))
}
