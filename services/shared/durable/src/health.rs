//! What the reads and writes of a database have met lately: for telling people what is down while it is down.

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::clock::wall;
use crate::error::{Error, Result};

/// Kept beside a database.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Seen>);

/// When a database last answered, and when it last failed to; wall time.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// It answered, be it with a refusal.
    pub answered: Option<Timestamp>,
    /// It could not be reached.
    pub unreachable: Option<Timestamp>,
    /// A write found the disk full.
    pub disk_full: Option<Timestamp>,
    /// The last of these failures with its cause, for the engineer.
    pub last_error: String,
}

impl Health {
    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().clone()
    }

    pub(crate) fn note<T>(&self, outcome: &Result<T>) {
        let now = Some(wall::now());
        let mut seen = self.0.lock();
        match outcome {
            Err(error) if error.reason == "DATABASE_UNREACHABLE" => {
                seen.unreachable = now;
                seen.last_error = words(error);
            }
            Err(error) if error.reason == "DISK_FULL" => {
                (seen.disk_full, seen.answered) = (now, now);
                seen.last_error = words(error);
            }
            // Nothing of the database's.
            Err(error) if matches!(error.reason, "DATABASE_CLOSED" | "EXERCISE_ENDED") => {}
            _ => seen.answered = now,
        }
    }
}

fn words(error: &Error) -> String {
    error.source.as_ref().map_or_else(|| error.message.clone(), |source| source.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer_and_a_silence_is_none() {
        let health = Health::default();
        health.note::<()>(&Err(Error::unavailable("DATABASE_UNREACHABLE", "gone")));
        assert!(health.seen().answered.is_none() && health.seen().unreachable.is_some());
        health.note::<()>(&Err(Error::not_found("x")));
        assert!(health.seen().answered.is_some() && health.seen().disk_full.is_none());
        health.note::<()>(&Err(Error::unavailable("DISK_FULL", "the disk is full")));
        assert_eq!(health.seen().last_error, "the disk is full");
    }
}
