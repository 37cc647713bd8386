use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::*;
use fenghuo_api::identity::v1::{Role, SetGrantsRequest, SetPersonActiveRequest};
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{SpaceId, on_both};
use tonic::{Code, Streaming};

use crate::support::{Node, PROVINCE, Place, fields, grant, id, refused, tamper, write_thing};

on_both!(
    a_county_officer_sees_the_events_of_his_county_alone,
    a_watch_gives_the_backlog_then_each_new_event,
    a_watch_ends_with_the_session_and_with_the_last_grant,
    verify_finds_what_was_changed_behind_the_program,
    what_was_done_to_people_is_shown_to_the_administrator_alone,
);

const REAL: SpaceId = SpaceId::Real;

/// Three events of each of two counties and of the province, in turn.
async fn nine_events(node: &Node) {
    let real = node.spaces.get(REAL).unwrap();
    for _ in 0..3 {
        for (name, code) in [("thing/jianshi", "422822"), ("thing/enshi", "422801"), ("thing/hubei", PROVINCE)] {
            write_thing(real.db(), name, code).await.unwrap();
        }
    }
    until("9 events", || async { (*real.head().borrow() == 9).then_some(()) }).await;
}

async fn all_pages(node: &Node, token: &str, subject: &str, page_size: i32) -> Vec<Event> {
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListEventsRequest { page_size, page_token, subject: subject.to_owned() };
        let page = node.audit(token, REAL).list_events(request).await.unwrap().into_inner();
        assert!(page.events.len() <= page_size as usize);
        seen.extend(page.events);
        if page.next_page_token.is_empty() {
            return seen;
        }
        page_token = page.next_page_token;
    }
}

async fn a_county_officer_sees_the_events_of_his_county_alone(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    let (county, _) = node.person(&admin, "county", vec![grant(Role::DutyOfficer, "422822")]).await;
    let (prefecture, _) = node.person(&admin, "prefecture", vec![grant(Role::Viewer, "422800")]).await;
    nine_events(&node).await;
    let sequences = |events: &[Event]| events.iter().map(|event| event.sequence).collect::<Vec<_>>();
    for size in [1, 2, 3, 100] {
        assert_eq!(sequences(&all_pages(&node, &county, "", size).await), [1, 4, 7], "{size}");
        assert_eq!(sequences(&all_pages(&node, &prefecture, "", size).await), [1, 2, 4, 5, 7, 8], "{size}");
        assert_eq!(sequences(&all_pages(&node, &admin, "", size).await), (1..=9).collect::<Vec<_>>(), "{size}");
        assert_eq!(sequences(&all_pages(&node, &prefecture, "thing/enshi", size).await), [2, 5, 8], "{size}");
        assert_eq!(sequences(&all_pages(&node, &county, "thing/enshi", size).await), Vec::<u64>::new(), "{size}");
    }
    let event = &all_pages(&node, &county, "", 1).await[1];
    assert_eq!((event.revision, event.admin_code.as_str(), event.r#type.as_str()), (2, "422822", "thing.changed"));
    assert!(event.chain_hash.len() == 32 && event.record_digest.len() == 32 && event.space_time.is_some());

    let first = ListEventsRequest { page_size: 1, ..Default::default() };
    let page_token = node.audit(&admin, REAL).list_events(first).await.unwrap().into_inner().next_page_token;
    let elsewhere = ListEventsRequest { page_token, subject: "thing/enshi".into(), page_size: 1 };
    assert_eq!(fields(&refused(node.audit(&admin, REAL).list_events(elsewhere).await)), ["page_token"]);
    let invented = ListEventsRequest { page_token: "x".into(), ..Default::default() };
    assert_eq!(fields(&refused(node.audit(&admin, REAL).list_events(invented).await)), ["page_token"]);
    // The whole log is not his to verify.
    let (commander, _) = node.person(&admin, "commander", vec![grant(Role::Commander, "422822")]).await;
    assert_eq!(refused(node.audit(&commander, REAL).verify_log(VerifyLogRequest {}).await).code, Code::NotFound);
    assert_eq!(refused(node.audit(&county, REAL).verify_log(VerifyLogRequest {}).await).code, Code::PermissionDenied);
    node.stop().await;
}

async fn watch(node: &Node, token: &str, after_sequence: u64) -> Streaming<WatchEventsResponse> {
    node.audit(token, REAL).watch_events(WatchEventsRequest { after_sequence }).await.unwrap().into_inner()
}

/// Numbers of the next events, heartbeats left out.
async fn next(stream: &mut Streaming<WatchEventsResponse>, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let message = tokio::time::timeout(Duration::from_secs(10), stream.message()).await.expect("an event").unwrap().expect("no end");
        assert!(message.space_time.is_some());
        seen.extend(message.event.map(|event| event.sequence));
    }
    seen
}

async fn a_watch_gives_the_backlog_then_each_new_event(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    let (county, _) = node.person(&admin, "county", vec![grant(Role::DutyOfficer, "422822")]).await;
    nine_events(&node).await;
    let real = node.spaces.get(REAL).unwrap();
    let (mut all, mut some, mut new) =
        (watch(&node, &admin, 6).await, watch(&node, &county, 0).await, watch(&node, &admin, u64::MAX).await);
    assert_eq!(next(&mut all, 3).await, [7, 8, 9]);
    assert_eq!(next(&mut some, 3).await, [1, 4, 7]);
    let beyond = refused(node.audit(&admin, REAL).watch_events(WatchEventsRequest { after_sequence: 10 }).await);
    assert_eq!((fields(&beyond), beyond.metadata["head"].as_str()), (vec!["after_sequence"], "9"));

    let written = Instant::now();
    write_thing(real.db(), "thing/enshi", "422801").await.unwrap();
    write_thing(real.db(), "thing/jianshi", "422822").await.unwrap();
    assert_eq!(next(&mut all, 2).await, [10, 11]);
    assert!(written.elapsed() < Duration::from_secs(1), "{:?}", written.elapsed());
    assert_eq!(next(&mut some, 1).await, [11]);
    assert_eq!(next(&mut new, 2).await, [10, 11]);
    // A heartbeat comes by itself.
    let beat = tokio::time::timeout(Duration::from_secs(5), all.message()).await.unwrap().unwrap().unwrap();
    assert!(beat.event.is_none() && beat.space_time.is_some());
    node.stop().await;
}

async fn ending(mut stream: Streaming<WatchEventsResponse>) -> fenghuo_edge::RemoteError {
    let end = async {
        loop {
            match stream.message().await {
                Ok(message) => assert!(message.is_some(), "the stream ended without a word"),
                Err(status) => return fenghuo_edge::from_status(&status),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), end).await.expect("an end")
}

async fn a_watch_ends_with_the_session_and_with_the_last_grant(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    let (one, first) = node.person(&admin, "one", vec![grant(Role::Viewer, PROVINCE)]).await;
    let (two, second) = node.person(&admin, "two", vec![grant(Role::Viewer, PROVINCE)]).await;
    let (one, two) = (watch(&node, &one, 0).await, watch(&node, &two, 0).await);
    let off = SetPersonActiveRequest { request_id: id(), name: first.name, active: false };
    node.people(&admin).set_person_active(off).await.unwrap();
    let none = SetGrantsRequest { request_id: id(), name: second.name, grants: vec![] };
    node.people(&admin).set_grants(none).await.unwrap();
    let (one, two) = tokio::join!(ending(one), ending(two));
    assert_eq!((one.code, one.reason.as_str()), (Code::Unauthenticated, "SESSION_UNKNOWN"));
    assert_eq!((two.code, two.reason.as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    node.stop().await;
}

async fn verify_finds_what_was_changed_behind_the_program(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    nine_events(&node).await;
    until("a sequenced log of the node", || async { node.own.activity().await.unwrap().pending.is_empty().then_some(()) }).await;
    let verify = async || node.audit(&admin, REAL).verify_log(VerifyLogRequest {}).await.unwrap().into_inner();
    let whole = verify().await;
    assert_eq!(whole.faults, Vec::<String>::new());
    // Nine events and three things here; the administrator and his session in the node's own log; seven receipts by the verifier.
    assert_eq!((whole.holds, whole.events, whole.records, whole.receipts), (true, 9 + 2, 3 + 1, 7));
    assert_eq!(whole.head_hash.len(), 32);
    let real = node.spaces.get(REAL).unwrap();
    let mut found = 0;
    for (db, sql, fault) in [
        (real.db(), "UPDATE sample_thing SET body = '{}' WHERE name = 'thing/enshi'", "thing/enshi: is not what event revision 3 left"),
        (real.db(), "UPDATE log_event SET actor = 'nobody' WHERE seq = 4", "event 4: the chain does not hold"),
        (node.own.db(), "UPDATE node_person SET body = REPLACE(body, '管理员', '别人')", "node: provinces/420000/people/"),
        (node.own.db(), "UPDATE log_private SET body = '{}'", "node: event 1: its private part was changed"),
    ] {
        assert!(tamper(db, sql).await > 0, "{sql}");
        let broken = verify_by(&node, &admin, found).await;
        found = broken.len();
        assert!(broken.iter().any(|text| text.starts_with(fault)), "{fault} not in {broken:?}");
    }
    node.stop().await;
}

/// The faults, which are more than before.
async fn verify_by(node: &Node, token: &str, before: usize) -> Vec<String> {
    let answer = node.audit(token, REAL).verify_log(VerifyLogRequest {}).await.unwrap().into_inner();
    assert!(!answer.holds && answer.faults.len() > before, "{:?}", answer.faults);
    answer.faults
}

async fn what_was_done_to_people_is_shown_to_the_administrator_alone(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, me) = node.administrator().await;
    let (viewer, person) = node.person(&admin, "viewer", vec![grant(Role::Viewer, PROVINCE)]).await;
    let none = SetGrantsRequest { request_id: id(), name: person.name.clone(), grants: vec![grant(Role::Viewer, PROVINCE)] };
    node.people(&admin).set_grants(none).await.unwrap();
    let told =
        until("both events", || async { Some(all_pages(&node, &admin, &person.name, 1).await).filter(|events| events.len() == 2) }).await;
    assert_eq!(told.iter().map(|event| event.r#type.as_str()).collect::<Vec<_>>(), ["person.created", "person.grants_set"]);
    assert!(told.iter().all(|event| event.actor == me.name && !event.text_zh.contains("viewer")));
    assert_eq!(all_pages(&node, &viewer, &person.name, 1).await, []);
    node.stop().await;
}
