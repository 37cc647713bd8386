//! `DecideGrade`: a person decides; the rules' own answer stays beside it.

use fenghuo_api::incident::v1::{DecideGradeRequest, DecideGradeResponse, GradeDecisionKind};
use fenghuo_durable::{Error, RequestKey, Result};
use fenghuo_edge::Caller;

use super::{authorised, whole};
use crate::domain::incident::Decision;
use crate::domain::validate::Faults;
use crate::service::{Service, check_etag};
use crate::store::incident::Told;
use crate::take::save;
use crate::wire::grade_in;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/DecideGrade";

pub(super) async fn handle(service: &Service, caller: &Caller, request: DecideGradeRequest) -> Result<DecideGradeResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let wire = request.decision.ok_or_else(|| Error::invalid("decision", "is required"))?;
    let determined = match wire.kind() {
        GradeDecisionKind::Preliminary => false,
        GradeDecisionKind::Determined => true,
        GradeDecisionKind::Unspecified => return Err(Error::invalid("decision.kind", "must be preliminary (初判) or determined (认定)")),
    };
    let mut faults = Faults::default();
    faults.required_line("decision.authority", &wire.authority);
    faults.text("decision.reason", &wire.reason);
    faults.done()?;
    let decision = Decision {
        grade: grade_in("decision.grade", wire.grade)?,
        determined,
        decided_by: format!("{} {}", caller.display_name, caller.post).trim().to_owned(),
        authority: wire.authority,
        reason: wire.reason,
        decided_at: space.clock().now(),
    };
    let context = (request.name, request.etag, decision, caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, etag, decision, caller, request_id), tx| {
            Box::pin(async move {
                let mut incident = authorised(tx, caller, METHOD, name).await?;
                check_etag(etag, &incident)?;
                let change = incident.decide(decision.clone(), tx.now())?;
                let (zh, en) =
                    if decision.determined { ("认定级别", "Grade determined") } else { ("初判级别", "Preliminary grade") };
                let told = Told {
                    kind: "incident.grade_decided",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: format!("{zh}:{}", decision.grade.label_zh()),
                    en: format!("{en}: {}", decision.grade.label_en()),
                };
                save(tx, &mut incident, &change, told).await?;
                Ok(DecideGradeResponse { incident: Some(whole(tx, &incident).await?) })
            })
        })
        .await
}
