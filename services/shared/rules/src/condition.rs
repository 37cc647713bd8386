//! One condition of a rule on one fact, and what the facts make of it: holds, does not hold, or could.

use serde::{Deserialize, Serialize};

use crate::codes::{FigureStatus, Tristate};
use crate::fact::{self, FactKind, Known, Openness};
use crate::facts::{Facts, Figure};

/// A condition: either a half-open interval of a number or a list of codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name of the fact, one of [`crate::fact::FACTS`].
    pub fact: String,
    /// Least number, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Number below which it holds, not included. Absent: no upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Codes with which it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
}

/// What the facts make of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It could, depending on what is not known yet.
    Could(Doubt),
}

/// What is not known: the fact to ask for, and what about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) fact: &'static str,
    pub(crate) about: About,
}

/// What is not known about a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// Its value.
    Value,
    /// Whether the pollution caused it.
    Cause,
    /// Whether what is forecast will have occurred.
    Forecast,
}

impl Condition {
    /// Whether the interval holds `number`.
    pub fn contains(&self, number: f64) -> bool {
        self.at_least.is_some_and(|least| number >= least) && self.below.is_none_or(|below| number < below)
    }

    pub(crate) fn judge(&self, facts: &Facts) -> Verdict {
        let Some(definition) = fact::definition(&self.fact) else { return Verdict::Fails };
        match fact::known(facts, definition.key) {
            Known::Figure(figure) => self.judge_figure(figure, definition.key),
            Known::Level(level) => verdict(self.contains(f64::from(level))),
            Known::Code(code) => verdict(self.one_of.iter().any(|wanted| wanted == code)),
            Known::Nothing => Verdict::Fails,
            Known::Open(Openness::NotKnown, fact) => Verdict::Could(Doubt { fact, about: About::Value }),
            Known::Open(Openness::Forecast, fact) => Verdict::Could(Doubt { fact, about: About::Forecast }),
        }
    }

    fn judge_figure(&self, figure: &Figure, fact: &'static str) -> Verdict {
        if figure.status == FigureStatus::Excluded || figure.caused_by_pollution == Tristate::No {
            return Verdict::Fails;
        }
        // A number that cannot be is refused before it gets here; should one slip through, it is treated as not known.
        let Some(value) = figure.value.filter(|value| value.is_finite() && *value >= 0.0) else {
            return Verdict::Could(Doubt { fact, about: About::Value });
        };
        match (self.contains(value), figure.caused_by_pollution) {
            (false, _) => Verdict::Fails,
            (true, Tristate::Yes) => Verdict::Holds,
            (true, _) => Verdict::Could(Doubt { fact, about: About::Cause }),
        }
    }

    /// What is wrong with the condition itself; `None` if nothing.
    pub(crate) fn defect(&self) -> Option<String> {
        let Some(definition) = fact::definition(&self.fact) else {
            return Some(format!("asks for the fact \"{}\", which does not exist", self.fact));
        };
        match definition.kind {
            FactKind::Code(codes) => self.code_defect(codes),
            _ => self.interval_defect(),
        }
    }

    fn code_defect(&self, codes: &[&str]) -> Option<String> {
        if self.at_least.is_some() || self.below.is_some() {
            return Some(format!("gives an interval for \"{}\", which is not a number", self.fact));
        }
        if self.one_of.is_empty() {
            return Some(format!("lists no code for \"{}\"", self.fact));
        }
        let wrong = self.one_of.iter().find(|code| *code == "unknown" || !codes.contains(&code.as_str()))?;
        Some(format!("lists \"{wrong}\" for \"{}\"; possible are {}", self.fact, codes.join(", ")))
    }

    fn interval_defect(&self) -> Option<String> {
        if !self.one_of.is_empty() {
            return Some(format!("lists codes for \"{}\", which is a number", self.fact));
        }
        match (self.at_least, self.below) {
            (None, _) => Some(format!("gives no at_least for \"{}\"", self.fact)),
            (Some(least), _) if !(least.is_finite() && least > 0.0) => Some(format!("must have a positive at_least for \"{}\"", self.fact)),
            (Some(least), Some(below)) if !(below.is_finite() && least < below) => {
                Some(format!("has an empty interval for \"{}\"", self.fact))
            }
            _ => None,
        }
    }
}

fn verdict(holds: bool) -> Verdict {
    if holds { Verdict::Holds } else { Verdict::Fails }
}
