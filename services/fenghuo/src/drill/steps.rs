//! What the named people do: each step of the script as calls of the public contracts.

use std::collections::BTreeMap;

use fenghuo_api::incident::v1::{
    CloseIncidentRequest, DecideGradeRequest, GetIncidentRequest, GradeDecision, Incident, ListIncidentsRequest, RecordBodyLearnedRequest,
    RecordDutyDoneRequest, RecordUpwardReportRequest, Report, SubmitReportRequest, UpdateFactsRequest, UpwardReport,
};
use fenghuo_api::notification::v1::{AcknowledgeNotificationRequest, ApproveNotificationRequest, DraftNotificationRequest};
use fenghuo_api::partner::v1::Notification;
use fenghuo_api::time::to_proto;
use fenghuo_durable::new_id;
use jiff::Timestamp;

use super::DrillError;
use super::desk::Desk;
use super::script::{Notify, RecordDutyDone, Script, Step, SubmitReport};

/// Names that the nodes gave to what the script labels.
#[derive(Debug, Default)]
pub struct Names {
    /// Incidents by label.
    pub incidents: BTreeMap<String, String>,
    /// Notifications by the label of their step.
    pub notifications: BTreeMap<String, String>,
}

impl Names {
    fn incident(&self, label: &str) -> Result<String, DrillError> {
        self.incidents.get(label).cloned().ok_or_else(|| DrillError::Node(format!("the incident \"{label}\" is not there yet")))
    }

    fn notification(&self, label: &str) -> Result<String, DrillError> {
        self.notifications.get(label).cloned().ok_or_else(|| DrillError::Node(format!("the notification \"{label}\" is not there yet")))
    }
}

fn request_id() -> String {
    new_id().to_string()
}

/// Takes a report; a report that opens an incident gives it its label.
pub async fn submit_report(
    desk: &Desk,
    script: &Script,
    step: &Step,
    report: &SubmitReport,
    now: Timestamp,
    names: &mut Names,
) -> Result<(), DrillError> {
    let request = SubmitReportRequest {
        request_id: request_id(),
        incident: report.incident.as_ref().map(|label| names.incident(label)).transpose()?.unwrap_or_default(),
        open_new: report.open_new,
        report: Some(Report {
            origin: report.origin.into(),
            reporter_name: report.reporter_name.clone(),
            reporter_telephone: report.reporter_telephone.clone(),
            reporter_organisation: report.reporter_organisation.clone(),
            reporting_body_code: report.reporting_body_code.clone(),
            reporting_body_learn_time: report.reporting_body_learned_at.map(to_proto),
            learn_time: Some(to_proto(report.learned_at.unwrap_or(now))),
            occur_time: report.occurred_at.map(to_proto),
            title: report.title.clone(),
            description: report.description.clone(),
            place: Some(report.place.to_wire()),
            substances: report.substances.iter().map(|substance| substance.to_wire()).collect(),
            facts: Some(report.facts.to_wire()),
            ..Report::default()
        }),
    };
    let answer = desk.incidents(&step.by)?.submit_report(request).await?.into_inner();
    let name = answer.incident.map(|incident| incident.name).unwrap_or_default();
    for opened in script.incidents.iter().map(|incident| incident.get_ref()).filter(|incident| incident.opened_by == step.id) {
        names.incidents.insert(opened.id.clone(), name.clone());
    }
    Ok(())
}

/// All that changes an incident by one call.
pub async fn change_incident(
    desk: &Desk,
    step: &Step,
    action: super::script::Action<'_>,
    now: Timestamp,
    names: &Names,
) -> Result<(), DrillError> {
    use super::script::Action;
    let mut client = desk.incidents(&step.by)?;
    match action {
        Action::UpdateFacts(update) => {
            let request = UpdateFactsRequest {
                request_id: request_id(),
                name: names.incident(&update.incident)?,
                etag: String::new(),
                facts: Some(update.facts.to_wire()),
                source: update.source_words.clone(),
                substances: update.substances.iter().map(|substance| substance.to_wire()).collect(),
            };
            client.update_facts(request).await?;
        }
        Action::DecideGrade(decide) => {
            let decision = GradeDecision {
                grade: decide.grade.into(),
                kind: decide.kind.into(),
                authority: decide.authority.clone(),
                reason: decide.reason.clone(),
                ..GradeDecision::default()
            };
            let request = DecideGradeRequest {
                request_id: request_id(),
                name: names.incident(&decide.incident)?,
                etag: String::new(),
                decision: Some(decision),
            };
            client.decide_grade(request).await?;
        }
        Action::RecordUpwardReport(upward) => {
            let report = UpwardReport {
                kind: upward.kind.into(),
                body_code: upward.body_code.clone(),
                send_time: Some(to_proto(upward.sent_at.unwrap_or(now))),
                receiver: upward.receiver.clone(),
                receipt_number: upward.receipt_number.clone(),
                by_telephone: upward.by_telephone,
                text: upward.text.clone(),
                ..UpwardReport::default()
            };
            let request = RecordUpwardReportRequest {
                request_id: request_id(),
                name: names.incident(&upward.incident)?,
                upward_report: Some(report),
            };
            client.record_upward_report(request).await?;
        }
        Action::RecordDutyDone(duty) => {
            let clock = clock_of(desk, &names.incident(&duty.incident)?, duty).await?;
            client.record_duty_done(RecordDutyDoneRequest { request_id: request_id(), clock, remark: duty.remark.clone() }).await?;
        }
        Action::RecordBodyLearned(learned) => {
            let request = RecordBodyLearnedRequest {
                request_id: request_id(),
                name: names.incident(&learned.incident)?,
                body_code: learned.body_code.clone(),
                learn_time: Some(to_proto(learned.learned_at.unwrap_or(now))),
            };
            client.record_body_learned(request).await?;
        }
        Action::Close(close) => {
            let request = CloseIncidentRequest { request_id: request_id(), name: names.incident(&close.incident)?, etag: String::new() };
            client.close_incident(request).await?;
        }
        Action::SubmitReport(_) | Action::Notify(_) | Action::Acknowledge(_) | Action::CutLink | Action::RestoreLink => {
            return Err(DrillError::Node(format!("{} does not change an incident by one call", action.name())));
        }
    }
    Ok(())
}

async fn clock_of(desk: &Desk, incident: &str, duty: &RecordDutyDone) -> Result<String, DrillError> {
    let incident = get_incident(desk, incident).await?;
    let clock = incident.clocks.iter().find(|clock| clock.row == duty.row && clock.body_code == duty.body_code);
    clock.map(|clock| clock.name.clone()).ok_or_else(|| {
        let there: Vec<_> = incident.clocks.iter().map(|clock| format!("{} {}", clock.row, clock.body_code)).collect();
        DrillError::Node(format!("{} owes no {}; the clocks there are: {}", duty.body_code, duty.row, there.join(", ")))
    })
}

/// Drafts a notification.
pub async fn draft(desk: &Desk, step: &Step, notify: &Notify, names: &mut Names) -> Result<(), DrillError> {
    let link = |label: &Option<String>| label.as_ref().map(|label| names.notification(label)).transpose().map(Option::unwrap_or_default);
    let overrides = Notification {
        subject: notify.subject.clone(),
        situation: notify.situation.clone(),
        section_sender_name: notify.section_sender_name.clone(),
        section_recipient_name: notify.section_recipient_name.clone(),
        flow_m3_per_s: notify.flow_m3_per_s,
        measures_taken: notify.measures_taken.clone(),
        requested_action: notify.requested_action.clone(),
        next_update_time: notify.next_update_at.map(to_proto),
        boundary_effect: notify.boundary_effect.map_or(0, Into::into),
        grade: notify.grade.map_or(0, Into::into),
        follows: link(&notify.follows)?,
        corrects: link(&notify.corrects)?,
        revokes: link(&notify.revokes)?,
        ends: link(&notify.ends)?,
        ..Notification::default()
    };
    let request = DraftNotificationRequest {
        request_id: request_id(),
        incident: names.incident(&notify.incident)?,
        partner_code: notify.to.clone(),
        kind: notify.kind.into(),
        overrides: Some(overrides),
    };
    let drafted = desk.notifications(&step.by)?.draft_notification(request).await?.into_inner().notification.unwrap_or_default();
    names.notifications.insert(step.id.clone(), drafted.name);
    Ok(())
}

/// Approves what was drafted.
pub async fn approve(desk: &Desk, step: &Step, notify: &Notify, names: &Names) -> Result<(), DrillError> {
    let request = ApproveNotificationRequest { request_id: request_id(), name: names.notification(&step.id)?, etag: String::new() };
    desk.notifications(&notify.approved_by)?.approve_notification(request).await?;
    Ok(())
}

/// Acknowledges what has arrived.
pub async fn acknowledge(desk: &Desk, step: &Step, notification: &str, remark: &str, names: &Names) -> Result<(), DrillError> {
    let request =
        AcknowledgeNotificationRequest { request_id: request_id(), name: names.notification(notification)?, remark: remark.to_owned() };
    desk.notifications(&step.by)?.acknowledge_notification(request).await?;
    Ok(())
}

/// One incident with everything.
pub async fn get_incident(desk: &Desk, name: &str) -> Result<Incident, DrillError> {
    let answer = desk.all_incidents()?.get_incident(GetIncidentRequest { name: name.to_owned() }).await?;
    answer.into_inner().incident.ok_or_else(|| DrillError::Node(format!("{name} came back empty")))
}

/// The incident at this node to which the report made from a notification belongs.
pub async fn incident_of_notification(desk: &Desk, notification: &str) -> Result<Option<String>, DrillError> {
    let request = ListIncidentsRequest {
        parent: format!("provinces/{}", desk.code),
        page_size: 500,
        page_token: String::new(),
        include_closed: true,
    };
    for listed in desk.all_incidents()?.list_incidents(request).await?.into_inner().incidents {
        let incident = get_incident(desk, &listed.name).await?;
        if incident.reports.iter().any(|report| report.source_notification == notification) {
            return Ok(Some(incident.name));
        }
    }
    Ok(None)
}
