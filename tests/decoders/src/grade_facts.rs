//! The JSON of `fenghuo grade`.

use fenghuo_rules::{RulesError, grade_json, parse_facts};

use crate::Seed;

/// Accepted: a grade was found, or that it is unclear.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let facts = match parse_facts(text) {
        Ok(facts) => facts,
        Err(error) => return told(&error),
    };
    let again = parse_facts(&serde_json::to_string(&facts).unwrap()).unwrap();
    assert_eq!(again, facts);
    match grade_json(text, None, None) {
        Ok(answer) => {
            assert!(answer["state"].is_string(), "{answer}");
            assert_eq!(grade_json(text, None, None).unwrap(), answer);
            true
        }
        Err(error) => told(&error),
    }
}

fn told(error: &RulesError) -> bool {
    if let RulesError::Field { field, problem } = error {
        assert!(!field.is_empty() && !problem.is_empty(), "{error}");
    }
    assert!(!error.to_string().is_empty());
    false
}

/// The example of the command, a fuller one, and two that are wrong.
pub fn seeds() -> Vec<Seed> {
    let fuller = r#"{"occurred_on": "2014-08-13", "learned_on": "2014-08-13",
 "without_water": {"value": 50000, "caused_by_pollution": "yes", "status": "verified", "source": "巫山县", "as_of": "2014-08-13T12:00:00+08:00"},
 "deaths": {"value": 0, "caused_by_pollution": "yes"}, "water_intake_interruption": "township", "heavy_metal": "no",
 "radiation": {"involved": "no", "ines_level": null}}"#;
    vec![
        ("boundary", br#"{"occurred_on": "2014-08-13", "boundary_effect": "province", "boundary_status": "occurred"}"#.to_vec()),
        ("fuller", fuller.as_bytes().to_vec()),
        ("misspelt", br#"{"death": {"value": 1}}"#.to_vec()),
        ("no_date", br#"{"heavy_metal": "yes"}"#.to_vec()),
    ]
}
