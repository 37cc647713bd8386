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

impl ClockSetting {
    /// Refuses what may not follow on the setting in force, given with its present time: numbers rise and time never goes back.
    pub(crate) fn check_after(&self, now: &ClockSetting) -> Result<()> {
        if self.number <= now.number {
            let text = format!("clock setting {} is in force; give a higher number", now.number);
            return Err(Error::precondition("CLOCK_SETTING_OLD", text));
        }
        if self.space_time < now.space_time {
            return Err(Error::invalid("clock.space_time", "the clock of an exercise never goes back"));
        }
        if !(0.0..=100_000.0).contains(&self.rate) {
            return Err(Error::invalid("clock.rate", "must be from 0 to 100000 seconds of exercise time for each real second"));
        }
        Ok(())
    }

    /// The same setting so much real time later.
    pub(crate) fn after(self, real: SignedDuration) -> Self {
        let gone = SignedDuration::from_secs_f64(real.as_secs_f64().max(0.0) * self.rate);
        let then = self.space_time.checked_add(gone).unwrap_or(self.space_time);
        Self { space_time: Timestamp::from_microsecond(then.as_microsecond()).unwrap_or(then), ..self }
    }
}

/// The refusal of a setting for the real space.
pub(crate) fn real_clock() -> Error {
    Error::precondition("REAL_CLOCK", "the real space has no clock that can be set")
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
        let Some(now) = self.setting() else { return Err(real_clock()) };
        setting.check_after(&now)?;
        self.adopt(setting);
        Ok(())
    }

    /// Takes a setting as it holds now, without judging it: the database has it, another replica may have put it there.
    pub(crate) fn adopt(&self, setting: ClockSetting) {
        let mut source = self.source.write();
        if !matches!(*source, Source::Set { .. }) {
            return;
        }
        *source = Source::Set { setting, since: Instant::now() };
        drop(source);
        self.changed.send_replace(setting.number);
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
    let gone = SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::MAX);
    setting.after(gone).space_time
}
