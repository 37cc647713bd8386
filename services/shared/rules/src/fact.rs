//! The facts by name: what the rule tables may ask for, how a fact is called, and what is known of it.

use crate::codes::{
    BoundaryEffect, BoundaryStatus, EcologicalHarm, NuclearEmergency, NuclearFacility, RadiationConsequence, SourceClass, SourceEvent,
    Tristate, WaterIntakeInterruption,
};
use crate::facts::{Facts, Figure, RadiationFacts};

/// The values that a fact can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// A figure of persons or things.
    Count,
    /// A sum of money in yuan.
    Money,
    /// The level of a scale of whole numbers.
    Level,
    /// One of these codes.
    Code(&'static [&'static str]),
}

/// A fact that a rule may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactDefinition {
    /// Path in [`Facts`], for example `radiation.acute_deaths`.
    pub key: &'static str,
    /// Name in Chinese.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// Its values.
    pub kind: FactKind,
}

const fn fact(key: &'static str, zh: &'static str, en: &'static str, kind: FactKind) -> FactDefinition {
    FactDefinition { key, zh, en, kind }
}

use FactKind::{Code, Count, Level, Money};

/// All facts that a rule table can name, in the order in which a desk would ask for them.
pub const FACTS: &[FactDefinition] = &[
    fact("confirmed_environmental", "是否确认为突发环境事件", "whether it is an environmental emergency", Code(Tristate::CODES)),
    fact("deaths", "因污染死亡人数", "deaths caused by the pollution", Count),
    fact("poisoned_or_injured", "因污染中毒或重伤人数", "persons poisoned or seriously injured by the pollution", Count),
    fact("evacuated", "因污染疏散、转移人数", "persons evacuated or moved because of the pollution", Count),
    fact("direct_loss_yuan", "因污染造成的直接经济损失(元)", "direct economic loss by the pollution in yuan", Money),
    fact("without_water", "正常饮水受影响人数", "persons without normal drinking water", Count),
    fact(
        "water_intake_interruption",
        "集中式饮用水水源地取水中断",
        "interrupted intake of a centralised drinking-water source",
        Code(WaterIntakeInterruption::CODES),
    ),
    fact("boundary_effect", "跨界影响的最高层级", "the widest boundary affected", Code(BoundaryEffect::CODES)),
    fact("boundary_status", "跨界影响是否已经发生", "whether the effect across the boundary has occurred", Code(BoundaryStatus::CODES)),
    fact("border_effect_grave", "跨国境影响是否重大", "whether the effect across the state border is grave", Code(Tristate::CODES)),
    fact("ecological_harm", "生态损害", "harm to nature", Code(EcologicalHarm::CODES)),
    fact(
        "hazardous_in_sensitive_area",
        "重金属、危险化学品或危险废物是否涉及敏感区域",
        "heavy metals, hazardous chemicals or hazardous waste in a sensitive area",
        Code(Tristate::CODES),
    ),
    fact(
        "drinking_water_protection_area",
        "是否影响饮用水水源保护区",
        "effect on a drinking-water source protection area",
        Code(Tristate::CODES),
    ),
    fact("residential_school_hospital", "是否涉及居民聚居区、学校、医院", "residential areas, schools, hospitals", Code(Tristate::CODES)),
    fact("heavy_metal", "是否涉及重金属或类金属", "heavy metals or metalloids", Code(Tristate::CODES)),
    fact(
        "may_cross_province",
        "是否可能跨省或者跨国",
        "possible effect across a provincial boundary or the state border",
        Code(Tristate::CODES),
    ),
    fact("mass_incident", "是否引发群体性事件或社会影响较大", "mass incident or large social effect", Code(Tristate::CODES)),
    fact(
        "department_judges_reportable",
        "主管部门是否认为有必要报告",
        "whether the department thinks that it should be reported",
        Code(Tristate::CODES),
    ),
    fact(
        "radiation.involved",
        "是否涉及放射性物质、射线装置或核设施",
        "whether radioactive matter, a ray device or a nuclear facility is concerned",
        Code(Tristate::CODES),
    ),
    fact("radiation.source_class", "放射源类别", "class of the radioactive source", Code(SourceClass::CODES)),
    fact("radiation.source_event", "放射源状况", "what happened to the radioactive source", Code(SourceEvent::CODES)),
    fact("radiation.consequence", "辐射后果范围", "scale of the radiation consequences", Code(RadiationConsequence::CODES)),
    fact("radiation.material_leak", "放射性物质是否泄漏", "whether radioactive material leaked", Code(Tristate::CODES)),
    fact(
        "radiation.device_out_of_control",
        "同位素或射线装置是否失控",
        "whether an isotope or ray device got out of control",
        Code(Tristate::CODES),
    ),
    fact("radiation.acute_deaths", "辐射急性死亡人数", "acute deaths by radiation", Count),
    fact(
        "radiation.severe_sickness",
        "急性重度放射病、局部器官残疾人数",
        "persons with acute severe radiation sickness or local organ disability",
        Count,
    ),
    fact(
        "radiation.over_annual_dose_limit",
        "是否有人受照超过年剂量限值",
        "persons exposed above the annual dose limit",
        Code(Tristate::CODES),
    ),
    fact(
        "radiation.ore_discharge_with_consequences",
        "铀矿冶、伴生矿超标排放并造成后果",
        "uranium mining or associated ore discharging above the standard",
        Code(Tristate::CODES),
    ),
    fact("radiation.nuclear_emergency", "核设施应急状态", "emergency state of a nuclear facility", Code(NuclearEmergency::CODES)),
    fact(
        "radiation.nuclear_may_reach_neighbours",
        "核事故是否可能影响邻省或境外",
        "whether a nuclear accident may affect a neighbouring province or abroad",
        Code(Tristate::CODES),
    ),
    fact("radiation.nuclear_facility", "核设施所在地", "where the nuclear facility stands", Code(NuclearFacility::CODES)),
    fact("radiation.ines_level", "INES级别", "INES level", Level),
    fact(
        "radiation.imported_goods_serious_excess",
        "进口货物是否严重辐射超标",
        "imported goods with serious excess radiation",
        Code(Tristate::CODES),
    ),
];

/// The definition of a fact; `None` if there is no such fact.
pub fn definition(key: &str) -> Option<&'static FactDefinition> {
    FACTS.iter().find(|fact| fact.key == key)
}

/// What is known of a fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Known<'a> {
    /// A figure.
    Figure(&'a Figure),
    /// A level.
    Level(u8),
    /// A code that is neither unknown nor a forecast.
    Code(&'static str),
    /// Something else answers it: nothing of the kind is there.
    Nothing,
    /// Open. The second is the key of the fact to ask for.
    Open(Openness, &'static str),
}

/// Why a fact is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Openness {
    /// Nobody has said.
    NotKnown,
    /// It is forecast and may still come.
    Forecast,
}

const UNKNOWN: &str = "unknown";
const INVOLVED: &str = "radiation.involved";

/// What `facts` say of the fact `key`. A name outside [`FACTS`] cannot come from a checked table and is open.
pub(crate) fn known<'a>(facts: &'a Facts, key: &'static str) -> Known<'a> {
    match key.strip_prefix("radiation.") {
        Some(_) => known_radiation(&facts.radiation, key),
        None => known_plain(facts, key),
    }
}

fn known_plain<'a>(facts: &'a Facts, key: &'static str) -> Known<'a> {
    match key {
        "deaths" => Known::Figure(&facts.deaths),
        "poisoned_or_injured" => Known::Figure(&facts.poisoned_or_injured),
        "evacuated" => Known::Figure(&facts.evacuated),
        "direct_loss_yuan" => Known::Figure(&facts.direct_loss_yuan),
        "without_water" => Known::Figure(&facts.without_water),
        "boundary_status" if facts.boundary_status == BoundaryStatus::Forecast => Known::Open(Openness::Forecast, key),
        _ => code(plain_code(facts, key), key),
    }
}

fn plain_code(facts: &Facts, key: &str) -> &'static str {
    match key {
        "confirmed_environmental" => facts.confirmed_environmental.code(),
        "water_intake_interruption" => facts.water_intake_interruption.code(),
        "boundary_effect" => facts.boundary_effect.code(),
        "boundary_status" => facts.boundary_status.code(),
        "border_effect_grave" => facts.border_effect_grave.code(),
        "ecological_harm" => facts.ecological_harm.code(),
        "hazardous_in_sensitive_area" => facts.hazardous_in_sensitive_area.code(),
        "drinking_water_protection_area" => facts.drinking_water_protection_area.code(),
        "residential_school_hospital" => facts.residential_school_hospital.code(),
        "heavy_metal" => facts.heavy_metal.code(),
        "may_cross_province" => facts.may_cross_province.code(),
        "mass_incident" => facts.mass_incident.code(),
        "department_judges_reportable" => facts.department_judges_reportable.code(),
        _ => UNKNOWN,
    }
}

/// A radiation fact. What is stated holds; what is not is answered by `involved: no`, and while nothing at all is stated
/// of radiation, the one question to ask is whether it is involved.
fn known_radiation<'a>(radiation: &'a RadiationFacts, key: &'static str) -> Known<'a> {
    let stated = match key {
        "radiation.acute_deaths" => figure(&radiation.acute_deaths),
        "radiation.severe_sickness" => figure(&radiation.severe_sickness),
        "radiation.ines_level" => radiation.ines_level.map_or(Known::Open(Openness::NotKnown, key), Known::Level),
        _ => code(radiation_code(radiation, key), key),
    };
    match stated {
        Known::Open(..) if radiation.involved == Tristate::No => Known::Nothing,
        Known::Open(why, _) if *radiation == RadiationFacts::default() => Known::Open(why, INVOLVED),
        // A figure without anything in it is open as its own question.
        Known::Open(..) if key == "radiation.acute_deaths" => Known::Figure(&radiation.acute_deaths),
        Known::Open(..) if key == "radiation.severe_sickness" => Known::Figure(&radiation.severe_sickness),
        other => other,
    }
}

fn radiation_code(radiation: &RadiationFacts, key: &str) -> &'static str {
    match key {
        INVOLVED => radiation.involved.code(),
        "radiation.source_class" => radiation.source_class.code(),
        "radiation.source_event" => radiation.source_event.code(),
        "radiation.consequence" => radiation.consequence.code(),
        "radiation.material_leak" => radiation.material_leak.code(),
        "radiation.device_out_of_control" => radiation.device_out_of_control.code(),
        "radiation.over_annual_dose_limit" => radiation.over_annual_dose_limit.code(),
        "radiation.ore_discharge_with_consequences" => radiation.ore_discharge_with_consequences.code(),
        "radiation.nuclear_emergency" => radiation.nuclear_emergency.code(),
        "radiation.nuclear_may_reach_neighbours" => radiation.nuclear_may_reach_neighbours.code(),
        "radiation.nuclear_facility" => radiation.nuclear_facility.code(),
        "radiation.imported_goods_serious_excess" => radiation.imported_goods_serious_excess.code(),
        _ => UNKNOWN,
    }
}

fn code<'a>(value: &'static str, key: &'static str) -> Known<'a> {
    if value == UNKNOWN { Known::Open(Openness::NotKnown, key) } else { Known::Code(value) }
}

/// A figure of radiation: open while nothing is stated of it, so that `involved` can answer it.
fn figure(figure: &Figure) -> Known<'_> {
    if *figure == Figure::default() { Known::Open(Openness::NotKnown, INVOLVED) } else { Known::Figure(figure) }
}
