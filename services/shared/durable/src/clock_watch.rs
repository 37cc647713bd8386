//! Wall time held against monotonic time: a step of the system's clock is an alarm, because statutory limits run by it.
//!
//! The kernel slews both clocks alike, so that they part only when somebody sets the wall clock, or when the machine slept. Nothing
//! here corrects the time: timers go by the wall clock as it is, and people decide what a wrong one has done.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::clock::wall;

/// The clocks may part so far before it is an alarm.
pub const STEP_ALARM: SignedDuration = SignedDuration::from_secs(5);
/// How often they are compared.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An alarm that nobody undid ends after so long: the wall clock as it is has become the right one.
const ALARM_ENDS: Duration = Duration::from_secs(24 * 3600);

/// The wall clock was set while the node ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// Wall time, as it was afterwards, when the step was seen.
    pub at: Timestamp,
    /// How far the wall clock is from where monotonic time would have it; negative if it was set back.
    pub by: SignedDuration,
}

static STEPS: LazyLock<watch::Sender<Option<ClockStep>>> = LazyLock::new(|| watch::Sender::new(None));

/// The step that is an alarm now, if there is one. It ends when the clock is back within five seconds of where it would have been, or after
/// a day; a new start of the process knows of none.
pub fn clock_steps() -> watch::Receiver<Option<ClockStep>> {
    STEPS.subscribe()
}

/// Compares the clocks every second, for ever. One of it for each process.
pub async fn watch_clock() {
    let mut check = Check::new(wall::now(), Instant::now());
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // The two are read in one breath; a pause between them is none of the clock's doing.
        let (before, now, after) = (Instant::now(), wall::now(), Instant::now());
        if after.duration_since(before) > LOOK_EVERY {
            continue;
        }
        match check.look(now, before) {
            Some(Seen::Step(step)) => {
                tracing::error!(
                    by_s = step.by.as_secs_f64(),
                    "ALARM: this machine's clock was set while the node ran, or the machine slept; check its time source"
                );
                STEPS.send_replace(Some(step));
            }
            Some(Seen::Consistent) => {
                tracing::warn!("this machine's clock is consistent again");
                STEPS.send_replace(None);
            }
            None => {}
        }
    }
}

/// News of the clock.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Step(ClockStep),
    Consistent,
}

struct Check {
    wall: Timestamp,
    monotonic: Instant,
    alarm: Option<(ClockStep, Instant)>,
}

impl Check {
    fn new(wall: Timestamp, monotonic: Instant) -> Self {
        Self { wall, monotonic, alarm: None }
    }

    /// What is new at this look.
    fn look(&mut self, wall: Timestamp, monotonic: Instant) -> Option<Seen> {
        let gone = SignedDuration::try_from(monotonic.duration_since(self.monotonic)).unwrap_or(SignedDuration::MAX);
        let by = wall.duration_since(self.wall) - gone;
        let apart = |from: SignedDuration| (by - from).abs() > STEP_ALARM;
        match self.alarm {
            None if apart(SignedDuration::ZERO) => self.step(wall, monotonic, by),
            Some(_) if !apart(SignedDuration::ZERO) => {
                self.alarm = None;
                Some(Seen::Consistent)
            }
            Some((step, _)) if apart(step.by) => self.step(wall, monotonic, by),
            Some((_, since)) if monotonic.duration_since(since) >= ALARM_ENDS => {
                *self = Self::new(wall, monotonic);
                Some(Seen::Consistent)
            }
            _ => None,
        }
    }

    fn step(&mut self, at: Timestamp, monotonic: Instant, by: SignedDuration) -> Option<Seen> {
        let step = ClockStep { at, by };
        self.alarm = Some((step, monotonic));
        Some(Seen::Step(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        check: Check,
        began: (Timestamp, Instant),
    }

    impl Bench {
        fn new() -> Self {
            let began = ("2026-01-01T00:00:00Z".parse().unwrap(), Instant::now());
            Self { check: Check::new(began.0, began.1), began }
        }

        /// So many seconds later by either clock; by how much the step is told.
        fn look(&mut self, wall_s: i64, monotonic_s: u64) -> Option<Option<i64>> {
            let wall = self.began.0 + SignedDuration::from_secs(wall_s);
            let seen = self.check.look(wall, self.began.1 + Duration::from_secs(monotonic_s));
            seen.map(|seen| match seen {
                Seen::Step(step) => Some(step.by.as_secs()),
                Seen::Consistent => None,
            })
        }
    }

    #[test]
    fn a_step_is_told_once_and_ends_when_it_is_undone() {
        let mut bench = Bench::new();
        assert_eq!(bench.look(1, 1), None);
        assert_eq!(bench.look(7, 2), None, "five seconds are allowed");
        assert_eq!(bench.look(3603, 3), Some(Some(3600)));
        assert_eq!(bench.look(3604, 4), None);
        assert_eq!(bench.look(-3595, 5), Some(Some(-3600)), "another step is told as well");
        assert_eq!(bench.look(6, 6), Some(None));
        assert_eq!(bench.look(7, 7), None);
    }

    #[test]
    fn many_small_steps_are_one_large_one() {
        let mut bench = Bench::new();
        assert_eq!(bench.look(4, 1), None);
        assert_eq!(bench.look(8, 2), Some(Some(6)));
    }

    #[test]
    fn after_a_day_the_clock_as_it_is_becomes_the_right_one() {
        let day = 24 * 3600;
        let mut bench = Bench::new();
        assert_eq!(bench.look(3601, 1), Some(Some(3600)));
        assert_eq!(bench.look(3600 + day, day.unsigned_abs()), None);
        assert_eq!(bench.look(3601 + day, day.unsigned_abs() + 1), Some(None));
        assert_eq!(bench.look(3602 + day, day.unsigned_abs() + 2), None);
        assert_eq!(bench.look(2 + day, day.unsigned_abs() + 2), Some(Some(-3600)));
    }
}
