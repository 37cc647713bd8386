//! Officers at work on both desks while something breaks, and the ledger of what they were told.
//!
//! Each call is written down before it is made, and its answer when it comes. A call that was cut off or answered UNAVAILABLE is not
//! known to have happened: most officers repeat it with the same `request_id` at once, some leave it until all is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_api::incident::v1::SubmitReportRequest;
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::notification::v1::notification_service_client::NotificationServiceClient;
use fenghuo_api::notification::v1::{
    AcknowledgeNotificationRequest, ApproveNotificationRequest, Direction, DraftNotificationRequest, ListNotificationsRequest,
};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_edge::from_status;
use fenghuo_edge::status::code_name;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::province::{Province, Signed, signed};
use crate::reports::{county, report, submit};

/// A call that has no answer by then hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A desk: its province, a way to its node that connects again by itself, and an officer's token.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Six-digit code of its province.
    pub code: String,
    /// Six-digit code of the province that it warns.
    pub neighbour: String,
    /// The way to its node.
    pub channel: Channel,
    /// Token of the officer.
    pub token: String,
}

impl Desk {
    /// The desk of a province, which warns this neighbour.
    pub fn of(province: &Province, neighbour: &str) -> Self {
        Self {
            code: province.code().to_owned(),
            neighbour: neighbour.to_owned(),
            channel: province.new_channel(),
            token: province.officer.clone(),
        }
    }

    fn signed(&self) -> Signed {
        signed(self.channel.clone(), &self.token, SpaceId::Real)
    }
}

/// What an officer asks for; each carries its `request_id`.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // A handful at a time.
pub enum Action {
    /// A report.
    Submit(SubmitReportRequest),
    /// The draft of a warning.
    Draft(DraftNotificationRequest),
    /// Its approval.
    Approve(ApproveNotificationRequest),
    /// The acknowledgement of the neighbour's warning.
    Acknowledge(AcknowledgeNotificationRequest),
}

impl Action {
    /// UUID of the call.
    pub fn request_id(&self) -> &str {
        match self {
            Self::Submit(request) => &request.request_id,
            Self::Draft(request) => &request.request_id,
            Self::Approve(request) => &request.request_id,
            Self::Acknowledge(request) => &request.request_id,
        }
    }

    /// Does it once.
    pub async fn call(&self, desk: &Desk) -> Result<Answer, Status> {
        let (mut incidents, mut notifications) = (IncidentServiceClient::new(desk.signed()), NotificationServiceClient::new(desk.signed()));
        match self.clone() {
            Self::Submit(request) => {
                let answer = in_time(incidents.submit_report(request)).await?;
                let bytes = answer.encode_to_vec();
                let incident = answer.incident.unwrap_or_default().name;
                Ok(Answer { name: answer.report.unwrap_or_default().name, incident, bytes })
            }
            Self::Draft(request) => Ok(Answer::about(in_time(notifications.draft_notification(request)).await?, |a| a.notification)),
            Self::Approve(request) => Ok(Answer::about(in_time(notifications.approve_notification(request)).await?, |a| a.notification)),
            Self::Acknowledge(request) => {
                Ok(Answer::about(in_time(notifications.acknowledge_notification(request)).await?, |a| a.notification))
            }
        }
    }
}

async fn in_time<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(ANSWER_WITHIN, call).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded("no answer: the call hangs")),
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Resource name of the record.
    pub name: String,
    /// Resource name of its incident; reports only.
    pub incident: String,
    /// The whole answer, to be compared with that to the same call repeated.
    pub bytes: Vec<u8>,
}

impl Answer {
    fn about<T: prost::Message>(answer: T, record: impl FnOnce(T) -> Option<fenghuo_api::notification::v1::NotificationRecord>) -> Self {
        let bytes = answer.encode_to_vec();
        Self { name: record(answer).unwrap_or_default().name, incident: String::new(), bytes }
    }
}

/// A line of the ledger.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Six-digit code of the desk.
    pub desk: String,
    /// What was asked for.
    pub action: Action,
    /// How often it was asked.
    pub tries: u32,
    /// The first answer, written down when it came. `None`: nobody knows whether it happened.
    pub answer: Option<Answer>,
}

/// Everything that was asked and answered.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Mutex<Vec<Entry>>,
    /// Failures by their code and reason, with how often.
    failures: Mutex<BTreeMap<String, u64>>,
    /// Failures that no fault excuses.
    unexpected: Mutex<Vec<String>>,
    /// The longest that a call took until it failed, in milliseconds.
    longest_failure_ms: Mutex<u64>,
}

impl Ledger {
    /// All lines.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().clone()
    }

    /// How many calls were answered.
    pub fn answered(&self) -> usize {
        self.entries.lock().iter().filter(|entry| entry.answer.is_some()).count()
    }

    /// Failures by code and reason, with how often.
    pub fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.lock().clone()
    }

    /// Failures that no fault excuses, in words.
    pub fn unexpected(&self) -> Vec<String> {
        self.unexpected.lock().clone()
    }

    /// The longest that a caller waited for a failure, in milliseconds.
    pub fn longest_failure_ms(&self) -> u64 {
        *self.longest_failure_ms.lock()
    }

    fn open(&self, desk: &Desk, action: Action) -> usize {
        let mut entries = self.entries.lock();
        entries.push(Entry { desk: desk.code.clone(), action, tries: 0, answer: None });
        entries.len() - 1
    }

    /// Asks once for what stands in a line and writes the answer down. `Err(true)`: it may be asked again.
    pub async fn ask(&self, line: usize, desk: &Desk) -> Result<Answer, bool> {
        let action = {
            let mut entries = self.entries.lock();
            entries[line].tries += 1;
            entries[line].action.clone()
        };
        let began = Instant::now();
        let outcome = action.call(desk).await;
        match outcome {
            Ok(answer) => {
                let first = self.entries.lock()[line].answer.get_or_insert_with(|| answer.clone()).clone();
                if first != answer {
                    self.unexpected.lock().push(format!("{} was answered twice, differently: {}", action.request_id(), answer.name));
                }
                Ok(answer)
            }
            Err(status) => Err(self.failed(&action, &status, began.elapsed())),
        }
    }

    fn failed(&self, action: &Action, status: &Status, took: Duration) -> bool {
        let error = from_status(status);
        let name = if error.reason.is_empty() { "cut off".to_owned() } else { format!("{} {}", code_name(error.code), error.reason) };
        *self.failures.lock().entry(name).or_insert(0) += 1;
        let mut longest = self.longest_failure_ms.lock();
        *longest = (*longest).max(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let transient = error.is_transient();
        if !transient {
            self.unexpected.lock().push(format!("{} of {}: {error}", action.request_id(), kind(action)));
        }
        if took >= ANSWER_WITHIN {
            self.unexpected.lock().push(format!("{} of {}: no answer in {} s", action.request_id(), kind(action), took.as_secs()));
        }
        transient
    }
}

fn kind(action: &Action) -> &'static str {
    match action {
        Action::Submit(_) => "SubmitReport",
        Action::Draft(_) => "DraftNotification",
        Action::Approve(_) => "ApproveNotification",
        Action::Acknowledge(_) => "AcknowledgeNotification",
    }
}

/// How much goes on.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Officers who take reports, at each desk.
    pub writers: u32,
    /// What each of them waits between two reports.
    pub pause: Duration,
    /// One of so many reports is told to the neighbour.
    pub notify_each: u64,
    /// The neighbours acknowledge at all.
    pub acknowledge: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { writers: 2, pause: Duration::from_millis(30), notify_each: 3, acknowledge: true }
    }
}

/// Officers at work until they are told to stop.
#[derive(Debug)]
pub struct Traffic {
    /// What they asked and were told.
    pub ledger: Arc<Ledger>,
    desks: Vec<Desk>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Sets the officers of these desks to work. The seed decides what each of them does.
    pub fn start(desks: &[Desk], pace: Pace, seed: u64) -> Self {
        let (ledger, stop) = (Arc::new(Ledger::default()), watch::Sender::new(false));
        let mut tasks = Vec::new();
        for (at, desk) in (0_u64..).zip(desks) {
            for writer in 0..pace.writers {
                let rng = fastrand::Rng::with_seed(seed ^ (at << 32) ^ (u64::from(writer) << 40));
                let officer = Officer { desk: desk.clone(), ledger: ledger.clone(), stop: stop.subscribe(), rng };
                tasks.push(tokio::spawn(officer.take_reports(pace)));
            }
            if pace.acknowledge {
                let rng = fastrand::Rng::with_seed(seed ^ (at << 48));
                let officer = Officer { desk: desk.clone(), ledger: ledger.clone(), stop: stop.subscribe(), rng };
                tasks.push(tokio::spawn(officer.acknowledge_some()));
            }
        }
        Self { ledger, desks: desks.to_vec(), stop, tasks }
    }

    /// Lets everybody finish what they are at and go home.
    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }

    /// After the faults: every call of the ledger is made once more under its `request_id`. What was not known to have happened happens
    /// now or had happened; what was answered is answered the same. How many calls were not known to have happened.
    pub async fn repeat_all(&self) -> usize {
        let entries = self.ledger.entries();
        let open = entries.iter().filter(|entry| entry.answer.is_none()).count();
        for (line, entry) in entries.iter().enumerate() {
            let desk = self.desks.iter().find(|desk| desk.code == entry.desk).unwrap();
            let mut tries = 0;
            while let Err(again) = self.ledger.ask(line, desk).await {
                assert!(again && tries < 20, "{} cannot be repeated: {:?}", entry.action.request_id(), self.ledger.unexpected());
                tries += 1;
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
        open
    }
}

struct Officer {
    desk: Desk,
    ledger: Arc<Ledger>,
    stop: watch::Receiver<bool>,
    rng: fastrand::Rng,
}

impl Officer {
    async fn take_reports(mut self, pace: Pace) {
        loop {
            let pause = pace.pause.mul_f64(0.5 + self.rng.f64());
            if !self.goes_on(pause).await {
                return;
            }
            let mut told = report(county(&self.desk.code));
            // Learned so long ago that one of the statutory limits (one, two, four hours) ends within seconds.
            let limit_s = [3600, 7200, 14_400][self.rng.usize(0..3)];
            let learned = wall::now().as_second() - limit_s + self.rng.i64(1..20);
            told.learn_time = jiff::Timestamp::from_second(learned).ok().map(to_proto);
            // The node's clock may be an hour behind ours: what was sampled just now would lie in its future.
            told.substances.iter_mut().for_each(|substance| substance.sampling_time = told.learn_time);
            let Some(taken) = self.insist(Action::Submit(submit(told))).await else { continue };
            if self.rng.u64(0..pace.notify_each) == 0 {
                self.warn(&taken.incident).await;
            }
        }
    }

    async fn warn(&mut self, incident: &str) {
        let draft = Action::Draft(DraftNotificationRequest {
            request_id: new_id().to_string(),
            incident: incident.to_owned(),
            partner_code: self.desk.neighbour.clone(),
            kind: NotificationKind::Warning.into(),
            overrides: None,
        });
        let Some(drafted) = self.insist(draft).await else { return };
        let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: drafted.name, etag: String::new() };
        self.insist(Action::Approve(approve)).await;
    }

    /// Acknowledges every second warning that has come; the others stay without, so that their time runs out.
    async fn acknowledge_some(mut self) {
        let mut seen = BTreeSet::new();
        while self.goes_on(Duration::from_millis(300)).await {
            for name in self.waiting().await {
                if seen.insert(name.clone()) && self.rng.bool() {
                    let request_id = new_id().to_string();
                    self.insist(Action::Acknowledge(AcknowledgeNotificationRequest { request_id, name, remark: "收到".into() })).await;
                }
            }
        }
    }

    async fn waiting(&self) -> Vec<String> {
        let request = ListNotificationsRequest {
            parent: format!("provinces/{}", self.desk.code),
            page_size: 200,
            unacknowledged_only: true,
            ..ListNotificationsRequest::default()
        };
        let listed = in_time(NotificationServiceClient::new(self.desk.signed()).list_notifications(Request::new(request))).await;
        let found = listed.map(|answer| answer.notifications).unwrap_or_default();
        found.into_iter().filter(|one| one.direction() == Direction::Incoming).map(|one| one.name).collect()
    }

    /// Asks until there is an answer; one of four that fail is left as it is: nobody knows whether it happened.
    async fn insist(&mut self, action: Action) -> Option<Answer> {
        let line = self.ledger.open(&self.desk, action);
        loop {
            match self.ledger.ask(line, &self.desk).await {
                Ok(answer) => return Some(answer),
                Err(false) => return None,
                Err(true) if self.rng.u8(0..4) == 0 => return None,
                Err(true) => {
                    if !self.goes_on(Duration::from_millis(100)).await {
                        return None;
                    }
                }
            }
        }
    }

    /// Waits; `false` when the work is over.
    async fn goes_on(&mut self, pause: Duration) -> bool {
        tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}
