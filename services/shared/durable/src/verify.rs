//! Recomputing what the log proves: the chain, the digests of the records, the private parts.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::clock::wall;
use crate::db::Db;
use crate::error::Result;
use crate::log::{private_digest, sha256};
use crate::params;
use crate::tx::Tx;

/// Faults listed at most.
const FAULTS_MAX: usize = 100;
/// A clock that is wrong by less than this may have been set wrong; an event from further ahead was not written by a clock.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(24);
/// Clocks that are closer than this count as right.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(5);
/// Events read at a time.
const PAGE: i64 = 500;

/// What was checked and what does not hold.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// Events checked.
    pub events: u64,
    /// Records checked.
    pub records: u64,
    /// Receipts checked (by the mailbox).
    pub receipts: u64,
    /// Chain hash at the end.
    pub head_hash: Vec<u8>,
    /// What does not hold, in words; at most 100.
    pub faults: Vec<String>,
    /// What holds and is worth knowing, in words; at most 100.
    pub remarks: Vec<String>,
}

impl Verification {
    /// Notes a fault.
    pub fn fault(&mut self, text: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(text);
        }
    }

    /// Notes what is no fault.
    pub fn remark(&mut self, text: String) {
        if self.remarks.len() < FAULTS_MAX {
            self.remarks.push(text);
        }
    }
}

/// Times of recording, in sequence. A clock that was set back leaves events behind that seem to come from the future, and is no tampering:
/// their times stand in the chain like all else.
struct Times {
    now: Timestamp,
    latest: Timestamp,
    /// First and last event of a run that lies in the future.
    ahead: Option<(u64, u64)>,
}

impl Times {
    fn new(now: Timestamp) -> Self {
        Self { now, latest: Timestamp::MIN, ahead: None }
    }

    fn next(&mut self, seq: u64, recorded: Timestamp, found: &mut Verification) {
        let ahead = recorded.duration_since(self.now);
        if ahead > WRONG_CLOCK {
            found.fault(format!("event {seq}: recorded in the future, at {recorded}"));
            return;
        }
        if self.latest > recorded && self.latest.duration_since(recorded) > SAME_TIME {
            let by = self.latest.duration_since(recorded).as_secs();
            found.remark(format!("event {seq}: recorded {by} s before one that precedes it: the clock was set back"));
            self.latest = recorded;
        }
        self.latest = self.latest.max(recorded);
        self.ahead = match self.ahead {
            Some((first, _)) if ahead > SAME_TIME => Some((first, seq)),
            None if ahead > SAME_TIME => Some((seq, seq)),
            same => same,
        };
    }

    fn end(self, found: &mut Verification) {
        if let Some((first, last)) = self.ahead {
            found.remark(format!("events from {first} to {last}: recorded by a clock that was ahead of the present time"));
        }
    }
}

/// A query that gives the name and the exact bytes (TEXT) of every record of one noun.
pub type RecordQuery = &'static str;

/// Recomputes the chain and compares every record with the digest of its last event.
pub async fn verify(db: &Db, records: Vec<RecordQuery>) -> Result<Verification> {
    db.read(records, |records, tx| {
        Box::pin(async move {
            let mut found = Verification::default();
            let last = verify_chain(tx, &mut found).await?;
            for query in records {
                verify_records(tx, query, &last, &mut found).await?;
            }
            Ok(found)
        })
    })
    .await
}

async fn verify_chain(tx: &mut Tx, found: &mut Verification) -> Result<HashMap<String, (u64, Vec<u8>)>> {
    let mut last: HashMap<String, (u64, Vec<u8>)> = HashMap::new();
    let (mut seq, mut hash) = (0_u64, vec![0_u8; 32]);
    let mut times = Times::new(wall::now());
    loop {
        let events = tx.events_after(seq, PAGE).await?;
        if events.is_empty() {
            break;
        }
        for event in events {
            if event.seq != seq + 1 {
                found.fault(format!("the sequence jumps from {seq} to {}", event.seq));
            }
            let expected = event.chain(&hash, event.seq);
            if event.chain_hash != expected {
                found.fault(format!("event {}: the chain does not hold", event.seq));
            }
            times.next(event.seq, event.record_time, found);
            (seq, hash) = (event.seq, event.chain_hash);
            found.events += 1;
            let newest = last.entry(event.subject).or_insert((0, Vec::new()));
            if event.revision > newest.0 {
                *newest = (event.revision, event.record_digest);
            }
        }
    }
    times.end(found);
    let (head, head_hash) = tx.log_head().await?;
    if (head, &head_hash) != (seq, &hash) {
        found.fault(format!("the head says {head}, the events end at {seq}"));
    }
    found.head_hash = head_hash;
    verify_private(tx, found).await?;
    // Events committed after the last sequencing also speak for their records.
    for row in tx.rows("SELECT subject, revision, record_digest FROM log_event WHERE seq IS NULL", &[]).await? {
        let newest = last.entry(row.text(0)?).or_insert((0, Vec::new()));
        if row.count(1)? > newest.0 {
            *newest = (row.count(1)?, row.blob(2)?);
        }
    }
    Ok(last)
}

async fn verify_private(tx: &mut Tx, found: &mut Verification) -> Result<()> {
    let sql = "SELECT e.seq, e.private_digest, p.salt, p.body FROM log_event e JOIN log_private p ON p.event_id = e.event_id WHERE p.body IS NOT NULL";
    for row in tx.rows(sql, params![]).await? {
        if row.opt_blob(1)?.as_deref() != Some(&private_digest(&row.blob(2)?, &row.text(3)?)[..]) {
            found.fault(format!("event {}: its private part was changed", row.opt_int(0)?.unwrap_or(0)));
        }
    }
    Ok(())
}

async fn verify_records(tx: &mut Tx, query: RecordQuery, last: &HashMap<String, (u64, Vec<u8>)>, found: &mut Verification) -> Result<()> {
    for row in tx.rows(query, &[]).await? {
        let (name, body) = (row.text(0)?, row.text(1)?);
        found.records += 1;
        match last.get(&name) {
            None => found.fault(format!("{name}: no event tells of it")),
            Some((revision, digest)) if *digest != sha256(body.as_bytes()) => {
                found.fault(format!("{name}: is not what event revision {revision} left"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(now_s: i64, recorded_s: &[i64]) -> Verification {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let mut found = Verification::default();
        let mut times = Times::new(at(now_s));
        for (seq, second) in (1..).zip(recorded_s) {
            times.next(seq, at(*second), &mut found);
        }
        times.end(&mut found);
        found
    }

    #[test]
    fn a_clock_that_was_set_back_is_a_remark_and_no_fault() {
        let found = verified(10_000, &[9_990, 13_590, 13_592, 9_995, 9_996]);
        assert_eq!(found.faults, Vec::<String>::new());
        assert_eq!(found.remarks.len(), 2, "{:?}", found.remarks);
        assert!(found.remarks[0].starts_with("event 4: recorded 3597 s before"), "{:?}", found.remarks);
        assert!(found.remarks[1].starts_with("events from 2 to 3:"), "{:?}", found.remarks);
        let quiet = verified(10_000, &[9_990, 9_988, 10_004]);
        assert_eq!((quiet.faults.len(), quiet.remarks.len()), (0, 0));
    }

    #[test]
    fn an_event_from_the_far_future_is_a_fault() {
        let found = verified(10_000, &[9_990, 10_000 + 25 * 3600, 9_995]);
        assert_eq!((found.faults.len(), found.remarks.len()), (1, 0), "{found:?}");
    }
}
