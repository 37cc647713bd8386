//! `CloseIncident`: after the final report, with no limit running.

use fenghuo_api::incident::v1::{CloseIncidentRequest, CloseIncidentResponse};
use fenghuo_durable::{RequestKey, Result};
use fenghuo_edge::Caller;

use super::{authorised, whole};
use crate::domain::incident::Change;
use crate::service::{Service, check_etag};
use crate::store::incident::Told;
use crate::take::save;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/CloseIncident";

pub(super) async fn handle(service: &Service, caller: &Caller, request: CloseIncidentRequest) -> Result<CloseIncidentResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let context = (request.name, request.etag, caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, etag, caller, request_id), tx| {
            Box::pin(async move {
                let mut incident = authorised(tx, caller, METHOD, name).await?;
                check_etag(etag, &incident)?;
                incident.close()?;
                let told = Told {
                    kind: "incident.closed",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: "结案".to_owned(),
                    en: "Incident closed".to_owned(),
                };
                save(tx, &mut incident, &Change::default(), told).await?;
                Ok(CloseIncidentResponse { incident: Some(whole(tx, &incident).await?) })
            })
        })
        .await
}
