//! Counts and durations of the store, for whoever collects metrics. Where nobody does, an instrument does nothing.
//!
//! Every metric of the node, with its meaning, stands in `deploy/telemetry.md`.

use std::sync::LazyLock;

pub use opentelemetry::KeyValue;
pub use opentelemetry::metrics::{Counter, Histogram, Meter};

use crate::tx::Tx;

/// The meter of the node. Make no instrument before telemetry has started: it would measure nothing for ever. A `LazyLock` sees to that.
pub fn meter() -> Meter {
    opentelemetry::global::meter("fenghuo")
}

/// A counter.
pub fn counter(name: &'static str, unit: &'static str, description: &'static str) -> Counter<u64> {
    meter().u64_counter(name).with_unit(unit).with_description(description).build()
}

/// A histogram of seconds. Its bounds are those that the semantic conventions advise for calls.
pub fn seconds(name: &'static str, description: &'static str) -> Histogram<f64> {
    const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
    meter().f64_histogram(name).with_unit("s").with_description(description).with_boundaries(BOUNDS.to_vec()).build()
}

/// How many writes shared a COMMIT of SQLite.
pub(crate) static GROUP_SIZE: LazyLock<Histogram<u64>> = LazyLock::new(|| {
    let bounds = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
    meter()
        .u64_histogram("fenghuo.db.group.size")
        .with_unit("{write}")
        .with_description("Writes that shared a COMMIT of SQLite")
        .with_boundaries(bounds.to_vec())
        .build()
});

/// Runs of a PostgreSQL transaction beyond its first.
pub(crate) static RERUNS: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.db.rerun", "{run}", "Runs of a transaction again, after a lost race"));

/// Timers that fired.
pub(crate) static TIMERS_FIRED: LazyLock<Counter<u64>> = LazyLock::new(|| counter("fenghuo.timer.fired", "{timer}", "Timers that fired"));

impl Tx {
    /// Counts something that holds only if this transaction commits: once, however often it runs.
    pub fn count(&mut self, counter: &Counter<u64>, attributes: impl FnOnce() -> Vec<KeyValue>) {
        let (counter, attributes) = (counter.clone(), attributes());
        self.after_commit.push(Box::new(move || counter.add(1, &attributes)));
    }

    /// "real" or "exercise", for attributes of metrics: a drill must not look like an emergency.
    pub fn space_kind(&self) -> &'static str {
        if self.clock.setting().is_none() { "real" } else { "exercise" }
    }
}
