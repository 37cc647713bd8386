//! `fenghuo up` and `fenghuo serve`: a node, until it is told to stop.

use std::path::PathBuf;

use clap::Args;
use fenghuo_edge::{NodeConfig, telemetry};
use fenghuo_rules::divisions::Divisions;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Outcome;
use super::output::Failure;
use crate::measure;
use crate::node::{Node, Ready};

const EXAMPLES: &str = "Examples:
  fenghuo up --province 500000 --telephone 023-00000000
  fenghuo up --province 420000 --telephone 027-00000000 --data hubei --console 127.0.0.1:8430 --partner 127.0.0.1:7430
  fenghuo serve --config /etc/fenghuo/fenghuo.toml --database-url postgres://fenghuo@db:5432/chongqing
  fenghuo serve --config chongqing.toml --data replica-2 --keys keys --shared-listen
  fenghuo serve --config chongqing.toml --data intake --keys keys --console 127.0.0.1:8421 --only incident-intake
Settings come from defaults, then the file, then FENGHUO_* variables, then these options.";

/// A node's settings. What is not given comes from the configuration file, FENGHUO_* variables or the defaults.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct UpArgs {
    /// Configuration file (TOML)
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Six-digit code of the province
    #[arg(long)]
    pub province: Option<String>,
    /// Name of the province in Chinese; known for Chongqing and its neighbours
    #[arg(long)]
    pub name: Option<String>,
    /// Folder for keys and databases
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Folder for the province's keys; replicas share it (default: keys in the data folder)
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// Address of the console
    #[arg(long)]
    pub console: Option<String>,
    /// Address for partner provinces
    #[arg(long)]
    pub partner: Option<String>,
    /// Telephone answered at all hours
    #[arg(long)]
    pub telephone: Option<String>,
    /// PostgreSQL database, for example postgres://user@host:5432/fenghuo
    #[arg(long)]
    pub database_url: Option<String>,
    /// Share the addresses with other replicas of this node on this machine
    #[arg(long)]
    pub shared_listen: bool,
    /// Serve this service alone (repeatable); other processes serve the rest on the same database
    #[arg(long, value_name = "SERVICE")]
    pub only: Vec<String>,
    /// Print one JSON line on standard output when ready
    #[arg(long)]
    pub json: bool,
}

impl UpArgs {
    /// The checked configuration.
    pub fn load(&self) -> Outcome<NodeConfig> {
        let mut overrides: Vec<(&str, String)> = Vec::new();
        let given = [
            ("province_code", &self.province),
            ("display_name", &self.name),
            ("console_listen", &self.console),
            ("partner_listen", &self.partner),
            ("duty_telephone", &self.telephone),
            ("database_url", &self.database_url),
        ];
        overrides.extend(given.into_iter().filter_map(|(name, value)| value.clone().map(|value| (name, value))));
        if let Some(data) = &self.data {
            overrides.push(("data_dir", data.display().to_string()));
        }
        if let Some(keys) = &self.keys {
            overrides.push(("keys_dir", keys.display().to_string()));
        }
        if !self.only.is_empty() {
            overrides.push(("only", self.only.join(",")));
        }
        if self.shared_listen {
            overrides.push(("shared_listen", "true".to_owned()));
        }
        if let (Some(division), None) = (self.province.as_deref().and_then(|code| Divisions::builtin().get(code)), &self.name) {
            overrides.push(("display_name", division.name_zh.clone()));
            overrides.push(("display_name_en", division.name_en.clone()));
        }
        Ok(NodeConfig::load(self.config.as_deref(), &overrides)?)
    }
}

/// Runs a node until SIGINT or SIGTERM.
pub async fn run(args: UpArgs, postgres_only: bool) -> Outcome {
    let config = args.load()?;
    if postgres_only && config.database_url.is_none() {
        return Err(Failure::Input(
            "database_url: `fenghuo serve` runs on PostgreSQL; give --database-url, or use `fenghuo up` for SQLite".to_owned(),
        ));
    }
    let telemetry = telemetry::init(&config)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.wait().await;
        tracing::info!("stopping: finishing what runs; a second signal stops at once");
        stopping.cancel();
        signals.wait().await;
        std::process::exit(130);
    });
    let node = Node::open(config).await?;
    announce(&args, node.ready());
    if telemetry.exports() {
        tokio::spawn(measure::run(node.measured(), stop.clone()));
    }
    let served = node.serve(stop).await;
    telemetry.stop().await;
    Ok(served?)
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Outcome<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Tells where the node is. The setup link is a secret for the administrator: it goes to standard output alone, never to the log.
fn announce(args: &UpArgs, ready: &Ready) {
    let setup_url = ready.setup_token.as_ref().map(|token| format!("{}/#/setup?token={token}", ready.console_url));
    if args.json {
        let line = json!({
            "event": "ready", "province_code": ready.province_code, "console_url": ready.console_url, "partner_url": ready.partner_url,
            "setup_url": setup_url, "setup_token": ready.setup_token,
        });
        println!("{line}");
    } else {
        println!("{} {}\n  console   {}", ready.province_code, ready.display_name, ready.console_url);
        if !ready.partner_url.is_empty() {
            println!("  partners  {}", ready.partner_url);
        }
        if let Some(url) = setup_url {
            println!("  first start: set the administrator's password at\n  {url}");
        }
    }
}
