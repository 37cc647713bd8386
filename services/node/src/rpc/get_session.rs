//! `GetSession`: who is signed in, with the grants in force now.

use fenghuo_api::identity::v1::{GetSessionRequest, GetSessionResponse};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Result, wall};
use fenghuo_edge::Caller;

use crate::service::Service;
use crate::wire::person::person_now;

pub(super) async fn handle(service: &Service, caller: &Caller, _request: GetSessionRequest) -> Result<GetSessionResponse> {
    let session = service.session_of(caller).await?;
    Ok(GetSessionResponse { person: Some(person_now(&session.person, wall::now())), expire_time: Some(to_proto(session.expire_at)) })
}
