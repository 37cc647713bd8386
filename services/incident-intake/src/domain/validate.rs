//! What a report may not say: impossible times, places and numbers. Every fault is named with what would be right.

use fenghuo_durable::{Error, Result, Violation};
use fenghuo_rules::divisions::{Divisions, distance_km, province_of};
use jiff::{SignedDuration, Timestamp};

use super::place::{Place, Substance};
use super::report::Report;

/// Clocks of people and of nodes may differ by this.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(120);
/// Coordinates further than this from the seat of the stated division are a slip, in kilometres. The largest county of the two
/// provinces reaches less than 100 km from its seat; a province's own code allows the province's width.
const FAR_KM: f64 = 150.0;
const FAR_PROVINCE_KM: f64 = 600.0;
const LINE_CHARS: usize = 200;
const TEXT_CHARS: usize = 20_000;
const SUBSTANCES: usize = 50;

/// Collects faults by field.
#[derive(Debug, Default)]
pub struct Faults(Vec<Violation>);

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation { field: field.into(), description: description.into() });
    }

    /// One line of text that must be there.
    pub fn required_line(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(field, "is required");
        }
        self.line(field, text);
    }

    /// One line of text.
    pub fn line(&mut self, field: &str, text: &str) {
        self.text_of(field, text, LINE_CHARS);
        if text.contains('\n') {
            self.add(field, "must be a single line");
        }
    }

    /// Several lines of text.
    pub fn text(&mut self, field: &str, text: &str) {
        self.text_of(field, text, TEXT_CHARS);
    }

    fn text_of(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.add(field, format!("must have at most {most} characters"));
        }
        if text.contains('\0') {
            self.add(field, "must not contain the character NUL");
        }
    }

    /// A number that may be given: finite, from 0.
    pub fn number(&mut self, field: &str, value: Option<f64>) {
        if value.is_some_and(|value| !value.is_finite() || value < 0.0) {
            self.add(field, "must be a finite number from 0; leave it out if unknown");
        }
    }

    /// A time that cannot be in the future.
    pub fn past(&mut self, field: &str, time: Option<Timestamp>, now: Timestamp) {
        if time.is_some_and(|time| time > now + TOLERANCE) {
            self.add(field, format!("lies in the future; it is now {now}"));
        }
    }

    /// All faults as one error, or nothing.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid_fields(self.0)) }
    }
}

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
    for violation in report.facts.violations() {
        faults.add(format!("report.facts.{}", violation.field), violation.problem);
    }
    faults.done()
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
