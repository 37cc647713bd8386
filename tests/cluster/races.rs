//! Every decide-then-write of the contracts, asked of two replicas at the same instant: one takes effect, the other gets a precise answer.

use std::collections::BTreeMap;

use fenghuo_api::common::v1::{Figure, Grade};
use fenghuo_api::exercise::v1::{ClockSetting, EndExerciseRequest, ListExercisesRequest, OpenExerciseRequest, SetExerciseClockRequest};
use fenghuo_api::identity::v1::people_service_client::PeopleServiceClient;
use fenghuo_api::identity::v1::session_service_client::SessionServiceClient;
use fenghuo_api::identity::v1::{
    ChangePasswordRequest, CreatePersonRequest, Grant, ListPeopleRequest, Person, RedeemSetupLinkRequest, Role, SetGrantsRequest,
};
use fenghuo_api::incident::v1::*;
use fenghuo_api::notification::v1::*;
use fenghuo_api::partner::v1::{Acknowledgement, NotificationKind};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_edge::ClientSession;
use fenghuo_tests::count;
use fenghuo_tests::node::{Process, Spec};
use fenghuo_tests::province::{PASSWORD, Province};
use fenghuo_tests::replicas::{Databases, one_of, two};
use fenghuo_tests::reports::{county, report, submit};
use tonic::service::interceptor::InterceptedService;

use crate::rounds;

const CODE: &str = "420000";

fn id() -> String {
    new_id().to_string()
}

async fn incident(of: &Province) -> Incident {
    of.incidents().submit_report(submit(report(county(CODE)))).await.unwrap().into_inner().incident.unwrap()
}

async fn get(of: &Province, name: &str) -> Incident {
    of.incidents().get_incident(GetIncidentRequest { name: name.into() }).await.unwrap().into_inner().incident.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_calls_at_two_replicas_one_takes_effect() {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let (one, two) = two(CODE, dir.path(), &databases).await;
    two_reports_of_one_spill(&one, &two, rounds(20)).await;
    let partner = AddLetterPartnerRequest {
        request_id: id(),
        province_code: "430000".into(),
        display_name: "湖南省".into(),
        duty_telephone: "0731-1".into(),
    };
    one.directory_as_admin().add_letter_partner(partner).await.unwrap();
    for _ in 0..rounds(2) {
        facts_with_one_etag(&one, &two).await;
        grade_with_one_etag(&one, &two).await;
        duty_done(&one, &two).await;
        close_against_report(&one, &two).await;
        one_request_id(&one, &two).await;
        let found = incident(&one).await;
        approve_twice(&one, &two, &found.name).await;
        approve_against_discard(&one, &two, &found.name).await;
        acknowledged_by_hand_twice(&one, &two, &found.name).await;
    }
    letters_have_numbers_of_their_own(&one).await;
    count::assert_whole(&one).await;
    count::assert_whole(&two).await;
}

async fn two_reports_of_one_spill(one: &Province, two: &Province, rounds: u32) {
    let mut opened = BTreeMap::new();
    for round in 0..rounds {
        let told = report(county(CODE));
        let (mut here, mut there) = (one.incidents(), two.incidents());
        let (here, there) = tokio::join!(here.submit_report(submit(told.clone())), there.submit_report(submit(told)));
        let answers = [here.unwrap().into_inner(), there.unwrap().into_inner()];
        let names = answers.each_ref().map(|answer| answer.incident.as_ref().unwrap().name.clone());
        assert_eq!(names[0], names[1], "round {round}: one spill became two incidents");
        assert_eq!(answers.iter().filter(|answer| answer.opened).count(), 1, "round {round}: opened by both or by neither");
        *opened.entry(answers[0].opened).or_insert(0) += 1;
        assert_eq!(get(two, &names[0]).await.reports.len(), 2);
    }
    let by = |first: bool| opened.get(&first).copied().unwrap_or(0);
    println!("two reports of one spill: {} incidents opened by one replica, {} by the other", by(true), by(false));
}

async fn facts_with_one_etag(one: &Province, two: &Province) {
    let found = incident(one).await;
    let change = |affected: f64| UpdateFactsRequest {
        request_id: id(),
        name: found.name.clone(),
        etag: found.etag.clone(),
        facts: Some(Facts { evacuated: Some(Figure { value: Some(affected), ..Figure::default() }), ..Facts::default() }),
        source: "现场".into(),
        substances: Vec::new(),
    };
    let (mut here, mut there) = (one.incidents(), two.incidents());
    one_of("UpdateFacts", tokio::join!(here.update_facts(change(10.0)), there.update_facts(change(20.0))), &["ETAG_STALE"]);
}

async fn grade_with_one_etag(one: &Province, two: &Province) {
    let found = incident(two).await;
    let decide = |grade: Grade| DecideGradeRequest {
        request_id: id(),
        name: found.name.clone(),
        etag: found.etag.clone(),
        decision: Some(GradeDecision {
            grade: grade.into(),
            kind: GradeDecisionKind::Preliminary.into(),
            decided_by: "周敏".into(),
            authority: "湖北省生态环境厅".into(),
            reason: "现场研判".into(),
            decide_time: Some(to_proto(wall::now())),
        }),
    };
    let (mut here, mut there) = (one.incidents(), two.incidents());
    let calls = tokio::join!(here.decide_grade(decide(Grade::I)), there.decide_grade(decide(Grade::Ii)));
    one_of("DecideGrade", calls, &["ETAG_STALE"]);
}

fn open_clocks(of: &Incident) -> Vec<Clock> {
    let open = |clock: &&Clock| matches!(clock.state(), ClockState::Running | ClockState::NotStarted);
    of.clocks.iter().filter(open).cloned().collect()
}

async fn duty_done(one: &Province, two: &Province) {
    let found = incident(one).await;
    let clock = open_clocks(&found).into_iter().find(|clock| clock.duty() != DutyKind::Report).expect("a duty that is no report");
    let done = || RecordDutyDoneRequest { request_id: id(), clock: clock.name.clone(), remark: "已办".into() };
    let (mut here, mut there) = (one.incidents(), two.incidents());
    one_of("RecordDutyDone", tokio::join!(here.record_duty_done(done()), there.record_duty_done(done())), &["CLOCK_SETTLED"]);
}

/// Does whatever still holds an incident open.
async fn settle(of: &Province, name: &str) {
    for _ in 0..4 {
        for clock in open_clocks(&get(of, name).await) {
            let learned = RecordBodyLearnedRequest {
                request_id: id(),
                name: name.into(),
                body_code: clock.body_code.clone(),
                learn_time: Some(to_proto(wall::now())),
            };
            let _ = of.incidents().record_body_learned(learned).await;
            for kind in [UpwardReportKind::Initial, UpwardReportKind::Final] {
                let sent = UpwardReport {
                    kind: kind.into(),
                    body_code: clock.body_code.clone(),
                    send_time: Some(to_proto(wall::now())),
                    receiver: "省厅值班室".into(),
                    ..UpwardReport::default()
                };
                let request = RecordUpwardReportRequest { request_id: id(), name: name.into(), upward_report: Some(sent) };
                let _ = of.incidents().record_upward_report(request).await;
            }
            let done = RecordDutyDoneRequest { request_id: id(), clock: clock.name.clone(), remark: "已办".into() };
            let _ = of.incidents().record_duty_done(done).await;
        }
    }
}

async fn close_against_report(one: &Province, two: &Province) {
    let name = incident(one).await.name;
    settle(one, &name).await;
    let etag = get(one, &name).await.etag;
    let close = CloseIncidentRequest { request_id: id(), name: name.clone(), etag };
    let late = SubmitReportRequest { incident: name.clone(), ..submit(report(county(CODE))) };
    let (mut here, mut there) = (one.incidents(), two.incidents());
    let (closed, taken) = tokio::join!(here.close_incident(close), there.submit_report(late));
    let calls = (closed.map(|_| "closed"), taken.map(|_| "taken"));
    one_of("CloseIncident against SubmitReport", calls, &["ETAG_STALE", "INCIDENT_CLOSED"]);
}

async fn one_request_id(one: &Province, two: &Province) {
    let request = submit(report(county(CODE)));
    let (mut here, mut there) = (one.incidents(), two.incidents());
    let (here, there) = tokio::join!(here.submit_report(request.clone()), there.submit_report(request));
    assert_eq!(here.unwrap().into_inner(), there.unwrap().into_inner(), "one request_id at two replicas has two answers");
}

async fn letters_have_numbers_of_their_own(of: &Province) {
    let letters: Vec<String> =
        count::notifications(of).await.into_iter().map(|one| one.letter_number).filter(|number| !number.is_empty()).collect();
    let distinct: std::collections::BTreeSet<_> = letters.iter().collect();
    assert!(!letters.is_empty() && distinct.len() == letters.len(), "two letters have one number: {letters:?}");
}

async fn draft(of: &Province, incident: &str) -> NotificationRecord {
    let request = DraftNotificationRequest {
        request_id: id(),
        incident: incident.into(),
        partner_code: "430000".into(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    // The other replica may not have heard of the partner, nor this one's copy of the incident, for some milliseconds.
    for _ in 0..200 {
        match of.notifications().draft_notification(request.clone()).await {
            Ok(answer) => return answer.into_inner().notification.unwrap(),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    panic!("no draft within 4 s")
}

fn approve(name: &str) -> ApproveNotificationRequest {
    ApproveNotificationRequest { request_id: id(), name: name.into(), etag: String::new() }
}

async fn approve_twice(one: &Province, two: &Province, incident: &str) {
    let name = draft(two, incident).await.name;
    let (mut here, mut there) = (one.notifications(), two.notifications());
    let calls = tokio::join!(here.approve_notification(approve(&name)), there.approve_notification(approve(&name)));
    one_of("ApproveNotification", calls, &["NOT_A_DRAFT"]);
}

async fn approve_against_discard(one: &Province, two: &Province, incident: &str) {
    let name = draft(one, incident).await.name;
    let discard = DiscardNotificationRequest { request_id: id(), name: name.clone() };
    let (mut here, mut there) = (one.notifications(), two.notifications());
    let (approved, discarded) = tokio::join!(here.approve_notification(approve(&name)), there.discard_notification(discard));
    one_of("ApproveNotification against DiscardNotification", (approved.map(|_| ()), discarded.map(|_| ())), &["NOT_A_DRAFT"]);
}

async fn acknowledged_by_hand_twice(one: &Province, two: &Province, incident: &str) {
    let name = draft(one, incident).await.name;
    two.notifications().approve_notification(approve(&name)).await.unwrap();
    let by_hand = || RecordAcknowledgementRequest {
        request_id: id(),
        name: name.clone(),
        acknowledgement: Some(Acknowledgement {
            notification: name.clone(),
            person: "陈某".into(),
            post: "值班员".into(),
            acknowledge_time: Some(to_proto(wall::now())),
            remark: "电话".into(),
        }),
    };
    let (mut here, mut there) = (one.notifications(), two.notifications());
    let calls = tokio::join!(here.record_acknowledgement(by_hand()), there.record_acknowledgement(by_hand()));
    one_of("RecordAcknowledgement", calls, &["ALREADY_ACKNOWLEDGED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_change_of_the_node_takes_effect() {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let spec = Spec::new(CODE, dir.path()).replicated(&databases.url(CODE).await);
    setup_link_at_two_replicas(&spec).await;
    let (one, two) = set_up(&spec).await;
    for round in 0..rounds(2) {
        same_user_name(&one, &two, round).await;
        exercise_opened_set_and_ended(&one, &two).await;
    }
    last_administrator(&one, &two).await;
}

fn person(user: &str, roles: &[Role]) -> Person {
    Person { user_name: user.into(), display_name: user.into(), grants: grants(roles), active: true, ..Person::default() }
}

fn grants(roles: &[Role]) -> Vec<Grant> {
    let now = Some(to_proto(wall::now()));
    roles.iter().map(|role| Grant { role: (*role).into(), jurisdiction: CODE.into(), start_time: now, end_time: None }).collect()
}

/// Two fresh replicas start at once; the link that was printed last is redeemed at both.
async fn setup_link_at_two_replicas(spec: &Spec) {
    let first = tokio::task::spawn_blocking({
        let spec = spec.clone();
        move || Process::start(&spec)
    });
    let second = tokio::task::spawn_blocking({
        let spec = spec.replica("2");
        move || Process::start(&spec)
    });
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let redeem = |process: &Process, token: &Option<String>, user: &str| {
        let channel = fenghuo_edge::console_channel(&process.ready.console_url, None).unwrap();
        let mut client = SessionServiceClient::new(InterceptedService::new(channel, ClientSession::anonymous()));
        let request = RedeemSetupLinkRequest {
            setup_token: token.clone().unwrap(),
            user_name: user.into(),
            display_name: "管理员".into(),
            password: PASSWORD.into(),
        };
        async move { client.redeem_setup_link(request).await }
    };
    // Which of the two started last nobody knows: the other's link is void.
    let (one, two) = (&first.ready.setup_token, &second.ready.setup_token);
    let of_one = tokio::join!(redeem(&first, one, "admin"), redeem(&second, one, "admin2"));
    let of_two = tokio::join!(redeem(&first, two, "admin"), redeem(&second, two, "admin2"));
    let answers = [of_one.0, of_one.1, of_two.0, of_two.1];
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    for refused in answers.into_iter().filter_map(Result::err) {
        let reason = fenghuo_edge::from_status(&refused).reason;
        assert!(["SETUP_DONE", "SETUP_TOKEN_WRONG"].contains(&reason.as_str()), "{refused}");
    }
}

/// Two replicas of a node that has an administrator, "admin" or "admin2".
async fn set_up(spec: &Spec) -> (Province, Province) {
    let process = Process::start(spec);
    let one = match Province::of(process, "admin").await {
        Ok(one) => one,
        Err(process) => Province::of(process, "admin2").await.unwrap_or_else(|_| panic!("there is no administrator")),
    };
    let two = one.beside(&spec.replica("2"));
    (one, two)
}

async fn same_user_name(one: &Province, two: &Province, round: u32) {
    let create = || CreatePersonRequest {
        request_id: id(),
        person: Some(person(&format!("twin{round}"), &[Role::Viewer])),
        password: PASSWORD.into(),
    };
    let (mut here, mut there) = (one.people(), two.people());
    one_of("CreatePerson", tokio::join!(here.create_person(create()), there.create_person(create())), &["USER_NAME_TAKEN"]);
    // Both change the password, each knowing only the old one.
    let token = one.sign_in(&format!("twin{round}")).await;
    let change = |new: &str| ChangePasswordRequest { old_password: PASSWORD.into(), new_password: new.into() };
    let client = |of: &Province| SessionServiceClient::new(of.signed(&token, SpaceId::Real));
    let (mut here, mut there) = (client(one), client(two));
    let calls = tokio::join!(here.change_password(change("another password 1")), there.change_password(change("another password 2")));
    one_of("ChangePassword", calls, &["RACE_LOST", "INVALID_FIELD"]);
}

async fn exercise_opened_set_and_ended(one: &Province, two: &Province) {
    let name = format!("exercises/{}", new_id());
    let begin = Some(to_proto("2014-08-13T00:00:00Z".parse().unwrap()));
    let open = |title: &str| OpenExerciseRequest {
        request_id: id(),
        name: name.clone(),
        title: title.into(),
        clock: Some(ClockSetting { number: 1, space_time: begin, rate: 0.0 }),
        province_codes: vec![CODE.into()],
    };
    let (mut here, mut there) = (one.exercises(), two.exercises());
    let calls = tokio::join!(here.open_exercise(open("甲")), there.open_exercise(open("乙")));
    let title = one_of("OpenExercise", calls, &["EXERCISE_DIFFERS"]).into_inner().exercise.unwrap().title;
    // The same again, at both: it is open there.
    for of in [one, two] {
        of.exercises().open_exercise(open(&title)).await.unwrap();
    }
    let later = Some(to_proto("2014-08-13T01:00:00Z".parse().unwrap()));
    let set = || SetExerciseClockRequest { name: name.clone(), clock: Some(ClockSetting { number: 2, space_time: later, rate: 0.0 }) };
    let calls = tokio::join!(here.set_exercise_clock(set()), there.set_exercise_clock(set()));
    one_of("SetExerciseClock", calls, &["CLOCK_SETTING_OLD"]);
    let end = || EndExerciseRequest { request_id: id(), name: name.clone() };
    let (ended, again) = tokio::join!(here.end_exercise(end()), there.end_exercise(end()));
    assert_eq!(ended.unwrap().into_inner().exercise.unwrap().state, again.unwrap().into_inner().exercise.unwrap().state);
    let listed = two.exercises().list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner().exercises;
    assert_eq!(listed.iter().filter(|exercise| exercise.name == name).count(), 1);
}

/// There are two administrators; each takes the other's office away at the same instant.
async fn last_administrator(one: &Province, two: &Province) {
    let people = one.people().list_people(ListPeopleRequest::default()).await.unwrap().into_inner().people;
    let administers = |person: &&Person| person.grants.iter().any(|grant| grant.role() == Role::Administrator);
    let administrators: Vec<String> = people.iter().filter(administers).map(|person| person.name.clone()).collect();
    assert_eq!(administrators.len(), 2);
    let take = |name: &String| SetGrantsRequest { request_id: id(), name: name.clone(), grants: grants(&[Role::Viewer]) };
    let as_officer = PeopleServiceClient::new(two.desk());
    let (mut here, mut there) = (one.people(), as_officer);
    let calls = tokio::join!(here.set_grants(take(&administrators[0])), there.set_grants(take(&administrators[1])));
    one_of("SetGrants", calls, &["LAST_ADMINISTRATOR", "ROLE_REQUIRED"]);
}
