//! Facts of the contract and facts of the rules.

use fenghuo_api::common::v1 as common;
use fenghuo_api::incident::v1 as pb;
use fenghuo_durable::{Error, Result};
use fenghuo_rules::{
    BoundaryEffect, BoundaryStatus, EcologicalHarm, Facts, Figure, FigureStatus, RadiationConsequence, RadiationFacts, SourceClass,
    SourceEvent, Tristate, WaterIntakeInterruption,
};

use super::{opt, time, tristate_in, tristate_out};

/// From the wire. `field` is the path of the facts in the request.
pub fn facts_in(field: &str, facts: Option<pb::Facts>) -> Result<Facts> {
    let facts = facts.unwrap_or_default();
    let tri = |name: &str, value: i32| tristate_in(&format!("{field}.{name}"), value);
    let fig = |name: &str, value: Option<common::Figure>| figure_in(&format!("{field}.{name}"), value);
    let (boundary_effect, boundary_status) = boundary_in(field, facts.boundary_effect)?;
    Ok(Facts {
        occurred_on: None,
        learned_on: None,
        deaths: fig("deaths", facts.deaths)?,
        poisoned_or_injured: fig("poisoned_or_injured", facts.poisoned_or_injured)?,
        evacuated: fig("evacuated", facts.evacuated)?,
        direct_loss_yuan: fig("direct_loss_yuan", facts.direct_loss_yuan)?,
        without_water: fig("without_water", facts.without_water)?,
        water_intake_interruption: water_in(field, facts.water_intake_interruption)?,
        boundary_effect,
        boundary_status,
        border_effect_grave: Tristate::Unknown,
        ecological_harm: ecology_in(field, facts.ecological_harm)?,
        hazardous_in_sensitive_area: tri("hazardous_in_sensitive_area", facts.hazardous_in_sensitive_area)?,
        confirmed_environmental: tri("confirmed_environmental", facts.confirmed_environmental)?,
        drinking_water_protection_area: tri("drinking_water_protection_area", facts.drinking_water_protection_area)?,
        residential_school_hospital: tri("residential_school_hospital", facts.residential_school_hospital)?,
        heavy_metal: tri("heavy_metal", facts.heavy_metal)?,
        may_cross_province: tri("may_cross_province", facts.may_cross_province)?,
        mass_incident: tri("mass_incident", facts.mass_incident)?,
        department_judges_reportable: tri("department_judges_reportable", facts.department_judges_reportable)?,
        radiation: radiation_in(field, facts.radioactive_source_loss)?,
    })
}

fn figure_in(field: &str, figure: Option<common::Figure>) -> Result<Figure> {
    let Some(figure) = figure else { return Ok(Figure::default()) };
    let status = match common::FigureStatus::try_from(figure.status) {
        Ok(common::FigureStatus::Unspecified | common::FigureStatus::Heard) => FigureStatus::Heard,
        Ok(common::FigureStatus::Verified) => FigureStatus::Verified,
        Ok(common::FigureStatus::Excluded) => FigureStatus::Excluded,
        Err(_) => return Err(Error::invalid(format!("{field}.status"), "must be heard, verified or excluded")),
    };
    Ok(Figure {
        value: figure.value,
        caused_by_pollution: tristate_in(&format!("{field}.caused_by_pollution"), figure.caused_by_pollution)?,
        status,
        source: (!figure.source.is_empty()).then_some(figure.source),
        as_of: time(&format!("{field}.as_of_time"), figure.as_of_time.as_ref())?,
    })
}

fn figure_out(figure: &Figure) -> Option<common::Figure> {
    if *figure == Figure::default() {
        return None;
    }
    let status = match figure.status {
        FigureStatus::Heard => common::FigureStatus::Heard,
        FigureStatus::Verified => common::FigureStatus::Verified,
        FigureStatus::Excluded => common::FigureStatus::Excluded,
    };
    Some(common::Figure {
        value: figure.value,
        caused_by_pollution: tristate_out(figure.caused_by_pollution),
        status: status.into(),
        source: figure.source.clone().unwrap_or_default(),
        as_of_time: opt(figure.as_of),
    })
}

/// The wire states only effects that have occurred; a forecast is `may_cross_province`.
fn boundary_in(field: &str, level: i32) -> Result<(BoundaryEffect, BoundaryStatus)> {
    let occurred = |effect| Ok((effect, BoundaryStatus::Occurred));
    match pb::BoundaryLevel::try_from(level) {
        Ok(pb::BoundaryLevel::Unspecified) => Ok((BoundaryEffect::Unknown, BoundaryStatus::Unknown)),
        Ok(pb::BoundaryLevel::None) => occurred(BoundaryEffect::None),
        Ok(pb::BoundaryLevel::CountyDispute) => occurred(BoundaryEffect::CountyDispute),
        Ok(pb::BoundaryLevel::Prefecture) => occurred(BoundaryEffect::Prefecture),
        Ok(pb::BoundaryLevel::Province) => occurred(BoundaryEffect::Province),
        Ok(pb::BoundaryLevel::National) => occurred(BoundaryEffect::National),
        Err(_) => Err(Error::invalid(format!("{field}.boundary_effect"), "is not a known boundary level")),
    }
}

fn boundary_out(facts: &Facts) -> i32 {
    let occurred = facts.boundary_status == BoundaryStatus::Occurred;
    let level = match facts.boundary_effect {
        BoundaryEffect::None => pb::BoundaryLevel::None,
        BoundaryEffect::CountyDispute if occurred => pb::BoundaryLevel::CountyDispute,
        BoundaryEffect::Prefecture if occurred => pb::BoundaryLevel::Prefecture,
        BoundaryEffect::Province if occurred => pb::BoundaryLevel::Province,
        BoundaryEffect::National if occurred => pb::BoundaryLevel::National,
        _ => pb::BoundaryLevel::Unspecified,
    };
    level.into()
}

fn water_in(field: &str, level: i32) -> Result<WaterIntakeInterruption> {
    match pb::WaterIntakeInterruption::try_from(level) {
        Ok(pb::WaterIntakeInterruption::Unspecified) => Ok(WaterIntakeInterruption::Unknown),
        Ok(pb::WaterIntakeInterruption::None) => Ok(WaterIntakeInterruption::None),
        Ok(pb::WaterIntakeInterruption::Township) => Ok(WaterIntakeInterruption::Township),
        Ok(pb::WaterIntakeInterruption::County) => Ok(WaterIntakeInterruption::County),
        Ok(pb::WaterIntakeInterruption::Prefecture) => Ok(WaterIntakeInterruption::PrefectureOrAbove),
        Err(_) => Err(Error::invalid(format!("{field}.water_intake_interruption"), "is not a known level")),
    }
}

fn water_out(level: WaterIntakeInterruption) -> i32 {
    let level = match level {
        WaterIntakeInterruption::Unknown => pb::WaterIntakeInterruption::Unspecified,
        WaterIntakeInterruption::None => pb::WaterIntakeInterruption::None,
        WaterIntakeInterruption::Township => pb::WaterIntakeInterruption::Township,
        WaterIntakeInterruption::County => pb::WaterIntakeInterruption::County,
        WaterIntakeInterruption::PrefectureOrAbove => pb::WaterIntakeInterruption::Prefecture,
    };
    level.into()
}

fn ecology_in(field: &str, harm: i32) -> Result<EcologicalHarm> {
    match pb::EcologicalHarm::try_from(harm) {
        Ok(pb::EcologicalHarm::Unspecified) => Ok(EcologicalHarm::Unknown),
        Ok(pb::EcologicalHarm::None) => Ok(EcologicalHarm::None),
        Ok(pb::EcologicalHarm::ProtectedSpecies) => Ok(EcologicalHarm::ProtectedSpecies),
        Ok(pb::EcologicalHarm::PartialFunctionLoss) => Ok(EcologicalHarm::PartialFunctionLoss),
        Ok(pb::EcologicalHarm::FunctionLoss) => Ok(EcologicalHarm::FunctionLoss),
        Err(_) => Err(Error::invalid(format!("{field}.ecological_harm"), "is not a known kind of harm")),
    }
}

fn ecology_out(harm: EcologicalHarm) -> i32 {
    let harm = match harm {
        EcologicalHarm::Unknown => pb::EcologicalHarm::Unspecified,
        EcologicalHarm::None => pb::EcologicalHarm::None,
        EcologicalHarm::ProtectedSpecies => pb::EcologicalHarm::ProtectedSpecies,
        EcologicalHarm::PartialFunctionLoss => pb::EcologicalHarm::PartialFunctionLoss,
        EcologicalHarm::FunctionLoss => pb::EcologicalHarm::FunctionLoss,
    };
    harm.into()
}

/// The one radiation fact of an ordinary intake; the rest belongs to radiation-tracking.
fn radiation_in(field: &str, loss: i32) -> Result<RadiationFacts> {
    let lost = |class, consequence| RadiationFacts {
        involved: Tristate::Yes,
        source_class: class,
        source_event: SourceEvent::LostOrStolen,
        consequence,
        ..RadiationFacts::default()
    };
    match pb::RadioactiveSourceLoss::try_from(loss) {
        Ok(pb::RadioactiveSourceLoss::Unspecified) => Ok(RadiationFacts::default()),
        Ok(pb::RadioactiveSourceLoss::None) => Ok(RadiationFacts::not_involved()),
        Ok(pb::RadioactiveSourceLoss::ClassIvV) => Ok(lost(SourceClass::ClassIvV, RadiationConsequence::Unknown)),
        Ok(pb::RadioactiveSourceLoss::ClassIii) => Ok(lost(SourceClass::ClassIii, RadiationConsequence::Unknown)),
        Ok(pb::RadioactiveSourceLoss::ClassIIi) => Ok(lost(SourceClass::ClassIIi, RadiationConsequence::Unknown)),
        Ok(pb::RadioactiveSourceLoss::ClassIIiLargeScale) => Ok(lost(SourceClass::ClassIIi, RadiationConsequence::LargeSerious)),
        Err(_) => Err(Error::invalid(format!("{field}.radioactive_source_loss"), "is not a known class")),
    }
}

fn radiation_out(radiation: &RadiationFacts) -> i32 {
    let loss = match (radiation.involved, radiation.source_class, radiation.consequence) {
        (Tristate::No, _, _) => pb::RadioactiveSourceLoss::None,
        (_, SourceClass::ClassIvV, _) => pb::RadioactiveSourceLoss::ClassIvV,
        (_, SourceClass::ClassIii, _) => pb::RadioactiveSourceLoss::ClassIii,
        (_, SourceClass::ClassIIi, RadiationConsequence::LargeSerious) => pb::RadioactiveSourceLoss::ClassIIiLargeScale,
        (_, SourceClass::ClassIIi, _) => pb::RadioactiveSourceLoss::ClassIIi,
        _ => pb::RadioactiveSourceLoss::Unspecified,
    };
    loss.into()
}

/// To the wire.
pub fn facts_out(facts: &Facts) -> pb::Facts {
    pb::Facts {
        deaths: figure_out(&facts.deaths),
        poisoned_or_injured: figure_out(&facts.poisoned_or_injured),
        evacuated: figure_out(&facts.evacuated),
        direct_loss_yuan: figure_out(&facts.direct_loss_yuan),
        without_water: figure_out(&facts.without_water),
        water_intake_interruption: water_out(facts.water_intake_interruption),
        boundary_effect: boundary_out(facts),
        ecological_harm: ecology_out(facts.ecological_harm),
        radioactive_source_loss: radiation_out(&facts.radiation),
        hazardous_in_sensitive_area: tristate_out(facts.hazardous_in_sensitive_area),
        confirmed_environmental: tristate_out(facts.confirmed_environmental),
        drinking_water_protection_area: tristate_out(facts.drinking_water_protection_area),
        residential_school_hospital: tristate_out(facts.residential_school_hospital),
        heavy_metal: tristate_out(facts.heavy_metal),
        may_cross_province: tristate_out(facts.may_cross_province),
        mass_incident: tristate_out(facts.mass_incident),
        department_judges_reportable: tristate_out(facts.department_judges_reportable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive_the_wire() {
        let facts = Facts {
            deaths: Figure {
                value: Some(2.0),
                caused_by_pollution: Tristate::No,
                status: FigureStatus::Verified,
                source: Some("医院".into()),
                as_of: None,
            },
            water_intake_interruption: WaterIntakeInterruption::Township,
            boundary_effect: BoundaryEffect::Province,
            boundary_status: BoundaryStatus::Occurred,
            may_cross_province: Tristate::Yes,
            radiation: RadiationFacts::not_involved(),
            ecological_harm: EcologicalHarm::ProtectedSpecies,
            ..Facts::default()
        };
        assert_eq!(facts_in("facts", Some(facts_out(&facts))).unwrap(), facts);
        assert_eq!(facts_in("facts", None).unwrap(), Facts::default());
    }

    #[test]
    fn an_unknown_code_names_its_field() {
        let wrong = pb::Facts { ecological_harm: 99, ..pb::Facts::default() };
        assert_eq!(facts_in("report.facts", Some(wrong)).unwrap_err().violations[0].field, "report.facts.ecological_harm");
    }
}
