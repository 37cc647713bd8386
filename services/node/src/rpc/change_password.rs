//! `ChangePassword`: the own one; ends the person's other sessions.

use fenghuo_api::identity::v1::{ChangePasswordRequest, ChangePasswordResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Code, Error, Result, Tx};
use fenghuo_edge::Caller;

use super::sign_in::{may_try, note_failure};
use crate::domain::person::check_password;
use crate::domain::{PasswordHash, Person};
use crate::service::Service;
use crate::store;
use crate::store::Told;

pub(super) async fn handle(service: &Service, caller: &Caller, request: ChangePasswordRequest) -> Result<ChangePasswordResponse> {
    let person = service.session_of(caller).await?.person;
    let mut faults = Faults::default();
    check_password("new_password", &request.new_password, &person.user_name, &mut faults);
    faults.done()?;
    // Who found an open session may not guess the password faster here than at the door.
    let _turn = service.sign_in_turn(&person.user_name).await;
    may_try(service, &person.user_name).await?;
    if !service.passwords().is_right(&request.old_password, Some(&person.password)).await? {
        note_failure(service, person.user_name).await?;
        return Err(Error::invalid("old_password", "is not the present password"));
    }
    let password = service.passwords().hash(&request.new_password).await?;
    let context = (service.province_code().to_owned(), person, password, caller.session_id.clone());
    service.db().write(context, |(province, seen, new, session), tx| Box::pin(change(tx, province, seen, new, session))).await?;
    Ok(ChangePasswordResponse {})
}

async fn change(tx: &mut Tx, province: &str, seen: &Person, new: &PasswordHash, session: &str) -> Result<()> {
    let mut person = store::person::existing(tx, &seen.name).await?;
    if person.password != seen.password {
        return Err(Error::new(Code::Aborted, "RACE_LOST", "the password was changed elsewhere meanwhile; sign in again"));
    }
    person.password = new.clone();
    let told = Told {
        kind: "person.password_changed",
        actor: person.name.clone(),
        zh: "本人修改口令",
        en: "Changed the own password",
        ..Told::default()
    };
    store::person::save(tx, province, &mut person, told).await?;
    store::throttle::clear(tx, &person.user_name).await?;
    store::session::end_all(tx, province, &person.name, session, &person.name).await
}
