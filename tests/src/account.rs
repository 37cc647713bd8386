//! The account after the faults: what stands in the ledger against what stands in the logs of both provinces.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::Event;
use fenghuo_api::incident::v1::{ClockState, Incident};
use fenghuo_api::notification::v1::{Direction, GetOwnBundleRequest, NotificationRecord, NotificationState};
use fenghuo_api::partner::v1::{EnrolmentBundle, Receipt};
use fenghuo_api::time::from_proto;
use fenghuo_durable::sha256;
use fenghuo_edge::signing;
use prost::Message as _;
use serde::Serialize;

use crate::count;
use crate::province::Province;
use crate::traffic::{Action, Entry, Ledger, Traffic};

/// Everything has come to rest by then.
const REST_WITHIN: Duration = Duration::from_secs(120);

/// What was counted. Nothing is lost and nothing is there twice, or there would be no account.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Account {
    /// Reports that took effect, once each.
    pub reports: usize,
    /// Approved notifications, at the neighbour once each, with a receipt that verifies.
    pub notifications: usize,
    /// Acknowledgements, back at the sender once each.
    pub acknowledgements: usize,
    /// Clocks that were missed, once each.
    pub clocks_missed: usize,
    /// Acknowledgements that were overdue, told once each on either side.
    pub overdue: usize,
    /// Events of both logs.
    pub events: usize,
    /// Calls whose outcome nobody knew until they were repeated at the end.
    pub unknown: usize,
    /// Failures that callers saw, by code and reason.
    pub failures: BTreeMap<String, u64>,
    /// The longest that a caller waited for a failure, in milliseconds.
    pub longest_failure_ms: u64,
    /// From the end of the fault until everything was delivered and at rest, in milliseconds.
    pub rest_ms: u64,
}

/// Repeats every call, waits until both provinces are at rest, and counts. Panics with what is missing, twice, or not as it was answered.
pub async fn settle(provinces: [&Province; 2], traffic: &Traffic) -> Account {
    let unknown = traffic.repeat_all().await;
    let ledger = &traffic.ledger;
    assert!(ledger.unexpected().is_empty(), "answers that no fault excuses: {:#?}", ledger.unexpected());
    let rest = rest(provinces).await;
    let entries = ledger.entries();
    let mut account = Account {
        unknown,
        failures: ledger.failures(),
        longest_failure_ms: ledger.longest_failure_ms(),
        rest_ms: u64::try_from(rest.as_millis()).unwrap_or(u64::MAX),
        ..Account::default()
    };
    let books = [Book::read(provinces[0]).await, Book::read(provinces[1]).await];
    for (own, other) in [(&books[0], &books[1]), (&books[1], &books[0])] {
        account.events += own.events.len();
        count_reports(own, &entries, &mut account);
        count_notifications(own, other, &entries, &mut account);
        count_acknowledgements(own, other, &entries, &mut account);
        count_clocks(own, &mut account);
    }
    account
}

/// How long it took until nothing was left to do in either province.
async fn rest(provinces: [&Province; 2]) -> Duration {
    let began = Instant::now();
    loop {
        let left = [left_to_do(provinces[0]).await, left_to_do(provinces[1]).await].concat();
        if left.is_empty() {
            return began.elapsed();
        }
        let logs = || format!("{}\n{}", provinces[0].process.log_tail(), provinces[1].process.log_tail());
        assert!(began.elapsed() < REST_WITHIN, "after {REST_WITHIN:?} there is still left to do: {left:#?}\n{}", logs());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// What is left to do, in words; a few seconds ahead, so that no clock falls due between this look and the account.
async fn left_to_do(of: &Province) -> Vec<String> {
    // By the node's own clock, which may be off.
    let now = of.wall_time().await;
    let mut left = Vec::new();
    for one in count::notifications(of).await {
        if one.state() == NotificationState::Approved {
            left.push(format!("{} is not delivered", one.name));
        }
        let due = one.acknowledge_due_time.as_ref().and_then(from_proto).is_some_and(|due| due <= now);
        if waits(&one) && due && !one.acknowledgement_overdue {
            left.push(format!("{} is overdue and nobody was told", one.name));
        }
        if waits(&one) && !due {
            left.push(format!("{} may still be acknowledged in time", one.name));
        }
    }
    for incident in count::incidents(of).await {
        for clock in incident.clocks.iter().filter(|clock| clock.state() == ClockState::Running) {
            if clock.due_time.as_ref().and_then(from_proto).is_some_and(|due| due.as_second() <= now.as_second() + 30) {
                left.push(format!("{} is due and neither kept nor missed", clock.name));
            }
        }
    }
    left
}

/// Sent or received, and nobody has acknowledged it.
fn waits(one: &NotificationRecord) -> bool {
    matches!(one.state(), NotificationState::Approved | NotificationState::Delivered) && one.acknowledgement.is_none()
}

/// What one province says of itself.
struct Book {
    code: String,
    bundle: EnrolmentBundle,
    events: Vec<Event>,
    incidents: Vec<Incident>,
    notifications: Vec<NotificationRecord>,
}

impl Book {
    async fn read(of: &Province) -> Self {
        let told = of.directory().get_own_bundle(GetOwnBundleRequest {}).await.unwrap().into_inner();
        Self {
            code: of.code().to_owned(),
            bundle: told.bundle.unwrap(),
            events: count::assert_whole(of).await,
            incidents: count::incidents(of).await,
            notifications: count::notifications(of).await,
        }
    }

    fn subjects(&self, kind: &str) -> BTreeMap<String, usize> {
        count::subjects(&self.events, kind)
    }

    fn entries<'e>(&self, entries: &'e [Entry]) -> impl Iterator<Item = &'e Entry> + use<'e> {
        let code = self.code.clone();
        entries.iter().filter(move |entry| entry.desk == code)
    }
}

/// Names that calls of one kind were answered with. One name for two calls is one that took effect twice or not at all.
fn named<'e>(entries: impl Iterator<Item = &'e Entry>, of: impl Fn(&Action) -> bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in entries.filter(|entry| of(&entry.action)) {
        let name = entry.answer.as_ref().map(|answer| answer.name.clone()).unwrap_or_default();
        assert!(names.insert(name.clone()), "two calls were answered with {name}");
    }
    names
}

/// Nothing but what was asked for, and all of it once.
fn assert_exactly(what: &str, asked: &BTreeSet<String>, found: &BTreeMap<String, usize>) {
    count::assert_all_once(what, asked, found);
    let strange: Vec<_> = found.keys().filter(|name| !asked.contains(*name)).collect();
    assert!(strange.is_empty(), "{} {what} are there that nobody asked for, such as {:?}", strange.len(), strange.first());
}

fn count_reports(own: &Book, entries: &[Entry], account: &mut Account) {
    let asked = named(own.entries(entries), |action| matches!(action, Action::Submit(_)));
    let by_people = own.events.iter().filter(|event| event.r#type == "report.taken" && !event.actor.starts_with("partners/"));
    let taken: Vec<Event> = by_people.cloned().collect();
    assert_exactly("reports", &asked, &count::subjects(&taken, "report.taken"));
    // Each tells of another water body: each opened an incident of its own.
    let incidents: BTreeSet<_> = own.entries(entries).filter_map(|entry| entry.answer.as_ref()).map(|answer| &answer.incident).collect();
    let opened = own.subjects("incident.opened");
    assert!(incidents.iter().filter(|name| !name.is_empty()).all(|name| opened.get(*name) == Some(&1)), "an incident was not opened once");
    account.reports += asked.len();
}

fn count_notifications(own: &Book, other: &Book, entries: &[Entry], account: &mut Account) {
    let drafted = named(own.entries(entries), |action| matches!(action, Action::Draft(_)));
    assert_exactly("drafts", &drafted, &own.subjects("notification.drafted"));
    let approved = named(own.entries(entries), |action| matches!(action, Action::Approve(_)));
    assert_exactly("approvals", &approved, &own.subjects("notification.approved"));
    assert_exactly("deliveries", &approved, &own.subjects("notification.delivered"));
    assert_exactly("arrivals", &approved, &other.subjects("notification.received"));
    let from_us = format!("partners/{}", own.code);
    let made: Vec<Event> = other.events.iter().filter(|event| event.actor == from_us && event.r#type == "report.taken").cloned().collect();
    let reports = count::subjects(&made, "report.taken");
    assert_eq!(reports.len(), approved.len(), "reports made of what {} told", own.code);
    assert!(reports.values().all(|times| *times == 1), "a notification became two reports");
    for one in own.notifications.iter().filter(|one| approved.contains(&one.name)) {
        assert_receipt(one, &other.bundle);
    }
    account.notifications += approved.len();
}

/// The receipt names the envelope's bytes and carries the partner's signature.
fn assert_receipt(one: &NotificationRecord, by: &EnrolmentBundle) {
    let proof = one.delivery.as_ref().unwrap_or_else(|| panic!("{} has no proof of delivery", one.name));
    let (envelope, receipt) = (proof.signed_envelope.as_ref().unwrap(), proof.signed_receipt.as_ref().unwrap());
    let stated = Receipt::decode(receipt.receipt.as_slice()).unwrap();
    assert_eq!(stated.envelope_digest, sha256(&envelope.envelope), "{}: the receipt is of another envelope", one.name);
    let key = &by.signing_key.as_ref().unwrap().public_key;
    signing::verify_receipt(key, &sha256(&receipt.receipt), &receipt.signature).unwrap();
}

fn count_acknowledgements(own: &Book, other: &Book, entries: &[Entry], account: &mut Account) {
    let given = named(own.entries(entries), |action| matches!(action, Action::Acknowledge(_)));
    assert_exactly("acknowledgements given", &given, &own.subjects("notification.received_acknowledged"));
    assert_exactly("acknowledgements told", &given, &other.subjects("notification.acknowledged"));
    // The timer of each fired once, or the acknowledgement was there first.
    let overdue = own.notifications.iter().filter(|one| one.acknowledgement_overdue).map(|one| one.name.clone()).collect();
    assert_exactly("reminders", &overdue, &own.subjects("notification.acknowledgement_overdue"));
    let silent = own.notifications.iter().filter(|one| waits(one));
    let incoming = silent.clone().filter(|one| one.direction() == Direction::Incoming).count();
    assert!(silent.clone().all(|one| one.acknowledgement_overdue), "a silence was not told");
    assert!(incoming > 0 || given.is_empty(), "every arrival was acknowledged: no reminder was tested");
    account.acknowledgements += given.len();
    account.overdue += overdue.len();
}

fn count_clocks(own: &Book, account: &mut Account) {
    let events = own.subjects("incident.clock_missed");
    for incident in &own.incidents {
        let missed = incident.clocks.iter().filter(|clock| clock.state() == ClockState::Missed).count();
        let told = events.get(&incident.name).copied().unwrap_or(0);
        assert_eq!(missed, told, "{}: clocks missed and events that tell of it", incident.name);
        account.clocks_missed += missed;
    }
}

/// A line for people.
pub fn line(ledger: &Ledger, account: &Account) -> String {
    format!(
        "{} reports, {} notifications, {} acknowledgements, {} clocks missed, {} reminders, {} events; {} calls unknown until repeated; \
         lost 0, twice 0; longest wait for a failure {} ms; at rest {} ms after the end; failures seen: {:?}",
        account.reports,
        account.notifications,
        account.acknowledgements,
        account.clocks_missed,
        account.overdue,
        account.events,
        account.unknown,
        account.longest_failure_ms,
        account.rest_ms,
        ledger.failures(),
    )
}
