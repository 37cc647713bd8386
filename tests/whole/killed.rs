//! The smallest whole: two nodes, a report, a notification, both killed, everything still there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use fenghuo_tests::count;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::pair;
use fenghuo_tests::reports::{county, notify, report, submit};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_both_nodes() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hubei, mut chongqing) = pair(&Spec::new("420000", dir.path()), &Spec::new("500000", dir.path())).await;
    let taken = hubei.incidents().submit_report(submit(report(county("420000")))).await.unwrap().into_inner();
    let told = notify(&hubei, &taken.incident.unwrap().name, "500000").await.unwrap();
    hubei.kill_and_restart();
    chongqing.kill_and_restart();
    count::delivered(&hubei, &BTreeSet::from([told.clone()]), Duration::from_secs(20)).await;
    let events = count::assert_whole(&hubei).await;
    count::assert_all_once("reports", &BTreeSet::from([taken.report.unwrap().name]), &count::subjects(&events, "report.taken"));
    count::assert_whole(&chongqing).await;
    assert!(count::notifications(&chongqing).await.iter().any(|one| one.name == told));
}
