//! What one caller may ask for: told with a reason and a time to come back, and no one else's business.

use std::time::Duration;

use fenghuo_api::audit::v1::{ListEventsRequest, WatchEventsRequest};
use fenghuo_durable::SpaceId;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::console::{Client, client, refusal};
use super::{Running, console_with};
use crate::{Limits, from_status};

const REAL: Option<SpaceId> = Some(SpaceId::Real);

fn retry_delay(status: &Status) -> Duration {
    let details = status.get_error_details();
    let told = details.retry_info().and_then(|info| info.retry_delay).unwrap();
    let metadata: u64 = from_status(status).metadata["retryAfterMs"].parse().unwrap();
    assert_eq!(told, Duration::from_millis(metadata));
    told
}

#[tokio::test]
async fn a_person_who_calls_too_often_is_told_when_to_come_back() {
    let running = console_with("127.0.0.1:0", Limits { calls_per_second_per_person: 5, ..Limits::default() }).await;
    let mut viewer = client(&running, Some("viewer"), REAL);
    let mut served = 0;
    let refused = loop {
        match viewer.list_events(ListEventsRequest::default()).await {
            Ok(_) => served += 1,
            Err(refused) => break refused,
        }
    };
    // Ten at once, and what came back during the loop.
    assert!((10..=60).contains(&served), "{served}");
    let told = from_status(&refused);
    assert_eq!((told.code, told.reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
    client(&running, Some("commander"), REAL).list_events(ListEventsRequest::default()).await.unwrap();
    let wait = retry_delay(&refused);
    assert!(wait <= Duration::from_millis(201), "{wait:?}");
    tokio::time::sleep(wait).await;
    viewer.list_events(ListEventsRequest::default()).await.unwrap();
}

async fn watch(mut client: Client) -> Result<tonic::Streaming<fenghuo_api::audit::v1::WatchEventsResponse>, Status> {
    let mut events = client.watch_events(WatchEventsRequest::default()).await?.into_inner();
    events.message().await?;
    Ok(events)
}

#[tokio::test]
async fn a_person_has_so_many_streams_over_all_connections() {
    let running = console_with("127.0.0.1:0", Limits { streams_per_person: 3, ..Limits::default() }).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        // Each over a connection of its own.
        open.push(watch(client(&running, Some("viewer"), REAL)).await.unwrap());
    }
    let refused = watch(client(&running, Some("viewer"), REAL)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "TOO_MANY_STREAMS");
    assert_eq!(retry_delay(&refused), Duration::from_secs(5));
    let _other = watch(client(&running, Some("commander"), REAL)).await.unwrap();
    client(&running, Some("viewer"), REAL).list_events(ListEventsRequest::default()).await.unwrap();
    drop(open.pop());
    free_again(&running).await;
}

async fn free_again(running: &Running) {
    for _ in 0..100 {
        if watch(client(running, Some("viewer"), REAL)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place of the stream that was closed was not given back");
}

#[tokio::test]
async fn the_defaults_leave_a_load_generator_alone() {
    let running = console_with("127.0.0.1:0", Limits::default()).await;
    let viewer = client(&running, Some("viewer"), REAL);
    let calls = (0..256).map(|_| {
        let mut viewer = viewer.clone();
        async move {
            for _ in 0..8 {
                viewer.list_events(ListEventsRequest::default()).await.unwrap();
            }
        }
    });
    futures::future::join_all(calls).await;
    let refused = refusal(client(&running, None, REAL).list_events(ListEventsRequest::default()).await);
    assert_eq!(refused.reason, "TOKEN_MISSING");
}
