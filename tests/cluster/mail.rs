//! Two provinces, each as two replicas behind one partner address: notifications flow while the replicas are killed in turn.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fenghuo_api::notification::v1::{AcknowledgeNotificationRequest, PartnerMode};
use fenghuo_durable::new_id;
use fenghuo_tests::count;
use fenghuo_tests::node::{Spec, signal};
use fenghuo_tests::province::Province;
use fenghuo_tests::replicas::{Databases, one_of};
use fenghuo_tests::reports::{county, notify, report, submit};

/// Two replicas whose console addresses differ and whose partner address is one.
async fn province(code: &str, dir: &std::path::Path, databases: &Databases) -> [Province; 2] {
    let spec = Spec::new(code, dir).replicated(&databases.url(code).await).option(&["--shared-listen"]);
    let one = Province::start(&spec).await;
    let two = one.beside(&Spec { partner: one.process.spec().partner.clone(), ..spec.replica("2") });
    [one, two]
}

async fn told(from: &Province, partner: &str) -> String {
    let taken = from.incidents().submit_report(submit(report(county(from.code())))).await.unwrap().into_inner().incident.unwrap();
    let began = Instant::now();
    loop {
        match notify(from, &taken.name, partner).await {
            Ok(name) => return name,
            Err(status) => assert!(began.elapsed() < Duration::from_secs(10), "cannot notify: {status}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What happens to a replica.
#[derive(Clone, Copy)]
enum Blow {
    /// It ends without warning, and starts again later.
    Killed,
    /// It stands still, with its connections open, and goes on later.
    StandsStill,
}

impl Blow {
    fn strike(self, replica: &mut Province) {
        match self {
            Self::Killed => replica.process.kill(),
            Self::StandsStill => signal(replica.process.id(), "STOP"),
        }
    }

    fn mend(self, replica: &mut Province) {
        match self {
            Self::Killed => replica.start_again(),
            Self::StandsStill => signal(replica.process.id(), "CONT"),
        }
    }
}

async fn hit_in_turn(blows: &[Blow]) {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let (mut hubei, mut chongqing) = tokio::join!(province("420000", dir.path(), &databases), province("500000", dir.path(), &databases));
    // Enrolled at one replica each; the others hear of it.
    hubei[0].enrol(&chongqing[0], PartnerMode::Push, None).await;
    chongqing[1].enrol(&hubei[1], PartnerMode::Push, None).await;
    for (of, partner) in [(&hubei, "500000"), (&chongqing, "420000")] {
        for replica in of {
            replica.link_up(partner, Duration::from_secs(20)).await;
        }
    }
    let mut sent = [BTreeSet::new(), BTreeSet::new()];
    let mut longest = Duration::ZERO;
    for (turn, blow) in blows.iter().enumerate() {
        let (side, replica) = (turn % 2, turn / 2 % 2);
        for at in 0..2 {
            sent[0].insert(told(&hubei[at], "500000").await);
            sent[1].insert(told(&chongqing[at], "420000").await);
        }
        blow.strike(if side == 0 { &mut hubei[replica] } else { &mut chongqing[replica] });
        let at = Instant::now();
        let left = 1 - replica;
        let (from_hubei, from_chongqing) = if side == 0 { (&hubei[left], &chongqing[0]) } else { (&hubei[0], &chongqing[left]) };
        sent[0].insert(told(from_hubei, "500000").await);
        sent[1].insert(told(from_chongqing, "420000").await);
        count::delivered(from_hubei, &sent[0], Duration::from_secs(30)).await;
        count::delivered(from_chongqing, &sent[1], Duration::from_secs(30)).await;
        longest = longest.max(at.elapsed());
        blow.mend(if side == 0 { &mut hubei[replica] } else { &mut chongqing[replica] });
    }
    println!(
        "{} replicas hit, {} notifications; all receipts were there at the latest {longest:?} after a blow",
        blows.len(),
        sent[0].len() + sent[1].len()
    );
    acknowledged_at_two_replicas(&chongqing, sent[0].first().unwrap()).await;
    for (of, others, sent) in [(&hubei, &chongqing, &sent[0]), (&chongqing, &hubei, &sent[1])] {
        count::assert_all_once("notifications", sent, &count::subjects(&count::assert_whole(&of[0]).await, "notification.delivered"));
        let received = count::assert_whole(&others[1]).await;
        count::assert_all_once("notifications", sent, &count::subjects(&received, "notification.received"));
        // Every desk of a province sees the same link; one that has just started, once it has read it.
        for replica in of {
            replica.link_up(others[0].code(), Duration::from_secs(10)).await;
        }
    }
}

async fn acknowledged_at_two_replicas(of: &[Province; 2], name: &str) {
    let acknowledge =
        || AcknowledgeNotificationRequest { request_id: new_id().to_string(), name: name.to_owned(), remark: "收到".into() };
    let (mut here, mut there) = (of[0].notifications(), of[1].notifications());
    let calls = tokio::join!(here.acknowledge_notification(acknowledge()), there.acknowledge_notification(acknowledge()));
    one_of("AcknowledgeNotification", calls, &["ALREADY_ACKNOWLEDGED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_on_when_a_replica_of_either_side_is_killed() {
    hit_in_turn(&[Blow::Killed; 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: some minutes"]
async fn mail_goes_on_while_replicas_are_hit_in_turn_for_long() {
    hit_in_turn(&[Blow::Killed, Blow::StandsStill, Blow::Killed, Blow::Killed].repeat(6)).await;
}
