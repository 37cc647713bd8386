//! `GetExerciseActivity`: is there anything left to do before the clock may jump?

use fenghuo_api::exercise::v1::{GetExerciseActivityRequest, GetExerciseActivityResponse};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Error, Result};
use fenghuo_edge::Caller;

use crate::domain::exercise::exercise_id;
use crate::service::Service;

pub(super) async fn handle(service: &Service, caller: &Caller, request: GetExerciseActivityRequest) -> Result<GetExerciseActivityResponse> {
    let id = exercise_id(&request.name)?;
    if !caller.can_read(service.province_code()) {
        return Err(Error::not_found(&request.name));
    }
    let space = service.spaces().get(id)?;
    // Before the looks below: what a setting put in force meanwhile makes due would be missed otherwise.
    let clock_setting = space.clock().setting_number();
    let mut activity = space.activity().await?;
    for pending in &service.parts().pending {
        activity.pending.extend(pending(space.clone()).await?);
    }
    if *space.stopping().borrow() {
        // Over: nothing more is done in it, whatever it still had to do.
        activity = fenghuo_durable::Activity::default();
    }
    Ok(GetExerciseActivityResponse {
        idle: activity.pending.is_empty(),
        next_due_time: activity.next_due_at.map(to_proto),
        pending: activity.pending,
        clock_setting,
    })
}
