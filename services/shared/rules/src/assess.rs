//! Grading: from facts to the grade, the clauses that give it, what could still raise it, and the reporting route.
//!
//! - **The grade** is the highest one of which any row fires (凡符合下列情形之一). The last row of grade Ⅳ fires for a confirmed
//!   environmental emergency of which no other row does. Only what the pollution caused counts; what was heard counts until excluded.
//! - **A row could fire** when no condition of it fails and at least one rests on something unknown: a number, whether the
//!   pollution caused it, or whether a forecast effect across a boundary has occurred.
//! - **The grade is unclear** (一时无法判明等级, Order 17, Art. 4) when the highest row that fired is below grade Ⅱ and a row of
//!   grade Ⅱ or Ⅰ could still fire, that is when an unknown fact decides between the two reporting routes; and also while no
//!   row fires and it is not settled whether this is an environmental emergency at all. Unclear with one of the six sensitive cases is
//!   reported by the two-hour route; unclear without one by the four-hour route. Grades Ⅱ and Ⅰ are never unclear in this
//!   sense, for their route is the strictest; `could_reach` tells even then what may still raise them.
//! - **Not an incident** needs the officer's no, and no row that fires. A fired row outweighs the no.
//!
//! The grade that has been reached is given in every state; it is a floor while the state is unclear.

use serde::{Deserialize, Serialize};

use crate::codes::{FigureStatus, Tristate};
use crate::condition::{About, Doubt, Verdict};
use crate::fact::{self, Known};
use crate::facts::Facts;
use crate::grade::{Grade, GradeState, Route};
use crate::reporting::{ReportingTable, SensitiveCaseRow};
use crate::table::{GradingRow, GradingTable};
use crate::text::{Citation, Text};

/// What the rules say to the facts. A proposal: a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Id of the grading table.
    pub table_id: String,
    /// Its title.
    pub table_title: Text,
    /// SHA-256 of its file, hexadecimal.
    pub table_hash: String,
    /// Id of the reporting table that holds the sensitive cases.
    pub reporting_table_id: String,
    /// SHA-256 of its file, hexadecimal.
    pub reporting_table_hash: String,
    /// Whether the grade can be told.
    pub state: GradeState,
    /// The highest grade that fired. While unclear: at least this. `None`: nothing fired.
    pub grade: Option<Grade>,
    /// Rows that fired, the gravest first.
    pub fired: Vec<FiredClause>,
    /// The highest grade above `grade` that unknown facts could lead to; `None` if nothing could raise it.
    pub could_reach: Option<Grade>,
    /// What to ask, the gravest first; one question per fact.
    pub open_questions: Vec<OpenQuestion>,
    /// Sensitive cases of Art. 4 that hold.
    pub sensitive: Vec<SensitiveCase>,
    /// Numbers of the sensitive cases of which it is not known whether they hold.
    pub sensitive_unknown: Vec<u8>,
    /// The reporting route.
    pub route: Route,
}

/// A row that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredClause {
    /// Id of the row.
    pub row_id: String,
    /// The clause.
    pub citation: Citation,
    /// The grade that it gives.
    pub grade: Grade,
    /// The fact that it is about.
    pub fact: String,
    /// Why it fired.
    pub explanation: Text,
}

/// Something unknown that could raise the grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuestion {
    /// The fact to ask for.
    pub fact: String,
    /// The gravest row that it could fire.
    pub row_id: String,
    /// The clause of that row.
    pub citation: Citation,
    /// The grade of that row.
    pub could_reach: Grade,
    /// What is unknown.
    pub question: Text,
}

/// A sensitive case of Order 17, Art. 4, that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensitiveCase {
    /// 1 to 6.
    pub number: u8,
    /// The clause.
    pub citation: Citation,
    /// The fact that it rests on.
    pub fact: String,
    /// The case in words.
    pub text: Text,
}

/// Grades `facts` by a grading table; the sensitive cases come from the reporting table. Pure: same input, same answer.
/// Facts are expected to have no [`Facts::violations`]; a number that cannot be is treated as unknown.
pub fn grade(grading: &GradingTable, reporting: &ReportingTable, facts: &Facts) -> Assessment {
    let judged: Vec<_> = grading.rows.iter().map(|row| (row, judge(row, facts))).collect();
    let fired = fired(&judged, facts);
    let grade = fired.iter().map(|clause| clause.grade).max();
    let open_questions = open_questions(&judged, grade);
    let could_reach = judged.iter().filter(|(row, outcome)| outcome.could() && Some(row.grade) > grade).map(|(row, _)| row.grade).max();
    let (sensitive, sensitive_unknown) = sensitive(reporting, facts);
    let state = state(grade, could_reach, facts.confirmed_environmental, !sensitive.is_empty());
    Assessment {
        table_id: grading.head.id.clone(),
        table_title: grading.head.title.clone(),
        table_hash: grading.head.hash.clone(),
        reporting_table_id: reporting.head.id.clone(),
        reporting_table_hash: reporting.head.hash.clone(),
        state,
        grade,
        fired,
        could_reach,
        open_questions,
        sensitive,
        sensitive_unknown,
        route: route(state, grade),
    }
}

/// What the facts make of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fires,
    Fails,
    /// With the first thing to ask: conditions are ordered, a later one matters once the earlier is answered.
    Could(Doubt),
}

impl Outcome {
    fn could(self) -> bool {
        matches!(self, Outcome::Could(_))
    }
}

fn judge(row: &GradingRow, facts: &Facts) -> Outcome {
    let mut outcome = Outcome::Fires;
    for condition in &row.when {
        match (condition.judge(facts), outcome) {
            (Verdict::Fails, _) => return Outcome::Fails,
            (Verdict::Could(doubt), Outcome::Fires) => outcome = Outcome::Could(doubt),
            _ => {}
        }
    }
    outcome
}

fn fired(judged: &[(&GradingRow, Outcome)], facts: &Facts) -> Vec<FiredClause> {
    let fires = |catch_all: bool| {
        judged
            .iter()
            .filter(move |(row, outcome)| row.catch_all == catch_all && *outcome == Outcome::Fires)
            .map(|(row, _)| fired_clause(row, facts))
    };
    let criteria: Vec<_> = fires(false).collect();
    if criteria.is_empty() { fires(true).collect() } else { criteria }
}

fn fired_clause(row: &GradingRow, facts: &Facts) -> FiredClause {
    let fact = row.principal().map_or_else(String::new, |condition| condition.fact.clone());
    FiredClause {
        row_id: row.id.clone(),
        citation: row.citation.clone(),
        grade: row.grade,
        explanation: explanation(row, &fact, facts),
        fact,
    }
}

fn explanation(row: &GradingRow, fact: &str, facts: &Facts) -> Text {
    let criterion = &row.criterion;
    let stated = fact::definition(fact).and_then(|definition| match fact::known(facts, definition.key) {
        Known::Figure(figure) => {
            let (zh, en) = match figure.status {
                FigureStatus::Verified => ("已核实", "verified"),
                _ => ("听报,尚未核实", "heard, not yet verified"),
            };
            figure
                .value
                .map(|value| Text::new(format!("{}:{value}({zh})。", definition.zh), format!("{}: {value} ({en}). ", definition.en)))
        }
        Known::Level(level) => Some(Text::new(format!("{}:{level}。", definition.zh), format!("{}: {level}. ", definition.en))),
        _ => None,
    });
    let Text { zh, en } = stated.unwrap_or_else(|| Text::new("", ""));
    Text::new(format!("{zh}符合:{}", criterion.zh), format!("{en}Meets: {}", criterion.en))
}

fn open_questions(judged: &[(&GradingRow, Outcome)], grade: Option<Grade>) -> Vec<OpenQuestion> {
    let mut questions: Vec<OpenQuestion> = Vec::new();
    for (row, outcome) in judged {
        let Outcome::Could(doubt) = outcome else { continue };
        // Rows run from the gravest grade down, so the first one that asks for a fact is the gravest.
        if Some(row.grade) > grade && questions.iter().all(|question| question.fact != doubt.fact) {
            questions.push(OpenQuestion {
                fact: doubt.fact.to_owned(),
                row_id: row.id.clone(),
                citation: row.citation.clone(),
                could_reach: row.grade,
                question: question(*doubt),
            });
        }
    }
    questions
}

fn question(doubt: Doubt) -> Text {
    let (zh, en) = fact::definition(doubt.fact).map_or((doubt.fact, doubt.fact), |definition| (definition.zh, definition.en));
    match doubt.about {
        About::Value => Text::new(format!("未知:{zh}"), format!("Not known: {en}")),
        About::Cause => Text::new(
            format!("数字已有,是否由污染造成未知:{zh}"),
            format!("The number is known, not whether the pollution caused it: {en}"),
        ),
        About::Forecast => Text::new(format!("目前为预测,尚未发生:{zh}"), format!("Forecast only, not yet occurred: {en}")),
    }
}

fn sensitive(reporting: &ReportingTable, facts: &Facts) -> (Vec<SensitiveCase>, Vec<u8>) {
    let mut holds = Vec::new();
    let mut unknown = Vec::new();
    for case in &reporting.sensitive_cases {
        match judge_case(case, facts) {
            (Some(fact), _) => {
                holds.push(SensitiveCase { number: case.number, citation: case.citation.clone(), fact, text: case.text.clone() })
            }
            (None, true) => unknown.push(case.number),
            (None, false) => {}
        }
    }
    (holds, unknown)
}

/// The fact on which the case rests, and whether it is open.
fn judge_case(case: &SensitiveCaseRow, facts: &Facts) -> (Option<String>, bool) {
    let verdicts: Vec<_> = case.any_of.iter().map(|condition| (condition, condition.judge(facts))).collect();
    let holds = verdicts.iter().find(|(_, verdict)| *verdict == Verdict::Holds).map(|(condition, _)| condition.fact.clone());
    // The case's own fact comes first; what else can show it does not leave it open.
    let open = verdicts.first().is_some_and(|(_, verdict)| matches!(verdict, Verdict::Could(_)));
    (holds, open)
}

fn state(grade: Option<Grade>, could_reach: Option<Grade>, confirmed: Tristate, sensitive: bool) -> GradeState {
    let unclear = match grade {
        None if confirmed == Tristate::No => return GradeState::NotAnIncident,
        None => true,
        Some(floor) => floor < Grade::II && could_reach >= Some(Grade::II),
    };
    match (unclear, sensitive) {
        (false, _) => GradeState::Graded,
        (true, true) => GradeState::UnclearSensitive,
        (true, false) => GradeState::Unclear,
    }
}

fn route(state: GradeState, grade: Option<Grade>) -> Route {
    match state {
        GradeState::NotAnIncident => Route::None,
        GradeState::UnclearSensitive => Route::TwoHour,
        GradeState::Unclear => Route::FourHour,
        GradeState::Graded => grade.map_or(Route::FourHour, Grade::route),
    }
}
