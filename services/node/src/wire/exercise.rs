//! Exercises and clock settings.

use fenghuo_api::exercise::v1 as pb;
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Result, Space};

use crate::domain::exercise::check_setting;
use crate::domain::{Exercise, ExerciseState, Setting};

/// A clock setting from the wire, in the field `clock`.
pub fn setting_in(clock: Option<&pb::ClockSetting>) -> Result<Setting> {
    let mut faults = Faults::default();
    let clock = clock.copied().unwrap_or_else(|| {
        faults.add("clock", "is required");
        pb::ClockSetting { number: 1, ..pb::ClockSetting::default() }
    });
    let time = clock.space_time.as_ref().and_then(from_proto);
    if time.is_none() {
        faults.add("clock.space_time", "must be a time between the years 0001 and 9999");
    }
    let space_time = time.map(whole_microseconds).unwrap_or_default();
    let setting = Setting { number: clock.number, space_time, rate: clock.rate };
    check_setting(&setting, &mut faults);
    faults.done()?;
    Ok(setting)
}

/// As fine as the databases keep times, so that what is read back is what was sent.
fn whole_microseconds(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// An exercise as it is now; `space` is its space while it is open.
pub fn exercise_out(exercise: &Exercise, space: Option<&Space>) -> pb::Exercise {
    let live = space.and_then(|space| space.clock().setting()).map(Setting::from);
    let clock = match exercise.state {
        ExerciseState::Open => live.unwrap_or(exercise.clock),
        ExerciseState::Ended => Setting { rate: 0.0, space_time: exercise.ended_at.unwrap_or(exercise.clock.space_time), ..exercise.clock },
    };
    let state = match exercise.state {
        ExerciseState::Open => pb::ExerciseState::Open,
        ExerciseState::Ended => pb::ExerciseState::Ended,
    };
    pb::Exercise {
        name: exercise.name.clone(),
        title: exercise.title.clone(),
        state: state.into(),
        clock: Some(pb::ClockSetting {
            number: clock.number,
            // When it took effect, as published; the time now stands beside it.
            space_time: Some(to_proto(if exercise.clock.number == clock.number { exercise.clock.space_time } else { clock.space_time })),
            rate: clock.rate,
        }),
        space_time: Some(to_proto(clock.space_time)),
        province_codes: exercise.province_codes.clone(),
        opened_by: exercise.opened_by.clone(),
    }
}
