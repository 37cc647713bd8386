//! What in a space waits or fails: for telling people while it does.

use jiff::Timestamp;

use crate::error::Result;
use crate::params;
use crate::tx::Tx;

/// Timers of one kind that are due and fail.
#[derive(Debug, Clone)]
pub struct FailingTimers {
    /// Names their handler.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// When the first of them was due, in the space's time.
    pub first_due: Timestamp,
    /// One of the failures in words.
    pub last_error: String,
}

impl Tx {
    /// Timers that are due and have failed at least twice, by kind.
    pub async fn failing_timers(&mut self) -> Result<Vec<FailingTimers>> {
        let sql = "SELECT kind, COUNT(*), MIN(due_us), MAX(last_error) FROM timer_due WHERE due_us <= $1 AND failures >= 2 GROUP BY kind ORDER BY kind";
        let rows = self.rows(sql, params![self.now()]).await?;
        rows.iter()
            .map(|row| Ok(FailingTimers { kind: row.text(0)?, count: row.count(1)?, first_due: row.time(2)?, last_error: row.text(3)? }))
            .collect()
    }

    /// Events without a number, and when the first of them was recorded, wall time.
    pub async fn oldest_unsequenced(&mut self) -> Result<(u64, Option<Timestamp>)> {
        let row = self.row("SELECT COUNT(*), MIN(record_time_us) FROM log_event WHERE seq IS NULL", &[]).await?;
        match row {
            Some(row) => Ok((row.count(0)?, row.opt_time(1)?)),
            None => Ok((0, None)),
        }
    }
}
