//! The clocks of Order 17: who, what, from when, by when; and what a re-grading does to them.
#![allow(clippy::unwrap_used)]

use fenghuo_rules::{
    BodyLevel, ClockFacts, ClockSpec, ClockStart, DutyKind, GradeState, Neighbour, ObligedBody, Recipient, ReportKind, ReportingTable,
    Route, RuleBook, Tristate, diff, reporting_clocks,
};
use jiff::Timestamp;

fn table() -> &'static ReportingTable {
    RuleBook::builtin().reporting("order17-reporting").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn body(code: &str, name: &str, level: BodyLevel, learned_at: Option<&str>) -> ObligedBody {
    ObligedBody { code: code.into(), name: name.into(), level, learned_at: learned_at.map(at), notified_by_neighbour_at: None }
}

/// Jianshi and Hubei on the day of the Qianzhangyan case; the clock times are invented.
fn hubei(route: Route, state: GradeState) -> ClockFacts {
    ClockFacts {
        route,
        state,
        route_changed_at: None,
        bodies: vec![
            body("422822", "建始县", BodyLevel::County, Some("2014-08-13T01:00:00Z")),
            body("420000", "湖北省", BodyLevel::Province, Some("2014-08-13T01:30:00Z")),
        ],
        place_province_code: "420000".into(),
        neighbours_may_be_affected: Tristate::Unknown,
        neighbours: Vec::new(),
    }
}

fn of_kind(clocks: &[ClockSpec], kind: DutyKind) -> Vec<&ClockSpec> {
    clocks.iter().filter(|clock| clock.kind == kind).collect()
}

#[test]
fn grades_iv_and_iii_oblige_the_county_within_four_hours() {
    let clocks = reporting_clocks(table(), &hubei(Route::FourHour, GradeState::Graded));
    let reports = of_kind(&clocks, DutyKind::ReportWithinLimit);
    assert_eq!(reports.len(), 1, "the province has no limit on this route");
    let report = reports[0];
    assert_eq!(report.key, "order17-reporting/3/four-hours:422822:four_hour");
    assert_eq!(report.limit_seconds, Some(4 * 3600));
    assert_eq!(report.due_at, Some(at("2014-08-13T05:00:00Z")));
    assert_eq!(report.recipients, [Recipient::OwnGovernment, Recipient::NextHigherDepartment]);
}

#[test]
fn grades_ii_and_i_oblige_the_county_within_two_hours_and_the_province_within_one() {
    let clocks = reporting_clocks(table(), &hubei(Route::TwoHour, GradeState::Graded));
    let reports = of_kind(&clocks, DutyKind::ReportWithinLimit);
    let [county, province] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((county.body_code.as_str(), county.due_at), ("422822", Some(at("2014-08-13T03:00:00Z"))));
    assert_eq!(county.recipients, [Recipient::OwnGovernment, Recipient::ProvincialDepartment, Recipient::Ministry]);
    assert_eq!((province.body_code.as_str(), province.due_at), ("420000", Some(at("2014-08-13T02:30:00Z"))));
    assert_eq!((province.starts, province.recipients.as_slice()), (ClockStart::ReceiptOfReport, &[Recipient::Ministry][..]));
    assert_eq!(county.citations.len(), 1);
}

#[test]
fn unclear_and_sensitive_takes_the_same_clocks_by_article_4() {
    let graded = reporting_clocks(table(), &hubei(Route::TwoHour, GradeState::Graded));
    let unclear = reporting_clocks(table(), &hubei(Route::TwoHour, GradeState::UnclearSensitive));
    let keys = |clocks: &[ClockSpec]| clocks.iter().map(|clock| clock.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&graded), keys(&unclear), "becoming grade II must not restart the clocks");
    for report in of_kind(&unclear, DutyKind::ReportWithinLimit) {
        assert_eq!(report.citations[1].zh, "环境保护部令第17号 第四条");
    }
}

#[test]
fn deadlines_without_numbers_stay_without_numbers() {
    let mut facts = hubei(Route::TwoHour, GradeState::Graded);
    facts.neighbours_may_be_affected = Tristate::Yes;
    facts.neighbours = vec![Neighbour { code: "500000".into(), level: BodyLevel::Province }];
    facts.bodies.push(body("422800", "恩施州", BodyLevel::Prefecture, None));
    let clocks = reporting_clocks(table(), &facts);
    for clock in &clocks {
        let report = clock.kind == DutyKind::ReportWithinLimit;
        assert_eq!(clock.limit_seconds.is_some(), report, "{}", clock.key);
        assert_eq!(clock.due_at.is_some(), report && clock.starts_at.is_some(), "{}", clock.key);
    }
    assert!(clocks.iter().any(|clock| clock.promptness.zh == "及时"));
}

#[test]
fn a_body_that_has_not_learned_has_clocks_without_a_start_and_may_be_required_to_check() {
    let mut facts = hubei(Route::FourHour, GradeState::Unclear);
    facts.bodies[0].learned_at = None;
    let clocks = reporting_clocks(table(), &facts);
    let report = of_kind(&clocks, DutyKind::ReportWithinLimit)[0];
    assert_eq!((report.starts_at, report.due_at, report.limit_seconds), (None, None, Some(14_400)));
    let required = of_kind(&clocks, DutyKind::RequireVerification);
    assert_eq!(required.len(), 1);
    assert_eq!(required[0].key, "order17-reporting/5/require-verification:420000:any:422822");
    assert_eq!(required[0].citations[0].zh, "环境保护部令第17号 第五条");
    // Nobody is required once it has learned, and a county of another province never.
    assert!(of_kind(&reporting_clocks(table(), &hubei(Route::FourHour, GradeState::Unclear)), DutyKind::RequireVerification).is_empty());
    facts.bodies[0].code = "500237".into();
    assert!(of_kind(&reporting_clocks(table(), &facts), DutyKind::RequireVerification).is_empty());
}

#[test]
fn article_8_is_two_duties_toward_each_neighbour_of_the_same_level() {
    let mut facts = hubei(Route::TwoHour, GradeState::UnclearSensitive);
    facts.neighbours_may_be_affected = Tristate::Yes;
    facts.neighbours = vec![
        Neighbour { code: "500000".into(), level: BodyLevel::Province },
        Neighbour { code: "430000".into(), level: BodyLevel::Province },
        Neighbour { code: "500237".into(), level: BodyLevel::County },
    ];
    let clocks = reporting_clocks(table(), &facts);
    let keys = |kind| of_kind(&clocks, kind).iter().map(|clock| clock.key.clone()).collect::<Vec<_>>();
    assert_eq!(
        keys(DutyKind::NotifyNeighbourDepartment),
        [
            "order17-reporting/8/notify-neighbour:422822:any:500237",
            "order17-reporting/8/notify-neighbour:420000:any:500000",
            "order17-reporting/8/notify-neighbour:420000:any:430000",
        ]
    );
    assert_eq!(keys(DutyKind::ProposeToGovernment).len(), 3);

    // Not yet worked out which neighbour: the duty is there without a counterpart.
    facts.neighbours.clear();
    let clocks = reporting_clocks(table(), &facts);
    let open = of_kind(&clocks, DutyKind::NotifyNeighbourDepartment);
    assert_eq!(open.iter().map(|clock| clock.counterpart_code.as_deref()).collect::<Vec<_>>(), [None, None]);

    // The neighbouring province alone is named: the county's duty toward its own like stands, without a counterpart.
    facts.neighbours = vec![Neighbour { code: "500000".into(), level: BodyLevel::Province }];
    let clocks = reporting_clocks(table(), &facts);
    assert_eq!(
        of_kind(&clocks, DutyKind::NotifyNeighbourDepartment).iter().map(|clock| clock.key.as_str()).collect::<Vec<_>>(),
        ["order17-reporting/8/notify-neighbour:422822:any", "order17-reporting/8/notify-neighbour:420000:any:500000"]
    );

    // Unknown or no: no duty yet.
    for may in [Tristate::Unknown, Tristate::No] {
        facts.neighbours_may_be_affected = may;
        assert!(of_kind(&reporting_clocks(table(), &facts), DutyKind::NotifyNeighbourDepartment).is_empty());
    }
}

/// Art. 8, last sentence: Chongqing, notified by Hubei, investigates and reports under Articles 3 and 4.
#[test]
fn a_notified_department_investigates_and_reports() {
    let mut facts = hubei(Route::TwoHour, GradeState::UnclearSensitive);
    let notified = Some(at("2014-08-13T02:10:00Z"));
    facts.bodies = vec![ObligedBody { notified_by_neighbour_at: notified, ..body("500000", "重庆市", BodyLevel::Province, None) }];
    facts.neighbours_may_be_affected = Tristate::Yes;
    facts.neighbours = vec![
        Neighbour { code: "500000".into(), level: BodyLevel::Province },
        Neighbour { code: "430000".into(), level: BodyLevel::Province },
    ];
    let clocks = reporting_clocks(table(), &facts);
    let verify = of_kind(&clocks, DutyKind::Verify);
    assert_eq!((verify.len(), verify[0].row_id.as_str(), verify[0].starts_at), (1, "order17-reporting/8/notified-verify", notified));
    let report = of_kind(&clocks, DutyKind::ReportWithinLimit);
    assert_eq!(report[0].due_at, Some(at("2014-08-13T03:10:00Z")));
    // It happened in Hubei: telling the neighbours is Hubei's duty, not Chongqing's.
    assert!(of_kind(&clocks, DutyKind::NotifyNeighbourDepartment).is_empty());

    // It had found the water itself before: its own limit runs from then, its duty to investigate from the notification.
    facts.bodies[0].learned_at = Some(at("2014-08-13T00:20:00Z"));
    let clocks = reporting_clocks(table(), &facts);
    assert_eq!(of_kind(&clocks, DutyKind::ReportWithinLimit)[0].due_at, Some(at("2014-08-13T01:20:00Z")));
    assert_eq!(of_kind(&clocks, DutyKind::Verify)[0].starts_at, notified);
}

#[test]
fn a_regrading_supersedes_the_old_route_and_starts_the_new_from_the_change() {
    let before = reporting_clocks(table(), &hubei(Route::FourHour, GradeState::Graded));
    let old: Vec<_> = before.iter().map(|clock| clock.key.clone()).collect();
    let mut regraded = hubei(Route::TwoHour, GradeState::Graded);
    regraded.route_changed_at = Some(at("2014-08-13T09:00:00Z"));
    let change = diff(&old, reporting_clocks(table(), &regraded));
    assert_eq!(change.superseded, ["order17-reporting/3/four-hours:422822:four_hour"]);
    let started: Vec<_> = change.started.iter().map(|clock| (clock.key.as_str(), clock.due_at)).collect();
    assert_eq!(
        started,
        [
            ("order17-reporting/3/two-hours:422822:two_hour", Some(at("2014-08-13T11:00:00Z"))),
            ("order17-reporting/3/province-one-hour:420000:two_hour", Some(at("2014-08-13T10:00:00Z"))),
        ]
    );
    // Verification and the later reports do not depend on the route.
    assert_eq!(change.kept.len(), old.len() - 1);
    let verify = change.kept.iter().find(|clock| clock.kind == DutyKind::Verify).unwrap();
    assert_eq!(verify.starts_at, Some(at("2014-08-13T01:00:00Z")));
    // The same again changes nothing.
    let keys: Vec<_> = change.kept.iter().chain(&change.started).map(|clock| clock.key.clone()).collect();
    let again = diff(&keys, reporting_clocks(table(), &regraded));
    assert!(again.superseded.is_empty() && again.started.is_empty());
}

#[test]
fn what_is_no_incident_owes_no_report() {
    assert!(reporting_clocks(table(), &hubei(Route::None, GradeState::NotAnIncident)).is_empty());
}

#[test]
fn keys_are_unique() {
    let mut facts = hubei(Route::TwoHour, GradeState::Graded);
    facts.bodies.push(body("422823", "巴东县", BodyLevel::County, None));
    facts.neighbours_may_be_affected = Tristate::Yes;
    facts.neighbours = vec![Neighbour { code: "500000".into(), level: BodyLevel::Province }];
    let clocks = reporting_clocks(table(), &facts);
    let keys: std::collections::BTreeSet<_> = clocks.iter().map(|clock| &clock.key).collect();
    assert_eq!(keys.len(), clocks.len());
}

/// Art. 13: twelve items and the sketch map; the follow-up adds the progress, the final report five more.
#[test]
fn the_contents_of_the_three_reports() {
    assert_eq!(table().items_for(ReportKind::Initial).len(), 13);
    assert_eq!(table().items_for(ReportKind::FollowUp).len(), 14);
    assert_eq!(table().items_for(ReportKind::Final).len(), 19);
    assert_eq!(table().items_for(ReportKind::Initial)[12].text.en, "sketch map of the sensitive points that may be affected");
}
