//! `SignOut`: ends the session of the token.

use fenghuo_api::identity::v1::{SignOutRequest, SignOutResponse};
use fenghuo_durable::Result;
use fenghuo_edge::Caller;

use crate::service::Service;
use crate::store;

pub(super) async fn handle(service: &Service, caller: &Caller, _request: SignOutRequest) -> Result<SignOutResponse> {
    let context = (service.province_code().to_owned(), caller.session_id.clone(), caller.identity.clone());
    service.db().write(context, |(province, id, actor), tx| Box::pin(store::session::end(tx, province, id, actor))).await?;
    Ok(SignOutResponse {})
}
