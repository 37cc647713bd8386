//! `SetExerciseClock`: a numbered setting, published by the controller.

use fenghuo_api::exercise::v1::{SetExerciseClockRequest, SetExerciseClockResponse};
use fenghuo_durable::Result;
use fenghuo_edge::Caller;

use crate::domain::exercise::exercise_id;
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::exercise::{exercise_out, setting_in};

const METHOD: &str = "/fenghuo.exercise.v1.ExerciseService/SetExerciseClock";

pub(super) async fn handle(service: &Service, caller: &Caller, request: SetExerciseClockRequest) -> Result<SetExerciseClockResponse> {
    let id = exercise_id(&request.name)?;
    service.require(caller, METHOD, &request.name)?;
    let setting = setting_in(request.clock.as_ref())?;
    let _held = service.hold_exercises().await;
    let name = request.name.clone();
    service.db().read(name, |name, tx| Box::pin(async move { store::exercise::existing(tx, name).await?.require_open() })).await?;
    // The space judges and keeps the setting; the record follows and is only told. If it cannot be, the next setting brings it up.
    let space = service.spaces().get(id)?;
    space.set_clock(setting.into()).await?;
    let told = Told {
        kind: "exercise.clock_set",
        actor: caller.identity.clone(),
        zh: "设置演练时钟",
        en: "The clock of an exercise is set",
        ..Told::default()
    };
    let context = (service.province_code().to_owned(), request.name, setting, told);
    let exercise = service
        .db()
        .write(context, |(province, name, setting, told), tx| {
            Box::pin(async move {
                let mut exercise = store::exercise::existing(tx, name).await?;
                exercise.set_clock(*setting)?;
                store::exercise::save(tx, province, &mut exercise, told.clone()).await?;
                Ok(exercise)
            })
        })
        .await?;
    Ok(SetExerciseClockResponse { exercise: Some(exercise_out(&exercise, Some(&space))) })
}
