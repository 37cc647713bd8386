//! What a run printed: the seed, what struck, and the account.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fenghuo_tests::account::Account;
use serde::Serialize;

/// The outcome of one run.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// Which fault, on what.
    pub(crate) fault: String,
    /// The seed.
    pub(crate) seed: u64,
    /// Proof that it struck: what, and how often or how long.
    pub(crate) struck: BTreeMap<String, u64>,
    /// The account afterwards.
    pub(crate) account: Account,
    /// The whole run.
    pub(crate) seconds: u64,
}

impl Outcome {
    /// Of a run that took so long.
    pub(crate) fn new(fault: &str, seed: u64, struck: &[(&str, u64)], account: Account, took: Duration) -> Self {
        let struck = struck.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
        Self { fault: fault.to_owned(), seed, struck, account, seconds: took.as_secs() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (seed {}, {} s)", self.fault, self.seed, self.seconds)?;
        let struck: Vec<_> = self.struck.iter().map(|(what, count)| format!("{what} {count}")).collect();
        writeln!(f, "  struck      {}", struck.join(", "))?;
        let a = &self.account;
        writeln!(f, "  took effect {} reports, {} notifications, {} acknowledgements", a.reports, a.notifications, a.acknowledgements)?;
        writeln!(f, "  timers      {} clocks missed, {} reminders, once each", a.clocks_missed, a.overdue)?;
        writeln!(f, "  unknown     {} calls until they were repeated", a.unknown)?;
        writeln!(f, "  lost 0, twice 0; {} events in sequence, both logs verify", a.events)?;
        let failures: Vec<_> = a.failures.iter().map(|(what, count)| format!("{what} {count}")).collect();
        writeln!(f, "  callers saw {}; the longest wait for a failure was {} ms", failures.join(", "), a.longest_failure_ms)?;
        write!(f, "  at rest {} ms after the end of the fault", a.rest_ms)
    }
}
