//! Reports.

use fenghuo_api::incident::v1 as pb;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Error, Result};
use jiff::Timestamp;

use super::facts::{facts_in, facts_out};
use super::{opt, place_in, place_out, required_time, substance_out, substances_in, time};
use crate::domain::{Report, ReportOrigin};

fn origin_in(origin: i32) -> Result<ReportOrigin> {
    match pb::ReportOrigin::try_from(origin) {
        Ok(pb::ReportOrigin::Hotline) => Ok(ReportOrigin::Hotline),
        Ok(pb::ReportOrigin::Enterprise) => Ok(ReportOrigin::Enterprise),
        Ok(pb::ReportOrigin::DistrictBureau) => Ok(ReportOrigin::DistrictBureau),
        Ok(pb::ReportOrigin::OtherAuthority) => Ok(ReportOrigin::OtherAuthority),
        Ok(pb::ReportOrigin::DeviceAlarm) => Ok(ReportOrigin::DeviceAlarm),
        Ok(pb::ReportOrigin::Neighbour) => Ok(ReportOrigin::Neighbour),
        Ok(pb::ReportOrigin::FieldOfficer) => Ok(ReportOrigin::FieldOfficer),
        Ok(pb::ReportOrigin::Media) => Ok(ReportOrigin::Media),
        Ok(pb::ReportOrigin::Unspecified) | Err(_) => {
            Err(Error::invalid("report.origin", "is required: say how the report reached the desk"))
        }
    }
}

fn origin_out(origin: ReportOrigin) -> i32 {
    let origin = match origin {
        ReportOrigin::Hotline => pb::ReportOrigin::Hotline,
        ReportOrigin::Enterprise => pb::ReportOrigin::Enterprise,
        ReportOrigin::DistrictBureau => pb::ReportOrigin::DistrictBureau,
        ReportOrigin::OtherAuthority => pb::ReportOrigin::OtherAuthority,
        ReportOrigin::DeviceAlarm => pb::ReportOrigin::DeviceAlarm,
        ReportOrigin::Neighbour => pb::ReportOrigin::Neighbour,
        ReportOrigin::FieldOfficer => pb::ReportOrigin::FieldOfficer,
        ReportOrigin::Media => pb::ReportOrigin::Media,
    };
    origin.into()
}

/// From the wire; name, incident and recorder are set by the caller.
pub fn report_in(report: Option<pb::Report>, now: Timestamp) -> Result<Report> {
    let report = report.ok_or_else(|| Error::invalid("report", "is required"))?;
    Ok(Report {
        name: String::new(),
        incident: String::new(),
        origin: origin_in(report.origin)?,
        reporting_body_learn_time: time("report.reporting_body_learn_time", report.reporting_body_learn_time.as_ref())?,
        learn_time: required_time("report.learn_time", report.learn_time.as_ref())?,
        occur_time: time("report.occur_time", report.occur_time.as_ref())?,
        record_time: now,
        reporter_name: report.reporter_name,
        reporter_telephone: report.reporter_telephone,
        reporter_organisation: report.reporter_organisation,
        reporting_body_code: report.reporting_body_code,
        title: report.title.trim().to_owned(),
        description: report.description,
        place: place_in(report.place),
        substances: substances_in("report.substances", report.substances)?,
        facts: facts_in("report.facts", report.facts)?,
        source_notification: String::new(),
        remote_incident: String::new(),
        cause_sought_here: false,
        recorded_by: String::new(),
    })
}

/// To the wire.
pub fn report_out(report: &Report) -> pb::Report {
    pb::Report {
        name: report.name.clone(),
        incident: report.incident.clone(),
        origin: origin_out(report.origin),
        reporter_name: report.reporter_name.clone(),
        reporter_telephone: report.reporter_telephone.clone(),
        reporter_organisation: report.reporter_organisation.clone(),
        reporting_body_code: report.reporting_body_code.clone(),
        reporting_body_learn_time: opt(report.reporting_body_learn_time),
        learn_time: Some(to_proto(report.learn_time)),
        occur_time: opt(report.occur_time),
        record_time: Some(to_proto(report.record_time)),
        title: report.title.clone(),
        description: report.description.clone(),
        place: Some(place_out(&report.place)),
        substances: report.substances.iter().map(substance_out).collect(),
        facts: Some(facts_out(&report.facts)),
        source_notification: report.source_notification.clone(),
        recorded_by: report.recorded_by.clone(),
    }
}
