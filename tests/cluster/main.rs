//! A node as several replicas, as real processes on a real PostgreSQL: every decision raced, every duty taken over after a kill.
//!
//! The default suite runs short versions. `FENGHUO_ROUNDS=N` races N rounds of each decision; the tests marked as ignored are the long ones:
//! `cargo nextest run -p fenghuo-tests --test cluster --run-ignored all`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod address;
mod alone;
mod exercises;
mod mail;
mod races;
mod takeover;

/// Rounds of each race: `FENGHUO_ROUNDS`, or this many.
fn rounds(few: u32) -> u32 {
    std::env::var("FENGHUO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}
