//! `RecordDutyDone`: a duty that is not a report was done.

use fenghuo_api::incident::v1::{RecordDutyDoneRequest, RecordDutyDoneResponse};
use fenghuo_durable::{Error, RequestKey, Result};
use fenghuo_edge::Caller;

use super::{acts_for, authorised, whole};
use crate::domain::incident::Change;
use crate::domain::validate::Faults;
use crate::service::Service;
use crate::store::incident::Told;
use crate::take::save;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/RecordDutyDone";

pub(super) async fn handle(service: &Service, caller: &Caller, request: RecordDutyDoneRequest) -> Result<RecordDutyDoneResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let mut faults = Faults::default();
    faults.required_line("remark", &request.remark);
    faults.done()?;
    let incident = request.clock.split_once("/clocks/").map(|(incident, _)| incident.to_owned());
    let incident = incident.ok_or_else(|| Error::invalid("clock", "must be the name of a clock, {incident}/clocks/{uuid}"))?;
    let context = (incident, request.clock, request.remark, caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, clock, remark, caller, request_id), tx| {
            Box::pin(async move {
                let mut incident = authorised(tx, caller, METHOD, name).await?;
                let by = format!("{} {}: {remark}", caller.display_name, caller.post);
                let done = incident.duty_done(clock, tx.now(), &by)?;
                acts_for(caller, METHOD, &done.body_code)?;
                let told = Told {
                    kind: "incident.duty_done",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: format!("已履行:{} {}", done.body_name, done.text.zh),
                    en: format!("Done: {}: {}", done.body_name, done.text.en),
                };
                save(tx, &mut incident, &Change::default(), told).await?;
                Ok(RecordDutyDoneResponse { incident: Some(whole(tx, &incident).await?) })
            })
        })
        .await
}
