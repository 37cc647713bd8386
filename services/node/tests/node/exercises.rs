use std::sync::atomic::Ordering;

use fenghuo_api::exercise::v1::*;
use fenghuo_api::identity::v1::Role;
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{SpaceId, new_id, on_both};
use jiff::{SignedDuration, Timestamp};
use tonic::Code;

use crate::support::{Node, PROVINCE, Place, fields, grant, id, refused, tamper, write_thing};

on_both!(
    an_exercise_opens_once_and_goes_on_after_a_restart,
    an_exercise_that_is_over_is_read_and_no_longer_written,
    bad_settings_and_names_are_refused,
    exercises_belong_to_the_province,
    an_exercise_whose_data_are_broken_does_not_keep_the_node_from_starting,
);

fn start() -> Timestamp {
    "2014-08-13T06:10:00+08:00".parse().unwrap()
}

fn setting(number: u64, minutes: i64, rate: f64) -> ClockSetting {
    ClockSetting { number, space_time: Some(to_proto(start() + SignedDuration::from_mins(minutes))), rate }
}

fn open(name: &str, rate: f64) -> OpenExerciseRequest {
    OpenExerciseRequest {
        request_id: id(),
        name: name.to_owned(),
        title: "千丈岩水库".into(),
        clock: Some(setting(1, 0, rate)),
        province_codes: vec!["500000".into(), PROVINCE.into()],
    }
}

fn clock(name: &str, setting: ClockSetting) -> SetExerciseClockRequest {
    SetExerciseClockRequest { name: name.to_owned(), clock: Some(setting) }
}

fn time(exercise: &Exercise) -> Timestamp {
    from_proto(exercise.space_time.as_ref().unwrap()).unwrap()
}

fn minutes(exercise: &Exercise) -> f64 {
    time(exercise).duration_since(start()).as_secs_f64() / 60.0
}

async fn liaison(node: &Node) -> String {
    let (admin, _) = node.administrator().await;
    node.person(&admin, "liaison", vec![grant(Role::Liaison, PROVINCE)]).await.0
}

async fn activity(node: &Node, token: &str, name: &str) -> GetExerciseActivityResponse {
    node.exercises(token).get_exercise_activity(GetExerciseActivityRequest { name: name.to_owned() }).await.unwrap().into_inner()
}

async fn an_exercise_opens_once_and_goes_on_after_a_restart(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let token = liaison(&node).await;
    let name = SpaceId::Exercise(new_id()).to_string();
    let request = open(&name, 0.0);
    let first = node.exercises(&token).open_exercise(request.clone()).await.unwrap().into_inner().exercise.unwrap();
    assert_eq!((first.state(), time(&first), first.province_codes.len()), (ExerciseState::Open, start(), 2));
    assert!(first.opened_by.starts_with("provinces/420000/people/"));
    // The same again, by the same request and by another of the same content; at once.
    let (mut one, mut two) = (node.exercises(&token), node.exercises(&token));
    let (one, two) = tokio::join!(one.open_exercise(request.clone()), two.open_exercise(open(&name, 0.0)));
    assert_eq!(one.unwrap().into_inner().exercise.unwrap(), first);
    assert_eq!(two.unwrap().into_inner().exercise.unwrap(), first);
    let other = refused(node.exercises(&token).open_exercise(OpenExerciseRequest { title: "别的".into(), ..open(&name, 0.0) }).await);
    assert_eq!((other.code, other.reason.as_str()), (Code::AlreadyExists, "EXERCISE_DIFFERS"));
    let id: SpaceId = name.parse().unwrap();
    write_thing(node.spaces.get(id).unwrap().db(), "thing/1", "422822").await.unwrap();

    let set = node.exercises(&token).set_exercise_clock(clock(&name, setting(2, 30, 0.0))).await.unwrap().into_inner().exercise.unwrap();
    assert_eq!((set.clock, time(&set)), (Some(setting(2, 30, 0.0)), start() + SignedDuration::from_mins(30)));
    let old = refused(node.exercises(&token).set_exercise_clock(clock(&name, setting(2, 40, 0.0))).await);
    assert_eq!((old.code, old.reason.as_str()), (Code::FailedPrecondition, "CLOCK_SETTING_OLD"));
    let back = refused(node.exercises(&token).set_exercise_clock(clock(&name, setting(3, 20, 0.0))).await);
    assert_eq!(fields(&back), ["clock.space_time"]);

    let idle = until("an idle exercise", || async { Some(activity(&node, &token, &name).await).filter(|found| found.idle) }).await;
    assert_eq!((idle.clock_setting, idle.next_due_time), (2, None));
    node.busy.store(true, Ordering::SeqCst);
    let busy = activity(&node, &token, &name).await;
    assert_eq!((busy.idle, busy.pending), (false, vec![format!("1 envelope of {name} waits")]));

    node.exercises(&token).set_exercise_clock(clock(&name, setting(7, 60, 6000.0))).await.unwrap();
    node.stop().await;
    let node = place.start().await;
    let list = node.exercises(&token).list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner();
    assert_eq!((list.exercises.len(), list.exercises[0].clock.unwrap()), (1, setting(7, 60, 6000.0)));
    // Its time went on meanwhile, and did not begin again.
    assert!(minutes(&list.exercises[0]) > 60.0, "{}", minutes(&list.exercises[0]));
    node.exercises(&token).set_exercise_clock(clock(&name, setting(8, 100_000, 0.0))).await.unwrap();
    // A first call that was answered, repeated: the space is open and stays as it is.
    let again = node.exercises(&token).open_exercise(request).await.unwrap().into_inner().exercise.unwrap();
    assert_eq!(again.clock.unwrap().number, 8);
    assert_eq!(node.spaces.get(id).unwrap().clock().setting_number(), 8);
    node.stop().await;
}

async fn an_exercise_that_is_over_is_read_and_no_longer_written(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let token = liaison(&node).await;
    let name = SpaceId::Exercise(new_id()).to_string();
    let id: SpaceId = name.parse().unwrap();
    node.exercises(&token).open_exercise(open(&name, 60.0)).await.unwrap();
    let space = node.spaces.get(id).unwrap();
    write_thing(space.db(), "thing/1", "422822").await.unwrap();
    let end = EndExerciseRequest { request_id: crate::support::id(), name: name.clone() };
    let ended = node.exercises(&token).end_exercise(end.clone()).await.unwrap().into_inner().exercise.unwrap();
    assert_eq!((ended.state(), ended.clock.unwrap().rate), (ExerciseState::Ended, 0.0));
    assert_eq!(node.exercises(&token).end_exercise(end).await.unwrap().into_inner().exercise.unwrap(), ended);
    assert!(!node.spaces.all().iter().any(|space| space.id() == id), "its streams would go on");
    assert!(*space.stopping().borrow());
    assert_eq!(write_thing(space.db(), "thing/1", "422822").await.unwrap_err().reason, "EXERCISE_ENDED");
    let late = refused(node.exercises(&token).set_exercise_clock(clock(&name, setting(9, 999, 0.0))).await);
    assert_eq!((late.code, late.reason.as_str()), (Code::FailedPrecondition, "EXERCISE_ENDED"));
    assert_eq!(refused(node.exercises(&token).open_exercise(open(&name, 60.0)).await).reason, "EXERCISE_ENDED");
    assert!(activity(&node, &token, &name).await.idle);
    let stood = space.clock().now();
    drop(space);
    node.stop().await;

    let node = place.start().await;
    let events =
        node.audit(&token, id).list_events(fenghuo_api::audit::v1::ListEventsRequest::default()).await.unwrap().into_inner().events;
    assert_eq!(events.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["thing/1"]);
    let space = node.spaces.get(id).unwrap();
    assert_eq!(write_thing(space.db(), "thing/1", "422822").await.unwrap_err().reason, "EXERCISE_ENDED");
    assert_eq!(space.clock().now(), stood);
    let list = node.exercises(&token).list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner().exercises;
    assert_eq!(list, [ended]);
    node.stop().await;
}

async fn bad_settings_and_names_are_refused(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let token = liaison(&node).await;
    let name = SpaceId::Exercise(new_id()).to_string();
    for bad in ["real", "", "exercises/1", &name.to_uppercase()] {
        assert_eq!(fields(&refused(node.exercises(&token).open_exercise(open(bad, 0.0)).await)), ["name"], "{bad}");
    }
    let bad = OpenExerciseRequest {
        title: " ".into(),
        clock: Some(ClockSetting { number: 0, space_time: None, rate: f64::NAN }),
        province_codes: vec!["500000".into()],
        ..open(&name, 0.0)
    };
    let error = refused(node.exercises(&token).open_exercise(bad).await);
    assert_eq!(fields(&error), ["title", "province_codes", "clock.space_time", "clock.number", "clock.rate"]);
    let none = OpenExerciseRequest { clock: None, ..open(&name, 0.0) };
    assert!(fields(&refused(node.exercises(&token).open_exercise(none).await)).contains(&"clock"));
    let unknown = refused(node.exercises(&token).set_exercise_clock(clock(&name, setting(2, 0, 0.0))).await);
    assert_eq!(unknown.code, Code::NotFound);
    let end = EndExerciseRequest { request_id: id(), name: name.clone() };
    assert_eq!(refused(node.exercises(&token).end_exercise(end).await).code, Code::NotFound);
    assert_eq!(node.exercises(&token).list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner().exercises, []);
    assert_eq!(node.spaces.all().len(), 1);
    node.stop().await;
}

async fn exercises_belong_to_the_province(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    let (token, _) = node.person(&admin, "liaison", vec![grant(Role::Liaison, PROVINCE)]).await;
    let (county, _) = node.person(&admin, "county", vec![grant(Role::Liaison, "422822")]).await;
    let (officer, _) = node.person(&admin, "officer", vec![grant(Role::DutyOfficer, PROVINCE)]).await;
    let names: Vec<String> = (0..3).map(|_| SpaceId::Exercise(new_id()).to_string()).collect();
    for name in &names {
        node.exercises(&token).open_exercise(open(name, 0.0)).await.unwrap();
    }
    for (token, code) in [(&county, Code::NotFound), (&officer, Code::PermissionDenied)] {
        let mut exercises = node.exercises(token);
        assert_eq!(refused(exercises.open_exercise(open(&names[0], 0.0)).await).code, code);
        assert_eq!(refused(exercises.set_exercise_clock(clock(&names[0], setting(2, 0, 0.0))).await).code, code);
        let end = EndExerciseRequest { request_id: id(), name: names[0].clone() };
        assert_eq!(refused(exercises.end_exercise(end).await).code, code);
    }
    let ask = GetExerciseActivityRequest { name: names[0].clone() };
    assert_eq!(refused(node.exercises(&county).get_exercise_activity(ask).await).code, Code::NotFound);
    assert_eq!(node.exercises(&county).list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner().exercises, []);
    // Newest first, page by page.
    let mut seen = Vec::new();
    let mut request = ListExercisesRequest { page_size: 2, ..Default::default() };
    loop {
        let page = node.exercises(&officer).list_exercises(request.clone()).await.unwrap().into_inner();
        seen.extend(page.exercises.into_iter().map(|exercise| exercise.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen, names.iter().rev().cloned().collect::<Vec<_>>());
    node.stop().await;
}

async fn an_exercise_whose_data_are_broken_does_not_keep_the_node_from_starting(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let token = liaison(&node).await;
    let names: Vec<String> = (0..2).map(|_| SpaceId::Exercise(new_id()).to_string()).collect();
    for name in &names {
        node.exercises(&token).open_exercise(open(name, 0.0)).await.unwrap();
    }
    let broken: SpaceId = names[0].parse().unwrap();
    tamper(node.spaces.get(broken).unwrap().db(), "DROP TABLE space_clock").await;
    node.stop().await;
    let node = place.start().await;
    let ask = |name: &str| GetExerciseActivityRequest { name: name.to_owned() };
    let closed = refused(node.exercises(&token).get_exercise_activity(ask(&names[0])).await);
    assert_eq!((closed.code, closed.reason.as_str()), (Code::FailedPrecondition, "EXERCISE_NOT_OPEN"));
    activity(&node, &token, &names[1]).await;
    node.spaces.get(SpaceId::Real).unwrap();
    assert_eq!(node.exercises(&token).list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner().exercises.len(), 2);
    node.stop().await;
}
