//! A drill script in TOML.

use crate::Seed;
use crate::drill::script::{Action, Script};

const SHIPPED: [(&str, &str); 3] = [
    ("as_it_happened", include_str!("../../../seeds/drills/qianzhangyan-2014-as-it-happened.toml")),
    ("as_it_should_have_gone", include_str!("../../../seeds/drills/qianzhangyan-2014-as-it-should-have-gone.toml")),
    ("line_cut", include_str!("../../../seeds/drills/qianzhangyan-2014-line-cut.toml")),
];

/// Accepted: it could be played.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let script = match Script::parse(text) {
        Ok(script) => script,
        Err(errors) => {
            assert!(!errors.is_empty());
            let lines = text.matches('\n').count() + 1;
            for error in &errors {
                assert!(!error.problem.is_empty() && error.line <= lines, "{error} of {lines} lines");
            }
            return false;
        }
    };
    assert_eq!(script.nodes.len(), 2);
    for step in script.steps.iter().map(toml::Spanned::get_ref) {
        assert!(script.person(&step.by).is_some() && script.step(&step.id).is_some());
        let action = step.action().unwrap();
        assert!(action.incident().is_none_or(|label| script.incident(label).is_some()));
        match action {
            Action::SubmitReport(report) => drop((report.facts.to_wire(), report.place.to_wire())),
            Action::UpdateFacts(update) => drop(update.facts.to_wire()),
            Action::Acknowledge(given) => assert!(script.notify(&given.notification).is_some()),
            _ => {}
        }
    }
    true
}

/// The drills that are shipped, and one with a misspelt key.
pub fn seeds() -> Vec<Seed> {
    let misspelt = SHIPPED[0].1.replacen("confirmed_environmental", "confirmed_enviromental", 1);
    let shipped = SHIPPED.iter().map(|(name, text)| (*name, text.as_bytes().to_vec()));
    shipped.chain([("misspelt", misspelt.into_bytes())]).collect()
}
