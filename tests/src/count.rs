//! Counting afterwards: everything is read back through the public contracts and compared with what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::{Event, ListEventsRequest, VerifyLogRequest, VerifyLogResponse};
use fenghuo_api::incident::v1::{Incident, ListIncidentsRequest};
use fenghuo_api::notification::v1::{ListNotificationsRequest, NotificationRecord};

use crate::province::Province;

/// The whole log of the real space, once everything committed has its number.
pub async fn events(of: &Province) -> Vec<Event> {
    let mut events = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListEventsRequest { page_size: 1000, page_token, subject: String::new() };
        let answer = of.audit().list_events(request).await.unwrap().into_inner();
        events.extend(answer.events);
        if answer.next_page_token.is_empty() {
            return events;
        }
        page_token = answer.next_page_token;
    }
}

/// Every incident, the closed ones too.
pub async fn incidents(of: &Province) -> Vec<Incident> {
    let mut incidents = Vec::new();
    let mut page_token = String::new();
    loop {
        let parent = format!("provinces/{}", of.code());
        let request = ListIncidentsRequest { parent, page_size: 500, page_token, include_closed: true };
        let answer = of.incidents().list_incidents(request).await.unwrap().into_inner();
        incidents.extend(answer.incidents);
        if answer.next_page_token.is_empty() {
            return incidents;
        }
        page_token = answer.next_page_token;
    }
}

/// Every notification, outgoing and incoming.
pub async fn notifications(of: &Province) -> Vec<NotificationRecord> {
    let mut notifications = Vec::new();
    let mut page_token = String::new();
    loop {
        let parent = format!("provinces/{}", of.code());
        let request = ListNotificationsRequest { parent, page_size: 500, page_token, ..ListNotificationsRequest::default() };
        let answer = of.notifications().list_notifications(request).await.unwrap().into_inner();
        notifications.extend(answer.notifications);
        if answer.next_page_token.is_empty() {
            return notifications;
        }
        page_token = answer.next_page_token;
    }
}

/// `audit verify` through the contract.
pub async fn verify(of: &Province) -> VerifyLogResponse {
    of.audit().verify_log(VerifyLogRequest {}).await.unwrap().into_inner()
}

/// Panics unless the log of a province verifies, its sequence has no gap, and no record has two events of one revision.
pub async fn assert_whole(of: &Province) -> Vec<Event> {
    let verified = verify(of).await;
    assert!(verified.holds, "{}: the log does not hold: {:#?}", of.code(), verified.faults);
    let events = events(of).await;
    for (event, expected) in events.iter().zip(1_u64..) {
        assert_eq!(event.sequence, expected, "{}: the sequence has a gap", of.code());
    }
    let mut revisions = BTreeSet::new();
    for event in &events {
        assert!(
            revisions.insert((event.subject.clone(), event.revision)),
            "{}: two events of {} {}",
            of.code(),
            event.subject,
            event.revision
        );
    }
    events
}

/// Names of the records of which an event of this type tells, with how often.
pub fn subjects(events: &[Event], kind: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for event in events.iter().filter(|event| event.r#type == kind) {
        *found.entry(event.subject.clone()).or_insert(0) += 1;
    }
    found
}

/// Panics unless every acknowledged name is there, and nothing is there twice. What was not acknowledged may be there or not.
pub fn assert_all_once(what: &str, acknowledged: &BTreeSet<String>, found: &BTreeMap<String, usize>) {
    let missing: Vec<_> = acknowledged.iter().filter(|name| !found.contains_key(*name)).collect();
    assert!(
        missing.is_empty(),
        "{} of {} acknowledged {what} are missing, such as {:?}",
        missing.len(),
        acknowledged.len(),
        missing.first()
    );
    let twice: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{} {what} are there twice, such as {:?}", twice.len(), twice.first());
}

/// Waits until every approved notification of a province has its partner's receipt; how long it took.
pub async fn delivered(of: &Province, names: &BTreeSet<String>, within: Duration) -> Duration {
    let began = Instant::now();
    loop {
        let receipted: BTreeSet<String> = notifications(of)
            .await
            .into_iter()
            .filter(|one| one.delivery.as_ref().is_some_and(|proof| proof.signed_receipt.is_some()))
            .map(|one| one.name)
            .collect();
        let open = names.difference(&receipted).count();
        if open == 0 {
            return began.elapsed();
        }
        assert!(began.elapsed() < within, "{open} of {} notifications have no receipt after {within:?}", names.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
