//! The rule tables against a second list of their figures, written by hand from the reference and not from the tables.
#![allow(clippy::unwrap_used)]

use fenghuo_rules::{Facts, Figure, Grade, GradingTable, RuleBook, Tristate, grade};
use jiff::civil::date;

/// Grade Ⅳ, Ⅲ, Ⅱ, Ⅰ from this number on; `None`: the table has no such row.
struct Ladder {
    table: &'static str,
    fact: &'static str,
    from: [Option<f64>; 4],
}

const fn ladder(table: &'static str, fact: &'static str, from: [Option<f64>; 4]) -> Ladder {
    Ladder { table, fact, from }
}

/// Order 17, annex (2011): deaths 10 / 3 / fewer than 3; poisoned 100 / 50 / 10; evacuated 50,000 / 10,000 / 5,000; loss
/// 100 M / 20 M / 5 M yuan; INES 3 and 4; nothing numeric at grade Ⅳ. Plan of 2014: deaths 30 / 10 / 3 / some; the rest alike,
/// with grade Ⅳ below; acute radiation deaths 3 / some; severe radiation sickness 10 / some.
const LADDERS: [Ladder; 10] = [
    ladder("order17-2011", "deaths", [None, Some(1.0), Some(3.0), Some(10.0)]),
    ladder("order17-2011", "poisoned_or_injured", [None, Some(10.0), Some(50.0), Some(100.0)]),
    ladder("order17-2011", "evacuated", [None, Some(5_000.0), Some(10_000.0), Some(50_000.0)]),
    ladder("order17-2011", "direct_loss_yuan", [None, Some(5_000_000.0), Some(20_000_000.0), Some(100_000_000.0)]),
    ladder("plan-2014", "deaths", [Some(1.0), Some(3.0), Some(10.0), Some(30.0)]),
    ladder("plan-2014", "poisoned_or_injured", [Some(1.0), Some(10.0), Some(50.0), Some(100.0)]),
    ladder("plan-2014", "evacuated", [Some(1.0), Some(5_000.0), Some(10_000.0), Some(50_000.0)]),
    ladder("plan-2014", "direct_loss_yuan", [Some(0.01), Some(5_000_000.0), Some(20_000_000.0), Some(100_000_000.0)]),
    ladder("plan-2014", "radiation.acute_deaths", [None, None, Some(1.0), Some(3.0)]),
    ladder("plan-2014", "radiation.severe_sickness", [None, Some(1.0), Some(10.0), None]),
];

/// SHA-256 of the published files.
const PUBLISHED: [(&str, &str); 3] = [
    ("order17-2011", "424cc3f2041b8951fba15c1325a3ff83714d12a078b84671badb348e156d920f"),
    ("plan-2014", "5ec22516220007bfa6bea25b01596339b4282d35ad9f1807e50c7c3c8bfb513f"),
    ("order17-reporting", "efdaa5275a363bf8fb32440591dce226e5728362481383723fe9bab8b10afdda"),
];

const LOW_TO_HIGH: [Grade; 4] = [Grade::IV, Grade::III, Grade::II, Grade::I];

fn table(id: &str) -> &'static GradingTable {
    RuleBook::builtin().grading(id).unwrap()
}

/// Facts in which only `fact` is stated; what its rows need besides is stated too.
fn facts_with(fact: &str, value: f64) -> Facts {
    let mut facts = Facts::default();
    let slot = match fact {
        "deaths" => &mut facts.deaths,
        "poisoned_or_injured" => &mut facts.poisoned_or_injured,
        "evacuated" => &mut facts.evacuated,
        "direct_loss_yuan" => &mut facts.direct_loss_yuan,
        "radiation.acute_deaths" => &mut facts.radiation.acute_deaths,
        "radiation.severe_sickness" => &mut facts.radiation.severe_sickness,
        other => panic!("no such figure: {other}"),
    };
    *slot = Figure::caused(value);
    if fact.starts_with("radiation.") {
        facts.radiation.device_out_of_control = Tristate::Yes;
    }
    facts
}

fn graded(table_id: &str, fact: &str, value: f64) -> Option<Grade> {
    let reporting = RuleBook::builtin().reporting("order17-reporting").unwrap();
    let assessment = grade(table(table_id), reporting, &facts_with(fact, value));
    assert!(assessment.fired.len() <= 1, "{value} lies in two intervals of {fact}: {:?}", assessment.fired);
    assessment.grade
}

#[test]
fn builtin_tables_are_sound() {
    let book = RuleBook::builtin();
    let ids: Vec<_> = book.grading_tables().iter().map(|table| table.head.id.as_str()).collect();
    assert_eq!(ids, ["order17-2011", "plan-2014"]);
    // Counted in the reference, grade by grade; a clause with several criteria has a row for each.
    assert_eq!(table("order17-2011").rows.len(), 12 + 11 + 8 + 1);
    assert_eq!(table("plan-2014").rows.len(), 10 + 11 + 10 + 10);
    for table in book.grading_tables() {
        assert_eq!(table.head.hash.len(), 64);
        for row in &table.rows {
            let known = ["stored S", "memory high"].iter().any(|mark| row.source.starts_with(mark));
            assert!(known, "{}: {}", row.id, row.source);
        }
    }
}

#[test]
fn the_hash_is_that_of_the_files_bytes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../seeds/rules/grading-national-plan-2014.toml");
    let bytes = std::fs::read(path).unwrap();
    let expected = hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes));
    assert_eq!(table("plan-2014").head.hash, expected);
}

/// Decisions store these hashes. If this fails, a published table was edited: make a new file instead (seeds/rules/README.md).
#[test]
fn published_tables_do_not_change() {
    let book = RuleBook::builtin();
    let heads = book.grading_tables().iter().map(|table| &table.head).chain(book.reporting_tables().iter().map(|table| &table.head));
    let hashes: Vec<_> = heads.map(|head| (head.id.as_str(), head.hash.as_str())).collect();
    assert_eq!(hashes, PUBLISHED);
}

/// A successor ends a table that has no last day; two tables that claim the same day are refused.
#[test]
fn a_new_edition_ends_the_one_before() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../seeds/rules/grading-national-plan-2014.toml")).unwrap();
    let successor = text.replace("plan-2014", "plan-2030").replace("valid_from = \"2014-12-29\"", "valid_from = \"2030-01-01\"");
    let successor = GradingTable::from_toml("successor", &successor).unwrap();
    let mut tables = RuleBook::builtin().grading_tables().to_vec();
    tables.push(successor.clone());
    let book = RuleBook::new(tables.clone(), Vec::new()).unwrap();
    assert_eq!(book.grading_for(date(2029, 12, 31)).unwrap().head.id, "plan-2014");
    assert_eq!(book.grading_for(date(2030, 1, 1)).unwrap().head.id, "plan-2030");
    assert_eq!(book.grading_for(date(2014, 12, 28)).unwrap().head.id, "order17-2011");

    let mut rival = successor.clone();
    rival.head.id = "rival".into();
    tables.push(rival.clone());
    assert!(RuleBook::new(tables.clone(), Vec::new()).unwrap_err().to_string().contains("rival: is in force together with plan-2030"));
    rival.head.valid_from = date(2014, 12, 1);
    rival.head.valid_to = Some(date(2014, 12, 10));
    assert!(RuleBook::new(vec![tables[0].clone(), rival], Vec::new()).is_err());
    assert!(RuleBook::new(vec![successor.clone(), successor], Vec::new()).unwrap_err().to_string().contains("id that occurs twice"));
}

#[test]
fn the_date_of_occurrence_selects_the_grading_table() {
    let book = RuleBook::builtin();
    let on = |year, month, day| book.grading_for(date(year, month, day)).map(|table| table.head.id.as_str()).ok();
    assert_eq!(on(2011, 4, 30), None);
    assert_eq!(on(2011, 5, 1), Some("order17-2011"));
    assert_eq!(on(2014, 8, 13), Some("order17-2011"));
    assert_eq!(on(2014, 12, 28), Some("order17-2011"));
    assert_eq!(on(2014, 12, 29), Some("plan-2014"));
    assert_eq!(on(2026, 11, 23), Some("plan-2014"));
    let refusal = book.grading_for(date(2011, 4, 30)).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "no grading table is in force on 2011-04-30; there are: order17-2011 (2011-05-01 to 2014-12-28), plan-2014 (from 2014-12-29)"
    );
}

#[test]
fn the_date_of_learning_selects_the_reporting_table() {
    let book = RuleBook::builtin();
    assert!(book.reporting_for(date(2011, 4, 30)).is_err());
    assert_eq!(book.reporting_for(date(2011, 5, 1)).unwrap().head.id, "order17-reporting");
}

#[test]
fn every_ladder_agrees_with_the_list_by_hand_at_its_edges() {
    for Ladder { table, fact, from } in LADDERS {
        let smallest = if fact == "direct_loss_yuan" { 0.01 } else { 1.0 };
        let mut below = None;
        for (start, reached) in from.iter().zip(LOW_TO_HIGH) {
            let Some(start) = *start else { continue };
            assert_eq!(graded(table, fact, start - smallest), below, "{table} {fact} just below {start}");
            assert_eq!(graded(table, fact, start), Some(reached), "{table} {fact} at {start}");
            assert_eq!(
                graded(table, fact, start + smallest),
                Some(reached_above(&from, start + smallest)),
                "{table} {fact} just above {start}"
            );
            below = Some(reached);
        }
        assert_eq!(graded(table, fact, 1e12), below, "{table} {fact} far above");
    }
}

fn reached_above(from: &[Option<f64>; 4], value: f64) -> Grade {
    let reached = from.iter().zip(LOW_TO_HIGH).filter(|(start, _)| start.is_some_and(|start| value >= start));
    reached.map(|(_, grade)| grade).max().unwrap()
}

#[test]
fn the_tables_have_no_number_that_the_list_by_hand_has_not() {
    for table in RuleBook::builtin().grading_tables() {
        for row in &table.rows {
            for condition in row.when.iter().filter(|condition| condition.at_least.is_some()) {
                if condition.fact == "radiation.ines_level" {
                    continue; // the next test
                }
                let ladder = LADDERS.iter().find(|ladder| ladder.table == table.head.id && ladder.fact == condition.fact);
                let ladder = ladder.unwrap_or_else(|| panic!("{} is not in the list", row.id));
                let index = LOW_TO_HIGH.iter().position(|grade| *grade == row.grade).unwrap();
                assert_eq!(condition.at_least, ladder.from[index], "{}", row.id);
                let next = ladder.from[index + 1..].iter().flatten().next().copied();
                assert_eq!(condition.below, next, "{}", row.id);
            }
        }
    }
}

#[test]
fn the_ines_level_counts_from_three_at_home_and_from_four_abroad() {
    use fenghuo_rules::NuclearFacility::{Domestic, TaiwanOrNeighbouringCountry};
    let reporting = RuleBook::builtin().reporting("order17-reporting").unwrap();
    let at = |facility, level| {
        let mut facts = Facts::default();
        facts.radiation.nuclear_facility = facility;
        facts.radiation.ines_level = Some(level);
        grade(table("order17-2011"), reporting, &facts).grade
    };
    assert_eq!(at(Domestic, 2), None);
    assert_eq!(at(Domestic, 3), Some(Grade::I));
    assert_eq!(at(TaiwanOrNeighbouringCountry, 3), None);
    assert_eq!(at(TaiwanOrNeighbouringCountry, 4), Some(Grade::I));
}

/// The tell-tale figures of the three generations in the reference: 10 deaths are grade Ⅰ by the annex of 2011 and grade Ⅱ by the
/// plan; a loss of 10 million yuan is grade Ⅲ by both and would be Ⅰ only by the plan of 2005, which is repealed.
#[test]
fn the_generations_are_told_apart() {
    assert_eq!(graded("order17-2011", "deaths", 10.0), Some(Grade::I));
    assert_eq!(graded("plan-2014", "deaths", 10.0), Some(Grade::II));
    assert_eq!(graded("order17-2011", "direct_loss_yuan", 10_000_000.0), Some(Grade::III));
    assert_eq!(graded("plan-2014", "direct_loss_yuan", 10_000_000.0), Some(Grade::III));
}

/// A defective table is refused with what is wrong, so that a new edition cannot slip in broken.
#[test]
fn defective_tables_are_refused() {
    let sound =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../seeds/rules/grading-national-plan-2014.toml")).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(sound.contains(from), "{from}");
        GradingTable::from_toml("edited", &sound.replacen(from, to, 1)).unwrap_err().to_string()
    };
    assert!(refused("at_least = 10, below = 30", "at_least = 11, below = 30").contains("intervals of deaths do not join at 11"));
    assert!(refused("at_least = 10, below = 30", "at_least = 9, below = 30").contains("intervals of deaths do not join at 9"));
    assert!(refused("at_least = 30 }", "at_least = 30, below = 99 }").contains("intervals of deaths end at the top"));
    assert!(refused("\"function_loss\"", "\"function_los\"").contains("lists \"function_los\" for \"ecological_harm\""));
    assert!(refused("fact = \"evacuated\"", "fact = \"evacuees\"").contains("\"evacuees\", which does not exist"));
    assert!(refused("catch_all = true", "catch_all = false").contains("exactly one catch-all row"));
    assert!(
        refused("valid_from = \"2014-12-29\"", "valid_from = \"2014-12-29\"\nvalid_to = \"2014-12-01\"").contains("ends before it begins")
    );
    assert!(refused("plan-2014/I/evacuated", "plan-2014/I/deaths").contains("occurs twice"));
    assert!(refused("criterion =", "criterium =").contains("unknown field `criterium`"));
}
