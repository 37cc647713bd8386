//! `RecordUpwardReport`: an initial, follow-up or final report that a body sent upward.

use fenghuo_api::incident::v1::{RecordUpwardReportRequest, RecordUpwardReportResponse};
use fenghuo_durable::{RequestKey, Result, new_id};
use fenghuo_edge::Caller;

use super::{acts_for, authorised, whole};
use crate::domain::incident::{Change, UpwardKind};
use crate::domain::validate::Faults;
use crate::service::Service;
use crate::store::incident::Told;
use crate::take::save;
use crate::wire::incident::upward_in;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/RecordUpwardReport";

pub(super) async fn handle(service: &Service, caller: &Caller, request: RecordUpwardReportRequest) -> Result<RecordUpwardReportResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let mut report = upward_in(request.upward_report)?;
    let mut faults = Faults::default();
    faults.required_line("upward_report.receiver", &report.receiver);
    faults.line("upward_report.receipt_number", &report.receipt_number);
    faults.text("upward_report.text", &report.text);
    faults.past("upward_report.send_time", Some(report.sent_at), space.clock().now());
    faults.done()?;
    report.name = format!("{}/upwardReports/{}", request.name, new_id());
    report.recorded_by = format!("{} {}", caller.display_name, caller.post).trim().to_owned();
    let context = (request.name, report, caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, report, caller, request_id), tx| {
            Box::pin(async move {
                let mut incident = authorised(tx, caller, METHOD, name).await?;
                acts_for(caller, METHOD, &report.body_code)?;
                incident.record_upward(report.clone())?;
                let (zh, en) = match report.kind {
                    UpwardKind::Initial => ("初报已上报", "Initial report sent"),
                    UpwardKind::FollowUp => ("续报已上报", "Follow-up report sent"),
                    UpwardKind::Final => ("处理结果报告已上报", "Final report sent"),
                };
                let told = Told {
                    kind: "incident.upward_report_recorded",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: format!("{zh}:{}", report.receiver),
                    en: format!("{en}: {}", report.receiver),
                };
                save(tx, &mut incident, &Change::default(), told).await?;
                Ok(RecordUpwardReportResponse { incident: Some(whole(tx, &incident).await?) })
            })
        })
        .await
}
