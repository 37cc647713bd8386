//! Which neighbours should be told of an incident: worked out from where it is and how water runs, not from a list.

use std::sync::OnceLock;

use fenghuo_api::common::v1::Tristate;
use fenghuo_api::incident::v1::{BoundaryLevel, Incident};
use fenghuo_api::time::from_proto;
use fenghuo_rules::divisions::{Divisions, province_of};
use jiff::Timestamp;
use serde::Deserialize;

/// A link between places of two provinces that no map of rivers shows: found by people, proven by a case.
#[derive(Debug, Clone, Deserialize)]
pub struct UndergroundLink {
    /// County from which water goes.
    pub from_code: String,
    /// The place there, in Chinese.
    pub from_zh: String,
    /// The same in English.
    pub from_en: String,
    /// County to which it comes.
    pub to_code: String,
    /// The place there, in Chinese.
    pub to_zh: String,
    /// The same in English.
    pub to_en: String,
    /// What joins them and what proves it, in Chinese.
    pub ground_zh: String,
    /// The same in English.
    pub ground_en: String,
}

/// The links of `seeds/rivers/underground-links.csv`.
pub fn underground_links() -> &'static [UndergroundLink] {
    static LINKS: OnceLock<Vec<UndergroundLink>> = OnceLock::new();
    // The file is compiled in and a test reads it: it cannot fail at run time.
    #[allow(clippy::expect_used)]
    LINKS.get_or_init(|| read(include_str!("../../../../seeds/rivers/underground-links.csv")).expect("the file of links was tested"))
}

fn read(text: &str) -> Result<Vec<UndergroundLink>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect()
}

/// A neighbour that should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Six-digit code.
    pub partner_code: String,
    /// Clause and ground in Chinese.
    pub why_zh: String,
    /// Clause and ground in English.
    pub why_en: String,
    /// The point on the recipient's side, where a link names it.
    pub section_zh: String,
}

const ART_8_ZH: &str = "《突发环境事件信息报告办法》(环境保护部令第17号)第八条";
const ART_8_EN: &str = "Order 17 (Measures for Reporting Information on Environmental Emergencies), Art. 8";
const TASK_4_ZH: &str = "环应急〔2020〕5号任务4(强化信息通报)";
const TASK_4_EN: &str = "Environmental Emergency [2020] No. 5, task 4 (information notification)";

/// The guidance of 2020 was reported on 5 March 2020; the day on which it was signed was not found. What happened later falls under it.
fn guidance_of_2020() -> Timestamp {
    Timestamp::constant(1_583_337_600, 0)
}

fn clauses(date: Option<Timestamp>) -> (String, String) {
    match date {
        Some(date) if date >= guidance_of_2020() => (format!("{ART_8_ZH}、{TASK_4_ZH}"), format!("{ART_8_EN}; {TASK_4_EN}")),
        _ => (ART_8_ZH.to_owned(), ART_8_EN.to_owned()),
    }
}

/// The neighbours to be told, most concerned first. The incident's date (occurrence, else learning) selects the clauses.
pub fn propose(incident: &Incident) -> Vec<Recipient> {
    let code = incident.place.as_ref().map(|place| place.admin_code.clone()).unwrap_or_default();
    let facts = incident.facts.clone().unwrap_or_default();
    let date = incident.occur_time.as_ref().or(incident.learn_time.as_ref()).and_then(from_proto);
    let (clause_zh, clause_en) = clauses(date);
    let crossed = matches!(facts.boundary_effect(), BoundaryLevel::Province | BoundaryLevel::National);
    let feared = facts.may_cross_province() == Tristate::Yes;
    let excluded = facts.boundary_effect() == BoundaryLevel::None && facts.may_cross_province() == Tristate::No;
    let mut found: Vec<Recipient> = Vec::new();
    let mut add = |partner_code: &str, ground_zh: String, ground_en: String, section_zh: &str| {
        if found.iter().any(|one| one.partner_code == partner_code) || partner_code == province_of(&code) {
            return;
        }
        let (now_zh, now_en) = match (crossed, feared) {
            (true, _) => (";已造成跨省影响", "; an effect across the boundary has occurred"),
            (false, true) => (";可能造成跨省影响", "; an effect across the boundary may occur"),
            (false, false) => ("", ""),
        };
        found.push(Recipient {
            partner_code: partner_code.to_owned(),
            why_zh: format!("{clause_zh}:{ground_zh}{now_zh}"),
            why_en: format!("{clause_en}: {ground_en}{now_en}"),
            section_zh: section_zh.to_owned(),
        });
    };
    for link in underground_links() {
        if link.from_code == code {
            let zh = format!("{}与{}{}", link.from_zh, link.to_zh, link.ground_zh);
            add(&province_of(&link.to_code), zh, format!("{} and {} are {}", link.from_en, link.to_en, link.ground_en), &link.to_zh);
        } else if link.to_code == code {
            let zh = format!("来水可能出自{},{}", link.from_zh, link.ground_zh);
            let en = format!("the water may come from {}, {}", link.from_en, link.ground_en);
            add(&province_of(&link.from_code), zh, en, &link.from_zh);
        }
    }
    // Adjoining is enough to be asked about, unless people have excluded an effect.
    if let Some(division) = Divisions::builtin().get(&code).filter(|_| !excluded) {
        let whole_province = province_of(&code) == code;
        if !whole_province || crossed || feared {
            for neighbour in &division.neighbour_provinces {
                let zh = format!("{}与{}毗邻", division.name_zh, Divisions::builtin().name_zh(neighbour));
                add(neighbour, zh, format!("{} adjoins {}", division.name_en, Divisions::builtin().name_en(neighbour)), "");
            }
        }
    }
    if found_none_but_feared(&found, crossed || feared) {
        for (code, zh, en) in far_neighbours(&code) {
            let (clause_zh, clause_en) = (&clause_zh, &clause_en);
            found.push(Recipient {
                partner_code: code,
                why_zh: format!("{clause_zh}:{zh}"),
                why_en: format!("{clause_en}: {en}"),
                section_zh: String::new(),
            });
        }
    }
    found
}

fn found_none_but_feared(found: &[Recipient], concerned: bool) -> bool {
    found.is_empty() && concerned
}

/// The county touches no other province, and yet an effect is feared: every neighbour of the province, for the officer to choose from.
fn far_neighbours(code: &str) -> Vec<(String, String, String)> {
    let all = Divisions::builtin();
    let home = province_of(code);
    let neighbours = all.get(&home).map(|division| division.neighbour_provinces.clone()).unwrap_or_default();
    let zh = "事发地不与外省接壤,但可能有跨省影响,请按流向选定".to_owned();
    let en = "the place touches no other province, but an effect across the boundary is feared: choose by the flow".to_owned();
    neighbours.into_iter().map(|code| (code, zh.clone(), en.clone())).collect()
}

/// Why this partner, if the rules propose it; else that a person chose it.
pub fn why(incident: &Incident, partner_code: &str) -> Recipient {
    propose(incident).into_iter().find(|one| one.partner_code == partner_code).unwrap_or_else(|| Recipient {
        partner_code: partner_code.to_owned(),
        why_zh: "由值班人员选定".to_owned(),
        why_en: "chosen by the officer".to_owned(),
        section_zh: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use fenghuo_api::common::v1::Place;
    use fenghuo_api::incident::v1::Facts;
    use fenghuo_api::time::to_proto;

    use super::*;

    fn incident(code: &str, occurred: &str, facts: Facts) -> Incident {
        Incident {
            place: Some(Place { admin_code: code.into(), ..Default::default() }),
            occur_time: Some(to_proto(occurred.parse().unwrap())),
            facts: Some(facts),
            ..Default::default()
        }
    }

    fn feared() -> Facts {
        Facts { may_cross_province: Tristate::Yes.into(), ..Default::default() }
    }

    #[test]
    fn jianshi_tells_chongqing_because_of_the_karst_and_wushan_asks_hubei() {
        let from_jianshi = propose(&incident("422822", "2014-08-12T08:00:00Z", feared()));
        assert_eq!(from_jianshi[0].partner_code, "500000");
        assert!(from_jianshi[0].why_zh.contains("第八条") && from_jianshi[0].why_zh.contains("岩溶地下水"), "{}", from_jianshi[0].why_zh);
        assert!(!from_jianshi[0].why_zh.contains("2020"), "the guidance of 2020 was not in force in 2014");
        assert_eq!(from_jianshi[0].section_zh, "巫山县千丈岩水库");
        let from_wushan = propose(&incident("500237", "2014-08-12T22:00:00Z", feared()));
        assert_eq!(from_wushan[0].partner_code, "420000");
        assert!(from_wushan.iter().skip(1).all(|one| one.why_zh.contains("毗邻")), "{from_wushan:?}");
    }

    #[test]
    fn the_date_selects_the_clauses() {
        let today = propose(&incident("422822", "2026-03-01T00:00:00Z", feared()));
        assert!(today[0].why_zh.contains("环应急〔2020〕5号") && today[0].why_en.contains("task 4"));
    }

    #[test]
    fn what_people_excluded_leaves_only_proven_links() {
        let none = Facts { may_cross_province: Tristate::No.into(), boundary_effect: BoundaryLevel::None.into(), ..Default::default() };
        let proposed = propose(&incident("500237", "2014-08-12T22:00:00Z", none));
        assert_eq!(proposed.iter().map(|one| one.partner_code.as_str()).collect::<Vec<_>>(), ["420000"]);
    }

    #[test]
    fn a_county_inside_names_all_neighbours_only_when_an_effect_is_feared() {
        // Yuzhong touches no other province.
        assert!(propose(&incident("500103", "2014-08-12T22:00:00Z", Facts::default())).is_empty());
        let far = propose(&incident("500103", "2014-08-12T22:00:00Z", feared()));
        assert_eq!(far.len(), 5, "{far:?}");
        assert!(far[0].why_zh.contains("按流向选定"));
    }

    #[test]
    fn every_link_joins_two_provinces_that_are_known() {
        for link in underground_links() {
            assert_ne!(province_of(&link.from_code), province_of(&link.to_code));
            assert!(Divisions::builtin().get(&link.from_code).is_some() && Divisions::builtin().get(&link.to_code).is_some());
        }
    }
}
