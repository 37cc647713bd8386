//! What happened, read from both nodes by their public contracts.

use std::collections::BTreeMap;

use fenghuo_api::audit::v1::VerifyLogRequest;
use fenghuo_api::common::v1::Grade as WireGrade;
use fenghuo_api::incident::v1::{Clock, GradeState, Incident, IncidentState};
use fenghuo_api::notification::v1::{GetNotificationRequest, NotificationRecord, NotificationState};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_api::time::from_proto;
use fenghuo_incident_intake::wire::facts::facts_in;
use fenghuo_rules::{GradeState as RulesState, RuleBook};
use serde::Serialize;

use super::DrillError;
use super::outcome::{Beijing, ClockOutcome, Decided, GradeEntry, IncidentOutcome, NotificationOutcome, Outcome, WhatIf};
use super::play::Player;
use super::proof::{self, Proven};
use super::script::Action;
use super::steps;

/// The table printed beside the one in force.
pub const WHAT_IF_TABLE: &str = "plan-2014";

/// A clause that gave something, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clause {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What the rules said over time, by the label of the incident.
#[derive(Debug, Default)]
pub struct History {
    /// Entries in the order of time.
    pub grades: BTreeMap<String, Vec<GradeEntry>>,
    /// Clauses by row.
    pub clauses: BTreeMap<String, Clause>,
    /// The grading table of the last assessment and the hash of its file.
    pub table: (String, String),
}

impl History {
    /// Notes the assessment of an incident, if it says something new.
    pub fn note(&mut self, label: &str, incident: &Incident, at: Beijing) -> Result<(), DrillError> {
        let assessment = incident.assessment.clone().unwrap_or_default();
        for fired in &assessment.fired {
            self.clause(&fired.row, &fired.citation_zh, &fired.citation_en);
        }
        for clock in &incident.clocks {
            self.clause(&clock.row, &clock.citation_zh, &clock.citation_en);
        }
        self.table = (assessment.table_id.clone(), assessment.table_hash.clone());
        let entry = GradeEntry {
            at,
            state: short(GradeState::try_from(assessment.state).unwrap_or_default().as_str_name(), "GRADE_STATE_"),
            grade: grade(assessment.grade),
            could_reach: grade(assessment.could_reach),
            fired: assessment.fired.iter().map(|fired| fired.row.clone()).collect(),
            sensitive_cases: assessment.sensitive_cases.iter().map(|case| case.number).collect(),
            what_if: self.what_if(incident, at)?,
        };
        let entries = self.grades.entry(label.to_owned()).or_default();
        if entries.last().is_none_or(|last| !last.says_the_same(&entry)) {
            entries.push(entry);
        }
        Ok(())
    }

    fn clause(&mut self, row: &str, zh: &str, en: &str) {
        self.clauses.entry(row.to_owned()).or_insert_with(|| Clause { zh: zh.to_owned(), en: en.to_owned() });
    }

    /// The same facts by the other table.
    fn what_if(&mut self, incident: &Incident, at: Beijing) -> Result<WhatIf, DrillError> {
        let failed = |error: String| DrillError::Node(format!("the facts of {} at {at}: {error}", incident.name));
        let facts = facts_in("facts", incident.facts.clone()).map_err(|error| failed(error.message))?;
        let book = RuleBook::builtin();
        let table = book.grading(WHAT_IF_TABLE).map_err(|error| failed(error.to_string()))?;
        let reporting = book.reporting("order17-reporting").map_err(|error| failed(error.to_string()))?;
        let assessment = fenghuo_rules::grade(table, reporting, &facts);
        for fired in &assessment.fired {
            self.clause(&fired.row_id, &fired.citation.zh, &fired.citation.en);
        }
        let state = match assessment.state {
            RulesState::Graded => "GRADED",
            RulesState::Unclear => "UNCLEAR",
            RulesState::UnclearSensitive => "UNCLEAR_SENSITIVE",
            RulesState::NotAnIncident => "NOT_AN_INCIDENT",
        };
        Ok(WhatIf {
            state: state.to_owned(),
            grade: assessment.grade.map(|grade| grade.code().to_owned()),
            fired: assessment.fired.into_iter().map(|fired| fired.row_id).collect(),
        })
    }
}

/// What is told beside the outcome and not compared: proofs, names, who a clock obliges.
#[derive(Debug, Default, Serialize)]
pub struct Evidence {
    /// Machine receipts by the label of the notification.
    pub receipts: BTreeMap<String, Proven>,
    /// Why a receipt does not hold.
    pub receipt_faults: BTreeMap<String, String>,
    /// What the nodes call what the script labels.
    pub names: BTreeMap<String, String>,
    /// Names of bodies by code.
    pub bodies: BTreeMap<String, String>,
    /// Events, records and receipts that each node's verification checked.
    pub logs: BTreeMap<String, LogCheck>,
}

/// What a node's verification checked.
#[derive(Debug, Clone, Serialize)]
pub struct LogCheck {
    /// Events.
    pub events: u64,
    /// Records.
    pub records: u64,
    /// Receipts.
    pub receipts: u64,
    /// Chain hash at the end, hexadecimal.
    pub head_hash: String,
    /// What does not hold.
    pub faults: Vec<String>,
}

/// Reads both nodes at the end.
pub async fn outcome(player: &Player<'_>, drill: &str, space: &str) -> Result<(Outcome, Evidence), DrillError> {
    let mut evidence = Evidence::default();
    let mut incidents = Vec::new();
    for stated in player.script.incidents.iter().map(|incident| incident.get_ref()) {
        let Some(name) = player.names.incidents.get(&stated.id) else { continue };
        evidence.names.insert(stated.id.clone(), name.clone());
        let incident = steps::get_incident(player.desk(&stated.node)?, name).await?;
        evidence.bodies.extend(incident.clocks.iter().map(|clock| (clock.body_code.clone(), clock.body_name.clone())));
        incidents.push(incident_outcome(player, &stated.id, &stated.node, &incident));
    }
    let mut notifications = Vec::new();
    for step in player.script.steps.iter().map(|step| step.get_ref()) {
        let (Some(Action::Notify(notify)), Some(name)) = (step.action(), player.names.notifications.get(&step.id)) else { continue };
        evidence.names.insert(step.id.clone(), name.clone());
        let from = player.script.person(&step.by).map(|person| person.node.clone()).unwrap_or_default();
        let answer = player.desk(&from)?.all_notifications()?.get_notification(GetNotificationRequest { name: name.clone() }).await?;
        let record = answer.into_inner().notification.unwrap_or_default();
        notifications.push(notification_outcome(player, &step.id, &from, &notify.to, &record, space, &mut evidence)?);
    }
    let mut logs = BTreeMap::new();
    for desk in player.desks {
        let answer = desk.audit()?.verify_log(VerifyLogRequest {}).await?.into_inner();
        logs.insert(desk.code.clone(), if answer.holds { "HOLDS".to_owned() } else { "BROKEN".to_owned() });
        let check = LogCheck {
            events: answer.events,
            records: answer.records,
            receipts: answer.receipts,
            head_hash: hex::encode(&answer.head_hash),
            faults: answer.faults,
        };
        evidence.logs.insert(desk.code.clone(), check);
    }
    let outcome = Outcome {
        drill: drill.to_owned(),
        grading_table: player.history.table.0.clone(),
        what_if_table: WHAT_IF_TABLE.to_owned(),
        incidents,
        notifications,
        logs,
    };
    Ok((outcome, evidence))
}

fn incident_outcome(player: &Player<'_>, label: &str, node: &str, incident: &Incident) -> IncidentOutcome {
    IncidentOutcome {
        incident: label.to_owned(),
        node: node.to_owned(),
        state: short(IncidentState::try_from(incident.state).unwrap_or_default().as_str_name(), "INCIDENT_STATE_"),
        decided: incident.decision.as_ref().map(|decision| Decided {
            grade: grade(decision.grade),
            by: who(player, node, &decision.decided_by).unwrap_or_else(|| decision.decided_by.clone()),
        }),
        grades: player.history.grades.get(label).cloned().unwrap_or_default(),
        missed: incident
            .timeline
            .iter()
            .filter(|entry| entry.r#type == "incident.clock_missed")
            .filter_map(|entry| entry.time.as_ref().and_then(from_proto).map(Beijing))
            .collect(),
        clocks: incident.clocks.iter().map(clock_outcome).collect(),
    }
}

fn clock_outcome(clock: &Clock) -> ClockOutcome {
    let start = clock.start_time.as_ref().and_then(from_proto);
    let due = clock.due_time.as_ref().and_then(from_proto);
    ClockOutcome {
        row: clock.row.clone(),
        body: clock.body_code.clone(),
        limit_hours: start.zip(due).map(|(start, due)| due.duration_since(start).as_secs_f64() / 3600.0),
        start: start.map(Beijing),
        due: due.map(Beijing),
        state: short(clock.state().as_str_name(), "CLOCK_STATE_"),
        done: clock.keep_time.as_ref().and_then(from_proto).map(Beijing),
    }
}

fn notification_outcome(
    player: &Player<'_>,
    label: &str,
    from: &str,
    to: &str,
    record: &NotificationRecord,
    space: &str,
    evidence: &mut Evidence,
) -> Result<NotificationOutcome, DrillError> {
    let content = record.content.clone().unwrap_or_default();
    let delivery = record.delivery.clone().unwrap_or_default();
    let proven = proof::verify(&delivery, &record.name, space, &player.desk(from)?.bundle, &player.desk(to)?.bundle);
    let (receipt, signatures) = match &proven {
        Ok(proven) => (proven.outcome.clone(), "VERIFIED".to_owned()),
        Err(_) => ("NONE".to_owned(), "BROKEN".to_owned()),
    };
    match proven {
        Ok(proven) => drop(evidence.receipts.insert(label.to_owned(), proven)),
        Err(fault) => drop(evidence.receipt_faults.insert(label.to_owned(), fault)),
    }
    let acknowledged = record.acknowledgement.clone();
    Ok(NotificationOutcome {
        notification: label.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        kind: short(NotificationKind::try_from(content.kind).unwrap_or_default().as_str_name(), "NOTIFICATION_KIND_"),
        approved_by: who(player, from, &record.approved_by).unwrap_or_else(|| record.approved_by.clone()),
        approved: record.approve_time.as_ref().and_then(from_proto).map(Beijing),
        state: short(NotificationState::try_from(record.state).unwrap_or_default().as_str_name(), "NOTIFICATION_STATE_"),
        receipt,
        signatures,
        acknowledged_by: acknowledged.as_ref().map(|by| who(player, to, &by.person).unwrap_or_else(|| by.person.clone())),
        acknowledged: acknowledged.and_then(|by| by.acknowledge_time).as_ref().and_then(from_proto).map(Beijing),
        overdue: record.acknowledgement_overdue,
    })
}

/// The label of the person of this node whose name stands in the text.
fn who(player: &Player<'_>, node: &str, text: &str) -> Option<String> {
    let mut people = player.script.people.iter().map(|person| person.get_ref()).filter(|person| person.node == node);
    people.find(|person| text.contains(&person.name)).map(|person| person.id.clone())
}

fn grade(grade: i32) -> Option<String> {
    let grade = WireGrade::try_from(grade).unwrap_or_default();
    (grade != WireGrade::Unspecified).then(|| grade.as_str_name().to_owned())
}

fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}
