//! What a notification may not say.

use fenghuo_api::common::v1::{Place, Substance};
use fenghuo_api::partner::v1::{Acknowledgement, BoundaryEffect, Notification as Content, NotificationKind};
use fenghuo_api::time::from_proto;
use fenghuo_durable::faults::misleads;
use fenghuo_durable::{Error, Result, Violation};

const LINE_CHARS: usize = 200;
const TEXT_CHARS: usize = 15_000;
/// A message names so many substances and readings at most.
pub(super) const SUBSTANCES: usize = 50;

#[derive(Default)]
struct Faults(Vec<Violation>);

impl Faults {
    fn add(&mut self, field: String, description: &str) {
        self.0.push(Violation { field, description: description.to_owned() });
    }

    fn text(&mut self, field: String, text: &str, most: usize) {
        if text.contains('\0') {
            self.add(field, "must not contain the character NUL");
        } else if text.chars().any(misleads) {
            self.add(field, "must not contain control characters or characters that turn the direction of the text");
        } else if text.chars().count() > most {
            self.add(field, &format!("must have at most {most} characters"));
        }
    }

    fn number(&mut self, field: String, value: Option<f64>) {
        if value.is_some_and(|value| !value.is_finite() || value < 0.0) {
            self.add(field, "must be a finite number from 0; leave it out if unknown");
        }
    }

    fn time(&mut self, field: String, time: Option<&prost_types::Timestamp>) {
        if time.is_some_and(|time| from_proto(time).is_none()) {
            self.add(field, "is not a time");
        }
    }
}

/// Refuses a content that cannot be sent or stored; `field` is where it stands in the request.
pub fn check_content(field: &str, content: &Content) -> Result<()> {
    let mut faults = Faults::default();
    let at = |name: &str| format!("{field}.{name}");
    if content.kind() == NotificationKind::Unspecified {
        faults.add(at("kind"), "must be WARNING, INFORMATION, SEARCH, ASSISTANCE_REQUEST or END_OF_ALERT");
    }
    if content.subject.trim().is_empty() {
        faults.add(at("subject"), "is required: one line for the duty desk over there");
    }
    if content.subject.contains('\n') {
        faults.add(at("subject"), "must be a single line");
    }
    if BoundaryEffect::try_from(content.boundary_effect).is_err() {
        faults.add(at("boundary_effect"), "must be NONE, FORECAST or OCCURRED, or be left out");
    }
    if fenghuo_api::common::v1::Grade::try_from(content.grade).is_err() {
        faults.add(at("grade"), "must be one of the four grades, or be left out");
    }
    for (name, text) in [
        ("subject", &content.subject),
        ("section_sender_name", &content.section_sender_name),
        ("section_recipient_name", &content.section_recipient_name),
        ("duty_telephone", &content.duty_telephone),
        ("approved_by", &content.approved_by),
        ("name", &content.name),
        ("incident", &content.incident),
        ("follows", &content.follows),
        ("corrects", &content.corrects),
        ("revokes", &content.revokes),
        ("ends", &content.ends),
    ] {
        faults.text(at(name), text, LINE_CHARS);
    }
    for (name, text) in
        [("situation", &content.situation), ("measures_taken", &content.measures_taken), ("requested_action", &content.requested_action)]
    {
        faults.text(at(name), text, TEXT_CHARS);
    }
    faults.number(at("flow_m3_per_s"), content.flow_m3_per_s);
    for (name, time) in
        [("occur_time", &content.occur_time), ("learn_time", &content.learn_time), ("next_update_time", &content.next_update_time)]
    {
        faults.time(at(name), time.as_ref());
    }
    if let Some(place) = &content.place {
        check_place(&mut faults, &at("place"), place);
    }
    if content.substances.len() > SUBSTANCES {
        faults.add(at("substances"), "must have at most 50 entries");
    }
    for (number, substance) in content.substances.iter().take(SUBSTANCES).enumerate() {
        check_substance(&mut faults, &format!("{field}.substances[{number}]"), substance);
    }
    if faults.0.is_empty() { Ok(()) } else { Err(Error::invalid_fields(faults.0)) }
}

fn check_place(faults: &mut Faults, field: &str, place: &Place) {
    for (name, text) in [("admin_code", &place.admin_code), ("description", &place.description), ("water_body", &place.water_body)] {
        faults.text(format!("{field}.{name}"), text, LINE_CHARS);
    }
    let inside = |value: Option<f64>, most: f64| value.is_none_or(|value| value.is_finite() && value.abs() <= most);
    if !inside(place.longitude_deg, 180.0) || !inside(place.latitude_deg, 90.0) {
        faults.add(format!("{field}.longitude_deg"), "must be from -180 to 180 degrees, and latitude_deg from -90 to 90");
    }
}

fn check_substance(faults: &mut Faults, field: &str, substance: &Substance) {
    for (name, text) in [
        ("name", &substance.name),
        ("cas", &substance.cas),
        ("unit", &substance.unit),
        ("method", &substance.method),
        ("section", &substance.section),
    ] {
        faults.text(format!("{field}.{name}"), text, LINE_CHARS);
    }
    faults.number(format!("{field}.value"), substance.value);
    faults.number(format!("{field}.times_over_limit"), substance.times_over_limit);
    faults.number(format!("{field}.released_mass_kg"), substance.released_mass_kg);
    faults.time(format!("{field}.sampling_time"), substance.sampling_time.as_ref());
}

/// Refuses an acknowledgement that nobody could have given.
pub fn check_acknowledgement(field: &str, given: &Acknowledgement) -> Result<()> {
    let mut faults = Faults::default();
    if given.person.trim().is_empty() {
        faults.add(format!("{field}.person"), "is required: who acknowledged");
    }
    if given.acknowledge_time.is_none() {
        faults.add(format!("{field}.acknowledge_time"), "is required");
    }
    faults.time(format!("{field}.acknowledge_time"), given.acknowledge_time.as_ref());
    faults.text(format!("{field}.person"), &given.person, LINE_CHARS);
    faults.text(format!("{field}.post"), &given.post, LINE_CHARS);
    faults.text(format!("{field}.remark"), &given.remark, TEXT_CHARS);
    if faults.0.is_empty() { Ok(()) } else { Err(Error::invalid_fields(faults.0)) }
}
