//! Incidents, assessments and clocks, to the wire.

use fenghuo_api::incident::v1 as pb;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Error, Line, Result};
use fenghuo_rules::{Assessment, Citation, DutyKind, GradeState};
use jiff::Timestamp;

use super::facts::facts_out;
use super::{grade_out, opt, place_out, required_time, substance_out};
use crate::domain::incident::{Decision, UpwardKind, UpwardReport};
use crate::domain::{Clock, ClockState, Incident, IncidentState};

/// An incident without reports and timeline: what lists, watches and other services see.
pub fn incident_out(incident: &Incident) -> pb::Incident {
    let mut clocks: Vec<&Clock> = incident.clocks.iter().collect();
    // Those that press first, by due time; a clock without a figure comes after those with one.
    clocks.sort_by_key(|clock| (!clock.presses(), clock.due_at.is_none(), clock.due_at, clock.starts_at));
    let state = match incident.state {
        IncidentState::Open => pb::IncidentState::Open,
        IncidentState::Closed => pb::IncidentState::Closed,
    };
    pb::Incident {
        name: incident.name.clone(),
        etag: incident.revision.to_string(),
        title: incident.title.clone(),
        place: Some(place_out(&incident.place)),
        occur_time: opt(incident.occur_time),
        learn_time: Some(to_proto(incident.learn_time)),
        state: state.into(),
        facts: Some(facts_out(&incident.facts)),
        substances: incident.substances.iter().map(substance_out).collect(),
        assessment: Some(assessment_out(&incident.assessment, incident.assessed_at)),
        decision: incident.decision.as_ref().map(decision_out),
        clocks: clocks.into_iter().map(clock_out).collect(),
        next_due_time: opt(incident.next_due_at()),
        reports: Vec::new(),
        upward_reports: incident.upward_reports.iter().map(upward_out).collect(),
        timeline: Vec::new(),
        aliases: incident.aliases.clone(),
    }
}

fn assessment_out(assessment: &Assessment, at: Timestamp) -> pb::Assessment {
    let state = match assessment.state {
        GradeState::Graded => pb::GradeState::Graded,
        GradeState::Unclear => pb::GradeState::Unclear,
        GradeState::UnclearSensitive => pb::GradeState::UnclearSensitive,
        GradeState::NotAnIncident => pb::GradeState::NotAnIncident,
    };
    let fired = assessment.fired.iter().map(|clause| pb::FiredClause {
        row: clause.row_id.clone(),
        citation_zh: clause.citation.zh.clone(),
        citation_en: clause.citation.en.clone(),
        grade: grade_out(Some(clause.grade)),
        explanation_zh: clause.explanation.zh.clone(),
        explanation_en: clause.explanation.en.clone(),
    });
    let questions = assessment.open_questions.iter().map(|question| pb::OpenQuestion {
        fact: question.fact.clone(),
        row: question.row_id.clone(),
        could_reach: grade_out(Some(question.could_reach)),
        question_zh: question.question.zh.clone(),
        question_en: question.question.en.clone(),
    });
    let sensitive = assessment.sensitive.iter().map(|case| pb::SensitiveCase {
        number: u32::from(case.number),
        citation_zh: format!("{} {}", case.citation.zh, case.text.zh),
        citation_en: format!("{} {}", case.citation.en, case.text.en),
    });
    pb::Assessment {
        state: state.into(),
        grade: grade_out(assessment.grade),
        could_reach: grade_out(assessment.could_reach),
        fired: fired.collect(),
        open_questions: questions.collect(),
        sensitive_cases: sensitive.collect(),
        table_id: assessment.table_id.clone(),
        table_hash: assessment.table_hash.clone(),
        table_title_zh: assessment.table_title.zh.clone(),
        table_title_en: assessment.table_title.en.clone(),
        assess_time: Some(to_proto(at)),
    }
}

fn decision_out(decision: &Decision) -> pb::GradeDecision {
    let kind = if decision.determined { pb::GradeDecisionKind::Determined } else { pb::GradeDecisionKind::Preliminary };
    pb::GradeDecision {
        grade: grade_out(Some(decision.grade)),
        kind: kind.into(),
        decided_by: decision.decided_by.clone(),
        authority: decision.authority.clone(),
        reason: decision.reason.clone(),
        decide_time: Some(to_proto(decision.decided_at)),
    }
}

fn joined(citations: &[Citation], pick: fn(&Citation) -> &String) -> String {
    citations.iter().map(|citation| pick(citation).as_str()).collect::<Vec<_>>().join("; ")
}

fn clock_out(clock: &Clock) -> pb::Clock {
    let duty = match clock.kind {
        DutyKind::ReportWithinLimit => pb::DutyKind::Report,
        DutyKind::Verify => pb::DutyKind::Verify,
        DutyKind::NotifyNeighbourDepartment => pb::DutyKind::NotifyNeighbour,
        DutyKind::ProposeToGovernment => pb::DutyKind::ProposeToGovernment,
        DutyKind::RequireVerification | DutyKind::FollowUpReport | DutyKind::FinalReport => pb::DutyKind::Other,
    };
    let state = match clock.state {
        ClockState::NotStarted => pb::ClockState::NotStarted,
        ClockState::Running => pb::ClockState::Running,
        ClockState::Kept => pb::ClockState::Kept,
        ClockState::Missed => pb::ClockState::Missed,
        ClockState::Superseded => pb::ClockState::Superseded,
    };
    let recipients = |zh: bool| {
        let names = clock.recipients.iter().map(|recipient| if zh { recipient.text().zh } else { recipient.text().en });
        names.collect::<Vec<_>>().join(if zh { "、" } else { ", " })
    };
    pb::Clock {
        name: clock.name.clone(),
        duty: duty.into(),
        row: clock.row_id.clone(),
        citation_zh: format!("{} {}", joined(&clock.citations, |c| &c.zh), clock.text.zh),
        citation_en: format!("{} {}", joined(&clock.citations, |c| &c.en), clock.text.en),
        body_code: clock.body_code.clone(),
        body_name: clock.body_name.clone(),
        recipients_zh: recipients(true),
        recipients_en: recipients(false),
        start_time: opt(clock.starts_at),
        due_time: opt(clock.due_at),
        state: state.into(),
        keep_time: opt(clock.kept_at),
        kept_by: clock.kept_by.clone(),
        ground: clock.ground.clone(),
    }
}

fn upward_out(report: &UpwardReport) -> pb::UpwardReport {
    let kind = match report.kind {
        UpwardKind::Initial => pb::UpwardReportKind::Initial,
        UpwardKind::FollowUp => pb::UpwardReportKind::FollowUp,
        UpwardKind::Final => pb::UpwardReportKind::Final,
    };
    pb::UpwardReport {
        name: report.name.clone(),
        kind: kind.into(),
        body_code: report.body_code.clone(),
        send_time: Some(to_proto(report.sent_at)),
        receiver: report.receiver.clone(),
        receipt_number: report.receipt_number.clone(),
        by_telephone: report.by_telephone,
        text: report.text.clone(),
        recorded_by: report.recorded_by.clone(),
    }
}

/// An upward report from the wire; name and recorder are set by the caller.
pub fn upward_in(report: Option<pb::UpwardReport>) -> Result<UpwardReport> {
    let report = report.ok_or_else(|| Error::invalid("upward_report", "is required"))?;
    let kind = match pb::UpwardReportKind::try_from(report.kind) {
        Ok(pb::UpwardReportKind::Initial) => UpwardKind::Initial,
        Ok(pb::UpwardReportKind::FollowUp) => UpwardKind::FollowUp,
        Ok(pb::UpwardReportKind::Final) => UpwardKind::Final,
        _ => return Err(Error::invalid("upward_report.kind", "must be initial, follow-up or final")),
    };
    Ok(UpwardReport {
        name: String::new(),
        kind,
        body_code: report.body_code,
        sent_at: required_time("upward_report.send_time", report.send_time.as_ref())?,
        receiver: report.receiver,
        receipt_number: report.receipt_number,
        by_telephone: report.by_telephone,
        text: report.text,
        recorded_by: String::new(),
    })
}

/// One line of the timeline.
pub fn timeline_out(line: Line) -> pb::TimelineEntry {
    pb::TimelineEntry {
        time: Some(to_proto(line.space_time)),
        r#type: line.kind,
        text_zh: line.text_zh,
        text_en: line.text_en,
        actor: line.actor,
        sequence: line.seq,
    }
}
