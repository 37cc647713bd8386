//! Grading without a server: facts as JSON in, the assessment as JSON out.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::assess::grade;
use crate::book::RuleBook;
use crate::error::RulesError;
use crate::facts::Facts;

/// JSON Schema (2020-12) of the input of [`grade_json`].
pub const FACTS_SCHEMA: &str = include_str!("../../../../seeds/rules/grade-facts.schema.json");

/// Reads facts from JSON. Errors name the field and say what would be right.
pub fn parse_facts(input: &str) -> Result<Facts, RulesError> {
    let value: Value = serde_json::from_str(input).map_err(|error| RulesError::NotJson { problem: error.to_string() })?;
    let Value::Object(object) = value else {
        return Err(RulesError::Field { field: "$".to_owned(), problem: "the facts must be a JSON object".to_owned() });
    };
    let facts = serde_json::from_value::<Facts>(Value::Object(object.clone())).map_err(|error| locate(&object, error.to_string()))?;
    match facts.violations().into_iter().next() {
        Some(violation) => Err(RulesError::Field { field: violation.field, problem: violation.problem }),
        None => Ok(facts),
    }
}

/// Grades facts given as JSON. The grading table is the one with the id `rules`, else the one in force on `date`, else on
/// the `occurred_on` of the facts; the reporting table follows `learned_on`, else the date of occurrence, else it is the latest.
pub fn grade_json(input: &str, rules: Option<&str>, date: Option<Date>) -> Result<Value, RulesError> {
    let facts = parse_facts(input)?;
    let book = RuleBook::builtin();
    let occurred_on = date.or(facts.occurred_on);
    let grading = match (rules, occurred_on) {
        (Some(id), _) => book.grading(id)?,
        (None, Some(date)) => book.grading_for(date)?,
        (None, None) => return Err(RulesError::NoDate),
    };
    // A table named by hand may be older than the date of the facts; the reporting table then still follows the date.
    let reporting = match facts.learned_on.or(occurred_on) {
        Some(date) => book.reporting_for(date)?,
        None => book.latest_reporting()?,
    };
    let assessment = grade(grading, reporting, &facts);
    serde_json::to_value(assessment).map_err(|error| RulesError::NotJson { problem: error.to_string() })
}

/// Finds the field at fault by reading every leaf alone: all fields are optional, so one leaf is a complete document.
fn locate(object: &Map<String, Value>, whole: String) -> RulesError {
    let mut leaves = Vec::new();
    collect_leaves(object, &mut Vec::new(), &mut leaves);
    for (path, document) in leaves {
        if let Err(error) = serde_json::from_value::<Facts>(document) {
            return RulesError::Field { field: path, problem: error.to_string() };
        }
    }
    RulesError::Field { field: "$".to_owned(), problem: whole }
}

fn collect_leaves(object: &Map<String, Value>, path: &mut Vec<String>, leaves: &mut Vec<(String, Value)>) {
    for (name, value) in object {
        path.push(name.clone());
        match value {
            Value::Object(inner) if !inner.is_empty() && path.len() < MAX_DEPTH => collect_leaves(inner, path, leaves),
            _ => leaves.push((named(path), wrap(path, value.clone()))),
        }
        path.pop();
    }
}

/// The path of a leaf; a name without letters is shown as one.
fn named(path: &[String]) -> String {
    path.iter().map(|name| if name.is_empty() { "\"\"" } else { name }).collect::<Vec<_>>().join(".")
}

/// The facts are at most this deep (`radiation.acute_deaths.value`); what lies deeper is wrong anyway.
const MAX_DEPTH: usize = 4;

fn wrap(path: &[String], leaf: Value) -> Value {
    path.iter().rev().fold(leaf, |inner, name| Value::Object(Map::from_iter([(name.clone(), inner)])))
}
