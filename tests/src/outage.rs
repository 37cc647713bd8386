//! A partner that dies in the middle, then our node as well: what was approved must arrive, once and in order, soon after the restart.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fenghuo_api::notification::v1::notification_service_client::NotificationServiceClient;
use fenghuo_api::notification::v1::{ApproveNotificationRequest, DraftNotificationRequest};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_durable::{SpaceId, new_id};
use futures::StreamExt as _;
use parking_lot::Mutex;

use crate::count;
use crate::follow::Follow;
use crate::node::Spec;
use crate::province::{Province, Signed, pair, signed};
use crate::reports::{county, report, submit};

const RECEIVED: &str = "notification.received";
const DELIVERED: &str = "notification.delivered";
/// What is not done by then hangs.
const HANGS: Duration = Duration::from_secs(600);

/// How much, and where it breaks.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Notifications that are approved.
    pub notifications: usize,
    /// The partner is killed once it has stored so many.
    pub partner_dies_at: usize,
    /// Our node is killed once so many are approved; those after it are being written then, and repeated afterwards.
    pub we_die_at: usize,
    /// Calls in flight.
    pub in_flight: usize,
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Approvals a second until our node was killed.
    pub approvals_per_second: f64,
    /// Stored at the partner when it was killed.
    pub stored_there: usize,
    /// Answered approvals when our node was killed.
    pub acknowledged_here: usize,
    /// From the starting of both processes until both were ready.
    pub start: Duration,
    /// From both being ready until the last approval was answered.
    pub approved_after_ready: Duration,
    /// From both being ready until the last receipt was stored and shown here.
    pub complete_after_ready: Duration,
}

/// Plays it, counts, and panics at the first thing that is lost, there twice, out of order or without a receipt that verifies.
pub async fn play(hubei: &Spec, chongqing: &Spec, plan: Plan) -> Outcome {
    let (mut hubei, mut chongqing) = pair(hubei, chongqing).await;
    let (here, there) = (Follow::start(&hubei).await, Follow::start(&chongqing).await);
    let approvals = Approvals::draft(&hubei, chongqing.code(), plan).await;
    let began = Instant::now();
    let approving = tokio::spawn(approvals.clone().approve(client(&hubei), plan.in_flight));
    there.reached(RECEIVED, plan.partner_dies_at, HANGS).await;
    chongqing.process.kill();
    approvals.reached(plan.we_die_at).await;
    let spent = began.elapsed();
    hubei.process.kill();
    approving.await.unwrap();
    let acknowledged_here = approvals.answered();
    let stored_there = there.count(RECEIVED);
    assert!(stored_there < plan.notifications && acknowledged_here < plan.notifications, "both must die before all is done");

    let execs = Instant::now();
    let (ours, theirs) = tokio::join!(hubei.start_again_beside(), chongqing.start_again_beside());
    hubei.replace(ours);
    chongqing.replace(theirs);
    let (start, ready) = (execs.elapsed(), Instant::now());
    tokio::join!(here.go_on(&hubei), there.go_on(&chongqing));
    approvals.clone().approve(client(&hubei), plan.in_flight).await;
    let approved_after_ready = ready.elapsed();
    assert_eq!(approvals.answered(), plan.notifications, "approvals that were repeated with their request_id and not answered");
    here.reached(DELIVERED, plan.notifications, HANGS).await;
    let complete_after_ready = ready.elapsed();
    there.reached(RECEIVED, plan.notifications, HANGS).await;
    count_both(&hubei, &chongqing, &approvals.names()).await;
    let approvals_per_second = acknowledged_here as f64 / spent.as_secs_f64();
    Outcome { approvals_per_second, stored_there, acknowledged_here, start, approved_after_ready, complete_after_ready }
}

fn client(of: &Province) -> NotificationServiceClient<Signed> {
    NotificationServiceClient::new(signed(of.new_channel(), &of.officer, SpaceId::Real))
}

/// The approvals of one run: each with a `request_id` of its own, under which it is repeated.
#[derive(Clone)]
struct Approvals {
    requests: Arc<Vec<ApproveNotificationRequest>>,
    answered: Arc<Mutex<BTreeSet<usize>>>,
}

impl Approvals {
    /// An incident and a draft for each.
    async fn draft(of: &Province, partner: &str, plan: Plan) -> Self {
        let made = futures::stream::iter(0..plan.notifications).map(|_| draft(of, partner)).buffer_unordered(plan.in_flight);
        let requests = made.map(|name| ApproveNotificationRequest { request_id: new_id().to_string(), name, etag: String::new() });
        Self { requests: Arc::new(requests.collect().await), answered: Arc::default() }
    }

    /// Approves what is not answered yet; ends early when the node goes away.
    async fn approve(self, client: NotificationServiceClient<Signed>, in_flight: usize) {
        let open: Arc<Vec<usize>> = Arc::new((0..self.requests.len()).filter(|at| !self.answered.lock().contains(at)).collect());
        let next = Arc::new(AtomicUsize::new(0));
        let callers = (0..in_flight).map(|_| {
            let (all, open, next, mut client) = (self.clone(), open.clone(), next.clone(), client.clone());
            tokio::spawn(async move {
                while let Some(at) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match client.approve_notification(all.requests[*at].clone()).await {
                        Ok(_) => all.answered.lock().insert(*at),
                        Err(_) => return,
                    };
                }
            })
        });
        futures::future::join_all(callers).await;
    }

    fn answered(&self) -> usize {
        self.answered.lock().len()
    }

    async fn reached(&self, count: usize) {
        let end = Instant::now() + HANGS;
        while self.answered() < count {
            assert!(Instant::now() < end, "{} of {count} approvals after {HANGS:?}", self.answered());
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    fn names(&self) -> BTreeSet<String> {
        self.requests.iter().map(|request| request.name.clone()).collect()
    }
}

async fn draft(of: &Province, partner: &str) -> String {
    let taken = of.incidents().submit_report(submit(report(county(of.code())))).await.unwrap().into_inner();
    let draft = DraftNotificationRequest {
        request_id: new_id().to_string(),
        incident: taken.incident.unwrap_or_default().name,
        partner_code: partner.to_owned(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    loop {
        match of.notifications().draft_notification(draft.clone()).await {
            Ok(answer) => return answer.into_inner().notification.unwrap_or_default().name,
            // The copy of the incident follows its event: on a busy machine, seconds later.
            Err(status) if status.code() == tonic::Code::Unavailable => tokio::time::sleep(Duration::from_millis(500)).await,
            Err(status) => panic!("{status}"),
        }
    }
}

/// Everything once on both sides, in order, with receipts that verify.
async fn count_both(hubei: &Province, chongqing: &Province, approved: &BTreeSet<String>) {
    let (ours, theirs) = tokio::join!(count::notifications(hubei), count::notifications(chongqing));
    for (what, all) in [("here", &ours), ("at the partner", &theirs)] {
        let names: BTreeSet<String> = all.iter().map(|one| one.name.clone()).collect();
        assert_eq!((all.len(), &names), (approved.len(), approved), "notifications {what}");
    }
    let receipted = ours.iter().filter(|one| one.delivery.as_ref().is_some_and(|proof| proof.signed_receipt.is_some())).count();
    assert_eq!(receipted, approved.len(), "receipts here");
    let verified = count::verify(hubei).await;
    assert!(verified.holds && verified.receipts >= approved.len() as u64, "{verified:?}");
    let (sent, received) = tokio::join!(count::assert_whole(hubei), count::assert_whole(chongqing));
    count::assert_all_once("deliveries", approved, &count::subjects(&sent, DELIVERED));
    count::assert_all_once("arrivals", approved, &count::subjects(&received, RECEIVED));
    // The partner took them up in the order in which they stand in our stream.
    let position = |one: &fenghuo_api::notification::v1::NotificationRecord| one.delivery.as_ref().map_or(0, |proof| proof.position);
    let positions: std::collections::HashMap<_, _> = ours.iter().map(|one| (one.name.clone(), position(one))).collect();
    let order: Vec<u64> = received.iter().filter(|event| event.r#type == RECEIVED).map(|event| positions[&event.subject]).collect();
    assert!(order.is_sorted(), "the partner took notifications up in another order than they were sent in");
}
