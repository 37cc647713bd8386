//! Expected and found: every difference, with its place.

use serde::Serialize;
use serde_json::Value;

use super::outcome::Outcome;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where, for example `incidents[source].clocks[order17-reporting/3/two-hours 422822].state`.
    pub path: String,
    /// As expected; null if nothing was expected there.
    pub expected: Value,
    /// As found; null if nothing was there.
    pub found: Value,
}

/// All differences; empty if they are equal.
pub fn differences(expected: &Outcome, found: &Outcome) -> Result<Vec<Difference>, serde_json::Error> {
    let mut all = Vec::new();
    walk("", &serde_json::to_value(expected)?, &serde_json::to_value(found)?, &mut all);
    Ok(all)
}

fn walk(path: &str, expected: &Value, found: &Value, all: &mut Vec<Difference>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            let only_right = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(only_right) {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(&below, left.get(key).unwrap_or(&Value::Null), right.get(key).unwrap_or(&Value::Null), all);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.iter().chain(right).all(Value::is_object) => lists(path, left, right, all),
        _ if expected == found => {}
        _ => all.push(Difference { path: path.to_owned(), expected: expected.clone(), found: found.clone() }),
    }
}

/// Lists of records are compared record by record: by their label, else by their position.
fn lists(path: &str, expected: &[Value], found: &[Value], all: &mut Vec<Difference>) {
    let mut rest: Vec<(String, &Value)> = labelled(found);
    for (label, item) in labelled(expected) {
        let below = format!("{path}[{label}]");
        match rest.iter().position(|(other, _)| *other == label) {
            Some(at) => walk(&below, item, rest.remove(at).1, all),
            None => all.push(Difference { path: below, expected: item.clone(), found: Value::Null }),
        }
    }
    all.extend(rest.into_iter().map(|(label, item)| Difference {
        path: format!("{path}[{label}]"),
        expected: Value::Null,
        found: item.clone(),
    }));
}

fn labelled(items: &[Value]) -> Vec<(String, &Value)> {
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let label = |at: usize, item: &Value| {
        let clock = text(item, "row").zip(text(item, "body")).map(|(row, body)| format!("{row} {body}"));
        clock.or_else(|| text(item, "incident")).or_else(|| text(item, "notification")).unwrap_or_else(|| (at + 1).to_string())
    };
    items.iter().enumerate().map(|(at, item)| (label(at, item), item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = include_str!("../../../../seeds/drills/qianzhangyan-2014-as-it-happened.expected.json");

    fn outcome() -> Outcome {
        serde_json::from_str(EXPECTED).unwrap()
    }

    #[test]
    fn the_same_has_no_difference_and_survives_writing() {
        let again: Outcome = serde_json::from_str(&serde_json::to_string(&outcome()).unwrap()).unwrap();
        assert_eq!(differences(&outcome(), &again).unwrap(), []);
    }

    #[test]
    fn each_difference_names_its_place() {
        let mut found = outcome();
        found.incidents[0].clocks.swap(0, 1);
        found.incidents[0].clocks.iter_mut().find(|clock| clock.state == "MISSED").unwrap().state = "KEPT".into();
        found.notifications[1].signatures = "BROKEN".into();
        let extra = found.incidents[1].grades[0].clone();
        found.incidents[1].grades.push(extra);
        let differences = differences(&outcome(), &found).unwrap();
        let paths: Vec<_> = differences.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "incidents[reservoir].clocks[order17-reporting/3/two-hours 500237].state",
                "incidents[source].grades[5]",
                "notifications[found].signatures",
            ]
        );
        assert_eq!((differences[0].expected.as_str(), differences[0].found.as_str()), (Some("MISSED"), Some("KEPT")));
        assert!(differences[1].expected.is_null());
    }

    #[test]
    fn what_is_missing_is_a_difference() {
        let mut found = outcome();
        found.incidents[0].clocks.pop();
        found.logs.clear();
        let paths: Vec<_> = differences(&outcome(), &found).unwrap().into_iter().map(|difference| difference.path).collect();
        assert_eq!(paths, ["incidents[reservoir].clocks[order17-reporting/12/final 500237]", "logs.420000", "logs.500000"]);
    }

    #[test]
    fn an_unknown_key_in_the_expected_file_is_refused() {
        let text = EXPECTED.replacen("\"state\": \"CLOSED\"", "\"state\": \"CLOSED\", \"stat\": 1", 1);
        assert!(serde_json::from_str::<Outcome>(&text).unwrap_err().to_string().contains("unknown field `stat`"));
    }
}
