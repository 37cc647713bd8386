//! How long a user name waits after failed sign-ins.

use jiff::{SignedDuration, Timestamp};

/// Failures that cost nothing: people mistype.
pub const FREE_FAILURES: u64 = 5;
/// The longest wait, in seconds.
pub const WAIT_MAX_S: i64 = 300;
/// Failures are forgotten so long after the last one.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Failures of one user name in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// Wall time of the last one.
    pub last: Timestamp,
}

impl Failures {
    /// How long the name still waits at this wall time; zero if it may try.
    pub fn wait(&self, now: Timestamp) -> SignedDuration {
        let end = self.last.checked_add(wait_after(self.count)).unwrap_or(self.last);
        // A system clock that was set back may not lock a name out.
        end.duration_since(now).clamp(SignedDuration::ZERO, SignedDuration::from_secs(WAIT_MAX_S))
    }
}

/// One second after the fifth failure, then doubling up to five minutes.
pub fn wait_after(failures: u64) -> SignedDuration {
    let Some(doublings) = failures.checked_sub(FREE_FAILURES) else { return SignedDuration::ZERO };
    let seconds = u32::try_from(doublings).ok().and_then(|doublings| 1_i64.checked_shl(doublings)).filter(|seconds| *seconds > 0);
    SignedDuration::from_secs(seconds.unwrap_or(WAIT_MAX_S).min(WAIT_MAX_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let waits: Vec<i64> = (0..=15).map(|failures| wait_after(failures).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        for many in [5 + 63, 5 + 64, u64::MAX] {
            assert_eq!(wait_after(many).as_secs(), 300);
        }
    }

    #[test]
    fn a_wait_ends_and_never_outlasts_its_longest() {
        let last: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let failures = Failures { count: 8, last };
        assert_eq!(failures.wait(last).as_secs(), 8);
        assert_eq!(failures.wait(last + SignedDuration::from_secs(8)), SignedDuration::ZERO);
        assert_eq!(failures.wait(last - SignedDuration::from_hours(9)).as_secs(), 300);
    }
}
