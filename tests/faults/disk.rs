//! A full disk: the data of a node on a small tmpfs, filled while groups of writes are under way, freed again, filled and the node killed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fenghuo_tests::node::{Process, Spec};
use fenghuo_tests::province::{Province, pair};
use fenghuo_tests::traffic::{Desk, Pace, Traffic};
use fenghuo_tests::{account, conditions};

use crate::outcome::Outcome;
use crate::postgres::open_to_all;
use crate::server::Server;
use crate::{CHONGQING, HUBEI};

const SIZE_MB: u64 = 48;
/// Room for the reports of one round, with the WAL.
const ROUND_MB: u64 = 40;

/// A small file system in memory; it goes when dropped.
struct Small {
    place: PathBuf,
}

impl Small {
    fn mount(place: &Path, megabytes: u64) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let size = format!("size={megabytes}m,mode=0755");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "fenghuo-small"]).arg(place).status().unwrap();
        assert!(status.success(), "a tmpfs cannot be mounted");
        Self { place: place.to_owned() }
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }

    /// Fills it but for so many bytes.
    fn fill(&self, but: u64) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        let block = vec![0_u8; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&block[..512]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(but)).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
    }
}

/// Why nothing can be mounted here, in a line, if nothing can.
pub(crate) fn missing() -> Option<String> {
    (!rustix::process::geteuid().is_root()).then(|| "to mount a tmpfs is for root".to_owned())
}

/// Fills Hubei's disk so many times, kills its node once while the disk is full, counts.
pub(crate) async fn run(rounds: u64, seed: u64) -> Outcome {
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let spec = |code| Spec::new(code, dir.path()).with("FENGHUO_ACKNOWLEDGE_WITHIN_S", "2");
    // What is taken in between stays there: it must not fill the disk by itself.
    let small = Small::mount(&dir.path().join(HUBEI).join("data"), SIZE_MB + rounds * ROUND_MB);
    let (mut hubei, chongqing) = pair(&spec(HUBEI), &spec(CHONGQING)).await;
    // Many writers at the full disk, so that a group has many members.
    let busy = Pace { writers: 12, pause: Duration::from_millis(5), notify_each: 6, acknowledge: true };
    let mut traffic = Traffic::start(&[Desk::of(&hubei, CHONGQING)], busy, seed);
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..rounds {
        fill_and_free(&small, &mut rng, &hubei, &traffic).await;
    }
    let refused_start = kill_while_full(&small, &mut hubei);
    tokio::time::sleep(Duration::from_secs(1)).await;
    traffic.stop().await;
    let account = account::settle([&hubei, &chongqing], &traffic).await;
    let log = hubei.process.log();
    let refused = account.failures.get("UNAVAILABLE DISK_FULL").copied().unwrap_or(0);
    let struck = [
        ("times filled", rounds + 1),
        ("calls answered DISK_FULL", refused),
        ("groups of writes that were void", log.matches("a group of writes was void").count() as u64),
        ("killed while full", 1),
        ("starts refused while full", u64::from(refused_start)),
    ];
    assert!(struck[..4].iter().all(|(_, count)| *count > 0), "something did not strike: {struck:?}");
    Outcome::new("a full disk, SQLite", seed, &struck, account, began.elapsed())
}

/// Fills the disk but for a little, so that it is full in the middle of a group or of the WAL's growth; frees it when callers have heard of it.
async fn fill_and_free(small: &Small, rng: &mut fastrand::Rng, hubei: &Province, traffic: &Traffic) {
    let heard = || traffic.ledger.failures().get("UNAVAILABLE DISK_FULL").copied().unwrap_or(0);
    let before = heard();
    small.fill(rng.u64(0..600_000));
    let began = Instant::now();
    while heard() < before + 5 {
        assert!(began.elapsed() < Duration::from_secs(120), "nobody hears of the full disk: {:?}", traffic.ledger.failures());
        tokio::time::sleep(Duration::from_millis(20)).await;
        if began.elapsed() > Duration::from_secs(5) {
            // The WAL goes round in space that it has; what is left beside it must not feed it for minutes.
            small.fill(0);
        }
    }
    conditions::told(hubei, "DISK_FULL", Duration::from_secs(10)).await;
    tokio::time::sleep(Duration::from_millis(rng.u64(0..1500))).await;
    small.free();
    // All goes on without a restart.
    let (answered, began) = (traffic.ledger.answered(), Instant::now());
    while traffic.ledger.answered() < answered + 20 {
        let log = hubei.process.log_tail();
        assert!(began.elapsed() < Duration::from_secs(30), "nothing is taken 30 s after there is space again:\n{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills the node while its disk is full; whether a start was refused meanwhile, in words that say why. Afterwards it runs.
fn kill_while_full(small: &Small, hubei: &mut Province) -> bool {
    small.fill(0);
    std::thread::sleep(Duration::from_millis(500));
    hubei.process.kill();
    small.fill(0);
    let refused = match tokio::task::block_in_place(|| Process::try_start(hubei.process.spec())) {
        Ok(mut started) => {
            started.kill();
            false
        }
        Err(why) => {
            assert!(why.contains("disk is full"), "a start on a full disk says what is wrong: {why}");
            true
        }
    };
    small.free();
    tokio::task::block_in_place(|| hubei.start_again());
    refused
}

/// Fills the disk of a PostgreSQL under both nodes: it refuses or panics; after there is space and, if it ended, a start, all goes on.
pub(crate) async fn run_postgres(rounds: u64, seed: u64) -> Outcome {
    let began = Instant::now();
    let dir = tempfile::Builder::new().prefix("fenghuo-faults-").tempdir_in("/tmp").unwrap();
    let small = Small::mount(&open_to_all(dir.path(), "server"), 320);
    let server = Server::start(&small.place);
    let databases = crate::databases::Databases::of(Some(server.url()));
    let (hubei, chongqing) = crate::provinces(&databases, &dir.path().join("nodes")).await;
    let pace = Pace { writers: 6, pause: Duration::from_millis(5), ..Pace::default() };
    let mut traffic = Traffic::start(&[Desk::of(&hubei, CHONGQING), Desk::of(&chongqing, HUBEI)], pace, seed);
    let mut ends = 0;
    for _ in 0..rounds {
        let before: u64 = traffic.ledger.failures().values().sum();
        small.fill(0);
        let filled = Instant::now();
        while traffic.ledger.failures().values().sum::<u64>() < before + 5 {
            assert!(filled.elapsed() < Duration::from_secs(120), "PostgreSQL has space for ever: {:?}", traffic.ledger.failures());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        small.free();
        tokio::time::sleep(Duration::from_secs(2)).await;
        if !server.is_running() {
            ends += 1;
            tokio::task::block_in_place(|| server.start_again());
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    traffic.stop().await;
    let account = account::settle([&hubei, &chongqing], &traffic).await;
    let full = server.log().matches("No space left on device").count() as u64;
    assert!(full > 0, "PostgreSQL never said that there is no space");
    let panics = server.log().matches("PANIC:").count() as u64;
    let struck = [("times filled", rounds), ("lines of ENOSPC in PostgreSQL's log", full), ("panics", panics), ("started again", ends)];
    let outcome = Outcome::new("a full disk, PostgreSQL", seed, &struck, account, began.elapsed());
    drop(server);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_disk_takes_nothing_back_and_all_goes_on_when_there_is_space() {
        if let Some(why) = missing() {
            return println!("skipped: {why}");
        }
        let outcome = run(2, 1).await;
        assert!(outcome.account.notifications > 0, "{outcome}");
    }
}
