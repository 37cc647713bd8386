//! `RecordBodyLearned`: when an obliged body learned, which starts its clocks.

use fenghuo_api::incident::v1::{RecordBodyLearnedRequest, RecordBodyLearnedResponse};
use fenghuo_durable::{RequestKey, Result};
use fenghuo_edge::Caller;
use fenghuo_rules::divisions::Divisions;

use super::{acts_for, authorised, whole};
use crate::domain::validate::Faults;
use crate::service::Service;
use crate::store::incident::Told;
use crate::take::save;
use crate::wire::required_time;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/RecordBodyLearned";

pub(super) async fn handle(service: &Service, caller: &Caller, request: RecordBodyLearnedRequest) -> Result<RecordBodyLearnedResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let at = required_time("learn_time", request.learn_time.as_ref())?;
    let mut faults = Faults::default();
    faults.past("learn_time", Some(at), space.clock().now());
    faults.done()?;
    let context = (request.name, request.body_code, at, caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, body, at, caller, request_id), tx| {
            Box::pin(async move {
                let mut incident = authorised(tx, caller, METHOD, name).await?;
                acts_for(caller, METHOD, body)?;
                let change = incident.body_learned(body, *at, tx.now())?;
                let all = Divisions::builtin();
                let told = Told {
                    kind: "incident.body_learned",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: format!("{}生态环境主管部门已获悉", all.name_zh(body)),
                    en: format!("The environment department of {} has learned", all.name_en(body)),
                };
                save(tx, &mut incident, &change, told).await?;
                Ok(RecordBodyLearnedResponse { incident: Some(whole(tx, &incident).await?) })
            })
        })
        .await
}
