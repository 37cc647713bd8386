//! `fenghuo backup` and `fenghuo backup verify`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use fenghuo_edge::NodeConfig;
use fenghuo_edge::config::Secret;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Outcome;
use super::output::{Failure, print_json};
use crate::backup::manifest::Manifest;
use crate::backup::{Place, archive, check, take};

const EXAMPLES: &str = "Examples:
  fenghuo backup --province 420000 --data hubei --out hubei-2026-11-25.tar
  fenghuo backup --config /etc/fenghuo/fenghuo.toml --out /backup/chongqing.tar --json
  fenghuo backup verify /backup/chongqing.tar
The node may run; it is not held up. The file holds the province's PRIVATE KEYS and personal data: whoever has it can sign in the name
of the province. Only its owner can read it (mode 0600); encrypt it before it leaves the machine, or leave the keys out with
--without-keys and keep them apart. On PostgreSQL pg_dump must be on PATH or in /usr/lib/postgresql, at least as new as the server.";

/// Where a node is.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// Configuration file (TOML)
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Six-digit code of the province
    #[arg(long)]
    pub province: Option<String>,
    /// Folder for keys and databases
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Folder for the province's keys, where replicas share it; without it below the data folder
    #[arg(long)]
    pub keys_dir: Option<PathBuf>,
    /// PostgreSQL database, for example postgres://user@host:5432/fenghuo
    #[arg(long)]
    pub database_url: Option<String>,
}

impl PlaceArgs {
    /// The same settings in the same order as `fenghuo up`: file, variables, options.
    pub fn place(&self) -> Outcome<Place> {
        // A node needs these as well; a backup does not.
        let mut settings = vec![("display_name", "-".to_owned()), ("duty_telephone", "-".to_owned())];
        let data = self.data.as_ref().map(|dir| dir.display().to_string());
        let keys = self.keys_dir.as_ref().map(|dir| dir.display().to_string());
        let given = [("province_code", &self.province), ("data_dir", &data), ("keys_dir", &keys), ("database_url", &self.database_url)];
        settings.extend(given.into_iter().filter_map(|(name, value)| value.clone().map(|value| (name, value))));
        let config = NodeConfig::load(self.config.as_deref(), &settings)?;
        let database_url = config.database_url.as_ref().map(Secret::expose).map(str::to_owned);
        Ok(Place { province_code: config.province_code, data_dir: config.data_dir, keys_dir: config.keys_dir, database_url })
    }
}

/// Takes a backup of a node, whether it runs or not, or checks one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    #[command(flatten)]
    place: PlaceArgs,
    /// The new file; one that is there is not overwritten
    #[arg(long, required = true)]
    out: Option<PathBuf>,
    /// Leave the province's private keys out; a restore then needs them from elsewhere
    #[arg(long)]
    without_keys: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What else can be done with backups.
#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Compares every byte of a backup with its manifest and recomputes its logs; exit code 1 if something does not hold
    Verify {
        /// The backup
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub async fn run(args: BackupArgs) -> Outcome {
    if let Some(BackupCommand::Verify { file, json }) = args.command {
        return verify(&file, json).await;
    }
    let out = args.out.ok_or_else(|| Failure::Input("out: name the new file with --out".to_owned()))?;
    let place = args.place.place()?;
    let bar = Bar::new();
    let manifest = take::take(&place, !args.without_keys, &out, &mut |name, done, all| bar.tell(name, done, all)).await?;
    bar.end();
    if args.json {
        print_json(&described(&out, &manifest));
    } else {
        say(&out, &manifest);
    }
    Ok(())
}

fn say(out: &Path, manifest: &Manifest) {
    let bytes: u64 = manifest.parts.iter().map(|part| part.bytes).sum();
    println!("{}: province {} as it was at {}, {} bytes", out.display(), manifest.province_code, manifest.taken_at, bytes);
    for (_, database) in manifest.databases() {
        println!("  {:<36} log up to {:>8}  {}", database.name, database.sequence, &database.chain_hash[..16]);
    }
    println!(
        "{}",
        match manifest.with_keys {
            true => "  It holds the province's private keys: encrypt it before it leaves this machine.",
            false => "  It holds no keys: keep them elsewhere, a restore needs them.",
        }
    );
}

/// A manifest with the name of its file, as JSON.
pub fn described(file: &Path, manifest: &Manifest) -> Value {
    let mut value = serde_json::to_value(manifest).unwrap_or_default();
    value["file"] = file.display().to_string().into();
    value
}

async fn verify(file: &Path, as_json: bool) -> Outcome {
    let folder = tempfile::tempdir()?;
    let bar = Bar::new();
    let sqlite_or_dump = Some(folder.path());
    let manifest = archive::read(file, sqlite_or_dump, &mut |name, done, all| bar.tell(name, done, all))?;
    bar.end();
    let recomputed = manifest.databases == "sqlite";
    let found = if recomputed { check::folder(folder.path(), &manifest).await? } else { fenghuo_durable::Verification::default() };
    let holds = found.faults.is_empty();
    if as_json {
        let mut value = described(file, &manifest);
        value["holds"] = holds.into();
        value["logs"] = json!({ "recomputed": recomputed, "events": found.events, "records": found.records, "faults": found.faults });
        print_json(&value);
    } else {
        let word = if holds { "holds" } else { "DOES NOT HOLD" };
        let logs = match recomputed {
            true => format!("{} events and {} records recomputed", found.events, found.records),
            false => "every byte is as it was dumped; the logs are recomputed at the restore".to_owned(),
        };
        println!("{} {word}: province {} at {}; {logs}", file.display(), manifest.province_code, manifest.taken_at);
        found.faults.iter().for_each(|fault| println!("  {fault}"));
    }
    if holds { Ok(()) } else { Err(Failure::DoesNotHold) }
}

/// A bar on a terminal, nothing elsewhere.
pub struct Bar(ProgressBar);

impl Bar {
    /// A new one.
    pub fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {wide_bar} {pos}/{len} {msg}");
        let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// How far the part with this name is; `all` is 0 where nobody knows.
    pub fn tell(&self, name: &str, done: u64, all: u64) {
        self.0.set_message(name.to_owned());
        self.0.set_length(all.max(done));
        self.0.set_position(done);
    }

    /// Takes it away.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
