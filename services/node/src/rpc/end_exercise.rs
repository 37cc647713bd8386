//! `EndExercise`: timers and streams stop, the data stays readable.

use fenghuo_api::exercise::v1::{EndExerciseRequest, EndExerciseResponse};
use fenghuo_durable::{RequestKey, Result, Tx};
use fenghuo_edge::Caller;
use jiff::Timestamp;

use crate::domain::Exercise;
use crate::domain::exercise::exercise_id;
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::exercise::exercise_out;

const METHOD: &str = "/fenghuo.exercise.v1.ExerciseService/EndExercise";

pub(super) async fn handle(service: &Service, caller: &Caller, request: EndExerciseRequest) -> Result<EndExerciseResponse> {
    let id = exercise_id(&request.name)?;
    service.require(caller, METHOD, &request.name)?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let _held = service.hold_exercises().await;
    let now = service.spaces().get(id).ok().map(|space| space.clock().now());
    let told = Told {
        kind: "exercise.ended",
        actor: caller.identity.clone(),
        request_id: key.request_id.clone(),
        zh: "结束演练",
        en: "An exercise is ended",
    };
    let context = (service.province_code().to_owned(), request.name, now, told);
    let answer = service
        .db()
        .write_once(key, context, |(province, name, now, told), tx| {
            Box::pin(async move {
                let exercise = end(tx, province, name, *now, told.clone()).await?;
                Ok(EndExerciseResponse { exercise: Some(exercise_out(&exercise, None)) })
            })
        })
        .await?;
    service.spaces().end_exercise(id).await?;
    Ok(answer)
}

async fn end(tx: &mut Tx, province: &str, name: &str, now: Option<Timestamp>, told: Told) -> Result<Exercise> {
    let mut exercise = store::exercise::existing(tx, name).await?;
    if exercise.end(now.unwrap_or(exercise.clock.space_time)) {
        store::exercise::save(tx, province, &mut exercise, told).await?;
    }
    Ok(exercise)
}
