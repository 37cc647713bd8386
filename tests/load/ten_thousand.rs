//! The 10,000 test: a partner dies after 3,000 of 10,000 notifications, then our node is killed; both start again.
//!
//!     cargo build --release -p fenghuo && cargo run --release -p fenghuo-tests --bin ten_thousand
//!
//! Alertmanager 0.25 lost 7,000 of 7,000 here; Svix 1.100 on Redis with an append-only file lost none and was complete after 383 s.
#![allow(clippy::unwrap_used)] // A measurement that fails should say where and stop.

use std::path::PathBuf;

use clap::Parser;
use fenghuo_tests::node::Spec;
use fenghuo_tests::outage::{Plan, play};

/// Plays the outage on release binaries, counts everything, and prints how long it took.
#[derive(Debug, Parser)]
struct Args {
    /// Notifications
    #[arg(long, default_value_t = 10_000)]
    notifications: usize,
    /// Approvals in flight
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Times that it is played
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Where the databases are made; a disk, not memory
    #[arg(long, default_value = "target")]
    dir: PathBuf,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let plan = Plan {
        notifications: args.notifications,
        partner_dies_at: args.notifications * 3 / 10,
        we_die_at: args.notifications * 95 / 100,
        in_flight: args.in_flight,
    };
    println!("{}; load average before: {}", fenghuo_durable::wall::now(), std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    for _ in 0..args.runs {
        let dir = tempfile::tempdir_in(&args.dir).unwrap();
        let seen = play(&Spec::new("420000", dir.path()), &Spec::new("500000", dir.path()), plan).await;
        println!(
            "{} notifications: the partner killed at {} stored, our node at {} approved ({:.0} approvals/s)",
            plan.notifications, seen.stored_there, seen.acknowledged_here, seen.approvals_per_second
        );
        println!(
            "both ready {:.2} s after their start; from then: the last approval answered after {:.2} s, the last receipt stored after {:.2} s",
            seen.start.as_secs_f64(),
            seen.approved_after_ready.as_secs_f64(),
            seen.complete_after_ready.as_secs_f64()
        );
        println!("none lost, none twice, in order, every receipt verified");
    }
}
