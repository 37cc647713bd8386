//! An exercise across replicas: opened, set and ended at one, it is so at the other.

use std::time::{Duration, Instant};

use fenghuo_api::exercise::v1::{
    ClockSetting, EndExerciseRequest, ExerciseState, GetExerciseActivityRequest, ListExercisesRequest, OpenExerciseRequest,
    SetExerciseClockRequest,
};
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::incident::v1::{ClockState, GetIncidentRequest, Incident};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{SpaceId, new_id};
use fenghuo_edge::from_status;
use fenghuo_tests::province::{Province, Signed};
use fenghuo_tests::replicas::{Databases, two};
use fenghuo_tests::reports::{county, report, submit};

const CODE: &str = "420000";

fn setting(number: u64, hours: i64) -> Option<ClockSetting> {
    let begin: jiff::Timestamp = "2026-08-13T00:00:00Z".parse().unwrap();
    Some(ClockSetting { number, space_time: Some(to_proto(begin + jiff::SignedDuration::from_hours(hours))), rate: 0.0 })
}

fn incidents(of: &Province, space: SpaceId) -> IncidentServiceClient<Signed> {
    IncidentServiceClient::new(of.signed(&of.officer, space))
}

/// Asks until the answer pleases, for at most 10 s; how long it took.
async fn soon<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> (T, Duration) {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return (answer, began.elapsed());
        }
        assert!(began.elapsed() < Duration::from_secs(10), "10 s in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn opened(at: &Province, name: &str) {
    let open = OpenExerciseRequest {
        request_id: new_id().to_string(),
        name: name.into(),
        title: "演练".into(),
        clock: setting(1, 0),
        province_codes: vec![CODE.into()],
    };
    at.exercises().open_exercise(open).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exercise_holds_on_every_replica() {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let (one, two) = two(CODE, dir.path(), &databases).await;
    let space = SpaceId::Exercise(new_id());
    let name = space.to_string();
    opened(&one, &name).await;

    // The other replica takes a report in it, at its time.
    let mut told = report(county(CODE));
    let begin = setting(1, 0).unwrap().space_time;
    told.learn_time = begin;
    told.substances.clear();
    let take = || {
        let (mut there, request) = (incidents(&two, space), submit(told.clone()));
        async move { there.submit_report(request).await.ok() }
    };
    let (taken, seen) = soon("the exercise to be open at the other replica", take).await;
    let incident = taken.into_inner().incident.unwrap();

    // A jump by ten hours, set at the other replica: what is due fires, and the first one knows the time.
    let set = |number, hours| SetExerciseClockRequest { name: name.clone(), clock: setting(number, hours) };
    two.exercises().set_exercise_clock(set(2, 10)).await.unwrap();
    let missed = |found: &Incident| found.clocks.iter().any(|clock| clock.state() == ClockState::Missed);
    let look = || {
        let (mut here, request) = (incidents(&one, space), GetIncidentRequest { name: incident.name.clone() });
        async move { here.get_incident(request).await.ok().and_then(|answer| answer.into_inner().incident).filter(missed) }
    };
    let (_, fired) = soon("a clock to be missed after the jump", look).await;
    let activity = one.exercises().get_exercise_activity(GetExerciseActivityRequest { name: name.clone() }).await.unwrap().into_inner();
    assert_eq!(activity.clock_setting, 2);
    let old = one.exercises().set_exercise_clock(set(2, 11)).await.unwrap_err();
    assert_eq!(from_status(&old).reason, "CLOCK_SETTING_OLD");
    one.exercises().set_exercise_clock(set(3, 12)).await.unwrap();

    // Ended at the first replica, it takes no write at the other from the answer on.
    let end = EndExerciseRequest { request_id: new_id().to_string(), name: name.clone() };
    one.exercises().end_exercise(end).await.unwrap();
    let refused = incidents(&two, space).submit_report(submit(told.clone())).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "EXERCISE_ENDED", "{refused}");
    let listed = two.exercises().list_exercises(ListExercisesRequest::default()).await.unwrap().into_inner().exercises;
    assert_eq!(listed[0].state(), ExerciseState::Ended);
    println!("an exercise took a report at the other replica {seen:?} after it was opened; a clock was missed {fired:?} after a jump");
}
