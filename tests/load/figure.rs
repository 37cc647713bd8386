//! Figures: printed as they come, and all together as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::args::Args;
use crate::drive::Run;

/// Percentiles of a wait, in milliseconds: the median over the runs of each.
#[derive(Debug, Clone, Serialize)]
pub struct Waits {
    p50_ms: f64,
    p90_ms: f64,
    pub p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
}

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    scenario: String,
    what: String,
    /// Calls in flight; 0 where that says nothing.
    in_flight: usize,
    unit: &'static str,
    /// Median over the runs.
    pub value: f64,
    least: f64,
    most: f64,
    runs: usize,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<Ratio>,
}

/// A figure divided by its baseline of the same run.
#[derive(Debug, Clone, Serialize)]
struct Ratio {
    to: String,
    ratio: f64,
}

/// What a figure is divided by.
pub struct Baseline<'a> {
    /// What of it.
    pub what: &'a str,
    /// How many in flight.
    pub in_flight: usize,
}

#[derive(Serialize)]
struct Machine {
    time: String,
    cores: usize,
    load_average: String,
    kernel: String,
    cpu: String,
}

/// All figures of this process.
#[derive(Serialize)]
pub struct Report {
    machine: Machine,
    seconds: u64,
    warm_up_s: u64,
    figures: Vec<Figure>,
    #[serde(skip)]
    by_what: BTreeMap<(String, usize), f64>,
    #[serde(skip)]
    scenario: String,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn waits_of(runs: &[Run]) -> Option<Waits> {
    if runs.iter().all(|run| run.waits.is_empty()) {
        return None;
    }
    let at = |quantile: f64| median(runs.iter().map(|run| run.waits.value_at_quantile(quantile) as f64 / 1e3).collect());
    let max_ms = median(runs.iter().map(|run| run.waits.max() as f64 / 1e3).collect());
    Some(Waits { p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), p999_ms: at(0.999), max_ms })
}

impl Report {
    /// Begins with the machine as it is.
    pub fn begin(args: &Args) -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo").lines().find_map(|line| line.strip_prefix("model name\t: ").map(str::to_owned));
        let machine = Machine {
            time: fenghuo_durable::wall::now().to_string(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            load_average: read("/proc/loadavg").trim().to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            cpu: cpu.unwrap_or_default(),
        };
        println!(
            "{}; {} cores, {}, Linux {}; load average before: {}; {} runs of {} s after {} s",
            machine.time, machine.cores, machine.cpu, machine.kernel, machine.load_average, args.runs, args.seconds, args.warm_up
        );
        let (figures, by_what) = (Vec::new(), BTreeMap::new());
        Self { machine, seconds: args.seconds, warm_up_s: args.warm_up, figures, by_what, scenario: String::new() }
    }

    /// Begins a scenario.
    pub fn heading(&mut self, name: &str, shows: &str) {
        self.scenario = name.to_owned();
        println!("\n{name}: {shows}");
        println!(
            "  {:<50} {:>5} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9}  ratio",
            "", "at", "median", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"
        );
    }

    /// Keeps and prints what the runs showed in calls a second.
    pub fn rate(&mut self, what: &str, in_flight: usize, runs: &[Run], baseline: Option<Baseline<'_>>) -> Figure {
        let values = runs.iter().map(|run| run.per_second).collect();
        let failed = runs.iter().map(|run| run.failed).sum();
        self.add(what, in_flight, "1/s", values, failed, waits_of(runs), baseline)
    }

    /// Keeps and prints a plain figure.
    pub fn plain(&mut self, what: &str, unit: &'static str, values: Vec<f64>) -> Figure {
        self.add(what, 0, unit, values, 0, None, None)
    }

    #[allow(clippy::too_many_arguments)] // The columns of one line.
    fn add(
        &mut self,
        what: &str,
        in_flight: usize,
        unit: &'static str,
        values: Vec<f64>,
        failed: u64,
        waits: Option<Waits>,
        baseline: Option<Baseline<'_>>,
    ) -> Figure {
        let value = median(values.clone());
        let ratio = baseline.and_then(|baseline| {
            let base = self.by_what.get(&(baseline.what.to_owned(), baseline.in_flight))?;
            Some(Ratio { to: format!("{} at {}", baseline.what, baseline.in_flight), ratio: value / base })
        });
        self.by_what.insert((what.to_owned(), in_flight), value);
        let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(*value), most.max(*value)));
        let scenario = self.scenario.clone();
        let figure =
            Figure { scenario, what: what.to_owned(), in_flight, unit, value, least, most, runs: values.len(), failed, waits, ratio };
        print(&figure);
        self.figures.push(figure.clone());
        figure
    }

    /// The value of an earlier figure.
    pub fn value(&self, what: &str, in_flight: usize) -> Option<f64> {
        self.by_what.get(&(what.to_owned(), in_flight)).copied()
    }

    /// The highest value of an earlier figure, whatever was in flight.
    pub fn highest(&self, what: &str) -> Option<f64> {
        self.by_what.iter().filter(|((name, _), _)| name == what).map(|(_, value)| *value).max_by(f64::total_cmp)
    }

    /// Everything.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap()
    }
}

fn print(figure: &Figure) {
    let at = if figure.in_flight == 0 { String::new() } else { figure.in_flight.to_string() };
    let digits = if figure.value < 10.0 { 2 } else { 0 };
    let value = format!("{:.digits$} {}", figure.value, figure.unit);
    let waits = figure.waits.as_ref().map_or_else(
        || " ".repeat(49),
        |w| format!("{:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}", w.p50_ms, w.p90_ms, w.p99_ms, w.p999_ms, w.max_ms),
    );
    let ratio = figure.ratio.as_ref().map_or_else(String::new, |ratio| format!("  {:.3} of {}", ratio.ratio, ratio.to));
    let failed = if figure.failed == 0 { String::new() } else { format!("  FAILED {}", figure.failed) };
    println!("  {:<50} {at:>5} {value:>12} {waits}{ratio}{failed}", figure.what);
}
