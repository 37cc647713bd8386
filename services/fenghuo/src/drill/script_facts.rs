//! Facts, places and substances as a script writes them, and their messages. What is left out is unknown.

use fenghuo_api::common::v1 as common;
use fenghuo_api::incident::v1 as pb;
use fenghuo_api::partner::v1 as partner;
use fenghuo_api::time::to_proto;
use jiff::Timestamp;
use serde::Deserialize;

use super::script::optional_time;

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident => $wire:ty { $($variant:ident),+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $(#[allow(missing_docs)] $variant),+ }

        impl From<$name> for i32 {
            fn from(code: $name) -> i32 {
                match code { $($name::$variant => <$wire>::$variant.into()),+ }
            }
        }
    };
}

codes! {
    /// An answer.
    Answer => common::Tristate { Yes, No, Unknown }
}
codes! {
    /// How far a figure was checked.
    Status => common::FigureStatus { Heard, Verified, Excluded }
}
codes! {
    /// Level of an interrupted intake.
    Intake => pb::WaterIntakeInterruption { None, Township, County, Prefecture }
}
codes! {
    /// Boundary of an effect that has occurred.
    Boundary => pb::BoundaryLevel { None, CountyDispute, Prefecture, Province, National }
}
codes! {
    /// Harm to nature.
    Ecology => pb::EcologicalHarm { None, ProtectedSpecies, PartialFunctionLoss, FunctionLoss }
}

codes! {
    /// How a report reached the desk. What neighbours send comes over the mailbox and is not typed in.
    Origin => pb::ReportOrigin { Hotline, Enterprise, DistrictBureau, OtherAuthority, DeviceAlarm, FieldOfficer, Media }
}
codes! {
    /// Kind of report upward.
    Upward => pb::UpwardReportKind { Initial, FollowUp, Final }
}
codes! {
    /// Kind of decision on a grade.
    Decision => pb::GradeDecisionKind { Preliminary, Determined }
}
codes! {
    /// Kind of notification.
    NotifyKind => partner::NotificationKind { Warning, Information, Search, AssistanceRequest, EndOfAlert }
}
codes! {
    /// Effect across the provincial boundary, as told to the neighbour.
    Effect => partner::BoundaryEffect { None, Forecast, Occurred }
}

/// A grade by its name in the contract.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum GradeText {
    /// Especially serious.
    #[serde(rename = "GRADE_I")]
    I,
    /// Serious.
    #[serde(rename = "GRADE_II")]
    Ii,
    /// Relatively serious.
    #[serde(rename = "GRADE_III")]
    Iii,
    /// Ordinary.
    #[serde(rename = "GRADE_IV")]
    Iv,
}

impl From<GradeText> for i32 {
    fn from(grade: GradeText) -> i32 {
        match grade {
            GradeText::I => common::Grade::I.into(),
            GradeText::Ii => common::Grade::Ii.into(),
            GradeText::Iii => common::Grade::Iii.into(),
            GradeText::Iv => common::Grade::Iv.into(),
        }
    }
}

/// Class of a lost radioactive source.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceLoss {
    /// None is concerned.
    None,
    /// Class Ⅳ or Ⅴ.
    ClassIvV,
    /// Class Ⅲ.
    ClassIii,
    /// Class Ⅰ or Ⅱ.
    ClassIIi,
    /// Class Ⅰ or Ⅱ with large-scale consequences.
    ClassIIiLargeScale,
}

impl From<SourceLoss> for i32 {
    fn from(loss: SourceLoss) -> i32 {
        match loss {
            SourceLoss::None => pb::RadioactiveSourceLoss::None.into(),
            SourceLoss::ClassIvV => pb::RadioactiveSourceLoss::ClassIvV.into(),
            SourceLoss::ClassIii => pb::RadioactiveSourceLoss::ClassIii.into(),
            SourceLoss::ClassIIi => pb::RadioactiveSourceLoss::ClassIIi.into(),
            SourceLoss::ClassIIiLargeScale => pb::RadioactiveSourceLoss::ClassIIiLargeScale.into(),
        }
    }
}

/// A harm figure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureText {
    value: Option<f64>,
    caused_by_pollution: Option<Answer>,
    status: Option<Status>,
    #[serde(default)]
    source: String,
}

/// Facts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsText {
    deaths: Option<FigureText>,
    poisoned_or_injured: Option<FigureText>,
    evacuated: Option<FigureText>,
    direct_loss_yuan: Option<FigureText>,
    without_water: Option<FigureText>,
    water_intake_interruption: Option<Intake>,
    boundary_effect: Option<Boundary>,
    ecological_harm: Option<Ecology>,
    radioactive_source_loss: Option<SourceLoss>,
    hazardous_in_sensitive_area: Option<Answer>,
    confirmed_environmental: Option<Answer>,
    drinking_water_protection_area: Option<Answer>,
    residential_school_hospital: Option<Answer>,
    heavy_metal: Option<Answer>,
    may_cross_province: Option<Answer>,
    mass_incident: Option<Answer>,
    department_judges_reportable: Option<Answer>,
}

fn code<T: Copy + Into<i32>>(code: Option<T>) -> i32 {
    code.map_or(0, Into::into)
}

fn figure(figure: Option<&FigureText>) -> Option<common::Figure> {
    figure.map(|figure| common::Figure {
        value: figure.value,
        caused_by_pollution: code(figure.caused_by_pollution),
        status: code(figure.status),
        source: figure.source.clone(),
        as_of_time: None,
    })
}

impl FactsText {
    /// The message.
    pub fn to_wire(&self) -> pb::Facts {
        pb::Facts {
            deaths: figure(self.deaths.as_ref()),
            poisoned_or_injured: figure(self.poisoned_or_injured.as_ref()),
            evacuated: figure(self.evacuated.as_ref()),
            direct_loss_yuan: figure(self.direct_loss_yuan.as_ref()),
            without_water: figure(self.without_water.as_ref()),
            water_intake_interruption: code(self.water_intake_interruption),
            boundary_effect: code(self.boundary_effect),
            ecological_harm: code(self.ecological_harm),
            radioactive_source_loss: code(self.radioactive_source_loss),
            hazardous_in_sensitive_area: code(self.hazardous_in_sensitive_area),
            confirmed_environmental: code(self.confirmed_environmental),
            drinking_water_protection_area: code(self.drinking_water_protection_area),
            residential_school_hospital: code(self.residential_school_hospital),
            heavy_metal: code(self.heavy_metal),
            may_cross_province: code(self.may_cross_province),
            mass_incident: code(self.mass_incident),
            department_judges_reportable: code(self.department_judges_reportable),
        }
    }
}

/// A place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceText {
    admin_code: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    water_body: String,
    longitude_deg: Option<f64>,
    latitude_deg: Option<f64>,
}

impl PlaceText {
    /// The message.
    pub fn to_wire(&self) -> common::Place {
        common::Place {
            admin_code: self.admin_code.clone(),
            description: self.description.clone(),
            longitude_deg: self.longitude_deg,
            latitude_deg: self.latitude_deg,
            water_body: self.water_body.clone(),
        }
    }
}

/// A substance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubstanceText {
    name: String,
    #[serde(default)]
    cas: String,
    value: Option<f64>,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    section: String,
    #[serde(default, deserialize_with = "optional_time")]
    sampled_at: Option<Timestamp>,
    times_over_limit: Option<f64>,
    released_mass_kg: Option<f64>,
}

impl SubstanceText {
    /// The message.
    pub fn to_wire(&self) -> common::Substance {
        common::Substance {
            name: self.name.clone(),
            cas: self.cas.clone(),
            value: self.value,
            unit: self.unit.clone(),
            method: self.method.clone(),
            sampling_time: self.sampled_at.map(to_proto),
            section: self.section.clone(),
            times_over_limit: self.times_over_limit,
            released_mass_kg: self.released_mass_kg,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_arrives_and_what_is_not_stays_unknown() {
        let facts: FactsText = toml::from_str(
            "boundary_effect = \"province\"\nheavy_metal = \"no\"\ndeaths = { value = 0, caused_by_pollution = \"yes\", status = \"heard\" }",
        )
        .unwrap();
        let wire = facts.to_wire();
        assert_eq!((wire.boundary_effect(), wire.heavy_metal()), (pb::BoundaryLevel::Province, common::Tristate::No));
        assert_eq!(wire.water_intake_interruption(), pb::WaterIntakeInterruption::Unspecified);
        assert_eq!(wire.deaths.map(|deaths| (deaths.value, deaths.status())), Some((Some(0.0), common::FigureStatus::Heard)));
        assert_eq!(wire.evacuated, None);
    }
}
