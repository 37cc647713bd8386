//! `OpenExercise`: a record here, and a space of its own.

use fenghuo_api::exercise::v1::{OpenExerciseRequest, OpenExerciseResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Code, Error, RequestKey, Result, Tx, wall};
use fenghuo_edge::Caller;

use crate::domain::exercise::{check_participants, exercise_id};
use crate::domain::{Exercise, ExerciseState};
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::exercise::{exercise_out, setting_in};

const METHOD: &str = "/fenghuo.exercise.v1.ExerciseService/OpenExercise";

pub(super) async fn handle(service: &Service, caller: &Caller, request: OpenExerciseRequest) -> Result<OpenExerciseResponse> {
    let id = exercise_id(&request.name)?;
    service.require(caller, METHOD, &request.name)?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let exercise = exercise_in(service, caller, request)?;
    let told = Told {
        kind: "exercise.opened",
        actor: caller.identity.clone(),
        request_id: key.request_id.clone(),
        zh: "开启演练",
        en: "An exercise is opened",
    };
    let context = (service.province_code().to_owned(), exercise, told);
    let _held = service.hold_exercises().await;
    let answer = service
        .db()
        .write_once(key, context, |(province, exercise, told), tx| {
            Box::pin(async move {
                let exercise = open(tx, province, exercise.clone(), told.clone()).await?;
                Ok(OpenExerciseResponse { exercise: Some(exercise_out(&exercise, None)) })
            })
        })
        .await?;
    // Also when the call is repeated: the node may have stopped before it came to this.
    let name = answer.exercise.unwrap_or_default().name;
    let exercise = service.db().read(name, |name, tx| Box::pin(store::exercise::existing(tx, name))).await?;
    if exercise.state == ExerciseState::Ended {
        return Ok(OpenExerciseResponse { exercise: Some(exercise_out(&exercise, None)) });
    }
    let space = service.spaces().open_exercise(id, Some(exercise.first_clock.into())).await?;
    Ok(OpenExerciseResponse { exercise: Some(exercise_out(&exercise, Some(&space))) })
}

fn exercise_in(service: &Service, caller: &Caller, request: OpenExerciseRequest) -> Result<Exercise> {
    let mut faults = Faults::default();
    faults.required_line("title", &request.title);
    check_participants(&request.province_codes, service.province_code(), &mut faults);
    let clock = match (setting_in(request.clock.as_ref()), faults.done()) {
        (Ok(clock), Ok(())) => clock,
        (Err(one), Err(other)) => return Err(Error::invalid_fields(other.violations.into_iter().chain(one.violations).collect())),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => return Err(error),
    };
    let mut province_codes = request.province_codes;
    province_codes.sort_unstable();
    Ok(Exercise {
        name: request.name,
        revision: 0,
        title: request.title.trim().to_owned(),
        state: ExerciseState::Open,
        first_clock: clock,
        clock,
        province_codes,
        opened_by: caller.identity.clone(),
        opened_at: wall::now(),
        ended_at: None,
    })
}

async fn open(tx: &mut Tx, province: &str, mut exercise: Exercise, told: Told) -> Result<Exercise> {
    let Some(there) = store::exercise::get(tx, &exercise.name).await? else {
        store::exercise::save(tx, province, &mut exercise, told).await?;
        return Ok(exercise);
    };
    there.require_open()?;
    if !there.same_content(&exercise) {
        let text = format!("{} was opened here with another title, clock or participants; agree on one, or take a new id", there.name);
        return Err(Error::new(Code::AlreadyExists, "EXERCISE_DIFFERS", text).with("name", there.name));
    }
    Ok(there)
}
