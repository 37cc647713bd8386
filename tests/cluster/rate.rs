//! What replicas cost and give: reports a second at one and at two of them. Printed, not judged: it depends on the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fenghuo_tests::count;
use fenghuo_tests::province::Province;
use fenghuo_tests::replicas::{Databases, two};
use fenghuo_tests::reports::{county, report, submit};

const CODE: &str = "420000";
const LASTS: Duration = Duration::from_secs(8);

/// Writers take turns among these replicas; reports that were acknowledged in a second.
async fn rate(replicas: &[&Province], writers: usize) -> f64 {
    let taken = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + LASTS;
    let writing: Vec<_> = (0..writers)
        .map(|writer| {
            let (mut desk, taken) = (replicas[writer % replicas.len()].incidents(), taken.clone());
            tokio::spawn(async move {
                while Instant::now() < end {
                    desk.submit_report(submit(report(county(CODE)))).await.unwrap();
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for writer in writing {
        writer.await.unwrap();
    }
    taken.load(Ordering::Relaxed) as f64 / LASTS.as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn reports_a_second_at_one_and_at_two_replicas() {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let (one, two) = two(CODE, dir.path(), &databases).await;
    for writers in [1, 4, 16] {
        let (at_one, at_two) = (rate(&[&one], writers).await, rate(&[&one, &two], writers).await);
        println!("{writers} writers: {at_one:.0} reports/s at one replica, {at_two:.0} over two");
    }
    count::assert_whole(&two).await;
}
