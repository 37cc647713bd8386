//! `SetPersonActive`: switches a person off, which ends the sessions, or on.

use fenghuo_api::identity::v1::{SetPersonActiveRequest, SetPersonActiveResponse};
use fenghuo_durable::{RequestKey, Result, Tx, wall};
use fenghuo_edge::Caller;

use crate::domain::Person;
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::person::person_out;

const METHOD: &str = "/fenghuo.identity.v1.PeopleService/SetPersonActive";

pub(super) async fn handle(service: &Service, caller: &Caller, request: SetPersonActiveRequest) -> Result<SetPersonActiveResponse> {
    service.require(caller, METHOD, &request.name)?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let (kind, zh, en) = match request.active {
        true => ("person.switched_on", "启用人员", "A person is switched on"),
        false => ("person.switched_off", "停用人员", "A person is switched off"),
    };
    let told = Told { kind, actor: caller.identity.clone(), request_id: key.request_id.clone(), zh, en };
    let context = (service.province_code().to_owned(), request.name, request.active, told);
    service
        .db()
        .write_once(key, context, |(province, name, active, told), tx| {
            Box::pin(async move {
                let person = set(tx, province, name, *active, told.clone()).await?;
                Ok(SetPersonActiveResponse { person: Some(person_out(&person)) })
            })
        })
        .await
}

async fn set(tx: &mut Tx, province: &str, name: &str, active: bool, told: Told) -> Result<Person> {
    let mut person = store::person::existing(tx, name).await?;
    if person.active == active {
        return Ok(person);
    }
    person.active = active;
    let actor = told.actor.clone();
    store::person::save(tx, province, &mut person, told).await?;
    store::person::require_administrator(tx, wall::now()).await?;
    if !active {
        store::session::end_all(tx, province, name, "", &actor).await?;
    }
    Ok(person)
}
