//! `SetGrants`: all grants of a person, as they should be.

use fenghuo_api::identity::v1::{SetGrantsRequest, SetGrantsResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{RequestKey, Result, Tx, wall};
use fenghuo_edge::Caller;

use crate::domain::{HeldGrant, Person};
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::person::{grants_in, person_out};

const METHOD: &str = "/fenghuo.identity.v1.PeopleService/SetGrants";

pub(super) async fn handle(service: &Service, caller: &Caller, request: SetGrantsRequest) -> Result<SetGrantsResponse> {
    service.require(caller, METHOD, &request.name)?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let mut faults = Faults::default();
    let grants = grants_in("grants", &request.grants, service.province_code(), &mut faults);
    faults.done()?;
    let told = Told {
        kind: "person.grants_set",
        actor: caller.identity.clone(),
        request_id: key.request_id.clone(),
        zh: "调整人员权限",
        en: "The grants of a person are set",
    };
    let context = (service.province_code().to_owned(), request.name, grants, told);
    service
        .db()
        .write_once(key, context, |(province, name, grants, told), tx| {
            Box::pin(async move {
                let person = set(tx, province, name, grants, told.clone()).await?;
                Ok(SetGrantsResponse { person: Some(person_out(&person)) })
            })
        })
        .await
}

async fn set(tx: &mut Tx, province: &str, name: &str, grants: &[HeldGrant], told: Told) -> Result<Person> {
    let mut person = store::person::existing(tx, name).await?;
    person.grants = grants.to_vec();
    store::person::save(tx, province, &mut person, told).await?;
    store::person::require_administrator(tx, wall::now()).await?;
    Ok(person)
}
