//! The exercise's clock: opened alike on both nodes, then moved in numbered jumps once both have nothing left to do.

use std::time::{Duration, Instant};

use fenghuo_api::exercise::v1::{ClockSetting, GetExerciseActivityRequest, OpenExerciseRequest, SetExerciseClockRequest};
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::{SpaceId, new_id};
use jiff::Timestamp;

use super::DrillError;
use super::desk::Desk;

/// How long two nodes may be busy at one instant of the exercise.
const IDLE_WITHIN: Duration = Duration::from_secs(180);
/// A node that says twice that it is idle, with the other one asked in between, has nothing on its way from it.
const QUIET_ROUNDS: u32 = 2;

/// The clock as the controller holds it.
#[derive(Debug)]
pub struct ExerciseClock {
    name: String,
    setting: u64,
    /// The exercise's time.
    pub now: Timestamp,
}

impl ExerciseClock {
    /// Each side's liaison opens the same exercise; it stands still at `start`.
    pub async fn open(desks: &[Desk], space: SpaceId, title: &str, start: Timestamp) -> Result<Self, DrillError> {
        let clock = Self { name: space.to_string(), setting: 1, now: start };
        for desk in desks {
            let request = OpenExerciseRequest {
                request_id: new_id().to_string(),
                name: clock.name.clone(),
                title: title.to_owned(),
                clock: Some(clock.wire()),
                province_codes: desks.iter().map(|desk| desk.code.clone()).collect(),
            };
            desk.exercises()?.open_exercise(request).await?;
        }
        Ok(clock)
    }

    fn wire(&self) -> ClockSetting {
        ClockSetting { number: self.setting, space_time: Some(to_proto(self.now)), rate: 0.0 }
    }

    /// Jumps both nodes to `to`.
    pub async fn jump(&mut self, desks: &[Desk], to: Timestamp) -> Result<(), DrillError> {
        self.setting += 1;
        self.now = to;
        for desk in desks {
            let request = SetExerciseClockRequest { name: self.name.clone(), clock: Some(self.wire()) };
            desk.exercises()?.set_exercise_clock(request).await?;
        }
        Ok(())
    }

    /// Waits until no node has anything left to do at this instant; the next instant at which one has.
    pub async fn idle(&self, desks: &[Desk]) -> Result<Option<Timestamp>, DrillError> {
        let since = Instant::now();
        let mut quiet = 0;
        loop {
            let (pending, next) = self.activity(desks).await?;
            quiet = if pending.is_empty() { quiet + 1 } else { 0 };
            if quiet >= QUIET_ROUNDS {
                return Ok(next);
            }
            if since.elapsed() > IDLE_WITHIN {
                return Err(DrillError::Node(format!(
                    "after {} s the nodes are still busy: {}",
                    IDLE_WITHIN.as_secs(),
                    pending.join("; ")
                )));
            }
            tokio::time::sleep(Duration::from_millis(if pending.is_empty() { 2 } else { 15 })).await;
        }
    }

    async fn activity(&self, desks: &[Desk]) -> Result<(Vec<String>, Option<Timestamp>), DrillError> {
        let mut pending = Vec::new();
        let mut next: Option<Timestamp> = None;
        for desk in desks {
            let request = GetExerciseActivityRequest { name: self.name.clone() };
            let answer = desk.exercises()?.get_exercise_activity(request).await?.into_inner();
            if !answer.idle {
                pending.push(format!(
                    "{}: {}",
                    desk.code,
                    if answer.pending.is_empty() { "busy".to_owned() } else { answer.pending.join(", ") }
                ));
            }
            if answer.clock_setting < self.setting {
                pending.push(format!("{}: clock setting {} is not yet {}", desk.code, answer.clock_setting, self.setting));
            }
            let due = answer.next_due_time.as_ref().and_then(from_proto).filter(|due| *due > self.now);
            next = next.into_iter().chain(due).min();
        }
        Ok((pending, next))
    }
}
