//! Grading tables: rows of criteria, each with its clause, read from TOML and checked once.

use jiff::civil::Date;
use serde::Deserialize;

use crate::condition::Condition;
use crate::error::RulesError;
use crate::fact::{self, FactKind};
use crate::grade::Grade;
use crate::text::{Citation, Text};

/// Which date selects a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectedBy {
    /// The date of occurrence.
    Occurrence,
    /// The date on which it was learned.
    Learning,
}

/// What every rule table says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHead {
    /// Stable id, for example `plan-2014`.
    pub id: String,
    /// Title of the rule.
    pub title: Text,
    /// Number of the document, for example "国办函〔2014〕119号".
    pub document_number: String,
    /// First day on which it holds.
    pub valid_from: Date,
    /// Last day on which it holds; `None`: no end known.
    pub valid_to: Option<Date>,
    /// Which date selects it.
    pub selected_by: SelectedBy,
    /// What was left out, and how wordings were read.
    pub notes: Vec<Text>,
    /// SHA-256 of the file's bytes, lower-case hexadecimal.
    pub hash: String,
}

impl TableHead {
    /// Whether the table holds on `date`.
    pub fn is_in_force(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|last| date <= last)
    }

    /// Id and validity in one line, for messages.
    pub fn describe(&self) -> String {
        match self.valid_to {
            Some(last) => format!("{} ({} to {last})", self.id, self.valid_from),
            None => format!("{} (from {})", self.id, self.valid_from),
        }
    }

    pub(crate) fn defect(&self, problem: impl Into<String>) -> RulesError {
        RulesError::Table { table: self.id.clone(), problem: problem.into() }
    }

    pub(crate) fn check(&self) -> Result<(), RulesError> {
        if self.id.is_empty() || !self.title.is_complete() || self.document_number.is_empty() {
            return Err(self.defect("needs an id, a title in both languages and a document number"));
        }
        if self.valid_to.is_some_and(|last| last < self.valid_from) {
            return Err(self.defect("ends before it begins"));
        }
        if self.notes.iter().any(|note| !note.is_complete()) {
            return Err(self.defect("has a note that is not in both languages"));
        }
        Ok(())
    }
}

/// One criterion of one grade. It fires when all its conditions hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradingRow {
    /// Stable id, for example `plan-2014/II/boundary-province`.
    pub id: String,
    /// The grade that it gives.
    pub grade: Grade,
    /// The last row of the lowest grade: fires only if no other row does.
    #[serde(default)]
    pub catch_all: bool,
    /// The clause.
    pub citation: Citation,
    /// The criterion in words.
    pub criterion: Text,
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// How the figure was checked, for example "stored S18".
    pub source: String,
}

impl GradingRow {
    /// The condition that the row is about: its number, else its first.
    pub(crate) fn principal(&self) -> Option<&Condition> {
        self.when.iter().find(|condition| condition.at_least.is_some()).or(self.when.first())
    }
}

/// A grading table.
#[derive(Debug, Clone, PartialEq)]
pub struct GradingTable {
    /// Id, title, validity, hash.
    pub head: TableHead,
    /// Rows, the gravest grade first.
    pub rows: Vec<GradingRow>,
}

/// One interval of a fact: from (included), below (not included), and the grade that it gives.
type Step = (f64, Option<f64>, Grade);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GradingFile {
    id: String,
    title: Text,
    document_number: String,
    valid_from: Date,
    valid_to: Option<Date>,
    selected_by: SelectedBy,
    #[serde(default)]
    note: Vec<Text>,
    row: Vec<GradingRow>,
}

impl GradingTable {
    /// Reads and checks a table. `name` is used in errors before the table's own id is known.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, RulesError> {
        let file: GradingFile =
            toml::from_str(text).map_err(|error| RulesError::Table { table: name.to_owned(), problem: error.to_string() })?;
        let head = TableHead {
            id: file.id,
            title: file.title,
            document_number: file.document_number,
            valid_from: file.valid_from,
            valid_to: file.valid_to,
            selected_by: file.selected_by,
            notes: file.note,
            hash: sha256_hex(text.as_bytes()),
        };
        let table = Self { head, rows: file.row };
        table.check()?;
        Ok(table)
    }

    /// The row with this id.
    pub fn row(&self, id: &str) -> Option<&GradingRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    fn check(&self) -> Result<(), RulesError> {
        self.head.check()?;
        if self.head.selected_by != SelectedBy::Occurrence {
            return Err(self.head.defect("a grading table is selected by the date of occurrence"));
        }
        for (index, row) in self.rows.iter().enumerate() {
            self.check_row(row)?;
            if self.rows[..index].iter().any(|earlier| earlier.id == row.id) {
                return Err(self.head.defect(format!("row {} occurs twice", row.id)));
            }
            if index > 0 && self.rows[index - 1].grade < row.grade {
                return Err(self.head.defect(format!("row {} stands below a lower grade", row.id)));
            }
        }
        if self.rows.iter().filter(|row| row.catch_all).count() != 1 {
            return Err(self.head.defect("needs exactly one catch-all row"));
        }
        self.check_intervals()
    }

    fn check_row(&self, row: &GradingRow) -> Result<(), RulesError> {
        let grade = row.grade.code().trim_start_matches("GRADE_");
        if !row.id.starts_with(&format!("{}/{grade}/", self.head.id)) {
            return Err(self.head.defect(format!("row {} is not named {}/{grade}/...", row.id, self.head.id)));
        }
        if !row.citation.is_complete() || !row.criterion.is_complete() || row.source.is_empty() {
            return Err(self.head.defect(format!("row {} needs a citation, a criterion and a source", row.id)));
        }
        if row.citation.document != self.head.document_number {
            return Err(self.head.defect(format!("row {} cites another document", row.id)));
        }
        if row.when.is_empty() {
            return Err(self.head.defect(format!("row {} has no condition", row.id)));
        }
        match row.when.iter().find_map(Condition::defect) {
            Some(defect) => Err(self.head.defect(format!("row {} {defect}", row.id))),
            None => Ok(()),
        }
    }

    /// Per fact, and for the same other conditions, the intervals must join without gap or overlap and be open at the top.
    fn check_intervals(&self) -> Result<(), RulesError> {
        for definition in fact::FACTS.iter().filter(|fact| !matches!(fact.kind, FactKind::Code(_))) {
            for ladder in self.ladders(definition.key) {
                self.check_ladder(definition.key, ladder)?;
            }
        }
        Ok(())
    }

    fn ladders(&self, key: &str) -> Vec<Vec<Step>> {
        let mut ladders: Vec<(Vec<&Condition>, Vec<Step>)> = Vec::new();
        for row in &self.rows {
            let (about, others): (Vec<_>, Vec<_>) = row.when.iter().partition(|condition| condition.fact == key);
            let Some(least) = about.first().and_then(|condition| condition.at_least) else { continue };
            let step = (least, about[0].below, row.grade);
            match ladders.iter_mut().find(|(same, _)| *same == others) {
                Some((_, steps)) => steps.push(step),
                None => ladders.push((others, vec![step])),
            }
        }
        ladders.into_iter().map(|(_, steps)| steps).collect()
    }

    fn check_ladder(&self, key: &str, mut ladder: Vec<Step>) -> Result<(), RulesError> {
        ladder.sort_by(|left, right| left.0.total_cmp(&right.0));
        for pair in ladder.windows(2) {
            if pair[0].1 != Some(pair[1].0) || pair[0].2 >= pair[1].2 {
                return Err(self.head.defect(format!("the intervals of {key} do not join at {}", pair[1].0)));
            }
        }
        match ladder.last() {
            Some((_, None, _)) | None => Ok(()),
            Some(_) => Err(self.head.defect(format!("the intervals of {key} end at the top"))),
        }
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}
