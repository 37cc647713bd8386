//! The partner protocol of [`fenghuo_mailbox::core`] in simulated worlds: provinces, a bad network, crashes, restores, new keys.
//!
//! `cargo run --release -p fenghuo-tests --bin simulate -- --seeds 100000` runs many; a seed that fails prints itself and the command that
//! replays it with a trace. The tests run a fixed handful, and prove with faults put in on purpose ([`shared::Mutation`]) that the checks find
//! such faults.
//!
//! What is real: every decision, transaction and message of the mailbox. What is simulated: the tables (copied for each transaction), the
//! network, the clock, and signatures (keyed digests). A restore takes minutes in life; so no message of before is under way after it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod check;
mod desk;
mod keys;
mod ledger;
mod net;
mod plan;
mod shared;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;

use crate::plan::Plan;
use crate::shared::{Counts, Mutation};
use crate::world::World;

/// Runs simulated worlds, one for each seed.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// Print what happens: for one seed.
    #[arg(long)]
    trace: bool,
    /// Put this fault in on purpose.
    #[arg(long)]
    mutation: Option<Mutation>,
    /// Threads; 0 means one for each core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// What one world came to.
struct Outcome {
    counts: Counts,
    violations: Vec<String>,
    trace: Vec<String>,
}

fn run(seed: u64, mutation: Option<Mutation>, trace: bool) -> Outcome {
    let mut world = World::new(Plan::of(seed), seed, mutation, trace);
    world.run();
    if world.hub.lock().violations.is_empty() {
        check::at_end(&world);
    }
    let mut shared = world.hub.lock();
    let (counts, violations) = (shared.counts, std::mem::take(&mut shared.violations));
    Outcome { counts, violations, trace: shared.trace.take().unwrap_or_default() }
}

fn replay(seed: u64) -> String {
    format!("cargo run --release -p fenghuo-tests --bin simulate -- --from {seed} --seeds 1 --trace")
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    if arguments.trace {
        for seed in arguments.from..arguments.from + arguments.seeds {
            let outcome = run(seed, arguments.mutation, true);
            println!("{:#?}", Plan::of(seed));
            outcome.trace.iter().for_each(|line| println!("{line}"));
            println!("seed {seed}: {:?} {:#?}", outcome.counts, outcome.violations);
        }
        return std::process::ExitCode::SUCCESS;
    }
    let threads = match arguments.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let bar = ProgressBar::new(arguments.seeds);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {elapsed_precise}, {eta} left, {msg}").expect("a template"));
    bar.enable_steady_tick(Duration::from_millis(500));
    let (next, started) = (AtomicU64::new(arguments.from), Instant::now());
    let total = Mutex::new(Counts::default());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.from + arguments.seeds {
                        return;
                    }
                    let outcome = run(seed, arguments.mutation, false);
                    total.lock().add(&outcome.counts);
                    if let Some(violation) = outcome.violations.first() {
                        bar.suspend(|| println!("seed {seed}: {violation}\n  {}", replay(seed)));
                        failed.lock().push(seed);
                    }
                    bar.inc(1);
                    bar.set_message(format!("{} failed", failed.lock().len()));
                }
            });
        }
    });
    bar.finish();
    let failed = failed.into_inner();
    println!("{} seeds from {} in {:.0} s: {:?}", arguments.seeds, arguments.from, started.elapsed().as_secs_f64(), total.into_inner());
    println!("{} failed: {:?}", failed.len(), &failed[..failed.len().min(50)]);
    if failed.is_empty() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_promises_hold_in_a_handful_of_worlds() {
        let mut counts = Counts::default();
        for seed in 0..64 {
            let outcome = run(seed, None, false);
            if !outcome.violations.is_empty() {
                let trace = run(seed, None, true).trace;
                trace[trace.len().saturating_sub(200)..].iter().for_each(|line| eprintln!("{line}"));
                panic!("seed {seed}: {:#?}\nreplay: {}", outcome.violations, replay(seed));
            }
            counts.add(&outcome.counts);
        }
        // The faults struck.
        assert!(counts.lost > 50 && counts.repeated > 50 && counts.crashes > 20, "{counts:?}");
        assert!(counts.restores > 5 && counts.rotations > 5, "{counts:?}");
    }

    #[test]
    fn the_promises_hold_in_worlds_that_once_failed() {
        for seed in [466, 1095, 6264, 6298, 11543, 14767, 14842, 14945, 15307, 16176, 17755] {
            let violations = run(seed, None, false).violations;
            assert!(violations.is_empty(), "seed {seed}: {violations:#?}\nreplay: {}", replay(seed));
        }
    }

    #[test]
    fn a_world_is_the_same_each_time() {
        for seed in 0..8 {
            assert_eq!(run(seed, None, true).trace, run(seed, None, true).trace, "seed {seed}");
        }
    }

    #[test]
    fn faults_put_in_on_purpose_are_found() {
        for mutation in Mutation::ALL {
            let found = (0..3000).find(|seed| !run(*seed, Some(mutation), false).violations.is_empty());
            assert!(found.is_some(), "{mutation:?} was not found");
        }
    }
}
