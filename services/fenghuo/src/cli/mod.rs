//! The command line: a table of commands, a file each.

pub mod audit;
pub mod backup;
pub mod board;
pub mod doctor;
pub mod grade;
pub mod incident;
pub mod operation;
pub mod output;
pub mod partner;
pub mod person;
pub mod restore;
pub mod session;
pub mod up;

use clap::{Parser, Subcommand};

use output::Failure;

/// Prevents, warns of and responds to environmental emergencies, and tells the neighbours in time.
#[derive(Debug, Parser)]
#[command(name = "fenghuo", version, about, long_about = None, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 what was asked does not hold (audit, backup verify, drill, doctor); 2 wrong usage or input; 3 the node refused; 4 the node cannot be reached.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every service of a province in one process, on SQLite (or on PostgreSQL with --database-url)
    Up(up::UpArgs),
    /// Runs the services of a province on PostgreSQL: all or chosen ones, in as many replicas as wanted
    Serve(up::UpArgs),
    /// Signs in and out; other commands use the session
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Takes reports, lists and shows incidents
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// Exchanges bundles with neighbouring provinces and shows the links
    #[command(subcommand)]
    Partner(partner::PartnerCommand),
    /// Adds and lists people and what they may do
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Grades facts offline, by the law in force on their date
    Grade(grade::GradeArgs),
    /// Checks what the event log proves
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Shows what is wrong with the node, and releases a quarantine
    #[command(subcommand)]
    Operation(operation::OperationCommand),
    /// Takes a backup of a node, whether it runs or not, or checks one
    Backup(backup::BackupArgs),
    /// Puts a backup in place; the node then starts in quarantine
    Restore(restore::RestoreArgs),
    /// Rebuilds a read-only board from the event stream on NATS
    Board(board::BoardArgs),
    /// Plays a scripted incident against two real nodes
    #[command(subcommand)]
    Drill(crate::drill::DrillCommand),
    /// Checks configuration, folders, keys, databases and ports of a node
    Doctor(doctor::DoctorArgs),
}

/// Runs the command; the process's exit code.
pub async fn run(cli: Cli) -> i32 {
    let outcome = match cli.command {
        Command::Up(args) => up::run(args, false).await,
        Command::Serve(args) => up::run(args, true).await,
        Command::Session(command) => session::run(command).await,
        Command::Incident(command) => incident::run(command).await,
        Command::Partner(command) => partner::run(command).await,
        Command::Person(command) => person::run(command).await,
        Command::Grade(args) => grade::run(&args),
        Command::Audit(command) => audit::run(command).await,
        Command::Operation(command) => operation::run(command).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Restore(args) => restore::run(args).await,
        Command::Board(args) => board::run(args).await,
        Command::Drill(command) => return crate::drill::run_command(command).await,
        Command::Doctor(args) => doctor::run(args).await,
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

/// What a whole command line failed of.
pub type Outcome<T = ()> = Result<T, Failure>;
