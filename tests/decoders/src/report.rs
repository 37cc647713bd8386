//! A `SubmitReport` request: decoded, turned into the domain's report, checked, graded.

use fenghuo_api::common::v1::{Figure, FigureStatus, Place, Substance, Tristate};
use fenghuo_api::incident::v1::{Facts, Report, ReportOrigin, SubmitReportRequest, WaterIntakeInterruption};
use fenghuo_api::time::to_proto;
use fenghuo_incident_intake::domain::validate::check_report;
use fenghuo_incident_intake::wire::report::{report_in, report_out};
use fenghuo_rules::RuleBook;
use jiff::SignedDuration;
use prost::Message;

use crate::{Seed, fixture, refused};

/// Accepted: it would be stored.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(request) = SubmitReportRequest::decode(bytes) else { return false };
    let now = fixture::now();
    let report = match report_in(request.report, now) {
        Ok(report) => report,
        Err(error) => return refused(error),
    };
    if let Err(error) = check_report(&report, fixture::HOME, now) {
        return refused(error);
    }
    // As it goes back to the desk, and as it is stored.
    let again = report_in(Some(report_out(&report)), now).unwrap();
    assert_eq!(again, report);
    let stored = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<fenghuo_incident_intake::domain::Report>(&stored).unwrap(), report);
    let book = RuleBook::builtin();
    let assessment = fenghuo_rules::grade(book.grading("order17-2011").unwrap(), book.latest_reporting().unwrap(), &report.facts);
    assert_eq!(assessment.grade.is_some(), !assessment.fired.is_empty());
    true
}

/// A full report, a bare one, and one from elsewhere.
pub fn seeds() -> Vec<Seed> {
    let request = |report: Report| {
        let request_id = "0198f0a0-0000-7000-8000-000000000005".into();
        SubmitReportRequest { request_id, report: Some(report), ..Default::default() }.encode_to_vec()
    };
    let bare = Report { facts: None, substances: vec![], reporting_body_code: String::new(), reporting_body_learn_time: None, ..sample() };
    let elsewhere = Report { place: Some(Place { admin_code: "422822".into(), ..Default::default() }), ..sample() };
    vec![("full", request(sample())), ("bare", request(bare)), ("elsewhere", request(elsewhere))]
}

fn sample() -> Report {
    let at = |hours: i64| Some(to_proto(fixture::now() - SignedDuration::from_hours(hours)));
    Report {
        origin: ReportOrigin::DistrictBureau.into(),
        reporter_name: "周强".into(),
        reporter_telephone: "023-57682000".into(),
        reporter_organisation: "巫山县生态环境局".into(),
        reporting_body_code: "500237".into(),
        reporting_body_learn_time: at(3),
        learn_time: at(2),
        occur_time: at(12),
        title: "千丈岩水库水质异常".into(),
        description: "水体发黑,有异味。".into(),
        place: Some(Place {
            admin_code: "500237".into(),
            description: "红椿土家族乡".into(),
            longitude_deg: Some(109.9),
            latitude_deg: Some(30.8),
            water_body: "千丈岩水库".into(),
        }),
        substances: vec![Substance { name: "化学需氧量".into(), value: Some(26.0), unit: "mg/L".into(), ..Default::default() }],
        facts: Some(Facts {
            without_water: Some(Figure {
                value: Some(50_000.0),
                caused_by_pollution: Tristate::Yes.into(),
                status: FigureStatus::Heard.into(),
                source: "县应急办".into(),
                as_of_time: at(1),
            }),
            water_intake_interruption: WaterIntakeInterruption::Township.into(),
            heavy_metal: Tristate::No.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}
