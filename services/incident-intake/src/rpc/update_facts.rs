//! `UpdateFacts`: the grade is assessed anew and the clocks follow.

use fenghuo_api::incident::v1::{UpdateFactsRequest, UpdateFactsResponse};
use fenghuo_durable::{Error, RequestKey, Result};
use fenghuo_edge::Caller;

use super::{authorised, whole};
use crate::domain::validate::{Faults, check_facts, check_substances};
use crate::service::{Service, check_etag};
use crate::store::incident::Told;
use crate::take::{line, save};
use crate::wire::facts::facts_in;
use crate::wire::substances_in;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/UpdateFacts";

pub(super) async fn handle(service: &Service, caller: &Caller, request: UpdateFactsRequest) -> Result<UpdateFactsResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let facts = facts_in("facts", request.facts)?;
    let substances = substances_in("substances", request.substances)?;
    let mut faults = Faults::default();
    faults.line("source", &request.source);
    check_substances(&mut faults, "substances", &substances, space.clock().now());
    check_facts(&mut faults, "facts", &facts, space.clock().now());
    faults.done()?;
    if facts == fenghuo_rules::Facts::default() && substances.is_empty() {
        return Err(Error::invalid("facts", "states nothing new: set at least one fact or substance"));
    }
    let context = (request.name, request.etag, facts, substances, caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, etag, facts, substances, caller, request_id), tx| {
            Box::pin(async move {
                let mut incident = authorised(tx, caller, METHOD, name).await?;
                check_etag(etag, &incident)?;
                let change = incident.update_facts(facts, substances, tx.now())?;
                let text = line("补充事实", "Facts updated", &incident, &change);
                let told = Told {
                    kind: "incident.facts_updated",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: text.zh,
                    en: text.en,
                };
                save(tx, &mut incident, &change, told).await?;
                Ok(UpdateFactsResponse { incident: Some(whole(tx, &incident).await?) })
            })
        })
        .await
}
