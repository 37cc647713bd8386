//! Merging what is told: what a later report states replaces, what it does not state stays.

use fenghuo_rules::{BoundaryEffect, BoundaryStatus, EcologicalHarm, Facts, Figure, RadiationFacts, Tristate, WaterIntakeInterruption};

macro_rules! take_if_stated {
    ($into:ident, $from:ident, $unknown:expr, $($field:ident),+) => {
        $(if $from.$field != $unknown { $into.$field = $from.$field; })+
    };
}

/// Puts the newer statement over what was known. Unknown does not overwrite.
pub fn merge(known: &Facts, stated: &Facts) -> Facts {
    let mut merged = known.clone();
    let (into, from) = (&mut merged, stated);
    for (into, from) in [
        (&mut into.deaths, &from.deaths),
        (&mut into.poisoned_or_injured, &from.poisoned_or_injured),
        (&mut into.evacuated, &from.evacuated),
        (&mut into.direct_loss_yuan, &from.direct_loss_yuan),
        (&mut into.without_water, &from.without_water),
    ] {
        if *from != Figure::default() {
            *into = from.clone();
        }
    }
    take_if_stated!(into, from, Tristate::Unknown, hazardous_in_sensitive_area, confirmed_environmental, drinking_water_protection_area);
    take_if_stated!(into, from, Tristate::Unknown, residential_school_hospital, heavy_metal, may_cross_province, mass_incident);
    take_if_stated!(into, from, Tristate::Unknown, department_judges_reportable, border_effect_grave);
    take_if_stated!(into, from, WaterIntakeInterruption::Unknown, water_intake_interruption);
    take_if_stated!(into, from, EcologicalHarm::Unknown, ecological_harm);
    if from.boundary_effect != BoundaryEffect::Unknown {
        into.boundary_effect = from.boundary_effect;
        into.boundary_status = from.boundary_status;
    } else if from.boundary_status != BoundaryStatus::Unknown {
        into.boundary_status = from.boundary_status;
    }
    if from.radiation != RadiationFacts::default() {
        into.radiation = from.radiation.clone();
    }
    merged
}

/// Whether neighbours are or may be affected (Order 17, Art. 8): a forecast is enough.
pub fn neighbours_may_be_affected(facts: &Facts) -> Tristate {
    let wide = matches!(facts.boundary_effect, BoundaryEffect::Province | BoundaryEffect::National);
    if wide || facts.may_cross_province == Tristate::Yes { Tristate::Yes } else { facts.may_cross_province }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_stated_stays_and_what_is_stated_replaces() {
        let known = Facts { deaths: Figure::caused(1.0), heavy_metal: Tristate::Yes, ..Facts::default() };
        let stated = Facts { deaths: Figure::caused(2.0), evacuated: Figure::nought(), heavy_metal: Tristate::Unknown, ..Facts::default() };
        let merged = merge(&known, &stated);
        assert_eq!((merged.deaths.value, merged.evacuated.value, merged.direct_loss_yuan.value), (Some(2.0), Some(0.0), None));
        assert_eq!(merged.heavy_metal, Tristate::Yes);
    }

    #[test]
    fn a_boundary_effect_brings_its_status_along() {
        let known = Facts { boundary_effect: BoundaryEffect::Province, boundary_status: BoundaryStatus::Forecast, ..Facts::default() };
        let stated = Facts { boundary_effect: BoundaryEffect::Province, boundary_status: BoundaryStatus::Occurred, ..Facts::default() };
        assert_eq!(merge(&known, &stated).boundary_status, BoundaryStatus::Occurred);
        assert_eq!(neighbours_may_be_affected(&known), Tristate::Yes);
        assert_eq!(neighbours_may_be_affected(&Facts::default()), Tristate::Unknown);
    }
}
