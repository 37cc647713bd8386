//! PostgreSQL under the nodes: stopped and started, crashed, its sessions ended in mid-transaction, and connections cut when COMMIT was sent and
//! its answer is on the way.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fenghuo_tests::account;
use fenghuo_tests::province::Province;
use fenghuo_tests::traffic::{Desk, Pace, Traffic};
use sqlx::Connection as _;

use crate::databases::Databases;
use crate::outcome::Outcome;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::{CHONGQING, HUBEI, provinces};

/// A caller hears of a database that is down within this.
const HEARD_WITHIN_MS: u64 = 9_000;

/// How much is broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds of restarts: a fast one and a crash each.
    pub(crate) restarts: u64,
    /// How long sessions are ended, and how long COMMITs are cut.
    pub(crate) each: Duration,
}

/// Starts a server of its own, strikes, counts.
pub(crate) async fn run(plan: Plan, seed: u64) -> Outcome {
    let began = Instant::now();
    let dir = tempfile::Builder::new().prefix("fenghuo-faults-").tempdir_in("/tmp").unwrap();
    let server = Server::start(&open_to_all(dir.path(), "server"));
    let proxy = Proxy::to(server.port(), seed).await;
    let databases = Databases::of(Some(format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port)));
    let (hubei, chongqing) = provinces(&databases, &dir.path().join("nodes")).await;
    let desks = [Desk::of(&hubei, CHONGQING), Desk::of(&chongqing, HUBEI)];
    let mut traffic = Traffic::start(&desks, Pace::default(), seed);
    let mut rng = fastrand::Rng::with_seed(seed);

    let (ended, in_transaction) = end_sessions(&server, plan.each, &mut rng).await;
    proxy.cut_one_of(12);
    tokio::time::sleep(plan.each).await;
    proxy.cut_one_of(0);
    let mut resumed_ms = 0;
    for _ in 0..plan.restarts {
        for mode in ["fast", "immediate"] {
            let down = Duration::from_millis(rng.u64(0..4000));
            resumed_ms = resumed_ms.max(restart(&server, mode, down, [&hubei, &chongqing], &traffic).await);
            tokio::time::sleep(Duration::from_millis(rng.u64(500..2000))).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    traffic.stop().await;
    let account = account::settle([&hubei, &chongqing], &traffic).await;
    assert!(account.longest_failure_ms < HEARD_WITHIN_MS, "a caller waited {} ms for a failure", account.longest_failure_ms);
    let crashes = server.log().matches("database system was not properly shut down").count() as u64;
    let (after, before) = (proxy.cuts.after_commit.load(Ordering::Relaxed), proxy.cuts.before_commit.load(Ordering::Relaxed));
    let struck = [
        ("sessions ended", ended),
        ("of these in a transaction", in_transaction),
        ("answers to COMMIT cut off", after),
        ("COMMITs cut off", before),
        ("fast restarts", plan.restarts),
        ("crashes that PostgreSQL recovered from", crashes),
        ("ms until reports were taken again, at most", resumed_ms),
    ];
    assert!(struck[..5].iter().all(|(_, count)| *count > 0), "something did not strike: {struck:?}");
    assert_eq!(crashes, plan.restarts, "the server's log tells of its crashes");
    Outcome::new("PostgreSQL restarted, its connections cut", seed, &struck, account, began.elapsed())
}

/// A folder that the user postgres may enter.
pub(crate) fn open_to_all(parent: &std::path::Path, name: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let dir = parent.join(name);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Ends sessions of the nodes, whatever they are at, for so long; how many, and how many of them were in a transaction.
async fn end_sessions(server: &Server, lasting: Duration, rng: &mut fastrand::Rng) -> (u64, u64) {
    let mut own = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    let sql = "SELECT COUNT(*) FILTER (WHERE ended), COUNT(*) FILTER (WHERE ended AND busy) FROM (
        SELECT pg_terminate_backend(pid) AS ended, busy FROM (
            SELECT pid, xact_start IS NOT NULL AS busy FROM pg_stat_activity
            WHERE datname LIKE 'fault%' AND backend_type = 'client backend' ORDER BY xact_start IS NULL, random() LIMIT 2) AS chosen) AS counted";
    let end = Instant::now() + lasting;
    let (mut ended, mut in_transaction) = (0, 0);
    while Instant::now() < end {
        let (all, busy): (i64, i64) = sqlx::query_as(sql).fetch_one(&mut own).await.unwrap();
        ended += all.unsigned_abs();
        in_transaction += busy.unsigned_abs();
        tokio::time::sleep(Duration::from_millis(rng.u64(20..300))).await;
    }
    (ended, in_transaction)
}

/// Stops the server, leaves it down for a while, starts it; how many milliseconds later both nodes had taken a report again.
async fn restart(server: &Server, mode: &str, down: Duration, provinces: [&Province; 2], traffic: &Traffic) -> u64 {
    tokio::task::block_in_place(|| server.stop(mode));
    tokio::time::sleep(down).await;
    tokio::task::block_in_place(|| server.start_again());
    let began = Instant::now();
    let answered = |code: &str| traffic.ledger.entries().iter().filter(|entry| entry.desk == code && entry.answer.is_some()).count();
    let before = provinces.map(|province| answered(province.code()));
    while provinces.iter().zip(before).any(|(province, before)| answered(province.code()) == before) {
        assert!(began.elapsed() < Duration::from_secs(30), "no report is taken 30 s after PostgreSQL is back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_database_that_restarts_and_loses_connections_takes_everything_once() {
        if let Some(why) = crate::server::missing() {
            return println!("skipped: {why}");
        }
        let outcome = run(Plan { restarts: 1, each: Duration::from_secs(3) }, 1).await;
        assert!(outcome.account.reports > 0, "{outcome}");
    }
}
