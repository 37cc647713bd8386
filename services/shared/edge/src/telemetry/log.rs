//! Log lines: to standard error, for people or as JSON. A line written inside a trace names it.

use std::fmt;

use fenghuo_durable::trace::{Context, ids};
use fenghuo_durable::{Error, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, Format, Json, Writer};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogFormat;

/// The variable that filters the log, for example "info,fenghuo_mailbox=debug".
pub const LOG_VARIABLE: &str = "FENGHUO_LOG";
/// Without it.
const DEFAULT_FILTER: &str = "info,h2=warn,hyper=warn,rustls=warn,sqlx=warn,tonic=warn";

pub(super) fn start(format: LogFormat) -> Result<()> {
    let filter = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| DEFAULT_FILTER.to_owned());
    let filter = EnvFilter::try_new(&filter).map_err(|e| Error::invalid(LOG_VARIABLE, format!("\"{filter}\" is not a log filter: {e}")))?;
    let writer = BoxMakeWriter::new(std::io::stderr);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = match format {
        LogFormat::Human => {
            let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
            lines.with_ansi(ansi).fmt_fields(HumanFields(DefaultFields::new())).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).map_event_format(JsonLine).try_init(),
    };
    started.map_err(|e| Error::precondition("LOG_STARTED", format!("the log was started already: {e}")))
}

/// The usual fields, and the trace after them.
struct HumanFields(DefaultFields);

impl<'w> FormatFields<'w> for HumanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        self.0.format_fields(writer.by_ref(), fields)?;
        match Context::map_current(ids) {
            Some((trace, _)) => write!(writer, " trace_id={trace}"),
            None => Ok(()),
        }
    }
}

/// The usual object, and two members for the trace.
struct JsonLine<T>(Format<Json, T>);

impl<S, N, T> FormatEvent<S, N> for JsonLine<T>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    Format<Json, T>: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &tracing::Event<'_>) -> fmt::Result {
        let Some((trace, span)) = Context::map_current(ids) else { return self.0.format_event(context, writer, event) };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.trim_end().strip_suffix('}') {
            Some(open) => writeln!(writer, "{open},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}"),
            None => writer.write_str(&line),
        }
    }
}
