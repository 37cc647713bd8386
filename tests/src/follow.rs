//! Following a node's log as a desk does, to know when something showed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::WatchEventsRequest;
use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_durable::SpaceId;
use parking_lot::Mutex;

use crate::province::{Province, signed};

/// An event that showed.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Its sequence number.
    pub sequence: u64,
    /// When it came.
    pub at: Instant,
}

#[derive(Debug, Default)]
struct Seen {
    last: u64,
    by_kind: BTreeMap<String, HashMap<String, Shown>>,
}

/// What a watcher of the real space has seen. It ends with its node; [`Follow::go_on`] continues after the last event.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    seen: Arc<Mutex<Seen>>,
}

impl Follow {
    /// Follows everything from the first event on, on a connection of its own.
    pub async fn start(province: &Province) -> Self {
        let follow = Self::default();
        follow.go_on(province).await;
        follow
    }

    /// Follows the node again after its restart, from the last event that was seen.
    pub async fn go_on(&self, province: &Province) {
        let mut client = AuditServiceClient::new(signed(province.new_channel(), &province.officer, SpaceId::Real));
        let after_sequence = self.seen.lock().last;
        let mut stream = client.watch_events(WatchEventsRequest { after_sequence }).await.unwrap().into_inner();
        let seen = self.seen.clone();
        tokio::spawn(async move {
            while let Ok(Some(message)) = stream.message().await {
                let at = Instant::now();
                let Some(event) = message.event else { continue };
                let mut seen = seen.lock();
                seen.last = event.sequence;
                seen.by_kind.entry(event.r#type).or_default().entry(event.subject).or_insert(Shown { sequence: event.sequence, at });
            }
        });
    }

    /// How many records had an event of this type.
    pub fn count(&self, kind: &str) -> usize {
        self.seen.lock().by_kind.get(kind).map_or(0, HashMap::len)
    }

    /// The first event of this type of each record.
    pub fn all(&self, kind: &str) -> HashMap<String, Shown> {
        self.seen.lock().by_kind.get(kind).cloned().unwrap_or_default()
    }

    /// The first event of this type of a record; waits for it, and panics when it does not come.
    pub async fn shown(&self, kind: &str, subject: &str, within: Duration) -> Shown {
        let end = Instant::now() + within;
        loop {
            if let Some(shown) = self.seen.lock().by_kind.get(kind).and_then(|subjects| subjects.get(subject)) {
                return *shown;
            }
            assert!(Instant::now() < end, "no {kind} of {subject} in {within:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many records had an event of this type; panics when they do not come.
    pub async fn reached(&self, kind: &str, count: usize, within: Duration) {
        let end = Instant::now() + within;
        while self.count(kind) < count {
            assert!(Instant::now() < end, "{} of {count} {kind} after {within:?}", self.count(kind));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
