//! The cable between two provinces: cut, lossy, cut in one direction only, cut in the middle of a delivery. Packets are dropped by nftables in
//! network namespaces; the processes know nothing of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fenghuo_api::notification::v1::{LinkState, ListPartnersRequest, NotificationState};
use fenghuo_tests::namespace::Cable;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, pair};
use fenghuo_tests::traffic::{Desk, Pace, Traffic};
use fenghuo_tests::{account, conditions, count};

use crate::outcome::Outcome;
use crate::{CHONGQING, HUBEI};

/// The desk knows of a cut by then.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
/// Everything is over after a cut by then.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(60);

/// Runs every kind of fault for about so long each, then counts; without `one_way` those that concern one direction are left out.
pub(crate) async fn run(each: Duration, one_way: bool, seed: u64) -> Outcome {
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let cable = Cable::lay();
    let (hubei, chongqing) = pair(&spec(HUBEI, dir.path(), &cable, 0), &spec(CHONGQING, dir.path(), &cable, 1)).await;
    let mut traffic = Traffic::start(&[Desk::of(&hubei, CHONGQING), Desk::of(&chongqing, HUBEI)], Pace::default(), seed);
    let mut line = Line { cable, hubei, chongqing, rng: fastrand::Rng::with_seed(seed), struck: Vec::new() };
    line.cut("cut", [100, 100], each).await;
    line.lossy(each).await;
    if one_way {
        line.cut("cut towards Chongqing", [0, 100], each).await;
        line.cut("cut towards Hubei", [100, 0], each).await;
    }
    line.cut_in_delivery(each).await;
    traffic.stop().await;
    let account = account::settle([&line.hubei, &line.chongqing], &traffic).await;
    let struck: Vec<(&str, u64)> = line.struck.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    Outcome::new("the link cut and lossy, nftables", seed, &struck, account, began.elapsed())
}

fn spec(code: &str, dir: &std::path::Path, cable: &Cable, end: usize) -> Spec {
    let mut spec = Spec::new(code, dir).with("FENGHUO_ACKNOWLEDGE_WITHIN_S", "2");
    spec.before = cable.before(end);
    spec.partner = format!("{}:0", cable.address(end));
    spec
}

struct Line {
    cable: Cable,
    hubei: Province,
    chongqing: Province,
    rng: fastrand::Rng,
    struck: Vec<(String, u64)>,
}

impl Line {
    fn note(&mut self, what: &str, count: u64) {
        self.struck.push((what.to_owned(), count));
    }

    fn drop_packets(&self, percent: [u32; 2]) {
        for (end, percent) in percent.into_iter().enumerate().filter(|(_, percent)| *percent > 0) {
            self.cable.drop_arriving(end, percent);
        }
    }

    /// Heals both ends and proves that packets were dropped.
    fn heal(&mut self, what: &str) {
        let dropped = self.cable.heal_arriving(0) + self.cable.heal_arriving(1);
        self.note_dropped(what, dropped);
    }

    fn note_dropped(&mut self, what: &str, packets: u64) {
        assert!(packets > 0, "{what}: not one packet was dropped");
        self.note(&format!("packets dropped ({what})"), packets);
    }

    /// Cuts; waits until both desks say so; heals; waits until all that waited has come.
    async fn cut(&mut self, what: &str, percent: [u32; 2], at_least: Duration) {
        let began = Instant::now();
        self.drop_packets(percent);
        let (a, b) = tokio::join!(seen_down(&self.hubei, CHONGQING), seen_down(&self.chongqing, HUBEI));
        self.note(&format!("ms until both desks saw it ({what})"), ms(a.max(b)));
        tokio::time::sleep(at_least.saturating_sub(began.elapsed())).await;
        self.heal(what);
        self.caught_up(what).await;
    }

    /// Three of ten packets are lost in either direction, and work goes on.
    async fn lossy(&mut self, lasting: Duration) {
        let before = arrived(&self.hubei).await + arrived(&self.chongqing).await;
        self.drop_packets([30, 30]);
        tokio::time::sleep(lasting).await;
        let come = arrived(&self.hubei).await + arrived(&self.chongqing).await - before;
        self.heal("30 % loss");
        self.note("notifications that came through 30 % loss", come as u64);
        self.caught_up("30 % loss").await;
    }

    /// Lets envelopes pile up, heals, and cuts again while they are delivered, several times.
    async fn cut_in_delivery(&mut self, lasting: Duration) {
        let (end, mut dropped) = (Instant::now() + lasting, 0);
        while Instant::now() < end {
            self.drop_packets([100, 100]);
            tokio::time::sleep(Duration::from_millis(self.rng.u64(500..2500))).await;
            // One cut may fall between two tries of both sides, when nothing is sent.
            dropped += self.cable.heal_arriving(0) + self.cable.heal_arriving(1);
            tokio::time::sleep(Duration::from_millis(self.rng.u64(20..600))).await;
        }
        self.note_dropped("in mid-delivery", dropped);
        self.caught_up("in mid-delivery").await;
    }

    /// Waits until both links are up and what was approved before is delivered.
    async fn caught_up(&mut self, what: &str) {
        let began = Instant::now();
        let waiting = [undelivered(&self.hubei).await, undelivered(&self.chongqing).await];
        self.hubei.link_up(CHONGQING, CAUGHT_UP_WITHIN).await;
        self.chongqing.link_up(HUBEI, CAUGHT_UP_WITHIN).await;
        count::delivered(&self.hubei, &waiting[0], CAUGHT_UP_WITHIN).await;
        count::delivered(&self.chongqing, &waiting[1], CAUGHT_UP_WITHIN).await;
        self.note(&format!("waiting ({what})"), (waiting[0].len() + waiting[1].len()) as u64);
        self.note(&format!("ms until it was delivered ({what})"), ms(began.elapsed()));
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn undelivered(of: &Province) -> BTreeSet<String> {
    let all = count::notifications(of).await;
    all.into_iter().filter(|one| one.state() == NotificationState::Approved).map(|one| one.name).collect()
}

async fn arrived(at: &Province) -> usize {
    let home = format!("provinces/{}/", at.code());
    count::notifications(at).await.iter().filter(|one| !one.name.starts_with(&home)).count()
}

/// How long until the desk says that the link to the partner is down, in the list of partners and in the bar of what is wrong.
async fn seen_down(at: &Province, partner: &str) -> Duration {
    let began = Instant::now();
    loop {
        let listed = at.directory().list_partners(ListPartnersRequest::default()).await.unwrap().into_inner();
        if listed.partners.iter().any(|one| one.province_code == partner && one.link_state() == LinkState::Down) {
            let told = conditions::told(at, "PARTNER_DOWN", SEEN_WITHIN).await;
            assert_eq!(told.subject, partner);
            return began.elapsed();
        }
        assert!(began.elapsed() < SEEN_WITHIN, "{}: the desk does not see the cut after {SEEN_WITHIN:?}", at.code());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_link_that_is_cut_and_lossy_delivers_everything_once() {
        if let Some(why) = fenghuo_tests::namespace::missing() {
            return println!("skipped: {why}");
        }
        let outcome = run(Duration::from_secs(3), false, 1).await;
        assert!(outcome.account.notifications > 0, "{outcome}");
    }
}
