//! The drill: a scripted incident, played in compressed time against two real nodes, and judged by what the law makes of it.
//!
//! [`script`] reads the script, [`nodes`] starts two nodes of this program as processes of their own, [`desk`] sets them up and signs the
//! named people in, [`line`] lies between them, [`exercise`] holds the clock, [`play`] goes through the script by [`steps`], [`collect`] reads what happened, [`proof`]
//! checks the receipts, [`compare`] holds it against the expected result, [`print`] tells it. Everything goes by the public contracts:
//! what the runner can do, any other program can. How scripts and expected results are written: `seeds/drills/README.md`.

pub mod collect;
pub mod compare;
pub mod desk;
pub mod exercise;
pub mod line;
pub mod nodes;
pub mod outcome;
pub mod play;
pub mod print;
pub mod proof;
pub mod script;
pub mod script_check;
pub mod script_facts;
pub mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use fenghuo_durable::{SpaceId, create_postgres_database, drop_postgres_databases, new_id};
use serde::Serialize;

use collect::{Clause, Evidence};
use compare::Difference;
use desk::Desk;
use exercise::ExerciseClock;
use line::Line;
use nodes::NodeProcess;
use outcome::Outcome;
use play::{Player, StepTiming, milliseconds};
use script::{Script, ScriptError, Source, TextPair};

const EXAMPLES: &str = "Examples:
  fenghuo drill run qianzhangyan-2014-as-it-happened
  fenghuo drill run seeds/drills/qianzhangyan-2014-as-it-should-have-gone.toml --json result.json
  fenghuo drill run qianzhangyan-2014-as-it-happened --postgres postgres://postgres@127.0.0.1:5432/postgres
Exit codes: 0 as expected; 1 different; 2 wrong usage or script; 3 a node failed.";

/// Scripts that come with the program, with their expected results.
const BUILTIN: [(&str, &str, &str); 3] = [
    (
        "qianzhangyan-2014-as-it-happened",
        include_str!("../../../../seeds/drills/qianzhangyan-2014-as-it-happened.toml"),
        include_str!("../../../../seeds/drills/qianzhangyan-2014-as-it-happened.expected.json"),
    ),
    (
        "qianzhangyan-2014-as-it-should-have-gone",
        include_str!("../../../../seeds/drills/qianzhangyan-2014-as-it-should-have-gone.toml"),
        include_str!("../../../../seeds/drills/qianzhangyan-2014-as-it-should-have-gone.expected.json"),
    ),
    (
        "qianzhangyan-2014-line-cut",
        include_str!("../../../../seeds/drills/qianzhangyan-2014-line-cut.toml"),
        include_str!("../../../../seeds/drills/qianzhangyan-2014-line-cut.expected.json"),
    ),
];

/// Drills.
#[derive(Debug, Subcommand)]
pub enum DrillCommand {
    /// Plays a script against two nodes of its own and compares with the expected result
    Run(DrillArgs),
    /// Lists the drills that come with the program
    List,
    /// Reads a script and tells what is wrong with it
    Check {
        /// Script file, or the name of a drill that comes with the program
        script: String,
    },
}

/// How to play a drill.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DrillArgs {
    /// Script file, or the name of a drill that comes with the program
    pub script: String,
    /// Expected result; else NAME.expected.json beside the script
    #[arg(long)]
    pub expected: Option<PathBuf>,
    /// Run both nodes on this PostgreSQL server, each with databases of its own (the URL's user must be allowed to make them)
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// Seconds of the exercise for each real second; else as fast as possible
    #[arg(long, value_parser = pace)]
    pub pace: Option<f64>,
    /// Write the result as JSON to this file, or to standard output with "-"
    #[arg(long, value_name = "FILE")]
    pub json: Option<String>,
    /// Leave the nodes running and their data in place, and print where
    #[arg(long)]
    pub keep: bool,
}

/// The same, once read.
pub type DrillOptions = DrillArgs;

fn pace(text: &str) -> Result<f64, String> {
    let pace: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if pace.is_finite() && pace > 0.0 { Ok(pace) } else { Err("must be above 0".to_owned()) }
}

/// Why a drill could not be played to its end.
#[derive(Debug)]
pub enum DrillError {
    /// The script, or the expected file, is wrong.
    Script {
        /// The file.
        file: String,
        /// What is wrong, line by line.
        errors: Vec<ScriptError>,
    },
    /// A file cannot be read or written.
    Io(std::io::Error),
    /// A node refused a call.
    Refused(Box<tonic::Status>),
    /// A node does not do what it must, or cannot be started.
    Node(String),
    /// The same in a step of the script.
    Step(String, Box<DrillError>),
    /// Stopped by a signal.
    Stopped,
}

impl DrillError {
    fn in_step(self, step: &str) -> Self {
        DrillError::Step(step.to_owned(), Box::new(self))
    }

    /// 2 for what the user gave, 3 for what a node did.
    pub fn exit_code(&self) -> i32 {
        match self {
            DrillError::Script { .. } => 2,
            DrillError::Step(_, inner) => inner.exit_code(),
            DrillError::Stopped => 130,
            _ => 3,
        }
    }
}

impl std::fmt::Display for DrillError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DrillError::Script { file, errors } => {
                for error in errors {
                    writeln!(f, "{file}: {error}")?;
                }
                Ok(())
            }
            DrillError::Io(error) => write!(f, "{error}"),
            DrillError::Refused(status) => write!(f, "the node refused ({}): {}", status.code(), status.message()),
            DrillError::Node(problem) => f.write_str(problem),
            DrillError::Step(step, inner) => write!(f, "step \"{step}\": {inner}"),
            DrillError::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for DrillError {}

impl From<std::io::Error> for DrillError {
    fn from(error: std::io::Error) -> Self {
        DrillError::Io(error)
    }
}

impl From<tonic::Status> for DrillError {
    fn from(status: tonic::Status) -> Self {
        DrillError::Refused(Box::new(status))
    }
}

/// What a drill came to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// As expected?
    pub equal: bool,
    /// Every difference.
    pub differences: Vec<Difference>,
    /// What happened, in the form of the expected file.
    pub outcome: Outcome,
    /// SHA-256 of the grading table's file, hexadecimal.
    pub grading_table_hash: String,
    /// Clauses by row.
    pub clauses: BTreeMap<String, Clause>,
    /// Receipts and the like.
    pub evidence: Evidence,
    /// The nodes by province.
    pub nodes: BTreeMap<String, NodeTold>,
    /// What each step took.
    pub steps: Vec<StepTiming>,
    /// "SQLite" or "PostgreSQL".
    pub database: &'static str,
    /// Name of the exercise, the same on both nodes.
    pub exercise: String,
    /// Starting the nodes, people and enrolment, in real milliseconds.
    pub setup_ms: f64,
    /// Playing, in real milliseconds.
    pub play_ms: f64,
    /// Where nodes and data were left; absent unless they were to be kept.
    pub kept: Option<Kept>,
    /// Title of the script.
    pub title: TextPair,
    /// What happens in it.
    pub summary: TextPair,
    /// What it rests on.
    pub sources: Vec<Source>,
    /// What it makes up.
    pub invented: Vec<String>,
}

/// A node as it took part.
#[derive(Debug, Serialize)]
pub struct NodeTold {
    /// Name.
    pub name: TextPair,
    /// Address of the console listener.
    pub console_url: String,
    /// Address of the partner listener.
    pub partner_url: String,
    /// Fingerprint of its bundle, as compared.
    pub fingerprint: String,
}

/// What was left running.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// Data and logs.
    pub folder: PathBuf,
    /// Consoles by province.
    pub consoles: BTreeMap<String, String>,
    /// Process ids by province.
    pub processes: BTreeMap<String, u32>,
    /// Password of all people of the drill.
    pub password: String,
}

/// A script with its expected result.
#[derive(Debug)]
pub struct Drill {
    /// Name of the script's file without its ending.
    pub name: String,
    /// The script.
    pub script: Script,
    /// What the law makes of it.
    pub expected: Outcome,
}

impl Drill {
    /// Reads both files, or what comes with the program under this name.
    pub fn read(script: &str, expected: Option<&Path>) -> Result<Self, DrillError> {
        let path = Path::new(script);
        let builtin = BUILTIN.iter().find(|(name, _, _)| *name == script).filter(|_| !path.exists());
        let (name, text) = match builtin {
            Some((name, text, _)) => ((*name).to_owned(), (*text).to_owned()),
            None => {
                let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                (name, read(path)?)
            }
        };
        let parsed = Script::parse(&text).map_err(|errors| DrillError::Script { file: script.to_owned(), errors })?;
        let (expected_file, expected_text) = match (expected, builtin) {
            (None, Some((name, _, expected))) => (format!("{name}.expected.json"), (*expected).to_owned()),
            (given, _) => {
                let path = given.map_or_else(|| path.with_extension("expected.json"), Path::to_path_buf);
                (path.display().to_string(), read(&path)?)
            }
        };
        let expected = serde_json::from_str(&expected_text).map_err(|error| DrillError::Script {
            file: expected_file,
            errors: vec![ScriptError { line: error.line(), problem: error.to_string() }],
        })?;
        Ok(Self { name, script: parsed, expected })
    }
}

fn read(path: &Path) -> Result<String, DrillError> {
    std::fs::read_to_string(path).map_err(|error| DrillError::Script {
        file: path.display().to_string(),
        errors: vec![ScriptError { line: 0, problem: format!("cannot be read: {error}") }],
    })
}

/// Plays a drill. Whatever comes of it, no node is left running unless that was asked for.
pub async fn run(options: DrillOptions) -> Result<Report, DrillError> {
    let drill = Drill::read(&options.script, options.expected.as_deref())?;
    play(&drill, &options).await
}

/// Ctrl-C or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

async fn play(drill: &Drill, options: &DrillOptions) -> Result<Report, DrillError> {
    let since = Instant::now();
    let folder = tempfile::Builder::new().prefix("fenghuo-drill-").tempdir()?;
    let space = SpaceId::Exercise(new_id());
    let password = format!("drill-{}", new_id().simple());
    let databases = options.postgres.as_deref().map(Databases::new);
    let played = tokio::select! {
        played = play_on(drill, options, databases.as_ref(), folder.path(), space, &password, since) => played,
        () = stop_signal() => Err(DrillError::Stopped),
    };
    let (mut report, desks) = match played {
        Ok(played) => played,
        Err(error) => {
            drop_databases(drill, databases.as_ref()).await;
            return Err(error);
        }
    };
    report.kept = finish(desks, folder, options.keep, password).await;
    if !options.keep {
        drop_databases(drill, databases.as_ref()).await;
    }
    Ok(report)
}

/// Databases of this run on a PostgreSQL server.
struct Databases<'a> {
    url: &'a str,
    run: String,
}

impl<'a> Databases<'a> {
    /// The random end of an identifier is enough here: the server allows names of 63 bytes, and a space's database adds 36 to the base.
    fn new(url: &'a str) -> Self {
        let id = new_id().simple().to_string();
        Self { url, run: id[id.len() - 12..].to_owned() }
    }

    fn base(&self, code: &str) -> String {
        format!("drill_{}_{code}", self.run)
    }

    /// Makes a database for this node; its URL.
    async fn create(&self, code: &str) -> Result<String, DrillError> {
        let base = self.base(code);
        create_postgres_database(self.url, &base).await.map_err(|error| DrillError::Node(format!("PostgreSQL: {}", error.message)))?;
        let server = self.url.rsplit_once('/').map_or(self.url, |(server, _)| server);
        Ok(format!("{server}/{base}"))
    }
}

/// Takes the run's databases away; the nodes are gone. What cannot be dropped is told and is no failure of the drill.
async fn drop_databases(drill: &Drill, databases: Option<&Databases<'_>>) {
    let Some(databases) = databases else { return };
    for node in &drill.script.nodes {
        if let Err(error) = drop_postgres_databases(databases.url, &databases.base(&node.get_ref().code)).await {
            eprintln!("fenghuo drill: PostgreSQL: {}", error.message);
        }
    }
}

async fn play_on(
    drill: &Drill,
    options: &DrillOptions,
    databases: Option<&Databases<'_>>,
    folder: &Path,
    space: SpaceId,
    password: &str,
    since: Instant,
) -> Result<(Report, Vec<Desk>), DrillError> {
    let mut progress = print::Bar::new(&drill.script);
    progress.say("starting two nodes");
    let line = Line::new();
    let desks = set_up(drill, databases, folder, space, password, &line, &mut progress).await?;
    let clock = ExerciseClock::open(&desks, space, &drill.script.title.zh, drill.script.start).await?;
    let setup_ms = milliseconds(since);

    let since = Instant::now();
    let mut player = Player::new(&drill.script, &desks, &line, clock, options.pace);
    let played = player.play(&mut progress).await;
    progress.finish();
    let played = match played {
        Ok(()) => collect::outcome(&player, &drill.name, &space.to_string()).await,
        Err(error) => Err(error),
    };
    let play_ms = milliseconds(since);
    let (outcome, evidence) = played.map_err(|error| with_logs(error, &desks))?;
    let Player { history, timings, .. } = player;
    let differences = compare::differences(&drill.expected, &outcome).map_err(|error| DrillError::Node(error.to_string()))?;
    let nodes = desks.iter().map(|desk| (desk.code.clone(), desk.told())).collect();
    let report = Report {
        equal: differences.is_empty(),
        differences,
        outcome,
        grading_table_hash: history.table.1,
        clauses: history.clauses,
        evidence,
        nodes,
        steps: timings,
        database: if options.postgres.is_some() { "PostgreSQL" } else { "SQLite" },
        exercise: space.to_string(),
        setup_ms,
        play_ms,
        kept: None,
        title: drill.script.title.clone(),
        summary: drill.script.summary.clone(),
        sources: drill.script.sources.clone(),
        invented: drill.script.invented.get_ref().clone(),
    };
    Ok((report, desks))
}

/// Starts both nodes, adds the people, and enrols each at the other.
async fn set_up(
    drill: &Drill,
    databases: Option<&Databases<'_>>,
    folder: &Path,
    space: SpaceId,
    password: &str,
    line: &Line,
    progress: &mut print::Bar,
) -> Result<Vec<Desk>, DrillError> {
    let open = async |node: &script::NodeText| {
        let database = match databases {
            Some(databases) => Some(databases.create(&node.code).await?),
            None => None,
        };
        let process = NodeProcess::start(node, &folder.join(&node.code), database.as_deref()).await?;
        Desk::open(node, process, &drill.script, space, password).await
    };
    let [first, second] = drill.script.nodes.as_slice() else {
        return Err(DrillError::Node("a drill is played between two nodes".to_owned()));
    };
    let (first, second) = tokio::join!(open(first.get_ref()), open(second.get_ref()));
    let desks = vec![first?, second?];
    progress.say("exchanging bundles");
    for (desk, other) in [(&desks[0], &desks[1]), (&desks[1], &desks[0])] {
        let endpoint = line.lead_to(&other.process.ready.partner_url).await?;
        desk.enrol(other, &endpoint).await?;
    }
    Ok(desks)
}

fn with_logs(error: DrillError, desks: &[Desk]) -> DrillError {
    let logs: Vec<_> = desks.iter().map(|desk| format!("log of {}:\n{}", desk.code, desk.process.log_tail())).collect();
    match error {
        DrillError::Step(step, inner) => DrillError::Step(step, Box::new(DrillError::Node(format!("{inner}\n{}", logs.join("\n"))))),
        other => DrillError::Node(format!("{other}\n{}", logs.join("\n"))),
    }
}

async fn finish(desks: Vec<Desk>, folder: tempfile::TempDir, keep: bool, password: String) -> Option<Kept> {
    if !keep {
        for desk in desks {
            desk.process.stop().await;
        }
        return None;
    }
    let consoles = desks.iter().map(|desk| (desk.code.clone(), desk.process.ready.console_url.clone())).collect();
    let processes = desks.iter().filter_map(|desk| Some((desk.code.clone(), desk.process.id()?))).collect();
    desks.into_iter().for_each(|desk| desk.process.keep());
    Some(Kept { folder: folder.keep(), consoles, processes, password })
}

/// Runs a drill command of the command line; the process's exit code.
pub async fn run_command(command: DrillCommand) -> i32 {
    let outcome = match command {
        DrillCommand::List => {
            BUILTIN.iter().for_each(|(name, _, _)| println!("{name}"));
            return 0;
        }
        DrillCommand::Check { script } => Drill::read(&script, None).map(|drill| {
            println!(
                "{}: {} steps, {} people, {} nodes: sound",
                drill.name,
                drill.script.steps.len(),
                drill.script.people.len(),
                drill.script.nodes.len()
            );
            0
        }),
        DrillCommand::Run(args) => {
            let json = args.json.clone();
            match run(args).await {
                Ok(report) => print::report(&report, json.as_deref()).map(|()| i32::from(!report.equal)),
                Err(error) => Err(error),
            }
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("fenghuo drill: {error}");
        error.exit_code()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drills_that_come_with_the_program_are_sound() {
        for (name, _, _) in BUILTIN {
            let drill = Drill::read(name, None).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(drill.expected.drill, name);
            assert_eq!(drill.expected.incidents.len(), drill.script.incidents.len());
        }
    }

    /// The main point of both versions, kept here in words that a change of the expected files cannot soften unseen.
    #[test]
    fn grade_ii_is_expected_only_from_the_boundary_effect_on() {
        for (name, _, _) in &BUILTIN[..2] {
            let drill = Drill::read(name, None).unwrap();
            let inject = drill.script.step("boundary-effect").and_then(|step| step.at).unwrap();
            for incident in &drill.expected.incidents {
                for entry in &incident.grades {
                    let two = entry.grade.as_deref() == Some("GRADE_II");
                    assert_eq!(two, entry.fired.iter().any(|row| row == "order17-2011/II/boundary-province"), "{name} {}", entry.at);
                    assert!(!two || entry.at.0 >= inject, "{name} {}", entry.at);
                    assert_eq!(entry.what_if.grade, entry.grade, "{name} {}: both tables give the same grade", entry.at);
                }
                assert_eq!(incident.grades.last().unwrap().grade.as_deref(), Some("GRADE_II"));
            }
        }
    }

    #[test]
    fn a_script_that_is_not_there_is_the_users_error() {
        let error = Drill::read("no-such-drill.toml", None).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with("no-such-drill.toml: cannot be read"), "{error}");
    }

    #[test]
    fn an_expected_file_that_is_wrong_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let expected = folder.path().join("wrong.json");
        std::fs::write(&expected, "{\n \"drill\": \"x\",\n \"drills\": 1\n}").unwrap();
        let error = Drill::read(BUILTIN[0].0, Some(&expected)).unwrap_err();
        assert!(error.to_string().contains("line 3: unknown field `drills`"), "{error}");
    }
}
