//! `GetNode`: what this node is, for the sign-in page.

use fenghuo_api::identity::v1::{GetNodeRequest, GetNodeResponse};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Result, wall};

use crate::service::Service;
use crate::store;

pub(super) async fn handle(service: &Service, _request: GetNodeRequest) -> Result<GetNodeResponse> {
    let set_up = service.db().read((), |(), tx| Box::pin(store::person::any(tx))).await?;
    let parts = service.parts();
    Ok(GetNodeResponse {
        province_code: parts.province_code.clone(),
        display_name: parts.display_name.clone(),
        display_name_en: parts.display_name_en.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        needs_setup: !set_up,
        wall_time: Some(to_proto(wall::now())),
    })
}
