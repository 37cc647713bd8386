//! `kill -9` of either node, or of both, at seeded instants; now and then a second time while the node is starting.

use std::time::{Duration, Instant};

use fenghuo_tests::account;
use fenghuo_tests::province::Province;
use fenghuo_tests::traffic::{Desk, Pace, Traffic};

use crate::databases::Databases;
use crate::outcome::Outcome;
use crate::{CHONGQING, HUBEI, provinces};

/// Kills so many times while officers work on both desks, then counts.
pub(crate) async fn run(databases: Databases, kills: usize, seed: u64) -> Outcome {
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let (mut hubei, mut chongqing) = provinces(&databases, dir.path()).await;
    let mut traffic = Traffic::start(&[Desk::of(&hubei, CHONGQING), Desk::of(&chongqing, HUBEI)], Pace::default(), seed);
    let mut killer = Killer { rng: fastrand::Rng::with_seed(seed), kills: 0, starting: 0, start_time: Vec::new() };
    while killer.kills < kills {
        killer.strike(&mut hubei, &mut chongqing, kills).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    traffic.stop().await;
    let account = account::settle([&hubei, &chongqing], &traffic).await;
    databases.remove(&[HUBEI, CHONGQING]).await;
    killer.start_time.sort();
    let median_ms = killer.start_time.get(killer.start_time.len() / 2).map_or(0, |time| time.as_millis());
    let struck = [
        ("SIGKILL", u64::try_from(killer.kills).unwrap()),
        ("of these while starting", killer.starting),
        ("median start ms", u64::try_from(median_ms).unwrap()),
    ];
    Outcome::new(&format!("kill -9 of either node, {}", databases.kind()), seed, &struck, account, began.elapsed())
}

struct Killer {
    rng: fastrand::Rng,
    kills: usize,
    starting: u64,
    start_time: Vec<Duration>,
}

impl Killer {
    /// Waits for a seeded instant, then kills one node, or each tenth time both, and starts what was killed again.
    async fn strike(&mut self, hubei: &mut Province, chongqing: &mut Province, most: usize) {
        tokio::time::sleep(Duration::from_millis(self.rng.u64(10..1500))).await;
        let mut victims = match self.rng.u8(0..10) {
            0 => vec![hubei, chongqing],
            odd if odd % 2 == 1 => vec![hubei],
            _ => vec![chongqing],
        };
        victims.truncate(most - self.kills);
        for victim in &mut victims {
            victim.process.kill();
            self.kills += 1;
        }
        for victim in victims {
            // To come up takes blocking; the officers go on meanwhile.
            tokio::task::block_in_place(|| self.bring_up(victim, most));
        }
    }

    fn bring_up(&mut self, victim: &mut Province, most: usize) {
        if self.kills < most && self.rng.u8(0..8) == 0 {
            victim.process.start_again_in_vain(Duration::from_millis(self.rng.u64(1..400)));
            (self.kills, self.starting) = (self.kills + 1, self.starting + 1);
        }
        victim.start_again();
        self.start_time.push(victim.process.start_time);
        if self.kills.is_multiple_of(20) {
            eprintln!("{} kills", self.kills);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_acknowledged_is_lost_when_nodes_are_killed_on_sqlite() {
        let outcome = run(Databases::of(None), 8, 1).await;
        assert!(outcome.account.notifications > 0, "{outcome}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_acknowledged_is_lost_when_nodes_are_killed_on_postgres() {
        let outcome = run(Databases::of(Some(fenghuo_durable::testing::postgres_admin_url())), 8, 1).await;
        assert!(outcome.account.notifications > 0, "{outcome}");
    }
}
