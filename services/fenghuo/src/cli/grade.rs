//! `fenghuo grade`: facts as JSON in, grade and clauses as JSON out. Needs no node.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use super::Outcome;
use super::output::{Failure, print_json};

const EXAMPLES: &str = "Examples:
  fenghuo grade facts.json
  echo '{\"occurred_on\": \"2014-08-13\", \"boundary_effect\": \"province\", \"boundary_status\": \"occurred\"}' | fenghuo grade -
  fenghuo grade facts.json --rules plan-2014
  fenghuo grade --schema";

/// Grades facts offline.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GradeArgs {
    /// File with the facts, or - for standard input
    #[arg(required_unless_present = "schema")]
    facts: Option<PathBuf>,
    /// Grade by this table whatever the date, for example order17-2011 or plan-2014
    #[arg(long)]
    rules: Option<String>,
    /// Grade by the table in force on this date (YYYY-MM-DD) instead of the date in the facts
    #[arg(long)]
    date: Option<Date>,
    /// Print the JSON schema of the facts
    #[arg(long)]
    schema: bool,
    /// For uniformity with other commands: the output is always JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(args: &GradeArgs) -> Outcome {
    if args.schema {
        println!("{}", fenghuo_rules::FACTS_SCHEMA.trim_end());
        return Ok(());
    }
    let Some(path) = &args.facts else {
        return Err(Failure::Input("name a file with the facts, or - for standard input".to_owned()));
    };
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?
    };
    let answer = fenghuo_rules::grade_json(&text, args.rules.as_deref(), args.date).map_err(|error| Failure::Input(error.to_string()))?;
    print_json(&answer);
    Ok(())
}
