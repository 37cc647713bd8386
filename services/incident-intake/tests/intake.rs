//! The main job of the desk, by its calls, on SQLite and on PostgreSQL. The case is Qianzhangyan 2014 (Order 17 annex in force).

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::common::v1::{Figure, Grade, Place, Substance, Tristate};
use fenghuo_api::incident::v1::incident_service_server::IncidentService;
use fenghuo_api::incident::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::{Fresh, On, until};
use fenghuo_durable::{ClockSetting, Fittings, Locations, Space, SpaceId, Spaces, new_id, verify};
use fenghuo_edge::{Caller, Grant, Role, from_status};
use fenghuo_incident_intake::{RECORDS, Service, fit};
use futures::StreamExt;
use jiff::Timestamp;
use tonic::Request;

struct Desk {
    service: Service,
    spaces: Arc<Spaces>,
    space: Arc<Space>,
    caller: Caller,
    _fresh: Fresh,
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00+08:00").parse().unwrap()
}

fn person(jurisdiction: &str, roles: &[Role], space: SpaceId) -> Caller {
    let grants = roles.iter().map(|role| Grant { role: *role, jurisdiction: jurisdiction.into(), start: Timestamp::UNIX_EPOCH, end: None });
    Caller {
        identity: format!("provinces/500000/people/{jurisdiction}"),
        display_name: "王敏".into(),
        post: "值班员".into(),
        grants: grants.collect(),
        session_id: "s".into(),
        space_id: Some(space),
    }
}

/// Chongqing's desk in an exercise whose clock shows this time.
async fn desk(on: On, now: &str) -> Desk {
    let fresh = Fresh::new(on);
    let locations = match on {
        On::Sqlite => Locations::Sqlite(fresh.dir()),
        On::Postgres => {
            let admin = fenghuo_durable::testing::postgres_admin_url();
            let base = format!("t_{}", &new_id().simple().to_string()[8..]);
            fenghuo_durable::create_postgres_database(&admin, &base).await.unwrap();
            Locations::Postgres(format!("{}/{base}", admin.rsplit_once('/').unwrap().0))
        }
    };
    let mut fittings = Fittings::default();
    fit(&mut fittings, "500000");
    let spaces = Spaces::open(locations, fittings).await.unwrap();
    let id = SpaceId::Exercise(new_id());
    let space = spaces.open_exercise(id, Some(ClockSetting { number: 1, space_time: at(now), rate: 0.0 })).await.unwrap();
    let all = [Role::DutyOfficer, Role::Commander, Role::Viewer];
    Desk { service: Service::new(spaces.clone(), "500000"), spaces, space, caller: person("500000", &all, id), _fresh: fresh }
}

impl Desk {
    fn ask<T>(&self, message: T) -> Request<T> {
        self.ask_as(&self.caller, message)
    }
    fn ask_as<T>(&self, caller: &Caller, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(caller.clone());
        request
    }
    async fn submit(&self, report: Report) -> Result<SubmitReportResponse, tonic::Status> {
        let request = SubmitReportRequest { request_id: new_id().to_string(), report: Some(report), ..Default::default() };
        Ok(self.service.submit_report(self.ask(request)).await?.into_inner())
    }
    async fn clock_to(&self, now: &str) {
        let number = self.space.clock().setting_number() + 1;
        self.space.set_clock(ClockSetting { number, space_time: at(now), rate: 0.0 }).await.unwrap();
    }
    async fn idle(&self) {
        until("the space to be idle", || async { self.space.activity().await.unwrap().pending.is_empty().then_some(()) }).await;
    }
    async fn incident(&self, name: &str) -> Incident {
        self.service.get_incident(self.ask(GetIncidentRequest { name: name.into() })).await.unwrap().into_inner().incident.unwrap()
    }
}

fn wushan(learned: &str) -> Report {
    Report {
        origin: ReportOrigin::DistrictBureau.into(),
        reporter_name: "李某".into(),
        reporter_telephone: "13900000000".into(),
        reporting_body_code: "500237".into(),
        reporting_body_learn_time: Some(to_proto(at("2014-08-13T06:30"))),
        learn_time: Some(to_proto(at(learned))),
        occur_time: Some(to_proto(at("2014-08-13T06:00"))),
        title: "千丈岩水库水质异常".into(),
        place: Some(Place {
            admin_code: "500237".into(),
            water_body: "千丈岩水库".into(),
            longitude_deg: Some(109.95),
            latitude_deg: Some(30.85),
            ..Default::default()
        }),
        substances: vec![Substance { name: "乙基黄原酸钠".into(), ..Default::default() }],
        facts: Some(Facts {
            confirmed_environmental: Tristate::Yes.into(),
            water_intake_interruption: WaterIntakeInterruption::Township.into(),
            drinking_water_protection_area: Tristate::Yes.into(),
            may_cross_province: Tristate::Yes.into(),
            without_water: Some(Figure { value: Some(50_000.0), caused_by_pollution: Tristate::Yes.into(), ..Default::default() }),
            radioactive_source_loss: RadioactiveSourceLoss::None.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn clock<'a>(incident: &'a Incident, row: &str, body: &str) -> &'a Clock {
    let found: Vec<_> = incident
        .clocks
        .iter()
        .filter(|clock| clock.row.ends_with(row) && clock.body_code == body && clock.state() != ClockState::Superseded)
        .collect();
    assert_eq!(
        found.len(),
        1,
        "one clock {row} of {body} in {:?}",
        incident.clocks.iter().map(|c| (&c.row, &c.body_code)).collect::<Vec<_>>()
    );
    found[0]
}

async fn grade_two_appears_with_the_boundary_effect_and_not_before(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let taken = desk.submit(wushan("2014-08-13T07:00")).await.unwrap();
    assert!(taken.opened);
    let incident = taken.incident.unwrap();
    let assessment = incident.assessment.clone().unwrap();
    assert_eq!(
        (assessment.state(), assessment.grade(), assessment.table_id.as_str()),
        (GradeState::UnclearSensitive, Grade::Iii, "order17-2011")
    );
    // The county has two hours from its own learning at 06:30, the province one hour from receipt at 07:00.
    assert_eq!(clock(&incident, "3/two-hours", "500237").due_time, Some(to_proto(at("2014-08-13T08:30"))));
    assert_eq!(clock(&incident, "3/province-one-hour", "500000").due_time, Some(to_proto(at("2014-08-13T08:00"))));
    // Article 8: two duties without a figure.
    for row in ["8/notify-neighbour", "8/propose-to-government"] {
        let duty = clock(&incident, row, "500000");
        assert_eq!((duty.state(), duty.due_time), (ClockState::Running, None), "{row}");
    }
    let update = UpdateFactsRequest {
        request_id: new_id().to_string(),
        name: incident.name.clone(),
        etag: incident.etag.clone(),
        facts: Some(Facts { boundary_effect: BoundaryLevel::Province.into(), ..Default::default() }),
        ..Default::default()
    };
    let after = desk.service.update_facts(desk.ask(update.clone())).await.unwrap().into_inner().incident.unwrap();
    let assessment = after.assessment.clone().unwrap();
    assert_eq!((assessment.state(), assessment.grade()), (GradeState::Graded, Grade::Ii));
    assert_eq!(assessment.fired[0].row, "order17-2011/II/boundary-province");
    // The same route: the clocks run on.
    assert_eq!(clock(&after, "3/two-hours", "500237").due_time, Some(to_proto(at("2014-08-13T08:30"))));
    let stale = UpdateFactsRequest { request_id: new_id().to_string(), ..update };
    let refused = desk.service.update_facts(desk.ask(stale)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "ETAG_STALE");
    desk.spaces.stop().await;
}

async fn clocks_are_kept_and_missed_and_a_late_told_report_in_time_counts(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let incident = desk.submit(wushan("2014-08-13T07:00")).await.unwrap().incident.unwrap();
    let upward = |body: &str, sent: &str, receiver: &str| RecordUpwardReportRequest {
        request_id: new_id().to_string(),
        name: incident.name.clone(),
        upward_report: Some(UpwardReport {
            kind: UpwardReportKind::Initial.into(),
            body_code: body.into(),
            send_time: Some(to_proto(at(sent))),
            receiver: receiver.into(),
            ..Default::default()
        }),
    };
    desk.clock_to("2014-08-13T07:40").await;
    desk.service.record_upward_report(desk.ask(upward("500000", "2014-08-13T07:35", "生态环境部值班室"))).await.unwrap();
    desk.clock_to("2014-08-13T09:00").await;
    let missed = until("the county's clock to be missed", || async {
        let now = desk.incident(&incident.name).await;
        (clock(&now, "3/two-hours", "500237").state() == ClockState::Missed).then_some(now)
    })
    .await;
    assert_eq!(clock(&missed, "3/province-one-hour", "500000").state(), ClockState::Kept);
    assert!(missed.timeline.iter().any(|entry| entry.r#type == "incident.clock_missed"));
    assert_eq!(missed.next_due_time, Some(to_proto(at("2014-08-13T08:30"))), "what is overdue stays on top");
    desk.service.record_upward_report(desk.ask(upward("500237", "2014-08-13T08:10", "重庆市生态环境局"))).await.unwrap();
    let told = desk.incident(&incident.name).await;
    assert_eq!(clock(&told, "3/two-hours", "500237").state(), ClockState::Kept, "it was sent in time and told late");
    assert!(told.timeline.iter().any(|entry| entry.r#type == "incident.clock_missed"), "the miss that was seen stays in the log");
    desk.idle().await;
    let found = verify(desk.space.db(), RECORDS.to_vec()).await.unwrap();
    assert_eq!((found.faults.clone(), found.records), (vec![], 2));
    desk.spaces.stop().await;
}

async fn what_was_overdue_when_recorded_is_missed_at_once(on: On) {
    let desk = desk(on, "2014-08-13T12:00").await;
    let incident = desk.submit(wushan("2014-08-13T07:00")).await.unwrap().incident.unwrap();
    assert_eq!(clock(&incident, "3/two-hours", "500237").state(), ClockState::Missed);
    let misses = incident.timeline.iter().filter(|entry| entry.r#type == "incident.clock_missed").count();
    assert_eq!(misses, incident.clocks.iter().filter(|clock| clock.state() == ClockState::Missed).count());
    desk.idle().await;
    assert_eq!(verify(desk.space.db(), RECORDS.to_vec()).await.unwrap().faults, Vec::<String>::new());
    desk.spaces.stop().await;
}

async fn no_order_17_clock_runs_for_radiation_alone_and_all_run_beside_other_harm(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let mut report = wushan("2014-08-13T07:00");
    report.facts.as_mut().unwrap().radioactive_source_loss = RadioactiveSourceLoss::ClassIvV.into();
    let both = desk.submit(report.clone()).await.unwrap().incident.unwrap();
    assert_eq!(clock(&both, "3/two-hours", "500237").state(), ClockState::Running);
    report.facts = Some(Facts { radioactive_source_loss: RadioactiveSourceLoss::ClassIii.into(), ..Facts::default() });
    let request = SubmitReportRequest { request_id: new_id().to_string(), report: Some(report), open_new: true, ..Default::default() };
    let alone = desk.service.submit_report(desk.ask(request)).await.unwrap().into_inner().incident.unwrap();
    assert!(alone.clocks.is_empty());
    desk.spaces.stop().await;
}

async fn a_county_neither_sees_another_countys_incident_nor_acts_for_the_province(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let space = desk.caller.space_id.unwrap();
    let incident = desk.submit(wushan("2014-08-13T07:00")).await.unwrap().incident.unwrap();
    // The same water body, told by the officer of the county next door: an incident of his own, and nothing of the other shown.
    let fengjie = person("500236", &[Role::DutyOfficer], space);
    let mut report = wushan("2014-08-13T07:00");
    report.place = Some(Place { admin_code: "500236".into(), water_body: "千丈岩水库".into(), ..Default::default() });
    report.reporting_body_code = "500236".into();
    let request = SubmitReportRequest { request_id: new_id().to_string(), report: Some(report), ..Default::default() };
    let own = desk.service.submit_report(desk.ask_as(&fengjie, request)).await.unwrap().into_inner();
    assert!(own.opened && own.incident.unwrap().name != incident.name);
    let wushan_officer = person("500237", &[Role::DutyOfficer], space);
    let upward = RecordUpwardReportRequest {
        request_id: new_id().to_string(),
        name: incident.name.clone(),
        upward_report: Some(UpwardReport {
            kind: UpwardReportKind::Initial.into(),
            body_code: "500000".into(),
            send_time: Some(to_proto(at("2014-08-13T07:00"))),
            receiver: "生态环境部".into(),
            ..Default::default()
        }),
    };
    let refused = desk.service.record_upward_report(desk.ask_as(&wushan_officer, upward)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "BODY_NOT_YOURS");
    let duty = clock(&incident, "8/propose-to-government", "500000").name.clone();
    let done = RecordDutyDoneRequest { request_id: new_id().to_string(), clock: duty, remark: "x".into() };
    let refused = desk.service.record_duty_done(desk.ask_as(&wushan_officer, done)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "BODY_NOT_YOURS");
    desk.spaces.stop().await;
}

async fn an_upward_report_answers_only_what_had_begun_and_an_incident_closes_only_when_nothing_is_open(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let incident = desk.submit(wushan("2014-08-13T07:00")).await.unwrap().incident.unwrap();
    let send = async |kind: UpwardReportKind, sent: &str| {
        let report = UpwardReport {
            kind: kind.into(),
            body_code: "500237".into(),
            send_time: Some(to_proto(at(sent))),
            receiver: "重庆市生态环境局".into(),
            ..Default::default()
        };
        let request =
            RecordUpwardReportRequest { request_id: new_id().to_string(), name: incident.name.clone(), upward_report: Some(report) };
        desk.service.record_upward_report(desk.ask(request)).await.map_err(|status| from_status(&status))
    };
    let early = send(UpwardReportKind::Initial, "2014-08-12T22:00").await.unwrap_err();
    assert_eq!(early.violations[0].field, "upward_report.send_time");
    assert_eq!(send(UpwardReportKind::Final, "2014-08-13T06:50").await.unwrap_err().reason, "INITIAL_REPORT_MISSING");
    send(UpwardReportKind::Initial, "2014-08-13T06:50").await.unwrap();
    send(UpwardReportKind::Final, "2014-08-13T06:55").await.unwrap();
    let close = CloseIncidentRequest { request_id: new_id().to_string(), name: incident.name.clone(), etag: String::new() };
    let refused = desk.service.close_incident(desk.ask(close)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "CLOCK_RUNNING", "the neighbour was never told");
    desk.spaces.stop().await;
}

async fn two_reports_of_one_spill_at_once_make_one_incident(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let both = futures::future::join_all((0..6).map(|_| desk.submit(wushan("2014-08-13T07:00")))).await;
    let names: std::collections::BTreeSet<_> =
        both.iter().map(|answer| answer.as_ref().unwrap().incident.as_ref().unwrap().name.clone()).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(both.iter().filter(|answer| answer.as_ref().unwrap().opened).count(), 1);
    let whole = desk.incident(names.first().unwrap()).await;
    assert_eq!(whole.reports.len(), 6);
    // Another place and another matter is another incident.
    let mut other = wushan("2014-08-13T07:00");
    other.place = Some(Place { admin_code: "500101".into(), ..Default::default() });
    other.reporting_body_code = "500101".into();
    assert!(desk.submit(other).await.unwrap().opened);
    desk.spaces.stop().await;
}

async fn a_spill_is_found_among_hundreds_that_lie_somewhere_in_the_province(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    // As neighbours tell them: no county, no point; each of another river and another substance.
    let of = |river: String| Report {
        reporting_body_code: String::new(),
        reporting_body_learn_time: None,
        origin: ReportOrigin::Hotline.into(),
        place: Some(Place { admin_code: "500000".into(), water_body: river.clone(), ..Default::default() }),
        substances: vec![Substance { name: format!("{river}的药剂"), ..Default::default() }],
        ..wushan("2014-08-13T07:00")
    };
    let others = futures::stream::iter(0..201).map(|number| desk.submit(of(format!("{number}号支流")))).buffer_unordered(32);
    let others: Vec<_> = others.collect().await;
    assert!(others.iter().all(|answer| answer.as_ref().unwrap().opened), "each is one of its own");
    let first = desk.submit(of("大宁河".into())).await.unwrap();
    let again = desk.submit(of("大宁河".into())).await.unwrap();
    assert!(first.opened && !again.opened, "one river and one substance are one spill, however many others are open");
    desk.spaces.stop().await;
}

async fn a_report_of_an_unknown_pollutant_is_matched_however_many_lie_nearer_in_the_list(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    // One county, points more than 20 km apart, nothing known of the pollutant: only the point tells them apart.
    let of = |number: i32| Report {
        place: Some(Place {
            admin_code: "500237".into(),
            longitude_deg: Some(109.18 + f64::from(number / 10) * 0.235),
            latitude_deg: Some(30.17 + f64::from(number % 10) * 0.2),
            ..Default::default()
        }),
        substances: Vec::new(),
        ..wushan("2014-08-13T07:00")
    };
    let mut opened = Vec::new();
    for number in 0..70 {
        let answer = desk.submit(of(number)).await.unwrap();
        assert!(answer.opened, "{:?}", answer.match_reasons_en);
        opened.push(answer.incident.unwrap().name);
    }
    let last = desk.submit(of(69)).await.unwrap();
    assert_eq!(last.incident.unwrap().name, opened[69], "the last of more incidents than are read at once");
    let named = Report { substances: vec![Substance { name: "氨氮".into(), ..Default::default() }], ..of(68) };
    assert_eq!(desk.submit(named).await.unwrap().incident.unwrap().name, opened[68], "what is known contradicts nothing that is not");
    desk.spaces.stop().await;
}

async fn impossible_reports_are_refused_by_field_and_change_nothing(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let refused = async |change: fn(&mut Report)| {
        let mut report = wushan("2014-08-13T07:00");
        change(&mut report);
        let error = from_status(&desk.submit(report).await.unwrap_err());
        error.violations.iter().map(|violation| violation.field.clone()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(refused(|r| r.learn_time = Some(to_proto(at("2014-08-14T07:00")))).await, "report.learn_time");
    assert_eq!(refused(|r| r.learn_time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })).await, "report.learn_time");
    assert_eq!(
        refused(|r| r.occur_time = r.learn_time.map(|t| prost_types::Timestamp { seconds: t.seconds + 9999, ..t })).await,
        "report.occur_time,report.occur_time"
    );
    assert_eq!(refused(|r| r.place = Some(Place { admin_code: "422822".into(), ..Default::default() })).await, "report.place.admin_code");
    assert_eq!(refused(|r| r.place.as_mut().unwrap().longitude_deg = Some(30.85)).await, "report.place.longitude_deg");
    assert_eq!(refused(|r| r.place.as_mut().unwrap().latitude_deg = None).await, "report.place.latitude_deg");
    assert_eq!(
        refused(|r| r.facts.as_mut().unwrap().deaths = Some(Figure { value: Some(-1.0), ..Default::default() })).await,
        "report.facts.deaths.value"
    );
    assert_eq!(refused(|r| r.title = " ".into()).await, "report.title");
    assert_eq!(refused(|r| r.origin = 77).await, "report.origin");
    let count = desk
        .space
        .db()
        .read((), |(), tx| {
            Box::pin(tx.number(
                "SELECT (SELECT COUNT(*) FROM log_event) + (SELECT COUNT(*) FROM intake_report) + (SELECT COUNT(*) FROM log_request)",
                &[],
            ))
        })
        .await
        .unwrap();
    assert_eq!(count, 0);
    desk.spaces.stop().await;
}

async fn a_county_sees_its_own_incidents_and_no_others(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let incident = desk.submit(wushan("2014-08-13T07:00")).await.unwrap().incident.unwrap();
    let space = desk.caller.space_id.unwrap();
    let fengjie = person("500236", &[Role::DutyOfficer], space);
    let hidden = desk.service.get_incident(desk.ask_as(&fengjie, GetIncidentRequest { name: incident.name.clone() })).await.unwrap_err();
    assert_eq!(hidden.code(), tonic::Code::NotFound);
    let list = ListIncidentsRequest { parent: "provinces/500000".into(), ..Default::default() };
    assert!(desk.service.list_incidents(desk.ask_as(&fengjie, list.clone())).await.unwrap().into_inner().incidents.is_empty());
    let own = person("500237", &[Role::Viewer], space);
    assert_eq!(desk.service.list_incidents(desk.ask_as(&own, list)).await.unwrap().into_inner().incidents.len(), 1);
    let close = CloseIncidentRequest { request_id: new_id().to_string(), name: incident.name.clone(), etag: String::new() };
    assert_eq!(desk.service.close_incident(desk.ask_as(&own, close.clone())).await.unwrap_err().code(), tonic::Code::PermissionDenied);
    let early = desk.service.close_incident(desk.ask(close)).await.unwrap_err();
    assert_eq!(from_status(&early).reason, "FINAL_REPORT_MISSING");
    desk.spaces.stop().await;
}

async fn the_queue_is_paged_by_deadline_and_changes_are_seen_live(on: On) {
    let desk = desk(on, "2014-08-13T07:00").await;
    let watch = WatchIncidentsRequest { parent: "provinces/500000".into() };
    let mut stream = desk.service.watch_incidents(desk.ask(watch)).await.unwrap().into_inner();
    assert!(stream.next().await.unwrap().unwrap().caught_up);
    for code in ["500237", "500236", "500101"] {
        let mut report = wushan("2014-08-13T07:00");
        report.place = Some(Place { admin_code: code.into(), ..Default::default() });
        report.reporting_body_code = code.into();
        desk.submit(report).await.unwrap();
    }
    let live = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap().unwrap().unwrap();
    assert!(live.incident.is_some());
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let list = ListIncidentsRequest { parent: "provinces/500000".into(), page_size: 1, page_token: token, include_closed: false };
        let page = desk.service.list_incidents(desk.ask(list)).await.unwrap().into_inner();
        seen.extend(page.incidents.into_iter().map(|incident| incident.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    let negative = ListIncidentsRequest { parent: "provinces/500000".into(), page_size: -1, ..Default::default() };
    assert_eq!(desk.service.list_incidents(desk.ask(negative)).await.unwrap_err().code(), tonic::Code::InvalidArgument);
    desk.spaces.stop().await;
}

fenghuo_durable::on_both!(
    grade_two_appears_with_the_boundary_effect_and_not_before,
    clocks_are_kept_and_missed_and_a_late_told_report_in_time_counts,
    what_was_overdue_when_recorded_is_missed_at_once,
    no_order_17_clock_runs_for_radiation_alone_and_all_run_beside_other_harm,
    a_county_neither_sees_another_countys_incident_nor_acts_for_the_province,
    an_upward_report_answers_only_what_had_begun_and_an_incident_closes_only_when_nothing_is_open,
    two_reports_of_one_spill_at_once_make_one_incident,
    a_spill_is_found_among_hundreds_that_lie_somewhere_in_the_province,
    a_report_of_an_unknown_pollutant_is_matched_however_many_lie_nearer_in_the_list,
    impossible_reports_are_refused_by_field_and_change_nothing,
    a_county_sees_its_own_incidents_and_no_others,
    the_queue_is_paged_by_deadline_and_changes_are_seen_live,
);
