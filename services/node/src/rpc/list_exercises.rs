//! `ListExercises`: newest first.

use fenghuo_api::exercise::v1::{ListExercisesRequest, ListExercisesResponse};
use fenghuo_durable::Result;
use fenghuo_durable::page::{PageToken, page_size};
use fenghuo_edge::Caller;

use super::bad_page_token;
use crate::domain::Exercise;
use crate::service::Service;
use crate::store;
use crate::wire::exercise::exercise_out;

const METHOD: &str = "/fenghuo.exercise.v1.ExerciseService/ListExercises";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ListExercisesRequest) -> Result<ListExercisesResponse> {
    let size = page_size(request.page_size, 50, 500)?;
    let before = position(&request.page_token)?;
    if !caller.can_read(service.province_code()) {
        return Ok(ListExercisesResponse::default());
    }
    let mut exercises =
        service.db().read((before, size), |(before, size), tx| Box::pin(store::exercise::page(tx, before, size + 1))).await?;
    let wanted = usize::try_from(size).unwrap_or(50);
    let more = exercises.len() > wanted;
    exercises.truncate(wanted);
    let next = exercises.last().filter(|_| more).map(token_after);
    Ok(ListExercisesResponse {
        exercises: exercises.iter().map(|exercise| out(service, exercise)).collect(),
        next_page_token: next.unwrap_or_default(),
    })
}

fn out(service: &Service, exercise: &Exercise) -> fenghuo_api::exercise::v1::Exercise {
    let space = exercise.space_id().and_then(|id| service.spaces().get(id)).ok();
    exercise_out(exercise, space.as_deref())
}

fn token_after(last: &Exercise) -> String {
    PageToken::encode(METHOD, &[&last.opened_at.as_microsecond().to_string(), &last.name])
}

fn position(token: &str) -> Result<(i64, String)> {
    if token.is_empty() {
        return Ok((i64::MAX, String::new()));
    }
    match &PageToken::decode(METHOD, token)?[..] {
        [opened, name] => Ok((opened.parse().map_err(|_| bad_page_token())?, name.clone())),
        _ => Err(bad_page_token()),
    }
}
