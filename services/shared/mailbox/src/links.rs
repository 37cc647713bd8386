//! How the links to the partners stand now, for the desk: in memory, and each change of state also in the space's log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_durable::{SpaceId, wall};
use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use tokio::sync::{Notify, watch};

/// Two nodes' clocks further apart than this are an alarm.
pub const CLOCK_ALARM: SignedDuration = SignedDuration::from_secs(5);

/// State of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkState {
    /// Not tried yet.
    #[default]
    Unknown,
    /// The last exchange succeeded.
    Up,
    /// The last exchange failed; it is repeated.
    Down,
    /// The two sides disagree about a position: stopped until a person acts.
    Diverged,
}

impl LinkState {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Diverged => "diverged",
        }
    }

    /// The state of a stable name; unknown if there is no such one.
    pub(crate) fn from_name(name: &str) -> Self {
        [Self::Up, Self::Down, Self::Diverged].into_iter().find(|state| state.as_str() == name).unwrap_or_default()
    }

    /// For the desk.
    pub fn text_zh(self) -> &'static str {
        match self {
            Self::Unknown => "未知",
            Self::Up => "畅通",
            Self::Down => "中断",
            Self::Diverged => "数据不一致,已停止",
        }
    }
}

/// How one link stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkStatus {
    /// State.
    pub state: LinkState,
    /// Since when, wall time.
    pub since: Option<Timestamp>,
    /// Last success, wall time.
    pub last_contact: Option<Timestamp>,
    /// Last error in words; empty if none.
    pub last_error: String,
    /// Their wall clock less ours, in milliseconds.
    pub clock_difference_ms: Option<i64>,
}

/// What a handshake says of the sender's stream: epoch, position, digest.
pub(crate) type Claim = (u64, u64, Vec<u8>);

/// The same claim so much later was not merely late on its way: a sender that is well has made a good call in between (it does so every three
/// seconds at least).
const CLAIMED_AGAIN: Duration = Duration::from_secs(4);

/// The links of a node, by space and partner.
#[derive(Debug)]
pub struct Links {
    known: RwLock<HashMap<(SpaceId, String), LinkStatus>>,
    callers: RwLock<HashMap<(SpaceId, String), Arc<Notify>>>,
    /// When each partner was last in contact, by the monotonic clock.
    heard: RwLock<HashMap<(SpaceId, String), Instant>>,
    /// Positions that partners claimed and that cannot be, with when they did so first.
    claims: RwLock<HashMap<(SpaceId, String), (Claim, Instant)>>,
    changed: watch::Sender<u64>,
}

impl Links {
    /// No link was tried yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            known: RwLock::default(),
            callers: RwLock::default(),
            heard: RwLock::default(),
            claims: RwLock::default(),
            changed: watch::Sender::new(0),
        })
    }

    /// How the link to a partner stands in a space.
    pub fn status(&self, space: SpaceId, partner: &str) -> LinkStatus {
        self.known.read().get(&(space, partner.to_owned())).cloned().unwrap_or_default()
    }

    /// Every link of a space, by partner.
    pub fn of(&self, space: SpaceId) -> Vec<(String, LinkStatus)> {
        let known = self.known.read();
        known.iter().filter(|((of, _), _)| *of == space).map(|((_, partner), status)| (partner.clone(), status.clone())).collect()
    }

    /// Wakes when a state changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The partner reached us, and its call succeeded.
    pub(crate) fn contact(&self, space: SpaceId, partner: &str) {
        self.claims.write().remove(&(space, partner.to_owned()));
        self.heard.write().insert((space, partner.to_owned()), Instant::now());
        self.known.write().entry((space, partner.to_owned())).or_default().last_contact = Some(wall::now());
    }

    /// The partner reached us, and its call failed for a reason of ours: it is not silent.
    pub(crate) fn heard(&self, space: SpaceId, partner: &str) {
        self.heard.write().insert((space, partner.to_owned()), Instant::now());
    }

    /// When the partner was last in contact, here or with another replica; `None` since the start of this one.
    pub(crate) fn last_heard(&self, space: SpaceId, partner: &str) -> Option<Instant> {
        self.heard.read().get(&(space, partner.to_owned())).copied()
    }

    /// Did the partner make this same claim before, not just now, and has it made no good call since?
    pub(crate) fn claimed_again(&self, space: SpaceId, partner: &str, claim: Claim, now: Instant) -> bool {
        let mut claims = self.claims.write();
        match claims.get(&(space, partner.to_owned())) {
            Some((before, at)) if *before == claim => now.duration_since(*at) >= CLAIMED_AGAIN,
            _ => {
                claims.insert((space, partner.to_owned()), (claim, now));
                false
            }
        }
    }

    /// The partner opened its stream to us, so it is up: whoever waits to try it again tries at once.
    pub(crate) fn called(&self, space: SpaceId, partner: &str) {
        self.caller(space, partner).notify_waiters();
    }

    /// Told when a partner calls.
    pub(crate) fn caller(&self, space: SpaceId, partner: &str) -> Arc<Notify> {
        self.callers.write().entry((space, partner.to_owned())).or_default().clone()
    }

    /// Takes up what the database has of a link: another replica may have set it. The later state holds; `sends` says whether this replica is
    /// the one that sends, and so knows the last error best.
    pub(crate) fn learn(&self, space: SpaceId, partner: &str, shared: LinkStatus, sends: bool) {
        let mut known = self.known.write();
        let own = known.entry((space, partner.to_owned())).or_default();
        let before = (own.state, own.since, own.last_error.clone());
        if own.state == LinkState::Unknown || shared.state == own.state || shared.since > own.since {
            (own.state, own.since) = (shared.state, shared.since);
        }
        if !sends {
            own.last_error = shared.last_error;
            own.clock_difference_ms = shared.clock_difference_ms.or(own.clock_difference_ms);
        }
        if shared.last_contact > own.last_contact {
            own.last_contact = shared.last_contact;
            self.heard.write().insert((space, partner.to_owned()), Instant::now());
        }
        let news = before != (own.state, own.since, own.last_error.clone());
        drop(known);
        if news {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Notes the two clocks; an alarm in the log when they are too far apart.
    pub(crate) fn clock(&self, space: SpaceId, partner: &str, difference: SignedDuration) {
        let ms = i64::try_from(difference.as_millis()).unwrap_or(i64::MAX);
        let mut known = self.known.write();
        let status = known.entry((space, partner.to_owned())).or_default();
        let apart = |ms: Option<i64>| ms.is_some_and(|ms| SignedDuration::from_millis(ms).abs() > CLOCK_ALARM);
        let before = apart(status.clock_difference_ms);
        status.clock_difference_ms = Some(ms);
        if apart(Some(ms)) && !before {
            tracing::error!(partner, difference_ms = ms, "ALARM: the clocks of the two nodes are more than 5 s apart");
        }
    }

    /// Sets the state; the new status, if the state is another than before.
    pub(crate) fn set(&self, space: SpaceId, partner: &str, state: LinkState, error: &str) -> Option<LinkStatus> {
        let mut known = self.known.write();
        let status = known.entry((space, partner.to_owned())).or_default();
        let now = wall::now();
        if state == LinkState::Up {
            status.last_contact = Some(now);
            self.heard.write().insert((space, partner.to_owned()), Instant::now());
        }
        let moved = status.state != state;
        let new_error = status.last_error != error;
        status.last_error = error.to_owned();
        if moved {
            status.state = state;
            status.since = Some(now);
        }
        let status = status.clone();
        drop(known);
        if moved || new_error {
            self.changed.send_modify(|count| *count += 1);
        }
        moved.then_some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_state_is_news_once_and_a_contact_is_none() {
        let links = Links::new();
        let changes = links.changes();
        assert_eq!(links.status(SpaceId::Real, "500000").state, LinkState::Unknown);
        assert!(links.set(SpaceId::Real, "500000", LinkState::Up, "").is_some());
        assert!(links.set(SpaceId::Real, "500000", LinkState::Up, "").is_none());
        links.contact(SpaceId::Real, "500000");
        let down = links.set(SpaceId::Real, "500000", LinkState::Down, "cut").unwrap();
        assert_eq!((down.last_error.as_str(), down.last_contact.is_some()), ("cut", true));
        assert_eq!(*changes.borrow(), 2);
        // The same state with another reason is shown, and is no new state.
        assert!(links.set(SpaceId::Real, "500000", LinkState::Down, "still cut").is_none());
        assert_eq!(*changes.borrow(), 3);
        assert_eq!(links.status(SpaceId::Exercise(fenghuo_durable::new_id()), "500000").state, LinkState::Unknown);
    }

    #[test]
    fn what_another_replica_knows_later_holds() {
        let (links, space) = (Links::new(), SpaceId::Real);
        let at = |second: i64| Some(Timestamp::from_second(second).unwrap());
        let shared = |state, since, error: &str| LinkStatus {
            state,
            since: at(since),
            last_contact: at(since),
            last_error: error.to_owned(),
            clock_difference_ms: Some(7),
        };
        links.learn(space, "500000", shared(LinkState::Up, 10, ""), false);
        assert_eq!(links.status(space, "500000"), shared(LinkState::Up, 10, ""));
        links.learn(space, "500000", shared(LinkState::Down, 20, "cut"), false);
        assert_eq!(links.status(space, "500000"), shared(LinkState::Down, 20, "cut"));
        // What is set here is later than all that, and an older row changes nothing but for the one that sends.
        links.set(space, "500000", LinkState::Up, "");
        links.learn(space, "500000", shared(LinkState::Down, 20, "cut"), true);
        assert_eq!((links.status(space, "500000").state, links.status(space, "500000").last_error), (LinkState::Up, String::new()));
    }

    #[test]
    fn a_claim_is_believed_when_it_is_made_again_later_and_nothing_good_came_in_between() {
        let (links, space, start) = (Links::new(), SpaceId::Real, Instant::now());
        let claimed =
            |position, after_ms| links.claimed_again(space, "500000", (1, position, vec![1; 32]), start + Duration::from_millis(after_ms));
        assert!(!claimed(5, 0));
        assert!(!claimed(5, 100), "the same message twice on a bad line");
        assert!(claimed(5, 5_000), "a restored sender says it again and again");
        assert!(!claimed(6, 5_000), "another claim");
        links.contact(space, "500000");
        assert!(!claimed(6, 60_000), "the sender is well: what comes late is stale");
    }

    #[test]
    fn the_difference_of_the_clocks_is_kept() {
        let links = Links::new();
        links.clock(SpaceId::Real, "500000", SignedDuration::from_secs(-7));
        assert_eq!(links.status(SpaceId::Real, "500000").clock_difference_ms, Some(-7000));
    }
}
