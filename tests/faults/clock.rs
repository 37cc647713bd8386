//! The clock of a running node stepped by an hour, ahead and back, by libfaketime with a file that changes; monotonic time stays true.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fenghuo_api::notification::v1::ListPartnersRequest;
use fenghuo_durable::wall;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, pair};
use fenghuo_tests::traffic::{Desk, Pace, Traffic};
use fenghuo_tests::{account, conditions, count};

use crate::outcome::Outcome;
use crate::{CHONGQING, HUBEI};

const HOUR_S: i64 = 3600;
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

fn library() -> Option<&'static str> {
    LIBRARIES.into_iter().find(|path| Path::new(path).is_file())
}

/// Why no clock can be stepped here, in a line, if none can.
pub(crate) fn missing() -> Option<String> {
    library().is_none().then(|| "libfaketime is not installed (Debian: faketime)".to_owned())
}

/// Steps Hubei's clock an hour ahead, to rights, an hour back, to rights, and ahead once more; works for about so long after each step.
pub(crate) async fn run(each: Duration, seed: u64) -> Outcome {
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let clock = Faked { file: dir.path().join("offset") };
    clock.set(0);
    let spec = |code| Spec::new(code, dir.path()).with("FENGHUO_ACKNOWLEDGE_WITHIN_S", "2");
    let (mut hubei, chongqing) = pair(&clock.under(spec(HUBEI)), &spec(CHONGQING)).await;
    assert_offset(&hubei, 0).await;
    let mut traffic = Traffic::start(&[Desk::of(&hubei, CHONGQING), Desk::of(&chongqing, HUBEI)], Pace::default(), seed);
    let mut differences = Vec::new();
    // It ends ahead, so that whatever was due by the clock that was ahead before is due by then.
    for offset in [HOUR_S, 0, -HOUR_S, 0, HOUR_S] {
        clock.set(offset);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_offset(&hubei, offset).await;
        let answered = traffic.ledger.answered();
        tokio::time::sleep(each.max(Duration::from_secs(5))).await;
        differences.push(difference_s(&chongqing, HUBEI).await);
        told(&hubei, &chongqing, offset != 0).await;
        assert!(traffic.ledger.answered() > answered, "nothing is taken with the clock {offset} s off");
        let verified = count::verify(&hubei).await;
        assert!(verified.holds, "with the clock {offset} s off: {:?}", verified.faults);
    }
    assert!(differences.iter().zip([HOUR_S, 0, -HOUR_S, 0, HOUR_S]).all(|(seen, set)| (seen - set).abs() <= 5), "{differences:?}");
    // A start under a clock that is off is a start like any other.
    tokio::task::block_in_place(|| hubei.kill_and_restart());
    traffic.stop().await;
    let account = account::settle([&hubei, &chongqing], &traffic).await;
    let log = hubei.process.log();
    let alarms = log.matches("ALARM: this machine's clock was set").count() as u64;
    let struck = [
        ("steps of an hour, seen in the node's own time", 5),
        ("alarms of the node", alarms),
        ("times it was consistent again", log.matches("clock is consistent again").count() as u64),
        ("alarms of the partner", chongqing.process.log().matches("ALARM: the clocks of the two nodes").count() as u64),
        ("remarks of audit verify", count::verify(&hubei).await.remarks.len() as u64),
    ];
    assert!(struck[1..].iter().all(|(_, count)| *count >= 2), "an alarm is missing: {struck:?}");
    Outcome::new("the clock stepped by an hour both ways", seed, &struck, account, began.elapsed())
}

struct Faked {
    file: PathBuf,
}

impl Faked {
    /// The node under this clock.
    fn under(&self, spec: Spec) -> Spec {
        spec.with("LD_PRELOAD", library().unwrap())
            .with("FAKETIME_TIMESTAMP_FILE", &self.file.display().to_string())
            .with("FAKETIME_CACHE_DURATION", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .with("DONT_FAKE_MONOTONIC", "1")
            .with("NO_FAKE_STAT", "1")
    }

    /// So many seconds ahead of true time from now on.
    fn set(&self, offset_s: i64) {
        // In one piece: the library must never read half a file.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{offset_s:+}\n")).unwrap();
        std::fs::rename(&new, &self.file).unwrap();
    }
}

/// Panics unless the node itself says that its clock is so far off.
async fn assert_offset(node: &Province, offset_s: i64) {
    let seen = node.wall_time().await.duration_since(wall::now()).as_secs();
    assert!((seen - offset_s).abs() <= 3, "the clock of {} should be {offset_s} s off and is {seen} s off", node.code());
}

/// Both desks say that Hubei's clock is wrong while it is, and no longer.
async fn told(hubei: &Province, chongqing: &Province, wrong: bool) {
    const SOON: Duration = Duration::from_secs(15);
    if wrong {
        conditions::told(hubei, "CLOCK_STEPPED", SOON).await;
        conditions::told(chongqing, "CLOCK_APART", SOON).await;
    } else {
        conditions::over(hubei, "CLOCK_STEPPED", SOON).await;
        conditions::over(chongqing, "CLOCK_APART", SOON).await;
    }
}

/// How far the partner's clock is ahead, as the desk shows it.
async fn difference_s(at: &Province, partner: &str) -> i64 {
    let listed = at.directory().list_partners(ListPartnersRequest::default()).await.unwrap().into_inner();
    let found = listed.partners.into_iter().find(|one| one.province_code == partner).unwrap();
    found.clock_difference_ms.unwrap() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn timers_fire_once_whatever_the_clock_does() {
        if let Some(why) = missing() {
            return println!("skipped: {why}");
        }
        let outcome = run(Duration::from_secs(5), 1).await;
        assert!(outcome.account.clocks_missed > 0, "{outcome}");
    }
}
