//! Following the exercises: at the start, and as other replicas open, set and end them.

use std::time::Duration;

use fenghuo_durable::Result;
use tokio::task::JoinHandle;

use crate::domain::{Exercise, ExerciseState};
use crate::service::Service;
use crate::store;

/// How often the records are looked at, besides after each event of the node's log.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Service {
    /// Call at each start, once: opens the spaces of the exercises again, those that are over to be read only. One that cannot be opened
    /// is told in the log and stays closed: an exercise must not keep the real desk from starting.
    pub async fn resume_exercises(&self) -> Result<()> {
        let _held = self.hold_exercises().await;
        for exercise in self.db().read((), |(), tx| Box::pin(store::exercise::all(tx))).await? {
            if let Err(error) = self.bring_up(&exercise).await {
                tracing::error!(exercise = %exercise.name, error = &error as &dyn std::error::Error, "an exercise could not be brought to its state");
            }
        }
        Ok(())
    }

    /// Brings the spaces here to what other replicas make of the exercises, until the node's own space stops.
    pub fn follow_exercises(&self) -> JoinHandle<()> {
        tokio::spawn(follow(self.clone()))
    }

    /// Opens, sets or ends the space of an exercise here, if its record says otherwise than the space.
    async fn bring_up(&self, exercise: &Exercise) -> Result<()> {
        let (id, first, spaces) = (exercise.space_id()?, exercise.first_clock.into(), self.spaces());
        match (exercise.state, spaces.get(id).ok()) {
            (ExerciseState::Open, None) => spaces.open_exercise(id, Some(first)).await.map(|_| ()),
            (ExerciseState::Open, Some(space)) if space.clock().setting_number() < exercise.clock.number => {
                // Any transaction there looks at the clock.
                space.db().read((), |(), tx| Box::pin(tx.log_head())).await.map(|_| ())
            }
            (ExerciseState::Ended, None) => spaces.open_ended(id, first).await.map(|_| ()),
            // Nothing, if it is over here as well.
            (ExerciseState::Ended, Some(_)) => spaces.end_exercise(id).await,
            (ExerciseState::Open, Some(_)) => Ok(()),
        }
    }
}

async fn follow(service: Service) {
    let node = &service.parts().node;
    let (mut head, mut stop) = (node.head(), node.stopping());
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            changed = head.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = service.resume_exercises().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the exercises could not be looked at; trying again");
        }
    }
}
