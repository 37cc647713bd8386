//! `SubmitReport`: a report in, an incident out.

use fenghuo_api::incident::v1::{SubmitReportRequest, SubmitReportResponse};
use fenghuo_durable::{Error, Isolation, RequestKey, Result, new_id};
use fenghuo_edge::Caller;

use super::{authorised, whole};
use crate::domain::validate::check_report;
use crate::service::Service;
use crate::take::{Target, take};
use crate::wire::report::{report_in, report_out};

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/SubmitReport";

pub(super) async fn handle(service: &Service, caller: &Caller, request: SubmitReportRequest) -> Result<SubmitReportResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let target = target_of(&request)?;
    let mut report = report_in(request.report, space.clock().now())?;
    check_report(&report, service.province_code(), space.clock().now())?;
    caller.require_for(METHOD, &report.place.admin_code, "such place")?;
    report.name = format!("provinces/{}/reports/{}", service.province_code(), new_id());
    report.recorded_by = format!("{} {}", caller.display_name, caller.post).trim().to_owned();
    let context = (report, target, caller.clone(), service.province_code().to_owned(), key.request_id.clone());
    // READ COMMITTED: `take` holds the lock of matching before it looks, and an incident is stored only at the revision that was read.
    // SERIALIZABLE would look at a picture older than the lock, and run again for each report that came before.
    space
        .db()
        .write_once_isolated(Isolation::ReadCommitted, key, context, |(report, target, caller, province, request_id), tx| {
            Box::pin(async move {
                if let Target::Incident(name) = target {
                    authorised(tx, caller, METHOD, name).await?;
                }
                // A county's officer is neither shown nor allowed to change what another county keeps.
                let visible = |code: &str| caller.can_read(code);
                let taken = take(tx, province, report.clone(), target, &visible, &caller.identity, request_id).await?;
                let incident = whole(tx, &taken.incident).await?;
                let mut report = report_out(report);
                report.incident.clone_from(&incident.name);
                Ok(SubmitReportResponse {
                    report: Some(report),
                    incident: Some(incident),
                    opened: taken.opened,
                    match_reasons_zh: taken.reasons.iter().map(|reason| reason.zh.clone()).collect(),
                    match_reasons_en: taken.reasons.into_iter().map(|reason| reason.en).collect(),
                })
            })
        })
        .await
}

fn target_of(request: &SubmitReportRequest) -> Result<Target> {
    match (request.incident.is_empty(), request.open_new) {
        (true, true) => Ok(Target::New),
        (true, false) => Ok(Target::Match),
        (false, false) => Ok(Target::Incident(request.incident.clone())),
        (false, true) => Err(Error::invalid("open_new", "cannot be set together with incident: name an incident, or open a new one")),
    }
}
