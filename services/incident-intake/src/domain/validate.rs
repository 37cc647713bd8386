//! What a report may not say: impossible times, places and numbers. Every fault is named with what would be right.

use fenghuo_durable::Result;
pub use fenghuo_durable::faults::{Faults, TOLERANCE};
use fenghuo_rules::Facts;
use fenghuo_rules::divisions::{Divisions, distance_km, province_of};
use jiff::Timestamp;

use super::place::{Place, Substance};
use super::report::Report;

/// Coordinates further than this from the seat of the stated division are a slip, in kilometres. The largest county of the two
/// provinces reaches less than 100 km from its seat; a province's own code allows the province's width.
const FAR_KM: f64 = 150.0;
const FAR_PROVINCE_KM: f64 = 600.0;
const SUBSTANCES: usize = 50;

/// Refuses a report that cannot be.
pub fn check_report(report: &Report, province_code: &str, now: Timestamp) -> Result<()> {
    let mut faults = Faults::default();
    faults.required_line("report.title", &report.title);
    faults.text("report.description", &report.description);
    faults.line("report.reporter_name", &report.reporter_name);
    faults.line("report.reporter_telephone", &report.reporter_telephone);
    faults.line("report.reporter_organisation", &report.reporter_organisation);
    faults.past("report.learn_time", Some(report.learn_time), now);
    faults.past("report.occur_time", report.occur_time, now);
    if report.occur_time.is_some_and(|occurred| occurred > report.learn_time + TOLERANCE) {
        faults.add("report.occur_time", "lies after report.learn_time: nobody learns of it before it happens");
    }
    check_body(&mut faults, report, province_code);
    check_place(&mut faults, "report.place", &report.place, province_code);
    check_substances(&mut faults, "report.substances", &report.substances, now);
    check_facts(&mut faults, "report.facts", &report.facts, now);
    faults.done()
}

/// More persons than there are, or more yuan than there ever were, are a slip of the hand.
const PERSONS_MAX: f64 = 2e9;
const YUAN_MAX: f64 = 1e15;

/// Refuses facts that cannot be.
pub fn check_facts(faults: &mut Faults, field: &str, facts: &Facts, now: Timestamp) {
    for violation in facts.violations() {
        faults.add(format!("{field}.{}", violation.field), violation.problem);
    }
    let figures = [
        ("deaths", &facts.deaths, PERSONS_MAX),
        ("poisoned_or_injured", &facts.poisoned_or_injured, PERSONS_MAX),
        ("evacuated", &facts.evacuated, PERSONS_MAX),
        ("without_water", &facts.without_water, PERSONS_MAX),
        ("direct_loss_yuan", &facts.direct_loss_yuan, YUAN_MAX),
    ];
    for (name, figure, most) in figures {
        if figure.value.is_some_and(|value| value > most) {
            faults.add(format!("{field}.{name}.value"), format!("must be at most {most:e}; check the number"));
        }
        faults.line(&format!("{field}.{name}.source"), figure.source.as_deref().unwrap_or_default());
        faults.past(&format!("{field}.{name}.as_of_time"), figure.as_of, now);
    }
}

fn check_body(faults: &mut Faults, report: &Report, province_code: &str) {
    let code = &report.reporting_body_code;
    if code.is_empty() {
        if report.reporting_body_learn_time.is_some() {
            faults.add("report.reporting_body_learn_time", "is given without report.reporting_body_code");
        }
        return;
    }
    if Divisions::builtin().get(code).is_none() || province_of(code) != province_code {
        faults.add("report.reporting_body_code", format!("\"{}\" is not a division of {province_code}", shown(code)));
    }
    if report.reporting_body_learn_time.is_some_and(|learned| learned > report.learn_time + TOLERANCE) {
        faults.add("report.reporting_body_learn_time", "lies after report.learn_time: the department learned before it told this desk");
    }
}

/// Refuses a place that is not, or coordinates that lie elsewhere.
pub fn check_place(faults: &mut Faults, field: &str, place: &Place, province_code: &str) {
    faults.line(&format!("{field}.description"), &place.description);
    faults.line(&format!("{field}.water_body"), &place.water_body);
    let Some(division) = Divisions::builtin().get(&place.admin_code).filter(|_| province_of(&place.admin_code) == province_code) else {
        faults.add(
            format!("{field}.admin_code"),
            format!(
                "\"{}\" is not a division of {province_code}; give six digits, for example {}",
                shown(&place.admin_code),
                example(province_code)
            ),
        );
        return;
    };
    match (place.longitude_deg, place.latitude_deg) {
        (None, None) => {}
        (Some(lon), Some(lat)) if (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat) => {
            let far = if division.code == province_code { FAR_PROVINCE_KM } else { FAR_KM };
            let seat = division.lon.zip(division.lat);
            if let Some(km) = seat.map(|seat| distance_km(seat, (lon, lat))).filter(|km| *km > far) {
                faults.add(
                    format!("{field}.longitude_deg"),
                    format!("lies {km:.0} km from {}; check the coordinates, longitude first", division.name_zh),
                );
            }
        }
        (Some(_), Some(_)) => {
            faults.add(format!("{field}.longitude_deg"), "must be from -180 to 180 degrees, and latitude_deg from -90 to 90")
        }
        (Some(_), None) => faults.add(format!("{field}.latitude_deg"), "is missing: give both coordinates or neither"),
        (None, Some(_)) => faults.add(format!("{field}.longitude_deg"), "is missing: give both coordinates or neither"),
    }
}

/// Refuses substances that cannot be.
pub fn check_substances(faults: &mut Faults, field: &str, substances: &[Substance], now: Timestamp) {
    if substances.len() > SUBSTANCES {
        faults.add(field, format!("must have at most {SUBSTANCES} entries"));
    }
    for (at, substance) in substances.iter().take(SUBSTANCES).enumerate() {
        let at = format!("{field}[{at}]");
        faults.required_line(&format!("{at}.name"), &substance.name);
        faults.line(&format!("{at}.cas"), &substance.cas);
        faults.line(&format!("{at}.unit"), &substance.unit);
        faults.line(&format!("{at}.method"), &substance.method);
        faults.line(&format!("{at}.section"), &substance.section);
        faults.number(&format!("{at}.value"), substance.value);
        faults.number(&format!("{at}.times_over_limit"), substance.times_over_limit);
        faults.number(&format!("{at}.released_mass_kg"), substance.released_mass_kg);
        faults.past(&format!("{at}.sampling_time"), substance.sampling_time, now);
        if substance.value.is_some() && substance.unit.trim().is_empty() {
            faults.add(format!("{at}.unit"), "is required beside a value, for example mg/L");
        }
    }
}

fn example(province_code: &str) -> String {
    let county = Divisions::builtin().all().find(|division| province_of(&division.code) == province_code && !division.code.ends_with("00"));
    county.map_or_else(|| province_code.to_owned(), |division| format!("{} ({})", division.code, division.name_zh))
}

fn shown(text: &str) -> String {
    text.chars().take(20).collect()
}
