//! The incident: facts, what the rules say to them, and the clocks that follow. Every change is a method that may refuse.

use fenghuo_durable::{Error, Result, new_id};
use fenghuo_rules::divisions::{Divisions, province_of};
use fenghuo_rules::{
    Assessment, BodyLevel, ClockFacts, DutyKind, Facts, Grade, GradeState, Neighbour, ObligedBody, Route, RuleBook, Tristate, diff,
    reporting_clocks,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::clock::{Clock, ClockState};
use super::facts::{merge, neighbours_may_be_affected};
use super::place::{Place, Substance};
use super::report::{Report, ReportOrigin};

const GROUND_ROUTE: &str =
    "按变化后的级别重新计时(环境保护部令第17号 第三条) / replaced by the route of the changed grade (Order 17, Art. 3)";
const GROUND_FACTS: &str = "事实变化,该职责不再适用 / the facts have changed, and this duty no longer applies";
const GROUND_RADIATION: &str =
    "辐射事件按核安全法律法规报告(环境保护部令第17号 第二条) / reported under nuclear-safety law (Order 17, Art. 2)";

/// State of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Open.
    Open,
    /// Closed after the final report.
    Closed,
}

/// A person's decision on the grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The grade.
    pub grade: Grade,
    /// Determined (认定) and not only preliminary (初判).
    pub determined: bool,
    /// The person.
    pub decided_by: String,
    /// Body and document.
    pub authority: String,
    /// Why.
    pub reason: String,
    /// When.
    pub decided_at: Timestamp,
}

/// Kinds of report upward (Order 17, Art. 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpwardKind {
    /// Initial report (初报).
    Initial,
    /// Follow-up report (续报).
    FollowUp,
    /// Final (outcome) report (处理结果报告).
    Final,
}

/// A report that a body sent upward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpwardReport {
    /// `{incident}/upwardReports/{uuid}`.
    pub name: String,
    /// Kind.
    pub kind: UpwardKind,
    /// Reporting body.
    pub body_code: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Who received it.
    pub receiver: String,
    /// Number given by the receiver.
    pub receipt_number: String,
    /// By telephone.
    pub by_telephone: bool,
    /// Text.
    pub text: String,
    /// Who recorded it.
    pub recorded_by: String,
}

/// What a change did, for the event's line and the timers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Clocks that began to run and have a due time.
    pub to_watch: Vec<(String, Timestamp)>,
    /// The grade or its state changed.
    pub regraded: bool,
    /// Clocks missed at once.
    pub missed: Vec<String>,
}

/// An environmental emergency as this province keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// `provinces/{code}/incidents/{uuid}`.
    pub name: String,
    /// Rises by one with every change.
    pub revision: u64,
    /// One line.
    pub title: String,
    /// Where.
    pub place: Place,
    /// The province where it happened, as far as known: ours, or the notifying neighbour.
    pub place_province_code: String,
    /// A neighbour looks for the cause on our side, and nobody has found it yet.
    #[serde(default)]
    pub cause_sought_here: bool,
    /// When it happened.
    pub occur_time: Option<Timestamp>,
    /// When this desk first learned.
    pub learn_time: Timestamp,
    /// When the last report about it was learned.
    pub last_told: Timestamp,
    /// State.
    pub state: IncidentState,
    /// What is known.
    pub facts: Facts,
    /// What polluted.
    pub substances: Vec<Substance>,
    /// The obliged bodies.
    pub bodies: Vec<ObligedBody>,
    /// What the rules propose.
    pub assessment: Assessment,
    /// When they were asked.
    pub assessed_at: Timestamp,
    /// When the route last changed.
    pub route_changed_at: Option<Timestamp>,
    /// A person's decision.
    pub decision: Option<Decision>,
    /// All clocks, also settled ones.
    pub clocks: Vec<Clock>,
    /// Reports sent upward.
    pub upward_reports: Vec<UpwardReport>,
    /// The same incident at partners.
    #[serde(default)]
    pub remote_incidents: Vec<String>,
    /// Former names.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// The civil date in China at this instant: what selects a rule table. Standard time all year since 1992.
pub fn beijing_date(time: Timestamp) -> Date {
    Offset::constant(8).to_datetime(time).date()
}

impl Incident {
    /// Opens an incident from its first report.
    pub fn open(province_code: &str, report: &Report, now: Timestamp) -> Result<(Self, Change)> {
        let reported_elsewhere = report.origin == ReportOrigin::Neighbour;
        let place_province_code = if reported_elsewhere && !report.remote_incident.is_empty() {
            report.remote_incident.split('/').nth(1).unwrap_or(province_code).to_owned()
        } else {
            province_code.to_owned()
        };
        let book = RuleBook::builtin();
        let (occurred_on, learned_on) = dates(report.occur_time, report.learn_time);
        let mut incident = Self {
            name: format!("provinces/{province_code}/incidents/{}", new_id()),
            revision: 0,
            title: report.title.clone(),
            place: report.place.clone(),
            place_province_code,
            cause_sought_here: false,
            occur_time: report.occur_time,
            learn_time: report.learn_time,
            last_told: report.learn_time,
            state: IncidentState::Open,
            facts: Facts::default(),
            substances: Vec::new(),
            bodies: bodies_of(province_code, &report.place.admin_code),
            assessment: book.assess(&Facts::default(), occurred_on, learned_on).map_err(rules_failed)?,
            assessed_at: now,
            route_changed_at: None,
            decision: None,
            clocks: Vec::new(),
            upward_reports: Vec::new(),
            remote_incidents: Vec::new(),
            aliases: Vec::new(),
        };
        // The first assessment of all is of the report itself: no route is changed by it.
        incident.take_in(report);
        let change = incident.assess(now, true)?;
        Ok((incident, change))
    }

    /// Adds a further report.
    pub fn add_report(&mut self, report: &Report, now: Timestamp) -> Result<Change> {
        self.refuse_closed()?;
        self.take_in(report);
        self.assess(now, false)
    }

    fn take_in(&mut self, report: &Report) {
        self.facts = merge(&self.facts, &report.facts);
        self.add_substances(&report.substances);
        self.last_told = self.last_told.max(report.learn_time);
        self.occur_time = self.occur_time.or(report.occur_time);
        if self.place.position().is_none() && report.place.admin_code == self.place.admin_code {
            (self.place.longitude_deg, self.place.latitude_deg) = (report.place.longitude_deg, report.place.latitude_deg);
        }
        if !report.remote_incident.is_empty() && !self.remote_incidents.contains(&report.remote_incident) {
            self.remote_incidents.push(report.remote_incident.clone());
        }
        self.follow_the_cause(report);
        self.note_learning(report);
    }

    /// A neighbour looks for the cause here. Once our own report names one of our counties, that is the place of the incident, and its
    /// departments and ours owe the duties of the place (Order 17, Art. 8).
    fn follow_the_cause(&mut self, report: &Report) {
        let own = self.province_code().to_owned();
        if report.origin == ReportOrigin::Neighbour {
            self.cause_sought_here |= report.cause_sought_here && self.place_province_code != own;
            return;
        }
        let county = province_of(&report.place.admin_code) == own && report.place.admin_code != own;
        if !self.cause_sought_here || !county {
            return;
        }
        self.cause_sought_here = false;
        self.place_province_code = own;
        self.place = report.place.clone();
        if !self.bodies.iter().any(|body| body.code == report.place.admin_code) {
            self.bodies.extend(body_of(&report.place.admin_code));
        }
    }

    /// The own province knows from the receipt of the report; a reporting department from when it says.
    fn note_learning(&mut self, report: &Report) {
        let own = self.province_code().to_owned();
        let from_neighbour = report.origin == ReportOrigin::Neighbour;
        for body in &mut self.bodies {
            if body.code == own {
                body.learned_at = Some(body.learned_at.map_or(report.learn_time, |known| known.min(report.learn_time)));
                if from_neighbour && body.notified_by_neighbour_at.is_none() {
                    body.notified_by_neighbour_at = Some(report.learn_time);
                }
            } else if body.code == report.reporting_body_code && body.learned_at.is_none() {
                body.learned_at = report.reporting_body_learn_time.or(Some(report.learn_time));
            }
        }
        let known = self.bodies.iter().any(|body| body.code == report.reporting_body_code);
        if !known && let Some(mut body) = body_of(&report.reporting_body_code) {
            body.learned_at = report.reporting_body_learn_time.or(Some(report.learn_time));
            self.bodies.push(body);
        }
    }

    fn add_substances(&mut self, substances: &[Substance]) {
        for substance in substances {
            if !self.substances.contains(substance) {
                self.substances.push(substance.clone());
            }
        }
    }

    /// Takes in new facts.
    pub fn update_facts(&mut self, stated: &Facts, substances: &[Substance], now: Timestamp) -> Result<Change> {
        self.refuse_closed()?;
        self.facts = merge(&self.facts, stated);
        self.add_substances(substances);
        self.assess(now, false)
    }

    /// Records a person's decision on the grade. It must say why where it differs from the rules' answer.
    pub fn decide(&mut self, decision: Decision, now: Timestamp) -> Result<Change> {
        self.refuse_closed()?;
        let differs = self.assessment.state != GradeState::Graded || self.assessment.grade != Some(decision.grade);
        if differs && decision.reason.trim().is_empty() {
            return Err(Error::invalid(
                "decision.reason",
                "must say why the decision differs from what the rules give; their answer stays visible beside it",
            ));
        }
        self.decision = Some(decision);
        self.assess(now, false)
    }

    /// States when a body learned.
    pub fn body_learned(&mut self, body_code: &str, at: Timestamp, now: Timestamp) -> Result<Change> {
        self.refuse_closed()?;
        let known = self.bodies.iter().map(|body| body.code.as_str()).collect::<Vec<_>>().join(", ");
        let body = self.bodies.iter_mut().find(|body| body.code == body_code);
        let body =
            body.ok_or_else(|| Error::invalid("body_code", format!("is not an obliged body of this incident; these are: {known}")))?;
        if body.learned_at.is_some() {
            return Err(Error::precondition("LEARNING_KNOWN", format!("when {} learned is already stated", body.name)));
        }
        body.learned_at = Some(at);
        self.assess(now, false)
    }

    /// Records a report sent upward and settles the clocks that it answers.
    pub fn record_upward(&mut self, report: UpwardReport) -> Result<()> {
        self.refuse_closed()?;
        if !self.bodies.iter().any(|body| body.code == report.body_code) {
            let known = self.bodies.iter().map(|body| body.code.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::invalid("upward_report.body_code", format!("is not an obliged body of this incident; these are: {known}")));
        }
        let body = self.bodies.iter().find(|body| body.code == report.body_code);
        let Some(knew_at) = body.and_then(ObligedBody::knew_at) else {
            return Err(Error::precondition(
                "LEARNING_UNKNOWN",
                "state first when this department learned of it: its clocks run from then",
            ));
        };
        if report.sent_at < knew_at {
            return Err(Error::invalid("upward_report.send_time", format!("lies before this department learned of it ({knew_at})")));
        }
        let initial = self.upward_reports.iter().any(|sent| sent.kind == UpwardKind::Initial && sent.body_code == report.body_code);
        if report.kind != UpwardKind::Initial && !initial {
            return Err(Error::precondition("INITIAL_REPORT_MISSING", "record this department's initial report first (Order 17, Art. 12)"));
        }
        let duty = match report.kind {
            UpwardKind::Initial => DutyKind::ReportWithinLimit,
            UpwardKind::FollowUp => DutyKind::FollowUpReport,
            UpwardKind::Final => DutyKind::FinalReport,
        };
        for clock in &mut self.clocks {
            let answers = clock.kind == duty && clock.body_code == report.body_code;
            // What was sent before a clock began does not answer it.
            let begun = clock.starts_at.is_none_or(|start| start <= report.sent_at);
            if answers && begun && (clock.is_open() || clock.presses()) {
                clock.done(report.sent_at, &report.name)?;
            }
        }
        self.upward_reports.push(report);
        Ok(())
    }

    /// Records that a duty without a report was done.
    pub fn duty_done(&mut self, clock_name: &str, at: Timestamp, by: &str) -> Result<&Clock> {
        self.refuse_closed()?;
        let clock = self.clocks.iter_mut().find(|clock| clock.name == clock_name).ok_or_else(|| Error::not_found(clock_name))?;
        if matches!(clock.kind, DutyKind::ReportWithinLimit | DutyKind::FollowUpReport | DutyKind::FinalReport) {
            return Err(Error::precondition(
                "NEEDS_UPWARD_REPORT",
                "this duty is a report: record the upward report itself, with its receiver and time",
            ));
        }
        clock.done(at, by)?;
        Ok(clock)
    }

    /// A notification reached the neighbour: the own department's duty of Art. 8 is done. `true` if a clock was settled by it.
    pub fn neighbour_notified(&mut self, partner_code: &str, at: Timestamp, notification: &str) -> bool {
        let own = self.province_code().to_owned();
        let mut settled = false;
        for clock in &mut self.clocks {
            let about = clock.counterpart_code.as_deref().is_none_or(|code| code == partner_code);
            let duty = clock.kind == DutyKind::NotifyNeighbourDepartment && clock.body_code == own && about;
            if duty && (clock.is_open() || clock.presses()) && clock.done(at, notification).is_ok() {
                settled = true;
            }
        }
        settled
    }

    /// A clock's time has come. `true` if it is missed now.
    pub fn expire_clock(&mut self, clock_name: &str, now: Timestamp) -> bool {
        self.clocks.iter_mut().find(|clock| clock.name == clock_name).is_some_and(|clock| clock.expire(now))
    }

    /// Closes it: after a final report, with no duty open.
    pub fn close(&mut self) -> Result<()> {
        self.refuse_closed()?;
        if !self.upward_reports.iter().any(|report| report.kind == UpwardKind::Final) {
            return Err(Error::precondition("FINAL_REPORT_MISSING", "record the final (outcome) report first (Order 17, Art. 12)"));
        }
        // Open are: what runs, with or without a figure, and the report and the check of a department that has not learned yet. What the
        // law leaves to it (Art. 5) or to the course of things (a follow-up) does not hold an incident open.
        let holds = |clock: &&Clock| match clock.kind {
            DutyKind::RequireVerification | DutyKind::FollowUpReport => false,
            _ => clock.is_open(),
        };
        if let Some(clock) = self.clocks.iter().find(holds) {
            let text =
                format!("still open: {} ({}). Do it and record it, or state when the department learned", clock.text.zh, clock.body_name);
            return Err(Error::precondition("CLOCK_RUNNING", text));
        }
        self.state = IncidentState::Closed;
        Ok(())
    }

    /// The earliest due time that still presses.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        self.clocks.iter().filter(|clock| clock.presses()).filter_map(|clock| clock.due_at).min()
    }

    /// Code of the province that keeps this incident.
    pub fn province_code(&self) -> &str {
        self.name.split('/').nth(1).unwrap_or_default()
    }

    /// Asks the rules again and lets the clocks follow.
    fn assess(&mut self, now: Timestamp, first: bool) -> Result<Change> {
        let (occurred_on, learned_on) = dates(self.occur_time, self.learn_time);
        let book = RuleBook::builtin();
        let before = (self.assessment.state, self.assessment.grade, self.route());
        self.assessment = book.assess(&self.facts, occurred_on, learned_on).map_err(rules_failed)?;
        self.assessed_at = now;
        if !first && before.2 != self.route() {
            self.route_changed_at = Some(now);
        }
        let facts = ClockFacts {
            route: self.route(),
            // A decided grade is clear: Art. 4 no longer carries the route.
            state: if self.decision.is_some() { GradeState::Graded } else { self.assessment.state },
            route_changed_at: self.route_changed_at,
            bodies: self.bodies.clone(),
            place_province_code: self.place_province_code.clone(),
            neighbours_may_be_affected: neighbours_may_be_affected(&self.facts),
            neighbours: self.neighbours(),
        };
        let table = book.reporting_for(learned_on).map_err(rules_failed)?;
        let radiation = self.radiation_alone();
        let specs = if radiation { Vec::new() } else { reporting_clocks(table, &facts) };
        let ground = match (radiation, before.2 == self.route()) {
            (true, _) => GROUND_RADIATION,
            (false, false) => GROUND_ROUTE,
            (false, true) => GROUND_FACTS,
        };
        let mut change = self.follow(specs, ground, now);
        change.regraded = first || before != (self.assessment.state, self.assessment.grade, self.route());
        Ok(change)
    }

    /// Order 17, Art. 2: nuclear and radiation incidents are reported under nuclear-safety law, and none of its clocks runs for them.
    /// A radioactive source beside other harm takes nothing away: as soon as another criterion or a sensitive case holds, all run.
    fn radiation_alone(&self) -> bool {
        let of_radiation = |fact: &str| fact.starts_with("radiation");
        self.facts.radiation.involved == Tristate::Yes
            && self.assessment.sensitive.is_empty()
            && self.assessment.fired.iter().all(|clause| of_radiation(&clause.fact))
    }

    /// The route of the grade that a person decided, or of the assessment; the stricter one where they differ.
    fn route(&self) -> Route {
        let proposed = self.assessment.route;
        match &self.decision {
            Some(decision) if decision.grade.route() == Route::TwoHour => Route::TwoHour,
            Some(decision) if proposed != Route::TwoHour => decision.grade.route(),
            _ => proposed,
        }
    }

    fn follow(&mut self, specs: Vec<fenghuo_rules::ClockSpec>, ground: &str, now: Timestamp) -> Change {
        let mut change = Change::default();
        let live: Vec<String> =
            self.clocks.iter().filter(|clock| clock.state != ClockState::Superseded).map(|clock| clock.key.clone()).collect();
        let diff = diff(&live, specs);
        for clock in &mut self.clocks {
            if diff.superseded.contains(&clock.key) {
                clock.supersede(ground);
            }
        }
        for spec in &diff.kept {
            for clock in self.clocks.iter_mut().filter(|clock| clock.key == spec.key && clock.state != ClockState::Superseded) {
                let before = clock.state;
                clock.follow(spec, now);
                note_start(&mut change, clock, before);
            }
        }
        for spec in &diff.started {
            let mut clock = Clock::start(format!("{}/clocks/{}", self.name, new_id()), spec, now);
            note_start(&mut change, &clock, ClockState::NotStarted);
            // A report already sent answers the new route's limit as well, if it was sent after that limit began.
            self.answered_already(&mut clock);
            self.clocks.push(clock);
        }
        change
    }

    fn answered_already(&self, clock: &mut Clock) {
        if clock.kind != DutyKind::ReportWithinLimit || !clock.is_open() {
            return;
        }
        let sent = self.upward_reports.iter().find(|report| {
            report.kind == UpwardKind::Initial
                && report.body_code == clock.body_code
                && clock.starts_at.is_some_and(|start| start <= report.sent_at)
        });
        if let Some(report) = sent {
            // An open clock takes any time; `done` decides whether it was in time.
            let _ = clock.done(report.sent_at, &report.name);
        }
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        let division = Divisions::builtin().get(&self.place.admin_code);
        let codes = division.map(|division| division.neighbour_provinces.clone()).unwrap_or_default();
        codes.into_iter().map(|code| Neighbour { code, level: BodyLevel::Province }).collect()
    }

    fn refuse_closed(&self) -> Result<()> {
        if self.state == IncidentState::Closed {
            return Err(Error::precondition("INCIDENT_CLOSED", "this incident is closed; a new report opens a new one"));
        }
        Ok(())
    }
}

fn note_start(change: &mut Change, clock: &Clock, before: ClockState) {
    match (before, clock.state, clock.due_at) {
        (ClockState::NotStarted, ClockState::Running, Some(due)) => change.to_watch.push((clock.name.clone(), due)),
        (ClockState::NotStarted | ClockState::Running, ClockState::Missed, _) => change.missed.push(clock.name.clone()),
        _ => {}
    }
}

/// Dates that select the tables: of occurrence (of learning, while that is unknown) and of learning.
fn dates(occurred: Option<Timestamp>, learned: Timestamp) -> (Date, Date) {
    (beijing_date(occurred.unwrap_or(learned)), beijing_date(learned))
}

fn rules_failed(error: fenghuo_rules::RulesError) -> Error {
    Error::precondition("NO_RULES", error.to_string())
}

/// The department of the place, if it is below the province, and the province's own.
fn bodies_of(province_code: &str, place_code: &str) -> Vec<ObligedBody> {
    let mut bodies: Vec<_> = if place_code.starts_with(&province_code[..2]) && place_code != province_code {
        body_of(place_code).into_iter().collect()
    } else {
        Vec::new()
    };
    bodies.extend(body_of(province_code));
    bodies
}

/// The environment department of a division; `None` for an unknown code.
fn body_of(code: &str) -> Option<ObligedBody> {
    let division = Divisions::builtin().get(code)?;
    let level = match code {
        _ if code == province_of(code) => BodyLevel::Province,
        _ if code.ends_with("00") => BodyLevel::Prefecture,
        _ => BodyLevel::County,
    };
    Some(ObligedBody {
        code: code.to_owned(),
        name: format!("{}生态环境主管部门", division.name_zh),
        level,
        learned_at: None,
        notified_by_neighbour_at: None,
    })
}
