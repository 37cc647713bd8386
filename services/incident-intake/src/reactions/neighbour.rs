//! What neighbours tell, and that they were told (Order 17, Art. 8).

use fenghuo_api::notification::v1::NotificationRecord;
use fenghuo_api::partner::v1::{BoundaryEffect as WireEffect, NotificationKind};
use fenghuo_api::snapshot;
use fenghuo_api::time::from_proto;
use fenghuo_durable::{Consumer, Error, Event, Result, Tx};
use fenghuo_rules::divisions::{Divisions, province_of};
use fenghuo_rules::{BoundaryEffect, BoundaryStatus, Facts, Tristate};
use futures::future::BoxFuture;

use crate::domain::{Place, Report, ReportOrigin};
use crate::store::incident::{self, Told};
use crate::store::report;
use crate::take::{Target, take};
use crate::wire::{place_in, substances_in};

/// Reads notification's events.
#[derive(Debug)]
pub struct Neighbour {
    /// Six-digit code of our province.
    pub province_code: String,
}

impl Consumer for Neighbour {
    fn name(&self) -> &'static str {
        "incident-intake.neighbour"
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "notification.received" | "notification.delivered" | "notification.approved" | "notification.acknowledged")
    }

    fn handle<'t>(&'t self, tx: &'t mut Tx, event: &'t Event) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let record = record_of(event)?;
            match event.kind.as_str() {
                "notification.received" => self.received(tx, event, record).await,
                "notification.delivered" => told(tx, event, &record).await,
                // A letter has no machine receipt: sent with its number, it counts as told.
                "notification.approved" | "notification.acknowledged" if !record.letter_number.is_empty() => told(tx, event, &record).await,
                _ => Ok(()),
            }
        })
    }
}

fn record_of(event: &Event) -> Result<NotificationRecord> {
    let unreadable = |error| Error::internal(format!("event {} carries no notification that can be read", event.seq)).caused_by(error);
    snapshot::from_payload(&event.payload, "notification").map_err(unreadable)
}

impl Neighbour {
    /// A neighbour's notification becomes a report: the department notified investigates and reports under Articles 3 and 4.
    async fn received(&self, tx: &mut Tx, event: &Event, record: NotificationRecord) -> Result<()> {
        let uuid = record.name.rsplit('/').next().unwrap_or_default().to_owned();
        let name = format!("provinces/{}/reports/{uuid}", self.province_code);
        if report::by_notification(tx, &name).await? {
            return Ok(());
        }
        let incident = record.incident.clone();
        let told = self.report_of(name, event, record)?;
        let target = if incident.is_empty() { Target::Match } else { Target::Incident(incident) };
        let target = self.still_open(tx, target).await?;
        take(tx, &self.province_code, told, &target, &|_| true, &event.actor, "").await.map(|_| ())
    }

    /// A message about an incident that is closed here opens a new one.
    async fn still_open(&self, tx: &mut Tx, target: Target) -> Result<Target> {
        if let Target::Incident(name) = &target {
            let found = incident::get(tx, name).await?;
            if found.is_none_or(|found| found.state != crate::domain::IncidentState::Open) {
                return Ok(Target::Match);
            }
        }
        Ok(target)
    }

    fn report_of(&self, name: String, event: &Event, record: NotificationRecord) -> Result<Report> {
        let content = record.content.unwrap_or_default();
        let time = |time: Option<&prost_types::Timestamp>| time.and_then(from_proto);
        let kind = content.kind();
        let partner = Divisions::builtin().name_zh(&record.partner_code).to_owned();
        // What the neighbour learned later than we received it cannot be: its clock is ahead.
        let occur_time = time(content.occur_time.as_ref()).filter(|occurred| *occurred <= event.space_time);
        Ok(Report {
            name,
            incident: String::new(),
            origin: ReportOrigin::Neighbour,
            reporter_name: content.approved_by.clone(),
            reporter_telephone: content.duty_telephone.clone(),
            reporter_organisation: format!("{partner}生态环境主管部门"),
            reporting_body_code: String::new(),
            reporting_body_learn_time: None,
            learn_time: event.space_time,
            occur_time,
            record_time: event.space_time,
            title: format!("{partner}通报:{}", content.subject),
            description: content.situation.clone(),
            place: self.place_of(content.place.clone().map_or_else(Place::default, |place| place_in(Some(place)))),
            substances: substances_in("content.substances", content.substances)?,
            facts: facts_of(kind, content.boundary_effect),
            source_notification: content.name.clone(),
            remote_incident: content.incident.clone(),
            cause_sought_here: kind == NotificationKind::Search,
            recorded_by: event.actor.clone(),
        })
    }

    /// The place is the sender's; our record lies in our own jurisdiction, at the province until somebody knows better.
    fn place_of(&self, place: Place) -> Place {
        if province_of(&place.admin_code) == self.province_code {
            return place;
        }
        let name = Divisions::builtin().name_zh(&place.admin_code).to_owned();
        Place { admin_code: self.province_code.clone(), description: format!("{name} {}", place.description).trim().to_owned(), ..place }
    }
}

fn facts_of(kind: NotificationKind, effect: i32) -> Facts {
    let mut facts = Facts::default();
    match WireEffect::try_from(effect) {
        Ok(WireEffect::Occurred) => {
            facts.boundary_effect = BoundaryEffect::Province;
            facts.boundary_status = BoundaryStatus::Occurred;
            facts.may_cross_province = Tristate::Yes;
        }
        Ok(WireEffect::Forecast) => facts.may_cross_province = Tristate::Yes,
        _ => {}
    }
    // A warning or a search is sent because the boundary is or may be concerned.
    if matches!(kind, NotificationKind::Warning | NotificationKind::Search) {
        facts.may_cross_province = Tristate::Yes;
    }
    facts
}

/// The neighbour's node stored our notification: our duty of Art. 8 is done.
async fn told(tx: &mut Tx, event: &Event, record: &NotificationRecord) -> Result<()> {
    let Some(mut found) = incident::get(tx, &record.incident).await? else {
        return Ok(());
    };
    if !found.neighbour_notified(&record.partner_code, event.space_time, &record.name) {
        return Ok(());
    }
    let partner = Divisions::builtin();
    let line = Told {
        kind: "incident.neighbour_notified",
        actor: event.actor.clone(),
        request_id: String::new(),
        zh: format!("已通报{}", partner.name_zh(&record.partner_code)),
        en: format!("{} was notified", partner.name_en(&record.partner_code)),
    };
    incident::save(tx, &mut found, line).await
}
