//! Failed sign-ins in a row, by user name.

use fenghuo_durable::{Result, Tx, params};
use jiff::Timestamp;

use crate::domain::throttle::{FORGOTTEN_AFTER, Failures};

/// The failures of a name that count at this wall time.
pub async fn get(tx: &mut Tx, user_name: &str, now: Timestamp) -> Result<Option<Failures>> {
    let sql = "SELECT failures, last_us FROM node_throttle WHERE user_name = $1 AND last_us > $2";
    let row = tx.row(sql, params![user_name, forgotten_before(now)]).await?;
    row.map(|row| Ok(Failures { count: row.count(0)?, last: row.time(1)? })).transpose()
}

/// Notes a failure, and forgets old ones of every name.
pub async fn note(tx: &mut Tx, user_name: &str, now: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM node_throttle WHERE last_us <= $1", params![forgotten_before(now)]).await?;
    let sql = "INSERT INTO node_throttle (user_name, failures, last_us) VALUES ($1, 1, $2)
        ON CONFLICT (user_name) DO UPDATE SET failures = node_throttle.failures + 1, last_us = excluded.last_us";
    tx.execute_one(sql, params![user_name, now]).await
}

/// Forgets the failures of a name that signed in.
pub async fn clear(tx: &mut Tx, user_name: &str) -> Result<()> {
    tx.execute("DELETE FROM node_throttle WHERE user_name = $1", params![user_name]).await?;
    Ok(())
}

fn forgotten_before(now: Timestamp) -> Timestamp {
    now.checked_sub(FORGOTTEN_AFTER).unwrap_or(now)
}
