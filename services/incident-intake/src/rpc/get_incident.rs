//! `GetIncident`.

use fenghuo_api::incident::v1::{GetIncidentRequest, GetIncidentResponse};
use fenghuo_durable::Result;
use fenghuo_edge::Caller;

use super::{authorised, whole};
use crate::service::Service;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/GetIncident";

pub(super) async fn handle(service: &Service, caller: &Caller, request: GetIncidentRequest) -> Result<GetIncidentResponse> {
    let context = (request.name, caller.clone());
    let space = service.space(caller)?;
    let read = space.db().read(context, |(name, caller), tx| {
        Box::pin(async move {
            let found = authorised(tx, caller, METHOD, name).await?;
            whole(tx, &found).await
        })
    });
    Ok(GetIncidentResponse { incident: Some(read.await?) })
}
