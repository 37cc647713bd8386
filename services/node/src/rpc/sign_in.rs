//! `SignIn`: name and password for a session. What is wrong is not said, and repeated failures wait.

use fenghuo_api::identity::v1::{SignInRequest, SignInResponse};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Error, Result, Tx, wall};

use crate::domain::Person;
use crate::domain::person::{USER_NAME_MAX_BYTES, normal_user_name};
use crate::service::Service;
use crate::sessions::new_session;
use crate::store;
use crate::store::session::NewSession;
use crate::wire::person::person_now;

pub(super) async fn handle(service: &Service, request: SignInRequest) -> Result<SignInResponse> {
    let user_name = normal_user_name(&request.user_name);
    if user_name.is_empty() || user_name.len() > USER_NAME_MAX_BYTES || user_name.contains('\0') {
        // Nobody has such a name, and it is not kept.
        service.passwords().is_right(&request.password, None).await?;
        return Err(bad_credentials());
    }
    let _turn = service.sign_in_turn(&user_name).await;
    let person = may_try(service, &user_name).await?.filter(|person| person.active);
    let right = service.passwords().is_right(&request.password, person.as_ref().map(|person| &person.password)).await?;
    let Some(person) = person.filter(|_| right) else {
        note_failure(service, user_name).await?;
        return Err(bad_credentials());
    };
    let (session_token, session) = new_session()?;
    let expire_time = Some(to_proto(session.expire_at));
    let context = (service.province_code().to_owned(), person, session);
    let person = service.db().write(context, |(province, person, session), tx| Box::pin(start(tx, province, person, session))).await?;
    Ok(SignInResponse { session_token, person: Some(person_now(&person, wall::now())), expire_time })
}

async fn start(tx: &mut Tx, province: &str, seen: &Person, session: &NewSession) -> Result<Person> {
    let person = store::person::existing(tx, &seen.name).await?;
    // Switched off, or given another password, while the hash was computed.
    if !person.active || person.password != seen.password {
        return Err(bad_credentials());
    }
    store::throttle::clear(tx, &person.user_name).await?;
    store::session::start(tx, province, &person.name, session).await?;
    Ok(person)
}

/// The person of this name, if there is one; RESOURCE_EXHAUSTED while the name waits, whether or not anybody has it. Hold the name's
/// turn.
pub(super) async fn may_try(service: &Service, user_name: &str) -> Result<Option<Person>> {
    let now = wall::now();
    let context = (user_name.to_owned(), now);
    let (failures, person) = service
        .db()
        .read(context, |(user_name, now), tx| {
            Box::pin(
                async move { Ok((store::throttle::get(tx, user_name, *now).await?, store::person::by_user_name(tx, user_name).await?)) },
            )
        })
        .await?;
    let wait = failures.map(|failures| failures.wait(now)).unwrap_or_default();
    if wait.is_positive() {
        let seconds = wait.as_millis().div_euclid(1000) + 1;
        let text = format!("too many wrong passwords for this name; try again in {seconds} s");
        return Err(Error::new(Code::ResourceExhausted, "SIGN_IN_WAITS", text).with("retryAfterSeconds", seconds.to_string()));
    }
    Ok(person)
}

/// Counts a wrong password against a name.
pub(super) async fn note_failure(service: &Service, user_name: String) -> Result<()> {
    // The name itself is not logged: people type passwords into the wrong field.
    tracing::warn!("a sign-in failed");
    service.db().write((user_name, wall::now()), |(user_name, now), tx| Box::pin(store::throttle::note(tx, user_name, *now))).await
}

fn bad_credentials() -> Error {
    Error::new(Code::Unauthenticated, "BAD_CREDENTIALS", "the name or the password is wrong")
}
