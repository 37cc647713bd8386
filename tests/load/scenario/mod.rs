//! What is measured: a row and a file for each.

pub mod echo;
mod fan_out;
mod footprint;
mod jetstream;
mod notify;
mod reports;
mod statements;

use futures::future::BoxFuture;

use crate::args::Args;
use crate::figure::Report;

/// One scenario.
pub struct Scenario {
    /// For `--only`.
    pub name: &'static str,
    /// In a line.
    pub shows: &'static str,
    /// Measures and reports.
    pub run: for<'a> fn(&'a Args, &'a mut Report) -> BoxFuture<'a, ()>,
}

macro_rules! scenarios {
    ($($name:literal, $shows:literal, $run:path;)+) => {
        /// In the order in which they run: later ones are compared with earlier ones.
        pub const ALL: &[Scenario] = &[$(Scenario { name: $name, shows: $shows, run: |args, report| Box::pin($run(args, report)) }),+];
    };
}

scenarios! {
    "echo", "bare tonic, the same SubmitReport message back, another process", echo::run;
    "statements", "SQL statements of one SubmitReport that opens an incident, both databases", statements::run;
    "sqlite", "SubmitReport on SQLite, synchronous=FULL, writes of many calls in one COMMIT", reports::sqlite;
    "sqlite-ungrouped", "SubmitReport on SQLite, synchronous=FULL, one COMMIT for each call", reports::sqlite_ungrouped;
    "postgres", "SubmitReport on PostgreSQL, synchronous_commit=on", reports::postgres;
    "jetstream", "NATS JetStream, sync_interval always, publishing the same bytes", jetstream::run;
    "notify", "from the approval's sending until the partner's signed receipt is stored here and shown", notify::run;
    "fan-out", "the live board: watchers of the event log while reports come in", fan_out::run;
    "footprint", "start-up, memory, size of the binary", footprint::run;
}

/// The chosen scenarios with the echo before them; the first name that is none otherwise.
pub fn chosen(only: &[String]) -> Result<Vec<&'static Scenario>, String> {
    if let Some(unknown) = only.iter().find(|name| ALL.iter().all(|one| one.name != **name)) {
        return Err(unknown.clone());
    }
    let wanted = |one: &&Scenario| only.is_empty() || one.name == "echo" || only.iter().any(|name| name == one.name);
    Ok(ALL.iter().filter(wanted).collect())
}

/// All names.
pub fn names() -> String {
    ALL.iter().map(|one| one.name).collect::<Vec<_>>().join(", ")
}
