//! Replicas behind one address: each serves some of the connections, and a client whose replica is killed goes on with another.

use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::WatchEventsRequest;
use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_durable::SpaceId;
use fenghuo_tests::count;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, signed};
use fenghuo_tests::replicas::Databases;
use fenghuo_tests::reports::{county, report, submit};

const CODE: &str = "420000";

fn calls(of: &Province) -> usize {
    of.process.log().matches("IncidentService/SubmitReport").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_outlives_each_of_its_replicas() {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let spec = Spec::new(CODE, dir.path()).replicated(&databases.url(CODE).await).option(&["--shared-listen"]);
    let mut one = Province::start(&spec).await;
    // The second one listens where the first one does.
    let mut two =
        one.beside(&Spec { console: one.process.spec().console.clone(), partner: one.process.spec().partner.clone(), ..spec.replica("2") });
    assert_eq!(one.process.ready.console_url, two.process.ready.console_url);
    let connections: Vec<_> = (0..16).map(|_| one.new_channel()).collect();
    for channel in &connections {
        let mut client = IncidentServiceClient::new(signed(channel.clone(), &one.officer, SpaceId::Real));
        client.submit_report(submit(report(county(CODE)))).await.unwrap();
    }
    let served = (calls(&one), calls(&two));
    println!("16 connections: {} at one replica, {} at the other", served.0, served.1);
    assert!(served.0 > 0 && served.1 > 0, "one replica served all of {served:?}");

    // A watcher on each connection; one replica is killed; every client goes on where it was.
    let mut seen: Vec<(u64, AuditServiceClient<_>)> =
        connections.iter().map(|channel| (0, AuditServiceClient::new(signed(channel.clone(), &one.officer, SpaceId::Real)))).collect();
    let before = count::events(&one).await.len() as u64;
    for (last, audit) in &mut seen {
        *last = read_on(audit, *last, before).await;
    }
    one.process.kill();
    let killed = Instant::now();
    for channel in &connections {
        let mut client = IncidentServiceClient::new(signed(channel.clone(), &one.officer, SpaceId::Real));
        let request = submit(report(county(CODE)));
        while client.submit_report(request.clone()).await.is_err() {
            assert!(killed.elapsed() < Duration::from_secs(20), "no replica answers");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let took = killed.elapsed();
    let after = count::events(&two).await.len() as u64;
    assert!(after > before);
    for (last, audit) in &mut seen {
        *last = read_on(audit, *last, after).await;
    }
    println!("16 clients had each got a report taken {took:?} after one of two replicas was killed");
    count::assert_whole(&two).await;

    // It comes back, and the other one goes: a rolling restart.
    one.start_again();
    two.process.stop();
    one.new_channel();
    for _ in 0..4 {
        let mut client = IncidentServiceClient::new(signed(one.new_channel(), &one.officer, SpaceId::Real));
        client.submit_report(submit(report(county(CODE)))).await.unwrap();
    }
    count::assert_whole(&one).await;
}

/// Reads a stream of the log on from a number to another; no event is left out and none comes twice, wherever the stream comes from.
async fn read_on(audit: &mut AuditServiceClient<fenghuo_tests::province::Signed>, mut last: u64, to: u64) -> u64 {
    let began = Instant::now();
    while last < to {
        assert!(began.elapsed() < Duration::from_secs(20), "read {last} of {to} events");
        let Ok(stream) = audit.watch_events(WatchEventsRequest { after_sequence: last }).await else { continue };
        let mut stream = stream.into_inner();
        while last < to
            && let Ok(Some(message)) = stream.message().await
        {
            if let Some(event) = message.event {
                assert_eq!(event.sequence, last + 1);
                last = event.sequence;
            }
        }
    }
    last
}
