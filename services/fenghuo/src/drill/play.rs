//! The player: goes from instant to instant (of the script, or of a timer of either node), does what the script says there, waits until
//! both nodes have done what follows from it, and notes what the rules now say.

use std::time::{Duration, Instant};

use fenghuo_api::notification::v1::{GetNotificationRequest, NotificationRecord};
use fenghuo_api::time::from_proto;
use jiff::Timestamp;
use serde::Serialize;

use super::DrillError;
use super::collect::History;
use super::desk::Desk;
use super::exercise::ExerciseClock;
use super::line::Line;
use super::outcome::Beijing;
use super::script::{Action, Script, Step};
use super::steps::{self, Names};

/// Jumps in one drill; more means that something schedules itself for ever.
const JUMPS_MAX: u32 = 20_000;

/// How long what was sent may be under way between two nodes that both run.
const ARRIVAL_WITHIN: Duration = Duration::from_secs(20);

/// What one step took.
#[derive(Debug, Clone, Serialize)]
pub struct StepTiming {
    /// Label of the step.
    pub step: String,
    /// What was done.
    pub action: &'static str,
    /// In the exercise.
    pub at: Beijing,
    /// Label of the person.
    pub by: String,
    /// The calls themselves, in real milliseconds.
    pub call_ms: f64,
    /// Until both nodes had done what follows, in real milliseconds.
    pub settled_ms: f64,
}

/// Told as the drill goes on.
pub trait Progress {
    /// A step is about to be done.
    fn step(&mut self, done: usize, step: &str, at: Beijing);
    /// The clock jumped to a timer of a node.
    fn timer(&mut self, at: Beijing);
}

/// Half of a step: a notification is drafted and approved apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Approve,
}

struct Waiting<'a> {
    step: &'a Step,
    part: Part,
}

/// The drill as it is played.
pub struct Player<'a> {
    /// The script.
    pub script: &'a Script,
    /// Both nodes.
    pub desks: &'a [Desk],
    /// What lies between them.
    pub line: &'a Line,
    /// The exercise's clock.
    pub clock: ExerciseClock,
    /// Labels and names.
    pub names: Names,
    /// What the rules said over time.
    pub history: History,
    /// What each step took.
    pub timings: Vec<StepTiming>,
    /// Seconds of the exercise for each real second; as fast as possible if absent.
    pub pace: Option<f64>,
    jumps: u32,
}

impl<'a> Player<'a> {
    /// A player at the start.
    pub fn new(script: &'a Script, desks: &'a [Desk], line: &'a Line, clock: ExerciseClock, pace: Option<f64>) -> Self {
        let (names, history) = (Names::default(), History::default());
        Self { script, desks, line, clock, names, history, timings: Vec::new(), pace, jumps: 0 }
    }

    /// Plays the script to its end.
    pub async fn play(&mut self, progress: &mut dyn Progress) -> Result<(), DrillError> {
        let mut waiting: Vec<Waiting<'a>> = Vec::new();
        for step in self.script.steps.iter().map(|step| step.get_ref()) {
            waiting.push(Waiting { step, part: Part::Whole });
            if let Some(Action::Notify(notify)) = step.action()
                && notify.approved_at.is_some()
            {
                waiting.push(Waiting { step, part: Part::Approve });
            }
        }
        let mut done = 0;
        while !waiting.is_empty() {
            let (next, at) = self.next(&waiting).await?;
            self.go_to(at, progress).await?;
            let Waiting { step, part } = waiting.remove(next);
            progress.step(done, &step.id, Beijing(at));
            self.perform(step, part).await.map_err(|error| error.in_step(&step.id))?;
            done += 1;
        }
        self.clock.idle(self.desks).await.map(|_| ())
    }

    /// The earliest of what can be done, and when. Steps of one instant keep the order of the script.
    async fn next(&self, waiting: &[Waiting<'a>]) -> Result<(usize, Timestamp), DrillError> {
        let mut earliest: Option<(usize, Timestamp)> = None;
        for (index, one) in waiting.iter().enumerate() {
            let Some(at) = self.when(one).await? else { continue };
            if earliest.is_none_or(|(_, before)| at < before) {
                earliest = Some((index, at));
            }
        }
        earliest.ok_or_else(|| {
            let left: Vec<_> = waiting.iter().map(|one| one.step.id.as_str()).collect();
            DrillError::Node(format!("what these steps wait for never came: {}", left.join(", ")))
        })
    }

    async fn when(&self, one: &Waiting<'a>) -> Result<Option<Timestamp>, DrillError> {
        match (one.step.action(), one.part) {
            (Some(Action::Notify(notify)), Part::Approve) => Ok(notify.approved_at),
            (Some(Action::Acknowledge(acknowledge)), _) => {
                let arrival = self.arrival(&acknowledge.notification).await?;
                let Some(minutes) = one.step.minutes_after_arrival else { return Ok(one.step.at.filter(|_| arrival.is_some())) };
                Ok(arrival.and_then(|at| at.checked_add(jiff::SignedDuration::from_mins(minutes.into())).ok()))
            }
            _ => Ok(one.step.at),
        }
    }

    /// When the notification came to the other node; `None` if it has not.
    async fn arrival(&self, label: &str) -> Result<Option<Timestamp>, DrillError> {
        let (Some(name), Some(notify)) = (self.names.notifications.get(label), self.script.notify(label)) else { return Ok(None) };
        let answer = self.desk(&notify.to)?.all_notifications()?.get_notification(GetNotificationRequest { name: name.clone() }).await;
        match answer {
            Ok(answer) => Ok(answer.into_inner().notification.and_then(|record| record.create_time).as_ref().and_then(from_proto)),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// Moves both clocks to `to`, stopping at each instant at which a node has a timer.
    async fn go_to(&mut self, to: Timestamp, progress: &mut dyn Progress) -> Result<(), DrillError> {
        loop {
            let due = self.clock.idle(self.desks).await?;
            let target = due.filter(|due| *due < to).unwrap_or(to);
            if target <= self.clock.now {
                return Ok(());
            }
            self.jumps += 1;
            if self.jumps > JUMPS_MAX {
                return Err(DrillError::Node(format!("after {JUMPS_MAX} jumps the nodes still want to be woken, next at {target}")));
            }
            if let Some(pace) = self.pace {
                let seconds = target.duration_since(self.clock.now).as_secs_f64() / pace;
                tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))).await;
            }
            self.clock.jump(self.desks, target).await?;
            if target < to {
                progress.timer(Beijing(target));
                self.clock.idle(self.desks).await?;
                self.note().await?;
            }
        }
    }

    async fn perform(&mut self, step: &'a Step, part: Part) -> Result<(), DrillError> {
        let Some(action) = step.action() else { return Ok(()) };
        let since = Instant::now();
        let now = self.clock.now;
        let node = self.script.person(&step.by).map(|person| person.node.clone()).unwrap_or_default();
        let desk = self.desk(&node)?;
        match action {
            Action::SubmitReport(report) => steps::submit_report(desk, self.script, step, report, now, &mut self.names).await?,
            Action::Notify(notify) => {
                if part == Part::Whole {
                    steps::draft(desk, step, notify, &mut self.names).await?;
                }
                if part == Part::Approve || notify.approved_at.is_none() {
                    steps::approve(desk, step, notify, &self.names).await?;
                }
            }
            Action::Acknowledge(acknowledge) => {
                steps::acknowledge(desk, step, &acknowledge.notification, &acknowledge.remark, &self.names).await?;
            }
            Action::CutLink => self.line.cut(),
            Action::RestoreLink => self.line.restore(),
            other => steps::change_incident(desk, step, other, now, &self.names).await?,
        }
        let call_ms = milliseconds(since);
        self.clock.idle(self.desks).await?;
        self.see_through(step, action, part).await?;
        // What has just come through sets the receiver to work.
        self.clock.idle(self.desks).await?;
        let settled_ms = milliseconds(since);
        self.timings.push(StepTiming {
            step: step.id.clone(),
            action: action.name(),
            at: Beijing(now),
            by: step.by.clone(),
            call_ms,
            settled_ms,
        });
        self.find_opened().await?;
        self.note().await
    }

    /// A link that fails for a moment counts as cut off, and what waits for it not as pending. Between two nodes that both run it comes
    /// back at once, so what was sent is waited for; what does not come at all shows in the result.
    async fn see_through(&self, step: &Step, action: Action<'_>, part: Part) -> Result<(), DrillError> {
        if !self.line.is_whole() {
            return Ok(());
        }
        let since = Instant::now();
        while since.elapsed() < ARRIVAL_WITHIN {
            let through = match action {
                Action::Notify(notify) => {
                    let approved = part == Part::Approve || notify.approved_at.is_none();
                    !approved
                        || (self.arrival(&step.id).await?.is_some()
                            && self.sent(&step.id).await?.is_some_and(|record| is_receipted(&record)))
                }
                Action::Acknowledge(acknowledge) => {
                    self.sent(&acknowledge.notification).await?.is_none_or(|record| record.acknowledgement.is_some())
                }
                Action::RestoreLink => self.all_receipted().await?,
                _ => true,
            };
            if through {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.clock.idle(self.desks).await?;
        }
        Ok(())
    }

    /// Whether all that was approved so far has its receipt.
    async fn all_receipted(&self) -> Result<bool, DrillError> {
        for label in self.names.notifications.keys() {
            if self.sent(label).await?.is_some_and(|record| record.approve_time.is_some() && !is_receipted(&record)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The sender's record of a notification.
    async fn sent(&self, label: &str) -> Result<Option<NotificationRecord>, DrillError> {
        let (Some(name), Some(step)) = (self.names.notifications.get(label), self.script.step(label)) else { return Ok(None) };
        let node = self.script.person(&step.by).map(|person| person.node.as_str()).unwrap_or_default();
        let answer = self.desk(node)?.all_notifications()?.get_notification(GetNotificationRequest { name: name.clone() }).await?;
        Ok(answer.into_inner().notification)
    }

    /// A notification that has arrived may have opened the other node's record.
    async fn find_opened(&mut self) -> Result<(), DrillError> {
        for opened in self.script.incidents.iter().map(|incident| incident.get_ref()) {
            let Some(name) = self.names.notifications.get(&opened.opened_by) else { continue };
            if !self.names.incidents.contains_key(&opened.id)
                && let Some(incident) = steps::incident_of_notification(self.desk(&opened.node)?, name).await?
            {
                self.names.incidents.insert(opened.id.clone(), incident);
            }
        }
        Ok(())
    }

    /// Notes what the rules say now of each incident.
    async fn note(&mut self) -> Result<(), DrillError> {
        for (label, name) in &self.names.incidents {
            let Some(stated) = self.script.incident(label) else { continue };
            let incident = steps::get_incident(self.desk(&stated.node)?, name).await?;
            self.history.note(label, &incident, Beijing(self.clock.now))?;
        }
        Ok(())
    }

    /// The node of this province.
    pub fn desk(&self, code: &str) -> Result<&'a Desk, DrillError> {
        self.desks.iter().find(|desk| desk.code == code).ok_or_else(|| DrillError::Node(format!("there is no node {code}")))
    }
}

fn is_receipted(record: &NotificationRecord) -> bool {
    record.delivery.as_ref().is_some_and(|delivery| delivery.signed_receipt.is_some())
}

/// Real milliseconds since, to the microsecond.
pub fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}
