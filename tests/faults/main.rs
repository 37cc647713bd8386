//! Faults: each strikes while officers work on both desks, proves that it struck, and is followed by the account.
//!
//! `cargo build -p fenghuo && cargo run -p fenghuo-tests --bin faults -- all --seed 1`. Each fault is a file; its short version is a test in
//! the same file, so that what runs for seconds by default is what runs for minutes on demand.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Tests: a failure here is a failed test.

mod clock;
mod databases;
mod disk;
mod kill;
mod link;
mod outcome;
mod postgres;
mod proxy;
mod server;

use std::path::Path;
use std::time::Duration;

use clap::{Parser, Subcommand};
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, pair};

use crate::databases::Databases;
use crate::outcome::Outcome;

/// Hubei's code; it and Chongqing warn each other.
const HUBEI: &str = "420000";
/// Chongqing's code.
const CHONGQING: &str = "500000";

/// A pair of enrolled provinces whose acknowledgements are due within two seconds, so that timers fire all the time.
async fn provinces(databases: &Databases, dir: &Path) -> (Province, Province) {
    let spec = |code| databases.place(Spec::new(code, dir).with("FENGHUO_ACKNOWLEDGE_WITHIN_S", "2"));
    pair(&spec(HUBEI).await, &spec(CHONGQING).await).await
}

/// Breaks a pair of provinces while they work, then counts.
#[derive(Parser)]
#[command(after_help = "Examples:
  faults kill --kills 200 --seed 1
  faults kill --kills 200 --postgres postgres://postgres@127.0.0.1:5432/postgres
  faults all --json
A failing run prints its seed; the same seed makes the same choices again, the machine's timing aside.")]
struct Arguments {
    #[command(subcommand)]
    fault: Fault,
    /// Decides what strikes when, and what officers do.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Print the outcomes as JSON on standard output, one a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Fault {
    /// Either node, or both, killed with SIGKILL again and again
    Kill {
        /// How many times.
        #[arg(long, default_value_t = 200)]
        kills: usize,
        /// A PostgreSQL server for the databases of this run; without it SQLite.
        #[arg(long)]
        postgres: Option<String>,
    },
    /// The link cut, lossy, cut in one direction, cut in mid-delivery (root)
    Link {
        /// Seconds of each.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// PostgreSQL restarted and crashed, its sessions ended, COMMITs cut off
    Postgres {
        /// Rounds of a restart and a crash.
        #[arg(long, default_value_t = 5)]
        restarts: u64,
        /// Seconds of ending sessions, and of cutting COMMITs.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// The disk filled in the middle of groups of writes (root)
    Disk {
        /// How many times.
        #[arg(long, default_value_t = 10)]
        rounds: u64,
    },
    /// The disk of PostgreSQL filled (root)
    DiskPostgres {
        /// How many times.
        #[arg(long, default_value_t = 2)]
        rounds: u64,
    },
    /// The clock of a node stepped by an hour both ways
    Clock {
        /// Seconds after each step.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// All of them in their long versions, on a PostgreSQL of their own where they need one
    All,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    eprintln!("seed {}", arguments.seed);
    let faults = match arguments.fault {
        Fault::All => all(),
        one => vec![one],
    };
    for fault in faults {
        if let Some(why) = missing(&fault) {
            eprintln!("skipped: {why}");
            continue;
        }
        let outcome = strike(fault, arguments.seed).await;
        let text = if arguments.json { serde_json::to_string(&outcome).unwrap() } else { outcome.to_string() };
        println!("{text}");
    }
}

fn all() -> Vec<Fault> {
    vec![
        Fault::Kill { kills: 200, postgres: None },
        Fault::Kill { kills: 200, postgres: Some(String::new()) },
        Fault::Link { seconds: 30 },
        Fault::Postgres { restarts: 5, seconds: 20 },
        Fault::Disk { rounds: 10 },
        Fault::DiskPostgres { rounds: 2 },
        Fault::Clock { seconds: 20 },
    ]
}

/// Why this fault cannot be made on this machine, if it cannot.
fn missing(fault: &Fault) -> Option<String> {
    match fault {
        Fault::Link { .. } => fenghuo_tests::namespace::missing(),
        Fault::Postgres { .. } => server::missing(),
        Fault::Disk { .. } => disk::missing(),
        Fault::DiskPostgres { .. } => disk::missing().or_else(server::missing),
        Fault::Clock { .. } => clock::missing(),
        Fault::Kill { postgres: Some(url), .. } if url.is_empty() => server::missing(),
        Fault::Kill { .. } | Fault::All => None,
    }
}

async fn strike(fault: Fault, seed: u64) -> Outcome {
    match fault {
        Fault::Kill { kills, postgres: Some(url) } if url.is_empty() => {
            let dir = tempfile::Builder::new().prefix("fenghuo-faults-").tempdir_in("/tmp").unwrap();
            let server = server::Server::start(&postgres::open_to_all(dir.path(), "server"));
            kill::run(Databases::of(Some(server.url())), kills, seed).await
        }
        Fault::Kill { kills, postgres } => kill::run(Databases::of(postgres), kills, seed).await,
        Fault::Link { seconds } => link::run(Duration::from_secs(seconds), true, seed).await,
        Fault::Postgres { restarts, seconds } => {
            let plan = postgres::Plan { restarts, each: Duration::from_secs(seconds) };
            postgres::run(plan, seed).await
        }
        Fault::Disk { rounds } => disk::run(rounds, seed).await,
        Fault::DiskPostgres { rounds } => disk::run_postgres(rounds, seed).await,
        Fault::Clock { seconds } => clock::run(Duration::from_secs(seconds), seed).await,
        Fault::All => unreachable!("taken apart before"),
    }
}
