//! The book of rules: all tables built into the program, chosen by the date that the law names.

use std::sync::LazyLock;

use jiff::civil::Date;

use crate::assess::{Assessment, grade};
use crate::error::RulesError;
use crate::facts::Facts;
use crate::reporting::ReportingTable;
use crate::table::{GradingTable, TableHead};

/// Files of the built-in grading tables, with their bytes.
const GRADING_FILES: [(&str, &str); 2] = [
    ("grading-order17-annex-2011.toml", include_str!("../../../../seeds/rules/grading-order17-annex-2011.toml")),
    ("grading-national-plan-2014.toml", include_str!("../../../../seeds/rules/grading-national-plan-2014.toml")),
];

/// Files of the built-in reporting tables, with their bytes.
const REPORTING_FILES: [(&str, &str); 1] = [("reporting-order17.toml", include_str!("../../../../seeds/rules/reporting-order17.toml"))];

static BUILTIN: LazyLock<RuleBook> = LazyLock::new(|| {
    // The files are part of the program and a test reads them: they cannot fail at run time if they passed at build time.
    #[allow(clippy::expect_used)]
    RuleBook::read_builtin().expect("the built-in rule tables are checked by the test `builtin_tables_are_sound`")
});

/// All rule tables.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBook {
    grading: Vec<GradingTable>,
    reporting: Vec<ReportingTable>,
}

impl RuleBook {
    /// The tables built into the program, read and checked once.
    pub fn builtin() -> &'static RuleBook {
        &BUILTIN
    }

    pub(crate) fn read_builtin() -> Result<RuleBook, RulesError> {
        let grading = GRADING_FILES.iter().map(|(name, text)| GradingTable::from_toml(name, text)).collect::<Result<_, _>>()?;
        let reporting = REPORTING_FILES.iter().map(|(name, text)| ReportingTable::from_toml(name, text)).collect::<Result<_, _>>()?;
        RuleBook::new(grading, reporting)
    }

    /// A book of these tables. Refuses ids that occur twice and two tables of a kind that both claim a day by their dates;
    /// a table without a last day is ended by the next one that begins.
    pub fn new(grading: Vec<GradingTable>, reporting: Vec<ReportingTable>) -> Result<RuleBook, RulesError> {
        check_heads(&grading.iter().map(|table| &table.head).collect::<Vec<_>>())?;
        check_heads(&reporting.iter().map(|table| &table.head).collect::<Vec<_>>())?;
        Ok(RuleBook { grading, reporting })
    }

    /// All grading tables.
    pub fn grading_tables(&self) -> &[GradingTable] {
        &self.grading
    }

    /// All reporting tables.
    pub fn reporting_tables(&self) -> &[ReportingTable] {
        &self.reporting
    }

    /// The grading table with this id.
    pub fn grading(&self, id: &str) -> Result<&GradingTable, RulesError> {
        self.grading.iter().find(|table| table.head.id == id).ok_or_else(|| RulesError::UnknownTable {
            id: id.to_owned(),
            known: self.grading.iter().map(|table| table.head.id.clone()).collect(),
        })
    }

    /// The reporting table with this id.
    pub fn reporting(&self, id: &str) -> Result<&ReportingTable, RulesError> {
        self.reporting.iter().find(|table| table.head.id == id).ok_or_else(|| RulesError::UnknownTable {
            id: id.to_owned(),
            known: self.reporting.iter().map(|table| table.head.id.clone()).collect(),
        })
    }

    /// The grading table in force on the date of occurrence (Beijing time).
    pub fn grading_for(&self, occurred_on: Date) -> Result<&GradingTable, RulesError> {
        in_force(&self.grading, |table| &table.head, occurred_on).ok_or_else(|| RulesError::NoneInForce {
            what: "grading",
            date: occurred_on,
            known: self.grading.iter().map(|table| table.head.describe()).collect(),
        })
    }

    /// The reporting table in force on the date of learning (Beijing time).
    pub fn reporting_for(&self, learned_on: Date) -> Result<&ReportingTable, RulesError> {
        in_force(&self.reporting, |table| &table.head, learned_on).ok_or_else(|| RulesError::NoneInForce {
            what: "reporting",
            date: learned_on,
            known: self.reporting.iter().map(|table| table.head.describe()).collect(),
        })
    }

    /// The reporting table that came into force last.
    pub fn latest_reporting(&self) -> Result<&ReportingTable, RulesError> {
        self.reporting.iter().max_by_key(|table| table.head.valid_from).ok_or(RulesError::NoDate)
    }

    /// Grades facts by the tables in force on these dates (Beijing time).
    pub fn assess(&self, facts: &Facts, occurred_on: Date, learned_on: Date) -> Result<Assessment, RulesError> {
        Ok(grade(self.grading_for(occurred_on)?, self.reporting_for(learned_on)?, facts))
    }
}

/// The table that holds on `date`. A table without a last day is ended by the next one that begins, so that it need not be changed.
fn in_force<T>(tables: &[T], head: impl Fn(&T) -> &TableHead, date: Date) -> Option<&T> {
    tables.iter().filter(|table| head(table).is_in_force(date)).max_by_key(|table| head(table).valid_from)
}

fn check_heads(heads: &[&TableHead]) -> Result<(), RulesError> {
    for (index, head) in heads.iter().enumerate() {
        for other in &heads[..index] {
            if other.id == head.id {
                return Err(head.defect("has an id that occurs twice"));
            }
            let (earlier, later) = if other.valid_from <= head.valid_from { (other, head) } else { (head, other) };
            let runs_into = earlier.valid_to.is_some_and(|last| last >= later.valid_from);
            if runs_into || earlier.valid_from == later.valid_from {
                return Err(later.defect(format!("is in force together with {}", earlier.describe())));
            }
        }
    }
    Ok(())
}
