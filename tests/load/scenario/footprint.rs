//! How much of a machine a node takes: start-up, memory, the binary.

use std::time::Duration;

use fenghuo_tests::node::{Process, Spec, binary};
use fenghuo_tests::province::Province;

use crate::args::Args;
use crate::drive::open_for;
use crate::figure::Report;
use crate::load_node::{Desk, PROVINCE};

/// Reports in the database of the second start.
const REPORTS: usize = 20_000;
const MEGABYTE: f64 = 1e6;

/// Measures it on SQLite, the desk's node.
pub async fn run(args: &Args, report: &mut Report) {
    report.plain("binary, stripped", "MB", vec![std::fs::metadata(binary()).unwrap().len() as f64 / MEGABYTE]);
    let dir = args.folder();
    let mut province = Province::start(&Spec::new(PROVINCE, dir.path())).await;
    report.plain("first start, with new keys and databases", "ms", vec![ms(&province.process)]);
    starts(args, report, &mut province, "start, no reports");
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.plain("memory idle, no reports", "MB", vec![memory(&province)]);
    province = fill(province, report).await;
    starts(args, report, &mut province, "start, 20,000 reports open");
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.plain("memory idle, 20,000 reports open", "MB", vec![memory(&province)]);
    province.process.stop();
}

/// Fills the node over all connections, then loads it at a steady rate.
async fn fill(province: Province, report: &mut Report) -> Province {
    let desk = Desk::of(&province);
    let workers = (0..64).map(|worker| {
        let desk = desk.clone();
        tokio::spawn(async move {
            while desk.acknowledged() < REPORTS {
                desk.submit(worker % crate::drive::CONNECTIONS).await.unwrap();
            }
        })
    });
    futures::future::join_all(workers).await;
    let call = move |connection: usize| {
        let desk = desk.clone();
        async move { desk.submit(connection).await }
    };
    open_for(Duration::from_secs(5), 1000.0, call).await;
    report.plain("memory after 25,000 reports at full and half load", "MB", vec![memory(&province)]);
    report.plain("memory, highest under that load", "MB", vec![province.process.memory_peak_bytes() as f64 / MEGABYTE]);
    province
}

fn starts(args: &Args, report: &mut Report, province: &mut Province, what: &str) {
    let mut times = Vec::new();
    for _ in 0..args.runs.max(3) {
        province.process.stop();
        province.start_again();
        times.push(ms(&province.process));
    }
    report.plain(what, "ms", times);
}

fn ms(process: &Process) -> f64 {
    process.start_time.as_secs_f64() * 1e3
}

fn memory(province: &Province) -> f64 {
    province.process.memory_bytes() as f64 / MEGABYTE
}
