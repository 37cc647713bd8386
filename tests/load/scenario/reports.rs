//! `SubmitReport` as the desk calls it: session token, space, a real report; matched, graded, its clocks and timers set, its events
//! written, all on disk before the answer. A node of its own process for each line of figures.

use fenghuo_tests::node::Spec;
use fenghuo_tests::province::Province;

use super::echo::baseline;
use crate::args::Args;
use crate::drive::{closed, open};
use crate::figure::{Baseline, Report};
use crate::load_node::{Desk, PROVINCE, Postgres, real_space};

/// Name of the grouped SQLite figure: others are half of it.
pub const SQLITE: &str = "SubmitReport, SQLite";

/// With writes of many calls in one COMMIT, as a node runs.
pub async fn sqlite(args: &Args, report: &mut Report) {
    let dir = args.folder();
    measure(args, report, SQLITE, &Spec::new(PROVINCE, dir.path())).await;
}

/// The same with one COMMIT for each call.
pub async fn sqlite_ungrouped(args: &Args, report: &mut Report) {
    let (dir, what) = (args.folder(), "SubmitReport, SQLite, a COMMIT each");
    measure(args, report, what, &Spec::new(PROVINCE, dir.path()).with("FENGHUO_SQLITE_GROUP_MAX", "1")).await;
    for in_flight in &args.in_flight {
        if let (Some(grouped), Some(each)) = (report.value(SQLITE, *in_flight), report.value(what, *in_flight)) {
            report.plain(&format!("grouped over ungrouped, {in_flight} in flight"), "times", vec![grouped / each]);
        }
    }
}

/// On PostgreSQL.
pub async fn postgres(args: &Args, report: &mut Report) {
    let Some(server) = &args.postgres else { return println!("  left out: no --postgres") };
    let (dir, database) = (args.folder(), Postgres::new(server).await);
    measure(args, report, "SubmitReport, PostgreSQL", &Spec::new(PROVINCE, dir.path()).on_postgres(&database.url())).await;
    database.drop().await;
}

async fn measure(args: &Args, report: &mut Report, what: &str, spec: &Spec) {
    let mut province = Province::start(spec).await;
    let desk = Desk::of(&province);
    let submitting = desk.clone();
    let call = move |connection: usize| {
        let desk = submitting.clone();
        async move { desk.submit(connection).await }
    };
    let mut failed = 0;
    for in_flight in &args.in_flight {
        let runs = closed(args, *in_flight, call.clone()).await;
        failed += runs.iter().map(|run| run.failed).sum::<u64>();
        report.rate(what, *in_flight, &runs, baseline(*in_flight));
    }
    let half = report.highest(what).unwrap_or(0.0) / 2.0;
    let runs = open(args, half, call).await;
    failed += runs.iter().map(|run| run.failed).sum::<u64>();
    let (line, echo) = (format!("{what}, open loop at half"), "tonic echo, open loop at half the highest");
    report.rate(&line, 0, &runs, Some(Baseline { what: echo, in_flight: 0 }));
    report.plain(&format!("{what}: memory afterwards"), "MB", vec![province.process.memory_bytes() as f64 / 1e6]);
    province.process.stop();
    desk.count_afterwards(&real_space(spec).await, failed == 0).await;
}
