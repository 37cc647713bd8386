//! A replica is killed without warning while it takes reports, numbers events and fires timers: the other goes on, and nothing is lost or
//! there twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::WatchEventsRequest;
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::notification::v1::{AddLetterPartnerRequest, ApproveNotificationRequest, DraftNotificationRequest};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_durable::new_id;
use fenghuo_tests::count;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, Signed};
use fenghuo_tests::replicas::Databases;
use fenghuo_tests::reports::{county, report, submit};
use tokio::task::JoinHandle;

const CODE: &str = "420000";
const LETTER_PARTNER: &str = "430000";

/// Submits reports one after another until told to stop, at its own replica, and at the other once that one is gone; what was
/// acknowledged.
async fn write(
    mut here: IncidentServiceClient<Signed>,
    mut there: IncidentServiceClient<Signed>,
    stop: Arc<AtomicBool>,
) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    while !stop.load(Ordering::Acquire) {
        let request = submit(report(county(CODE)));
        // Repeated with the same request_id, as every client does.
        let answer = loop {
            match here.submit_report(request.clone()).await {
                Ok(answer) => break answer.into_inner(),
                Err(_) => std::mem::swap(&mut here, &mut there),
            }
        };
        acknowledged.insert(answer.report.unwrap().name);
    }
    acknowledged
}

/// When each new event was seen at a replica, until dropped.
struct Watch {
    seen: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

impl Watch {
    fn at(at: &Province) -> Self {
        let (mut audit, seen) = (at.audit(), Arc::new(Mutex::new(Vec::new())));
        let noting = seen.clone();
        let task = tokio::spawn(async move {
            let mut stream = audit.watch_events(WatchEventsRequest { after_sequence: u64::MAX }).await.unwrap().into_inner();
            while let Ok(Some(message)) = stream.message().await {
                if message.event.is_some() {
                    noting.lock().unwrap().push(Instant::now());
                }
            }
        });
        Self { seen, task }
    }

    /// The longest time without an event, of those that ended after this instant.
    fn longest_silence_after(&self, from: Instant) -> Duration {
        let seen = self.seen.lock().unwrap();
        assert!(seen.iter().any(|at| *at > from), "no event was numbered after the kill");
        seen.windows(2).filter(|pair| pair[1] > from).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn letters(one: &Province, how_many: usize) -> BTreeSet<String> {
    let found = one.incidents().submit_report(submit(report(county(CODE)))).await.unwrap().into_inner().incident.unwrap();
    let mut names = BTreeSet::new();
    while names.len() < how_many {
        let draft = DraftNotificationRequest {
            request_id: new_id().to_string(),
            incident: found.name.clone(),
            partner_code: LETTER_PARTNER.into(),
            kind: NotificationKind::Warning.into(),
            overrides: None,
        };
        let Ok(drafted) = one.notifications().draft_notification(draft).await else {
            // The copy of the incident is not there yet.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let name = drafted.into_inner().notification.unwrap().name;
        let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: name.clone(), etag: String::new() };
        one.notifications().approve_notification(approve).await.unwrap();
        names.insert(name);
    }
    names
}

/// Kills and restarts the two replicas in turn under load; after each kill the other one is alone for a while.
async fn killed_in_turn(kills: usize, writers: usize, between: Duration) {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let spec = Spec::new(CODE, dir.path()).replicated(&databases.url(CODE).await).with("FENGHUO_ACKNOWLEDGE_WITHIN_S", "4");
    let mut one = Province::start(&spec).await;
    let mut two = one.beside(&spec.replica("2"));
    let partner = AddLetterPartnerRequest {
        request_id: new_id().to_string(),
        province_code: LETTER_PARTNER.into(),
        display_name: "湖南省".into(),
        duty_telephone: "0731-1".into(),
    };
    one.directory_as_admin().add_letter_partner(partner).await.unwrap();
    let (mut acknowledged, mut told, mut longest) = (BTreeSet::new(), BTreeSet::new(), Duration::ZERO);
    for kill in 0..kills {
        let (killed, left) = if kill % 2 == 0 { (&mut one, &mut two) } else { (&mut two, &mut one) };
        // Their timers fall due while one is dead.
        told.extend(letters(left, 10).await);
        let stop = Arc::new(AtomicBool::new(false));
        let writing: Vec<_> = (0..writers).map(|_| tokio::spawn(write(killed.incidents(), left.incidents(), stop.clone()))).collect();
        let watch = Watch::at(left);
        tokio::time::sleep(between).await;
        killed.process.kill();
        let at = Instant::now();
        tokio::time::sleep(between).await;
        stop.store(true, Ordering::Release);
        for writer in writing {
            acknowledged.extend(writer.await.unwrap());
        }
        longest = longest.max(watch.longest_silence_after(at));
        killed.start_again();
    }
    println!("{kills} kills, {} reports acknowledged; longest without a numbered event around a kill: {longest:?}", acknowledged.len());
    let overdue = async |of: &Province| count::subjects(&count::events(of).await, "notification.acknowledgement_overdue").len();
    let began = Instant::now();
    while overdue(&one).await < told.len() {
        assert!(began.elapsed() < Duration::from_secs(20), "{} of {} timers fired", overdue(&one).await, told.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let events = count::assert_whole(&one).await;
    assert_eq!(count::assert_whole(&two).await.len(), events.len());
    count::assert_all_once("reports", &acknowledged, &count::subjects(&events, "report.taken"));
    count::assert_all_once("timers", &told, &count::subjects(&events, "notification.acknowledgement_overdue"));
    assert!(longest < Duration::from_secs(5), "taken over only after {longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_under_load_is_taken_over() {
    killed_in_turn(2, 4, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: some minutes"]
async fn replicas_are_killed_in_turn_under_load_for_long() {
    killed_in_turn(30, 8, Duration::from_secs(3)).await;
}
