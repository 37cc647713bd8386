//! The offline function: its schema, its examples, and its refusals.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use fenghuo_rules::{FACTS_SCHEMA, Facts, grade_json, parse_facts};
use jiff::civil::date;
use serde_json::{Value, json};

fn schema() -> Value {
    serde_json::from_str(FACTS_SCHEMA).unwrap()
}

/// Follows a `$ref` into `$defs`.
fn resolve<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    match node.get("$ref").and_then(Value::as_str) {
        Some(reference) => schema.pointer(reference.trim_start_matches('#')).unwrap(),
        None => node,
    }
}

fn properties_match(schema: &Value, node: &Value, value: &Value, path: &str) {
    let node = resolve(schema, node);
    let (Some(properties), Some(fields)) = (node.get("properties").and_then(Value::as_object), value.as_object()) else { return };
    let documented: BTreeSet<_> = properties.keys().collect();
    let real: BTreeSet<_> = fields.keys().collect();
    assert_eq!(documented, real, "{path}");
    assert_eq!(node["additionalProperties"], json!(false), "{path}");
    for (name, property) in properties {
        assert!(property.get("description").is_some() || property.get("$ref").is_some(), "{path}.{name} is not documented");
        properties_match(schema, property, &fields[name], &format!("{path}.{name}"));
    }
}

#[test]
fn every_property_of_the_schema_is_a_field_and_every_field_a_property() {
    let schema = schema();
    properties_match(&schema, &schema, &serde_json::to_value(Facts::default()).unwrap(), "facts");
}

/// Every code in the schema is read, and every code that the program knows is in the schema (tried by the error message).
#[test]
fn the_codes_of_the_schema_are_those_of_the_program() {
    let schema = schema();
    let mut tried = 0;
    for (prefix, node) in [("", &schema), ("radiation", &schema["$defs"]["radiation"]), ("deaths", &schema["$defs"]["figure"])] {
        for (name, property) in node["properties"].as_object().unwrap() {
            let Some(codes) = resolve(&schema, property).get("enum").and_then(Value::as_array) else { continue };
            let document = |code: &Value| if prefix.is_empty() { json!({ name: code }) } else { json!({ prefix: { name: code } }) };
            for code in codes {
                // `involved: no` beside nothing is fine; every other code stands alone.
                parse_facts(&document(code).to_string()).unwrap_or_else(|error| panic!("{name} {code}: {error}"));
            }
            let refusal = parse_facts(&document(&json!("?")).to_string()).unwrap_err().to_string();
            let (_, listed) = refusal.split_once("expected one of ").unwrap();
            let listed: BTreeSet<_> = listed.split(", ").map(|code| code.trim_matches('`').to_owned()).collect();
            let documented: BTreeSet<_> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
            assert_eq!(listed, documented, "{prefix} {name}");
            tried += 1;
        }
    }
    assert_eq!(tried, 13 + 12 + 2);
}

#[test]
fn every_example_is_read_and_graded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../seeds/rules/examples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let answer = grade_json(&text, None, None).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        names.push((path.file_stem().unwrap().to_string_lossy().into_owned(), answer["grade"].clone()));
    }
    names.sort_by(|left, right| left.0.cmp(&right.0));
    let expected = [
        ("first-call-nothing-known", Value::Null),
        ("han-river-2014", json!("GRADE_I")),
        ("maoming-2014", json!("GRADE_II")),
        ("qianzhangyan-after-boundary", json!("GRADE_II")),
        ("qianzhangyan-before-boundary", json!("GRADE_III")),
        ("source-class-iii-lost", json!("GRADE_III")),
    ];
    assert_eq!(names, expected.map(|(name, grade)| (name.to_owned(), grade)));
}

#[test]
fn the_table_is_chosen_by_id_then_date_then_the_facts() {
    let deaths = r#"{"occurred_on": "2014-08-13", "deaths": {"value": 10, "caused_by_pollution": "yes"}}"#;
    let table = |rules, date| {
        let answer = grade_json(deaths, rules, date).unwrap();
        (answer["table_id"].as_str().unwrap().to_owned(), answer["grade"].as_str().unwrap().to_owned())
    };
    assert_eq!(table(None, None), ("order17-2011".into(), "GRADE_I".into()));
    assert_eq!(table(None, Some(date(2020, 1, 1))), ("plan-2014".into(), "GRADE_II".into()));
    assert_eq!(table(Some("plan-2014"), None), ("plan-2014".into(), "GRADE_II".into()));
    let no_date = r#"{"deaths": {"value": 10, "caused_by_pollution": "yes"}}"#;
    assert_eq!(grade_json(no_date, Some("order17-2011"), None).unwrap()["grade"], json!("GRADE_I"));
    assert!(grade_json(no_date, None, None).unwrap_err().to_string().starts_with("occurred_on: "));
    let unknown = grade_json(deaths, Some("plan-2015"), None).unwrap_err().to_string();
    assert_eq!(unknown, "there is no rule table \"plan-2015\"; there are: order17-2011, plan-2014");
}

#[test]
fn refusals_name_the_field_and_what_would_be_right() {
    let refusal = |input: &str| parse_facts(input).unwrap_err().to_string();
    assert!(refusal("{").starts_with("the input is not valid JSON: EOF"));
    assert!(refusal(r#"{"": 1}"#).starts_with("\"\": unknown field ``"));
    assert_eq!(refusal("[]"), "$: the facts must be a JSON object");
    assert!(refusal(r#"{"death": {"value": 1}}"#).starts_with("death.value: unknown field `death`, expected one of `occurred_on`"));
    assert!(refusal(r#"{"deaths": {"val": 1}}"#).starts_with("deaths.val: unknown field `val`, expected one of `value`"));
    assert_eq!(
        refusal(r#"{"heavy_metal": "yes", "mass_incident": "maybe"}"#),
        "mass_incident: unknown variant `maybe`, expected one of `yes`, `no`, `unknown`"
    );
    assert!(refusal(r#"{"deaths": {"value": "3"}}"#).starts_with("deaths.value: invalid type: string \"3\", expected f64"));
    assert_eq!(refusal(r#"{"deaths": {"value": -1}}"#), "deaths.value: must not be negative; leave it out if unknown");
    assert_eq!(refusal(r#"{"evacuated": {"value": 2.5}}"#), "evacuated.value: must be a whole number of persons");
    assert!(refusal(r#"{"occurred_on": "2014-02-30"}"#).starts_with("occurred_on: "));
    assert_eq!(refusal(r#"{"radiation": {"ines_level": 8}}"#), "radiation.ines_level: must be between 0 and 7");
    assert!(refusal(r#"{"radiation": {"involved": "no", "source_class": "class_iii"}}"#).starts_with("radiation.involved: is no, but"));
    assert!(refusal(r#"{"radiation": {"acute_deaths": {"value": 1.5}}}"#).starts_with("radiation.acute_deaths.value: must be a whole"));
}
