//! The log goes out once and in order, whatever is lost on the way. Real nats-server, real spaces on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod common;

use std::time::Duration;

use common::*;
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{ClockSetting, SpaceId, new_id, on_both};
use fenghuo_outward::StreamLimits;
use fenghuo_outward::testing::NatsServer;

async fn events_arrive_once_and_in_order(on: On) {
    let test = Test::new(on).await;
    let nats = NatsServer::start(&test.dir().join("nats")).await;
    let export = test.export(&nats);
    test.write(300).await;
    export.caught_up(300).await;
    let messages = test.holds_exactly(&nats, 300).await;
    // The last as it went out, attribute by attribute.
    let stream = nats.stream("FENGHUO_500000_REAL_G1").await.unwrap();
    let raw = stream.get_raw_message(300).await.unwrap();
    let header = |name: &str| raw.headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
    assert_eq!(raw.subject.as_str(), "fenghuo.500000.real.g1.thing.raised");
    assert_eq!((header("ce-specversion"), header("ce-type")), ("1.0".into(), "cn.fenghuo.thing.raised".into()));
    assert_eq!(header("ce-source"), "/provinces/500000/spaces/real");
    assert_eq!((header("ce-datacontenttype"), header("ce-sequence")), ("application/json".into(), "00000000000000000300".into()));
    assert_eq!((header("ce-id"), header("Nats-Msg-Id")), (messages[299].event.event_id.clone(), messages[299].event.event_id.clone()));
    assert!(header("ce-textzh").starts_with("%E4%BA%8B%E4%BB%B6%20things/"), "{}", header("ce-textzh"));
    assert_eq!(header("ce-traceparent"), TRACEPARENT);
    // The private part, and only it, stays: neither its words nor its salt are in the message.
    let whole = format!("{:?} {:?}", raw.headers, String::from_utf8_lossy(&raw.payload));
    assert!(!whole.contains("13800000000") && !whole.contains("%E5%BC%A0"), "{whole}");
    export.stop().await;
    test.stop().await;
}

async fn a_server_killed_under_load_misses_nothing_and_gets_nothing_twice(on: On) {
    let test = Test::new(on).await;
    let mut nats = NatsServer::start(&test.dir().join("nats")).await;
    // A window that any outage outlasts: only the expected sequence stands against repetitions.
    let export = test.export_with(&nats, StreamLimits { duplicate_window: Duration::from_millis(100), ..StreamLimits::default() });
    let (load, mut struck) = (test.write_in_background(600), Vec::new());
    for round in 1..=3_u64 {
        export.published(round * 60).await;
        nats.kill();
        struck.push(export.status().borrow().clone());
        until("the loss is seen", || async { (!export.status().borrow().connected).then_some(()) }).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        nats.resume().await;
    }
    load.await.unwrap();
    // Each kill struck in the middle: something was out and something was not.
    assert!(struck.iter().all(|status| status.spaces[&SpaceId::Real].published < 600), "{struck:?}");
    export.caught_up(600).await;
    test.holds_exactly(&nats, 600).await;
    export.stop().await;
    test.stop().await;
}

async fn a_server_that_lost_its_disk_gets_everything_again(on: On) {
    let test = Test::new(on).await;
    let mut nats = NatsServer::start(&test.dir().join("nats")).await;
    let export = test.export(&nats);
    test.write(100).await;
    export.caught_up(100).await;
    nats.kill();
    nats.lose_disk();
    nats.resume().await;
    assert!(nats.stream("FENGHUO_500000_REAL_G1").await.is_none_or(|stream| stream.cached_info().state.messages < 100), "nothing was lost");
    // Without a single new event: the new connection is reason enough to look.
    until("all is there again", || async { (nats.messages("FENGHUO_500000_REAL_G1").await.len() == 100).then_some(()) }).await;
    test.write(20).await;
    export.caught_up(120).await;
    test.holds_exactly(&nats, 120).await;
    export.stop().await;
    test.stop().await;
}

async fn an_exporter_that_is_dropped_in_the_middle_goes_on_where_the_stream_stands(on: On) {
    let test = Test::new(on).await;
    let nats = NatsServer::start(&test.dir().join("nats")).await;
    test.write(900).await;
    let mut stopped_at = Vec::new();
    for round in 1..=3_u64 {
        let export = test.export(&nats);
        export.published(round * 150).await;
        stopped_at.push(export.abort().await);
    }
    assert!(stopped_at.iter().all(|seq| (150..900).contains(seq)), "not in the middle: {stopped_at:?}");
    let export = test.export(&nats);
    export.caught_up(900).await;
    test.holds_exactly(&nats, 900).await;
    export.stop().await;
    test.stop().await;
}

async fn two_exporters_at_once_publish_nothing_twice(on: On) {
    let test = Test::new(on).await;
    let nats = NatsServer::start(&test.dir().join("nats")).await;
    let (one, other) = (test.export(&nats), test.export(&nats));
    test.write_in_background(600).await.unwrap();
    one.caught_up(600).await;
    other.caught_up(600).await;
    test.holds_exactly(&nats, 600).await;
    for export in [one, other] {
        export.stop().await;
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_publishes_and_the_other_takes_over() {
    let one = Test::new(On::Postgres).await;
    let other = one.replica(On::Postgres).await;
    let nats = NatsServer::start(&one.dir().join("nats")).await;
    let first = one.export(&nats);
    one.write(50).await;
    first.caught_up(50).await;
    let second = other.export(&nats);
    let real = |export: &Export| export.status().borrow().spaces.get(&SpaceId::Real).cloned();
    until("the second waits", || async { real(&second)?.elsewhere.then_some(()) }).await;
    other.write(50).await;
    first.caught_up(100).await;
    assert_eq!(real(&second).unwrap().published, 0);
    // The replica goes, and its databases with it.
    first.stop().await;
    one.spaces.stop().await;
    other.write(50).await;
    second.caught_up(150).await;
    assert!(!real(&second).unwrap().elsewhere);
    other.holds_exactly(&nats, 150).await;
    second.stop().await;
    other.stop().await;
}

async fn without_a_server_everything_else_goes_on(on: On) {
    let test = Test::new(on).await;
    let mut nats = NatsServer::idle(&test.dir().join("nats"));
    let export = test.export(&nats);
    let begun = std::time::Instant::now();
    test.write(100).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    until("the desk can see it", || async {
        let status = export.status().borrow().clone();
        let lag = status.spaces.get(&SpaceId::Real)?.lag();
        (!status.connected && !status.last_error.is_empty() && lag == 100).then_some(())
    })
    .await;
    nats.resume().await;
    export.caught_up(100).await;
    let status = export.status().borrow().clone();
    assert!(status.connected && status.since.is_some(), "{status:?}");
    assert_eq!((status.spaces[&SpaceId::Real].lag(), status.last_error.as_str()), (0, ""));
    test.holds_exactly(&nats, 100).await;
    export.stop().await;
    test.stop().await;
}

async fn an_exercise_has_its_own_stream_and_is_finished_after_its_end(on: On) {
    let test = Test::new(on).await;
    let mut nats = NatsServer::start(&test.dir().join("nats")).await;
    let export = test.export(&nats);
    test.write(10).await;
    let id = SpaceId::Exercise(new_id());
    let first = ClockSetting { number: 1, space_time: "2014-08-13T09:00:00Z".parse().unwrap(), rate: 0.0 };
    let exercise = test.spaces.open_exercise(id, Some(first)).await.unwrap();
    write(exercise.db(), 10).await;
    export.caught_up(10).await;
    let stream = format!("FENGHUO_500000_EX_{}_G1", id.to_string().trim_start_matches("exercises/"));
    until("the exercise is out", || async { (nats.messages(&stream).await.len() == 10).then_some(()) }).await;
    // Ended while the server is away: the rest goes out when it is back.
    nats.kill();
    write(exercise.db(), 15).await;
    test.spaces.end_exercise(id).await.unwrap();
    nats.resume().await;
    until("the rest is out", || async { (nats.messages(&stream).await.len() == 25).then_some(()) }).await;
    let exercise_events = nats.messages(&stream).await;
    assert!(exercise_events.iter().all(|event| event.source.ends_with(&id.to_string())));
    assert_eq!(exercise_events[24].event.space_time, first.space_time);
    let real = test.holds_exactly(&nats, 10).await;
    assert!(real.iter().all(|event| event.source == "/provinces/500000/spaces/real"));
    export.stop().await;
    test.stop().await;
}

async fn an_event_that_is_too_large_goes_without_its_data_and_holds_nothing_up(on: On) {
    let test = Test::new(on).await;
    let mut nats = NatsServer::idle(&test.dir().join("nats")).with("max_payload: 16384");
    nats.resume().await;
    let export = test.export(&nats);
    test.write(5).await;
    test.write_large(format!("{{\"x\":\"{}\"}}", "x".repeat(20_000)), "多").await;
    test.write_large("{}".to_owned(), &"字".repeat(3_000)).await;
    test.write_large("no JSON".to_owned(), "张三").await;
    test.write(5).await;
    export.caught_up(13).await;
    let found = nats.messages("FENGHUO_500000_REAL_G1").await;
    let withheld: Vec<String> = found.iter().map(|event| format!("{:?}", event.withheld)).collect();
    assert_eq!(withheld[4..9], ["[]", "[Size]", "[Size]", "[Unreadable]", "[]"]);
    let left = |n: usize| (found[n].event.payload.as_str(), found[n].event.text_zh.as_str());
    assert_eq!((left(5), left(6), left(7)), (("", "多"), ("", ""), ("", "")));
    assert_eq!(export.status().borrow().spaces[&SpaceId::Real].too_large, 2);
    export.stop().await;
    test.stop().await;
}

async fn a_stream_that_is_not_of_this_log_is_left_alone(on: On) {
    let nats_dir = tempfile::tempdir().unwrap();
    let nats = NatsServer::start(nats_dir.path()).await;
    let before = Test::new(on).await;
    let export = before.export(&nats);
    before.write(30).await;
    export.caught_up(30).await;
    export.stop().await;
    before.stop().await;
    // A shorter log under the same name, then one that has gone another way.
    let restored = Test::new(on).await;
    restored.write(10).await;
    let export = restored.export(&nats);
    until("the alarm", || async { export.status().borrow().spaces.get(&SpaceId::Real)?.diverged.then_some(()) }).await;
    let status = export.status().borrow().spaces[&SpaceId::Real].clone();
    assert!(status.last_error.contains("ends with 30") && status.last_error.contains("nats_generation"), "{}", status.last_error);
    restored.write(40).await;
    until("the other event is named", || async {
        export.status().borrow().spaces[&SpaceId::Real].last_error.contains("its event 30 is").then_some(())
    })
    .await;
    assert_eq!(nats.messages("FENGHUO_500000_REAL_G1").await.len(), 30);
    export.stop().await;
    // A person has decided: a new generation; the old stream stays as it was.
    let renewed = restored.export_generation(&nats, 2);
    renewed.caught_up(50).await;
    assert_eq!(nats.messages("FENGHUO_500000_REAL_G2").await.len(), 50);
    assert_eq!(nats.messages("FENGHUO_500000_REAL_G1").await.len(), 30);
    renewed.stop().await;
    restored.stop().await;
}

on_both!(
    events_arrive_once_and_in_order,
    a_server_killed_under_load_misses_nothing_and_gets_nothing_twice,
    a_server_that_lost_its_disk_gets_everything_again,
    an_exporter_that_is_dropped_in_the_middle_goes_on_where_the_stream_stands,
    two_exporters_at_once_publish_nothing_twice,
    without_a_server_everything_else_goes_on,
    an_exercise_has_its_own_stream_and_is_finished_after_its_end,
    an_event_that_is_too_large_goes_without_its_data_and_holds_nothing_up,
    a_stream_that_is_not_of_this_log_is_left_alone,
);
