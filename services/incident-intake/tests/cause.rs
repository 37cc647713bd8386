//! Where an incident happened, when a neighbour found it: the duties of the place (Order 17, Art. 8) follow the cause.
#![allow(clippy::unwrap_used)]

use fenghuo_incident_intake::domain::{Incident, Place, Report, ReportOrigin};
use fenghuo_rules::{DutyKind, Facts, Tristate};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn report(origin: ReportOrigin, place: &str, learned: &str) -> Report {
    let place = Place { admin_code: place.into(), ..Place::default() };
    Report {
        name: "provinces/420000/reports/1".into(),
        incident: String::new(),
        origin,
        reporter_name: String::new(),
        reporter_telephone: String::new(),
        reporter_organisation: String::new(),
        reporting_body_code: String::new(),
        reporting_body_learn_time: None,
        learn_time: at(learned),
        occur_time: None,
        record_time: at(learned),
        title: "千丈岩水库".into(),
        description: String::new(),
        place,
        substances: Vec::new(),
        facts: Facts::default(),
        source_notification: String::new(),
        remote_incident: String::new(),
        cause_sought_here: false,
        recorded_by: String::new(),
    }
}

/// Hubei is told by Chongqing: `search` says that the cause is looked for in Hubei.
fn told(search: bool) -> Incident {
    let mut told = report(ReportOrigin::Neighbour, "420000", "2014-08-13T01:20:00Z");
    told.remote_incident = "provinces/500000/incidents/1".into();
    told.cause_sought_here = search;
    told.facts.may_cross_province = Tristate::Yes;
    Incident::open("420000", &told, at("2014-08-13T01:20:00Z")).unwrap().0
}

fn jianshi(incident: &mut Incident, place: &str) {
    let mut found = report(ReportOrigin::DistrictBureau, place, "2014-08-14T08:00:00Z");
    found.reporting_body_code = "422822".into();
    incident.add_report(&found, at("2014-08-14T08:00:00Z")).unwrap();
}

fn notify_duties(incident: &Incident) -> Vec<(&str, Option<&str>)> {
    let duties = incident.clocks.iter().filter(|clock| clock.kind == DutyKind::NotifyNeighbourDepartment);
    duties.map(|clock| (clock.body_code.as_str(), clock.counterpart_code.as_deref())).collect()
}

#[test]
fn once_the_cause_is_found_here_the_duties_of_the_place_are_ours() {
    let mut incident = told(true);
    assert_eq!(notify_duties(&incident), [], "the place known is Chongqing's");
    jianshi(&mut incident, "420000");
    assert_eq!(notify_duties(&incident), [], "still looked for, somewhere in the province");
    jianshi(&mut incident, "422822");
    assert_eq!((incident.place.admin_code.as_str(), incident.place_province_code.as_str()), ("422822", "420000"));
    assert_eq!(notify_duties(&incident), [("420000", Some("500000")), ("422822", None)]);
    let from: Vec<_> =
        incident.clocks.iter().filter(|clock| clock.kind == DutyKind::NotifyNeighbourDepartment).map(|clock| clock.starts_at).collect();
    assert_eq!(from, [Some(at("2014-08-13T01:20:00Z")), Some(at("2014-08-14T08:00:00Z"))], "each from its own learning");
}

#[test]
fn an_effect_here_of_what_happened_there_moves_nothing() {
    let mut incident = told(false);
    jianshi(&mut incident, "422822");
    assert_eq!((incident.place.admin_code.as_str(), incident.place_province_code.as_str()), ("420000", "500000"));
    assert_eq!(notify_duties(&incident), []);
}
