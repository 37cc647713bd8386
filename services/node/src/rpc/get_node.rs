//! `GetNode`: what this node is, for the sign-in page.

use std::sync::atomic::Ordering;

use fenghuo_api::identity::v1::{GetNodeRequest, GetNodeResponse};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Result, wall};

use crate::operation::ANSWER_WITHIN;
use crate::service::Service;
use crate::store;

pub(super) async fn handle(service: &Service, _request: GetNodeRequest) -> Result<GetNodeResponse> {
    let (set_up, reached) = set_up(service).await?;
    let parts = service.parts();
    Ok(GetNodeResponse {
        province_code: parts.province_code.clone(),
        display_name: parts.display_name.clone(),
        display_name_en: parts.display_name_en.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        needs_setup: !set_up,
        wall_time: Some(to_proto(wall::now())),
        database_unreachable: !reached,
    })
}

/// Can somebody sign in, and did the database say so? If it does not answer, what it said before holds.
async fn set_up(service: &Service) -> Result<(bool, bool)> {
    let known = || service.set_up().load(Ordering::Relaxed);
    if service.operation().conditions.has("DATABASE_UNREACHABLE") {
        return Ok((known(), false));
    }
    let question = service.db().read((), |(), tx| Box::pin(store::person::any(tx)));
    match tokio::time::timeout(ANSWER_WITHIN, question).await {
        Ok(Ok(set_up)) => {
            service.set_up().store(set_up, Ordering::Relaxed);
            Ok((set_up, true))
        }
        Ok(Err(error)) if error.code != Code::Unavailable => Err(error),
        _ => Ok((known(), false)),
    }
}
