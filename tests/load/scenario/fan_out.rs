//! The live board: everybody watches while reports come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fenghuo_api::audit::v1::WatchEventsRequest;
use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::time::from_proto;
use fenghuo_durable::{SpaceId, wall};
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, signed};
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tonic::transport::Channel;

use crate::args::Args;
use crate::drive::{CONNECTIONS, Run, closed, keep, open_for, waits};
use crate::figure::Report;
use crate::load_node::{Desk, PROVINCE};

const WATCHERS: [usize; 3] = [8, 64, 512];
/// Reports a second while waits are measured: a great emergency.
const CALM: f64 = 20.0;

/// Measures on SQLite: first at a calm rate, then as many reports as go.
pub async fn run(args: &Args, report: &mut Report) {
    for watchers in WATCHERS {
        let dir = args.folder();
        let province = Province::start(&Spec::new(PROVINCE, dir.path())).await;
        let desk = Desk::of(&province);
        let call = move |connection: usize| {
            let desk = desk.clone();
            async move { desk.submit(connection).await }
        };
        let crowd = Crowd::watch(&province, watchers).await;
        let mut calm = Vec::new();
        for _ in 0..args.runs {
            crowd.take();
            let sent = open_for(args.run_time(), CALM, call.clone()).await;
            calm.push(crowd.all_seen(args.run_time().as_secs_f64(), sent.failed).await);
        }
        report.rate("messages at 20 reports/s; written until shown", watchers, &calm, None);
        let mut full = Vec::new();
        for _ in 0..args.runs {
            crowd.take();
            let sent = closed(&Args { runs: 1, ..args.clone() }, 16, call.clone()).await;
            let seconds = (args.run_time() + args.warm_up_time()).as_secs_f64();
            full.push((crowd.take_as_run(seconds, 0), sent));
            crowd.caught_up().await;
        }
        let (messages, reports): (Vec<_>, Vec<_>) = full.into_iter().unzip();
        report.rate("messages while 16 callers report; written until shown", watchers, &messages, None);
        report.rate("those reports", watchers, &reports.into_iter().flatten().collect::<Vec<_>>(), None);
    }
}

/// Many watchers and what they saw.
struct Crowd {
    watchers: u64,
    shards: Vec<Arc<Mutex<Histogram<u64>>>>,
    /// Messages seen by all together, ever.
    seen: Arc<AtomicU64>,
}

impl Crowd {
    async fn watch(province: &Province, watchers: usize) -> Self {
        let channels: Vec<Channel> = (0..CONNECTIONS).map(|_| province.new_channel()).collect();
        let crowd = Self {
            watchers: watchers as u64,
            shards: (0..CONNECTIONS).map(|_| Arc::new(Mutex::new(waits()))).collect(),
            seen: Arc::default(),
        };
        for number in 0..watchers {
            let at = number % CONNECTIONS;
            let mut client = AuditServiceClient::new(signed(channels[at].clone(), &province.officer, SpaceId::Real));
            let mut stream = client.watch_events(WatchEventsRequest { after_sequence: u64::MAX }).await.unwrap().into_inner();
            let (shard, seen) = (crowd.shards[at].clone(), crowd.seen.clone());
            let mut expected = None;
            tokio::spawn(async move {
                while let Ok(Some(message)) = stream.message().await {
                    let Some(event) = message.event else { continue };
                    assert!(expected.is_none_or(|expected| expected == event.sequence), "a watcher missed an event");
                    expected = Some(event.sequence + 1);
                    let written = event.record_time.as_ref().and_then(from_proto).unwrap();
                    let wait = Duration::try_from(wall::now().duration_since(written)).unwrap_or_default();
                    keep(&mut shard.lock(), wait);
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        crowd
    }

    /// What was seen since the last take.
    fn take(&self) -> Histogram<u64> {
        let mut all = waits();
        for shard in &self.shards {
            all.add(std::mem::replace(&mut *shard.lock(), waits())).unwrap();
        }
        all
    }

    fn take_as_run(&self, seconds: f64, failed: u64) -> Run {
        let waits = self.take();
        Run { per_second: waits.len() as f64 / seconds, waits, failed }
    }

    /// Waits until every watcher has seen everything, and takes it.
    async fn all_seen(&self, seconds: f64, failed: u64) -> Run {
        self.caught_up().await;
        self.take_as_run(seconds, failed)
    }

    /// Waits until nobody sees anything new any more; panics unless all saw the same.
    async fn caught_up(&self) {
        let mut before = u64::MAX;
        loop {
            let now = self.seen.load(Ordering::Relaxed);
            if now == before {
                break;
            }
            before = now;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(before % self.watchers, 0, "not every watcher saw every event");
    }
}
