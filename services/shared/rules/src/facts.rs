//! What a grade is decided from.
//!
//! **Unknown is not zero.** A field that is absent is unknown; it is neither no nor none nor 0, and can still raise the grade.
//! There is one current figure per criterion; the history of figures is the caller's to keep.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::codes::{
    BoundaryEffect, BoundaryStatus, EcologicalHarm, FigureStatus, NuclearEmergency, NuclearFacility, RadiationConsequence, SourceClass,
    SourceEvent, Tristate, WaterIntakeInterruption,
};

/// A harm figure with its cause and its source. It counts only if the pollution caused it and it was not excluded.
/// With the cause unknown it fires nothing but could.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Figure {
    /// The number. Absent or null: unknown, which is not zero.
    pub value: Option<f64>,
    /// Was it caused by the pollution (因环境污染)? Victims of the crash or the blast itself were not.
    pub caused_by_pollution: Tristate,
    /// How far it has been checked.
    pub status: FigureStatus,
    /// Who said so, in words.
    pub source: Option<String>,
    /// The instant for which it was stated, RFC 3339.
    pub as_of: Option<Timestamp>,
}

impl Figure {
    /// A figure that was heard and that the pollution caused.
    pub fn caused(value: f64) -> Self {
        Self { value: Some(value), caused_by_pollution: Tristate::Yes, ..Self::default() }
    }

    /// The known number nought: nobody, nothing.
    pub fn nought() -> Self {
        Self::caused(0.0)
    }
}

/// The facts of one incident. All fields may be absent; every enum fact means what the pollution caused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// Date of occurrence in Beijing time; selects the grading table.
    pub occurred_on: Option<Date>,
    /// Date on which it was learned in Beijing time; selects the reporting table. Absent: the date of occurrence.
    pub learned_on: Option<Date>,
    /// Deaths directly caused by the pollution, persons.
    pub deaths: Figure,
    /// Poisoned or seriously injured (中毒或重伤), one sum of distinct persons. The annex of Order 17 counts the poisoned only.
    pub poisoned_or_injured: Figure,
    /// Persons evacuated or moved (疏散、转移).
    pub evacuated: Figure,
    /// Direct economic loss, yuan.
    pub direct_loss_yuan: Figure,
    /// Persons without normal drinking water. No criterion of its own: shown, and drafted into notices.
    pub without_water: Figure,
    /// Interrupted drinking-water intake.
    pub water_intake_interruption: WaterIntakeInterruption,
    /// The widest boundary concerned.
    pub boundary_effect: BoundaryEffect,
    /// Whether that effect has occurred.
    pub boundary_status: BoundaryStatus,
    /// Is an effect across the state border grave (重大)? Only the plan of 2014 asks.
    pub border_effect_grave: Tristate,
    /// Harm to nature.
    pub ecological_harm: EcologicalHarm,
    /// Heavy metals, hazardous chemicals or dumped hazardous waste in a sensitive area (Order 17 annex, Ⅱ(6)).
    pub hazardous_in_sensitive_area: Tristate,
    /// Is it confirmed to be an environmental emergency? The last row of grade Ⅳ needs yes.
    pub confirmed_environmental: Tristate,
    /// Art. 4(1): affects or may affect a drinking-water source protection area.
    pub drinking_water_protection_area: Tristate,
    /// Art. 4(2): residential areas, schools, hospitals or other sensitive areas and people.
    pub residential_school_hospital: Tristate,
    /// Art. 4(3): heavy-metal or metalloid pollution.
    pub heavy_metal: Tristate,
    /// Art. 4(4): may have effect across a provincial boundary or the state border; a forecast is enough.
    pub may_cross_province: Tristate,
    /// Art. 4(5): mass incident caused by the pollution, or large social effect.
    pub mass_incident: Tristate,
    /// Art. 4(6): the department thinks that it should be reported.
    pub department_judges_reportable: Tristate,
    /// Radiation.
    pub radiation: RadiationFacts,
}

/// Radiation facts. `involved: no` answers all the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RadiationFacts {
    /// Is radioactive matter, a ray device or a nuclear facility concerned at all?
    pub involved: Tristate,
    /// Class of the radioactive source.
    pub source_class: SourceClass,
    /// What happened to it.
    pub source_event: SourceEvent,
    /// Scale of the radiation consequences.
    pub consequence: RadiationConsequence,
    /// Did radioactive material leak?
    pub material_leak: Tristate,
    /// Did a radioisotope or a ray device get out of control?
    pub device_out_of_control: Tristate,
    /// Acute deaths by radiation, persons.
    pub acute_deaths: Figure,
    /// Persons with acute severe radiation sickness or local organ disability.
    pub severe_sickness: Figure,
    /// Were persons exposed above the annual dose limit?
    pub over_annual_dose_limit: Tristate,
    /// Uranium mining or associated ore discharging above the standard, with radiation consequences.
    pub ore_discharge_with_consequences: Tristate,
    /// Emergency state of a nuclear facility.
    pub nuclear_emergency: NuclearEmergency,
    /// May the radiation of a nuclear accident affect a neighbouring province or abroad?
    pub nuclear_may_reach_neighbours: Tristate,
    /// Where the nuclear facility stands.
    pub nuclear_facility: NuclearFacility,
    /// INES level, 0 to 7. Absent or null: unknown.
    pub ines_level: Option<u8>,
    /// Imported goods with serious excess radiation.
    pub imported_goods_serious_excess: Tristate,
}

impl RadiationFacts {
    /// Nothing radioactive is concerned.
    pub fn not_involved() -> Self {
        Self { involved: Tristate::No, ..Self::default() }
    }
}

/// A field of the facts that cannot be, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldViolation {
    /// Path of the field, for example `deaths.value`.
    pub field: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Facts {
    /// What cannot be in these facts; empty if all is well. Numbers must be finite and not negative, persons whole,
    /// and nothing radioactive may be stated beside `radiation.involved: no`.
    pub fn violations(&self) -> Vec<FieldViolation> {
        let mut found = Vec::new();
        let persons = [
            ("deaths", &self.deaths),
            ("poisoned_or_injured", &self.poisoned_or_injured),
            ("evacuated", &self.evacuated),
            ("without_water", &self.without_water),
            ("radiation.acute_deaths", &self.radiation.acute_deaths),
            ("radiation.severe_sickness", &self.radiation.severe_sickness),
        ];
        for (field, figure) in persons {
            check_number(&mut found, field, figure, true);
        }
        check_number(&mut found, "direct_loss_yuan", &self.direct_loss_yuan, false);
        self.check_radiation(&mut found);
        found
    }

    fn check_radiation(&self, found: &mut Vec<FieldViolation>) {
        if self.radiation.ines_level.is_some_and(|level| level > 7) {
            push(found, "radiation.ines_level", "must be between 0 and 7");
        }
        let stated = RadiationFacts { involved: Tristate::No, ..self.radiation.clone() };
        if self.radiation.involved == Tristate::No && stated != RadiationFacts::not_involved() {
            push(found, "radiation.involved", "is no, but other radiation facts are stated; say yes or unknown, or leave them out");
        }
    }
}

fn check_number(found: &mut Vec<FieldViolation>, field: &str, figure: &Figure, whole: bool) {
    let Some(value) = figure.value else { return };
    let problem = if !value.is_finite() {
        "must be a finite number; leave it out if unknown"
    } else if value < 0.0 {
        "must not be negative; leave it out if unknown"
    } else if whole && value.fract() != 0.0 {
        "must be a whole number of persons"
    } else {
        return;
    };
    push(found, &format!("{field}.value"), problem);
}

fn push(found: &mut Vec<FieldViolation>, field: &str, problem: &str) {
    found.push(FieldViolation { field: field.to_owned(), problem: problem.to_owned() });
}
