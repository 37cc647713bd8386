//! Faults: each strikes while officers work on both desks, proves that it struck, and is followed by the account.
//!
//! `cargo build -p fenghuo && cargo run -p fenghuo-tests --bin faults -- all --seed 1`. Each fault is a file; its short version is a test in
//! the same file, so that what runs for seconds by default is what runs for minutes on demand.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Tests: a failure here is a failed test.

mod databases;
mod kill;
mod outcome;

use clap::{Parser, Subcommand};

use crate::databases::Databases;
use crate::outcome::Outcome;

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
    /// Print the outcome as JSON on standard output.
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
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    eprintln!("seed {}", arguments.seed);
    let outcomes = match arguments.fault {
        Fault::Kill { kills, postgres } => vec![kill::run(Databases::of(postgres), kills, arguments.seed).await],
    };
    for outcome in &outcomes {
        print(outcome, arguments.json);
    }
}

fn print(outcome: &Outcome, json: bool) {
    if json {
        println!("{}", serde_json::to_string_pretty(outcome).unwrap());
    } else {
        println!("{outcome}");
    }
}
