//! Time and identifiers. Nothing else in the workspace asks the system for either.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{Error, Result};

/// Wall time: for TLS, sessions, retries and the `recorded_at` of events; never for what happens in a space.
pub mod wall {
    /// Now, by the system's clock, in whole microseconds (what the databases keep).
    #[allow(clippy::disallowed_methods)] // The one place.
    pub fn now() -> jiff::Timestamp {
        let now = jiff::Timestamp::now();
        jiff::Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// A new identifier (UUID version 7): sorts by the wall time at which it was made.
#[allow(clippy::disallowed_methods)] // The one place.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A numbered setting of an exercise's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockSetting {
    /// Rises; 0 is the real space.
    pub number: u64,
    /// The space's time when the setting takes effect.
    pub space_time: Timestamp,
    /// Seconds of space time for each second of real time; 0 stands still between jumps.
    pub rate: f64,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Wall,
    Set { setting: ClockSetting, since: Instant },
}

/// The clock of one space.
#[derive(Debug)]
pub struct Clock {
    source: RwLock<Source>,
    changed: watch::Sender<u64>,
}

impl Clock {
    /// The clock of the real space.
    pub fn real() -> Self {
        Self { source: RwLock::new(Source::Wall), changed: watch::Sender::new(0) }
    }

    /// The clock of an exercise.
    pub fn exercise(setting: ClockSetting) -> Self {
        Self { source: RwLock::new(Source::Set { setting, since: Instant::now() }), changed: watch::Sender::new(setting.number) }
    }

    /// The space's time now, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        match *self.source.read() {
            Source::Wall => wall::now(),
            Source::Set { setting, since } => advanced(setting, since),
        }
    }

    /// Number of the setting in force; 0 in the real space.
    pub fn setting_number(&self) -> u64 {
        match *self.source.read() {
            Source::Wall => 0,
            Source::Set { setting, .. } => setting.number,
        }
    }

    /// The setting in force with its present time; `None` in the real space.
    pub fn setting(&self) -> Option<ClockSetting> {
        match *self.source.read() {
            Source::Wall => None,
            Source::Set { setting, since } => Some(ClockSetting { space_time: advanced(setting, since), ..setting }),
        }
    }

    /// Puts a newer setting in force. Time never goes back and numbers only rise.
    pub fn set(&self, setting: ClockSetting) -> Result<()> {
        let mut source = self.source.write();
        let Source::Set { setting: old, since } = *source else {
            return Err(Error::precondition("REAL_CLOCK", "the real space has no clock that can be set"));
        };
        if setting.number <= old.number {
            return Err(Error::precondition(
                "CLOCK_SETTING_OLD",
                format!("clock setting {} is in force; give a higher number", old.number),
            ));
        }
        if setting.space_time < advanced(old, since) {
            return Err(Error::invalid("clock.space_time", "the clock of an exercise never goes back"));
        }
        if !(0.0..=100_000.0).contains(&setting.rate) {
            return Err(Error::invalid("clock.rate", "must be from 0 to 100000 seconds of exercise time for each real second"));
        }
        *source = Source::Set { setting, since: Instant::now() };
        drop(source);
        self.changed.send_replace(setting.number);
        Ok(())
    }

    /// Stops the clock of an exercise where it is, under its present number; the setting that then holds. The real one goes on.
    pub(crate) fn stop(&self) -> Option<ClockSetting> {
        let mut source = self.source.write();
        let Source::Set { setting, since } = *source else { return None };
        let stopped = ClockSetting { space_time: advanced(setting, since), rate: 0.0, ..setting };
        *source = Source::Set { setting: stopped, since: Instant::now() };
        Some(stopped)
    }

    /// Wakes when a new setting comes into force.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Real time until the space's clock shows `due`; `None` if it stands still before that.
    pub fn real_time_until(&self, due: Timestamp) -> Option<std::time::Duration> {
        let left = due.duration_since(self.now());
        if left <= SignedDuration::ZERO {
            return Some(std::time::Duration::ZERO);
        }
        let rate = match *self.source.read() {
            Source::Wall => 1.0,
            Source::Set { setting, .. } => setting.rate,
        };
        (rate > 0.0).then(|| std::time::Duration::from_secs_f64((left.as_secs_f64() / rate).min(86_400.0)))
    }
}

fn advanced(setting: ClockSetting, since: Instant) -> Timestamp {
    let gone = SignedDuration::from_secs_f64(since.elapsed().as_secs_f64() * setting.rate);
    let now = setting.space_time.checked_add(gone).unwrap_or(setting.space_time);
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
