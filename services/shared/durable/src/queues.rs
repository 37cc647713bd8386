//! How deep every queue of a space is and how long its oldest entry waits, for metrics.

use jiff::Timestamp;

use crate::clock::wall;
use crate::error::Result;
use crate::params;
use crate::tx::Tx;

/// What waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Waiting {
    /// Entries.
    pub count: u64,
    /// Seconds since the oldest came; 0 if the queue is empty.
    pub age_s: f64,
}

impl Waiting {
    /// So many, the oldest of them since then, seen now.
    pub fn since(count: u64, oldest: Option<Timestamp>, now: Timestamp) -> Self {
        let age_s = oldest.filter(|_| count > 0).map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64().max(0.0));
        Self { count, age_s }
    }
}

/// A reader of the log and what it has not read.
#[derive(Debug, Clone)]
pub struct Lag {
    /// The consumer's name.
    pub consumer: String,
    /// Events that it has not read.
    pub waiting: Waiting,
    /// Failures in a row.
    pub failures: u64,
}

/// The queues of a space.
#[derive(Debug, Clone)]
pub struct Queues {
    /// The last sequence number.
    pub head: u64,
    /// Events without a sequence number.
    pub unsequenced: Waiting,
    /// Every reader of the log.
    pub consumers: Vec<Lag>,
    /// Timers that are due and have not fired; their age in the space's time.
    pub timers_overdue: Waiting,
}

impl Tx {
    /// How the queues of this space stand. A few reads by index.
    pub async fn queues(&mut self) -> Result<Queues> {
        let (head, _) = self.log_head().await?;
        let sql = "SELECT COUNT(*), MIN(record_time_us) FROM log_event WHERE seq IS NULL";
        let unsequenced = self.waiting(sql, &[], wall::now()).await?;
        let mut consumers = Vec::new();
        for state in self.consumers().await? {
            let next = "SELECT record_time_us FROM log_event WHERE seq = $1";
            let oldest = self.row(next, params![state.seq + 1]).await?.map(|row| row.time(0)).transpose()?;
            let waiting = Waiting::since(head.saturating_sub(state.seq), oldest, wall::now());
            consumers.push(Lag { consumer: state.consumer, waiting, failures: state.failures });
        }
        let now = self.now();
        let timers_overdue = self.waiting("SELECT COUNT(*), MIN(due_us) FROM timer_due WHERE due_us <= $1", params![now], now).await?;
        Ok(Queues { head, unsequenced, consumers, timers_overdue })
    }

    /// Runs a query for a count and the time of the oldest.
    async fn waiting(&mut self, sql: &'static str, params: &[crate::value::Value], now: Timestamp) -> Result<Waiting> {
        let Some(row) = self.row(sql, params).await? else { return Ok(Waiting::default()) };
        Ok(Waiting::since(row.count(0)?, row.opt_time(1)?, now))
    }
}
