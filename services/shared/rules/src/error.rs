//! What can be refused, each error naming the field and what would be right.

use jiff::civil::Date;

/// Errors of rule tables and of the offline functions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// The input is not JSON.
    #[error("the input is not valid JSON: {problem}")]
    NotJson {
        /// What the parser says, with line and column.
        problem: String,
    },
    /// A field of the facts cannot be.
    #[error("{field}: {problem}")]
    Field {
        /// Path of the field, for example `deaths.value`.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// No table has this id.
    #[error("there is no rule table \"{id}\"; there are: {}", known.join(", "))]
    UnknownTable {
        /// The id asked for.
        id: String,
        /// The ids that exist.
        known: Vec<String>,
    },
    /// No table holds on this date.
    #[error("no {what} table is in force on {date}; there are: {}", known.join(", "))]
    NoneInForce {
        /// "grading" or "reporting".
        what: &'static str,
        /// The date asked for.
        date: Date,
        /// The tables with their validity.
        known: Vec<String>,
    },
    /// Nothing selects a table.
    #[error(
        "occurred_on: give the date of occurrence in the facts, or a date, or the id of a rule table; the table in force follows the date"
    )]
    NoDate,
    /// A rule table is defective.
    #[error("rule table {table}: {problem}")]
    Table {
        /// Id or file name of the table.
        table: String,
        /// What is wrong.
        problem: String,
    },
}
