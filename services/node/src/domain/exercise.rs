//! An exercise: what was agreed, its clock, and that it is over.

use fenghuo_durable::faults::Faults;
use fenghuo_durable::{ClockSetting, Error, Result, SpaceId};
use fenghuo_edge::province_code::is_province_code;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Is it still going on?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExerciseState {
    /// Runs.
    Open,
    /// Over; readable.
    Ended,
}

impl ExerciseState {
    /// Name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ended => "ended",
        }
    }
}

/// A numbered clock setting, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Rises; the first is 1.
    pub number: u64,
    /// The exercise's time when it takes effect.
    pub space_time: Timestamp,
    /// Seconds of exercise time for each real second.
    pub rate: f64,
}

impl From<Setting> for ClockSetting {
    fn from(setting: Setting) -> Self {
        Self { number: setting.number, space_time: setting.space_time, rate: setting.rate }
    }
}

impl From<ClockSetting> for Setting {
    fn from(setting: ClockSetting) -> Self {
        Self { number: setting.number, space_time: setting.space_time, rate: setting.rate }
    }
}

/// An exercise on this node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exercise {
    /// `exercises/{uuid}`, the same on all nodes.
    pub name: String,
    /// Raised by each change.
    pub revision: u64,
    /// Title.
    pub title: String,
    /// Open or ended.
    pub state: ExerciseState,
    /// The clock that it was opened with.
    pub first_clock: Setting,
    /// The last setting published here.
    pub clock: Setting,
    /// Codes of the provinces that take part, in order.
    pub province_codes: Vec<String>,
    /// Resource name of the person who opened it here.
    pub opened_by: String,
    /// Wall time.
    pub opened_at: Timestamp,
    /// The exercise's time at its end.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

impl Exercise {
    /// Its space.
    pub fn space_id(&self) -> Result<SpaceId> {
        self.name.parse()
    }

    /// Was the same agreed in the other one? Who opened it, and when, is each side's own.
    pub fn same_content(&self, other: &Self) -> bool {
        (&self.name, &self.title, self.first_clock, &self.province_codes)
            == (&other.name, &other.title, other.first_clock, &other.province_codes)
    }

    /// Refuses an exercise that is over.
    pub fn require_open(&self) -> Result<()> {
        match self.state {
            ExerciseState::Open => Ok(()),
            ExerciseState::Ended => Err(Error::precondition("EXERCISE_ENDED", format!("{} is over; open a new one", self.name))),
        }
    }

    /// Takes a newer setting into the record. The space has judged it; another replica may have brought the record further meanwhile.
    pub fn set_clock(&mut self, setting: Setting) -> Result<()> {
        self.require_open()?;
        if setting.number > self.clock.number {
            self.clock = setting;
        }
        Ok(())
    }

    /// Ends it; `false` if it was over before.
    pub fn end(&mut self, space_time: Timestamp) -> bool {
        if self.state == ExerciseState::Ended {
            return false;
        }
        (self.state, self.ended_at) = (ExerciseState::Ended, Some(space_time));
        true
    }
}

/// The space of an exercise's name; refuses "real" and what is no name.
pub fn exercise_id(name: &str) -> Result<SpaceId> {
    match name.parse() {
        Ok(id @ SpaceId::Exercise(_)) => Ok(id),
        _ => Err(Error::invalid("name", "must be \"exercises/{uuid}\" in lower case")),
    }
}

/// Notes what is wrong with the participants: each a province, each once, ours among them.
pub fn check_participants(codes: &[String], ours: &str, faults: &mut Faults) {
    for (at, code) in codes.iter().enumerate() {
        let field = format!("province_codes[{at}]");
        if !is_province_code(code) {
            faults.add(field, "must be the six-digit code of a province, for example \"420000\"");
        } else if codes[..at].contains(code) {
            faults.add(field, format!("{code} is named twice"));
        }
        if at > 40 {
            faults.add("province_codes", "are more than there are provinces");
            break;
        }
    }
    if !codes.iter().any(|code| code == ours) {
        faults.add("province_codes", format!("must contain {ours}, the province of this node"));
    }
}

/// Notes what is wrong with a clock setting in itself.
pub fn check_setting(setting: &Setting, faults: &mut Faults) {
    if setting.number == 0 {
        faults.add("clock.number", "must be 1 or more");
    }
    if i64::try_from(setting.number).is_err() {
        faults.add("clock.number", "is too large");
    }
    if !(0.0..=100_000.0).contains(&setting.rate) {
        faults.add("clock.rate", "must be from 0 to 100000 seconds of exercise time for each real second");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(number: u64, rate: f64) -> Setting {
        Setting { number, space_time: "2014-08-13T00:00:00Z".parse().unwrap(), rate }
    }

    fn exercise() -> Exercise {
        Exercise {
            name: "exercises/0198f0a0-0000-7000-8000-000000000001".into(),
            revision: 1,
            title: "千丈岩".into(),
            state: ExerciseState::Open,
            first_clock: setting(1, 0.0),
            clock: setting(1, 0.0),
            province_codes: vec!["420000".into(), "500000".into()],
            opened_by: "provinces/420000/people/1".into(),
            opened_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            ended_at: None,
        }
    }

    #[test]
    fn an_exercise_ends_once_and_its_clock_then_stays() {
        let mut one = exercise();
        one.set_clock(setting(2, 60.0)).unwrap();
        one.set_clock(setting(1, 0.0)).unwrap();
        assert!(one.end(one.clock.space_time));
        assert!(!one.end(one.clock.space_time));
        assert_eq!(one.set_clock(setting(3, 0.0)).unwrap_err().reason, "EXERCISE_ENDED");
        assert_eq!(one.clock, setting(2, 60.0));
    }

    #[test]
    fn what_was_agreed_is_compared_and_not_who_opened_it() {
        let mut other = exercise();
        (other.opened_by, other.clock, other.revision) = ("someone".into(), setting(9, 0.0), 9);
        assert!(exercise().same_content(&other));
        other.first_clock.rate = 1.0;
        assert!(!exercise().same_content(&other));
    }

    #[test]
    fn participants_and_settings_are_checked() {
        let fields = |codes: &[&str]| {
            let mut faults = Faults::default();
            check_participants(&codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>(), "420000", &mut faults);
            faults.done().err().map(|error| error.violations.into_iter().map(|v| v.field).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert!(fields(&["420000", "500000"]).is_empty());
        assert_eq!(fields(&[]), ["province_codes"]);
        assert_eq!(fields(&["500000"]), ["province_codes"]);
        assert_eq!(fields(&["420000", "422800", "420000"]), ["province_codes[1]", "province_codes[2]"]);
        for bad in [setting(0, 1.0), setting(u64::MAX, 1.0), setting(1, -1.0), setting(1, f64::NAN), setting(1, 1e6)] {
            let mut faults = Faults::default();
            check_setting(&bad, &mut faults);
            assert!(faults.done().is_err(), "{bad:?}");
        }
        assert!(exercise_id("real").is_err());
        assert!(exercise_id(&exercise().name).is_ok());
    }
}
