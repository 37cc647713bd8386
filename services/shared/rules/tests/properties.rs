//! Laws of the grading that hold for all facts.
#![allow(clippy::unwrap_used)]

use fenghuo_rules::{Assessment, NuclearEmergency, NuclearFacility};
use fenghuo_rules::{
    BoundaryEffect, BoundaryStatus, EcologicalHarm, Facts, Figure, FigureStatus, Grade, GradeState, RadiationConsequence, RadiationFacts,
    Route, RuleBook, SourceClass, SourceEvent, Tristate, WaterIntakeInterruption, grade,
};
use proptest::prelude::*;
use proptest::sample::select;

fn assess(table: usize, facts: &Facts) -> Assessment {
    let book = RuleBook::builtin();
    grade(&book.grading_tables()[table], &book.reporting_tables()[0], facts)
}

fn tristate() -> impl Strategy<Value = Tristate> {
    select(Tristate::ALL)
}

const EDGES: &[f64] = &[1.0, 3.0, 10.0, 30.0, 50.0, 100.0, 5e3, 1e4, 5e4, 5e6, 2e7, 1e8];

/// Numbers on and beside the edges of all rows, and some between.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        (select(EDGES), -1i8..=1).prop_map(|(edge, step)| edge + f64::from(step)),
        (0u32..200_000_000).prop_map(f64::from)
    ]
}

prop_compose! {
    fn figure()(value in proptest::option::of(number()), caused_by_pollution in tristate(), status in select(FigureStatus::ALL)) -> Figure {
        Figure { value, caused_by_pollution, status, ..Figure::default() }
    }
}

prop_compose! {
    fn radiation()(
        source_class in select(SourceClass::ALL), source_event in select(SourceEvent::ALL), consequence in select(RadiationConsequence::ALL),
        tristates in proptest::array::uniform7(tristate()), acute_deaths in figure(), severe_sickness in figure(),
        nuclear_emergency in select(NuclearEmergency::ALL), nuclear_facility in select(NuclearFacility::ALL),
        ines_level in proptest::option::of(0u8..=7), stated in any::<bool>(),
    ) -> RadiationFacts {
        let [involved, material_leak, device_out_of_control, over_annual_dose_limit, ore, reach, imported] = tristates;
        if !stated {
            return RadiationFacts { involved, ..RadiationFacts::default() };
        }
        RadiationFacts {
            involved: if involved == Tristate::No { Tristate::Yes } else { involved },
            source_class, source_event, consequence, material_leak, device_out_of_control, acute_deaths, severe_sickness,
            over_annual_dose_limit, ore_discharge_with_consequences: ore, nuclear_emergency, nuclear_may_reach_neighbours: reach,
            nuclear_facility, ines_level, imported_goods_serious_excess: imported,
        }
    }
}

prop_compose! {
    fn facts()(
        figures in proptest::array::uniform4(figure()), tristates in proptest::array::uniform9(tristate()),
        water_intake_interruption in select(WaterIntakeInterruption::ALL), boundary_effect in select(BoundaryEffect::ALL),
        boundary_status in select(BoundaryStatus::ALL), ecological_harm in select(EcologicalHarm::ALL), radiation in radiation(),
    ) -> Facts {
        let [deaths, poisoned_or_injured, evacuated, direct_loss_yuan] = figures;
        let [grave, hazardous, confirmed, water, residential, metal, cross, mass, department] = tristates;
        Facts {
            deaths, poisoned_or_injured, evacuated, direct_loss_yuan, water_intake_interruption, boundary_effect, boundary_status,
            border_effect_grave: grave, ecological_harm, hazardous_in_sensitive_area: hazardous, confirmed_environmental: confirmed,
            drinking_water_protection_area: water, residential_school_hospital: residential, heavy_metal: metal, may_cross_province: cross,
            mass_incident: mass, department_judges_reportable: department, radiation, ..Facts::default()
        }
    }
}

/// The figure once what is unknown of it has been found out; what is known stays.
fn learn_figure(known: &Figure, truth: &Figure) -> Figure {
    let caused = if known.caused_by_pollution == Tristate::Unknown { truth.caused_by_pollution } else { known.caused_by_pollution };
    Figure { value: known.value.or(truth.value), caused_by_pollution: caused, ..known.clone() }
}

macro_rules! learn {
    ($known:expr, $truth:expr, $unknown:expr) => {
        if $known == $unknown { $truth } else { $known }
    };
}

/// `known` with everything unknown in it taken from `truth`, and a forecast come true.
fn learn(known: &Facts, truth: &Facts) -> Facts {
    let tri = |known: Tristate, truth: Tristate| learn!(known, truth, Tristate::Unknown);
    Facts {
        deaths: learn_figure(&known.deaths, &truth.deaths),
        poisoned_or_injured: learn_figure(&known.poisoned_or_injured, &truth.poisoned_or_injured),
        evacuated: learn_figure(&known.evacuated, &truth.evacuated),
        direct_loss_yuan: learn_figure(&known.direct_loss_yuan, &truth.direct_loss_yuan),
        water_intake_interruption: learn!(
            known.water_intake_interruption,
            truth.water_intake_interruption,
            WaterIntakeInterruption::Unknown
        ),
        boundary_effect: learn!(known.boundary_effect, truth.boundary_effect, BoundaryEffect::Unknown),
        boundary_status: if known.boundary_status == BoundaryStatus::Occurred { BoundaryStatus::Occurred } else { truth.boundary_status },
        border_effect_grave: tri(known.border_effect_grave, truth.border_effect_grave),
        ecological_harm: learn!(known.ecological_harm, truth.ecological_harm, EcologicalHarm::Unknown),
        hazardous_in_sensitive_area: tri(known.hazardous_in_sensitive_area, truth.hazardous_in_sensitive_area),
        confirmed_environmental: tri(known.confirmed_environmental, truth.confirmed_environmental),
        radiation: learn_radiation(&known.radiation, &truth.radiation),
        ..known.clone()
    }
}

fn learn_radiation(known: &RadiationFacts, truth: &RadiationFacts) -> RadiationFacts {
    let tri = |known: Tristate, truth: Tristate| learn!(known, truth, Tristate::Unknown);
    if known.involved == Tristate::No {
        return known.clone();
    }
    RadiationFacts {
        involved: tri(known.involved, truth.involved),
        source_class: learn!(known.source_class, truth.source_class, SourceClass::Unknown),
        source_event: learn!(known.source_event, truth.source_event, SourceEvent::Unknown),
        consequence: learn!(known.consequence, truth.consequence, RadiationConsequence::Unknown),
        material_leak: tri(known.material_leak, truth.material_leak),
        device_out_of_control: tri(known.device_out_of_control, truth.device_out_of_control),
        acute_deaths: learn_figure(&known.acute_deaths, &truth.acute_deaths),
        severe_sickness: learn_figure(&known.severe_sickness, &truth.severe_sickness),
        over_annual_dose_limit: tri(known.over_annual_dose_limit, truth.over_annual_dose_limit),
        ore_discharge_with_consequences: tri(known.ore_discharge_with_consequences, truth.ore_discharge_with_consequences),
        nuclear_emergency: learn!(known.nuclear_emergency, truth.nuclear_emergency, NuclearEmergency::Unknown),
        nuclear_may_reach_neighbours: tri(known.nuclear_may_reach_neighbours, truth.nuclear_may_reach_neighbours),
        nuclear_facility: learn!(known.nuclear_facility, truth.nuclear_facility, NuclearFacility::Unknown),
        ines_level: known.ines_level.or(truth.ines_level),
        imported_goods_serious_excess: tri(known.imported_goods_serious_excess, truth.imported_goods_serious_excess),
    }
}

fn raise(figure: &mut Figure, by: f64) {
    if let Some(value) = figure.value.as_mut() {
        *value += by;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    /// Finding something out never lowers the grade, and never raises it above what was said to be reachable.
    #[test]
    fn learning_stays_between_the_grade_and_what_it_could_reach(known in facts(), truth in facts(), table in 0usize..2) {
        let before = assess(table, &known);
        let after = assess(table, &learn(&known, &truth));
        prop_assert!(after.grade >= before.grade, "{:?} fell to {:?}", before.grade, after.grade);
        let ceiling = before.could_reach.max(before.grade);
        prop_assert!(after.grade <= ceiling, "{:?} rose above {:?}", after.grade, ceiling);
        prop_assert!(after.could_reach.max(after.grade) <= ceiling);
    }

    /// A larger figure never means a lower grade.
    #[test]
    fn raising_a_figure_never_lowers_the_grade(facts in facts(), by in number(), which in 0usize..6, table in 0usize..2) {
        let before = assess(table, &facts);
        let mut raised = facts;
        let figure = match which {
            0 => &mut raised.deaths,
            1 => &mut raised.poisoned_or_injured,
            2 => &mut raised.evacuated,
            3 => &mut raised.direct_loss_yuan,
            4 => &mut raised.radiation.acute_deaths,
            _ => &mut raised.radiation.severe_sickness,
        };
        raise(figure, by);
        prop_assert!(assess(table, &raised).grade >= before.grade);
    }

    /// What the answer says of itself is consistent, whatever the facts.
    #[test]
    fn an_assessment_is_consistent(facts in facts(), table in 0usize..2) {
        let assessment = assess(table, &facts);
        prop_assert_eq!(assessment.grade, assessment.fired.iter().map(|clause| clause.grade).max());
        prop_assert_eq!(assessment.could_reach, assessment.open_questions.iter().map(|question| question.could_reach).max());
        prop_assert!(assessment.could_reach.is_none_or(|reach| Some(reach) > assessment.grade));
        let undecided = assessment.grade < Some(Grade::II) && assessment.could_reach >= Some(Grade::II);
        match assessment.state {
            GradeState::Graded => {
                prop_assert!(!undecided);
                prop_assert_eq!(Some(assessment.route), assessment.grade.map(Grade::route));
            }
            GradeState::Unclear => prop_assert!(assessment.route == Route::FourHour && assessment.sensitive.is_empty()),
            GradeState::UnclearSensitive => prop_assert!(assessment.route == Route::TwoHour && !assessment.sensitive.is_empty()),
            GradeState::NotAnIncident => prop_assert!(assessment.route == Route::None && assessment.grade.is_none()),
        }
    }

    /// Facts survive being written and read.
    #[test]
    fn facts_survive_json(facts in facts()) {
        let json = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
    }
}
