//! `fenghuo doctor`: is a node of this configuration able to start?

use std::net::TcpListener;

use clap::Args;
use fenghuo_durable::{Db, Location, wall};
use fenghuo_edge::{NodeConfig, ProvinceKeys, telemetry};
use serde_json::json;

use super::Outcome;
use super::output::{Failure, print_json};
use super::up::UpArgs;

/// The configuration to check; the same options as `fenghuo up`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fenghuo doctor --config fenghuo.toml")]
pub struct DoctorArgs {
    #[command(flatten)]
    node: UpArgs,
}

struct Finding {
    what: &'static str,
    fault: Option<String>,
}

/// Checks everything, prints a line each; exit code 1 if something is wrong.
pub async fn run(args: DoctorArgs) -> Outcome {
    let config = args.node.load()?;
    let mut findings = vec![Finding { what: "configuration", fault: None }];
    findings.push(Finding { what: "data folder", fault: data_folder(&config).err() });
    findings.push(Finding { what: "keys", fault: keys(&config).err() });
    findings.push(Finding { what: "database", fault: database(&config).await.err() });
    if config.otlp_endpoint.is_some() {
        findings.push(Finding { what: "OTLP collector", fault: telemetry::probe(&config).await.err() });
    }
    for (what, address) in [("console port", config.console_listen), ("partner port", config.partner_listen)] {
        let fault =
            TcpListener::bind(address).err().map(|error| format!("{address}: {error}; stop what listens there, or choose another port"));
        findings.push(Finding { what, fault });
    }
    let wrong = findings.iter().any(|finding| finding.fault.is_some());
    print(args.node.json, &findings);
    if wrong { Err(Failure::DoesNotHold) } else { Ok(()) }
}

fn print(as_json: bool, findings: &[Finding]) {
    if as_json {
        print_json(
            &findings
                .iter()
                .map(|finding| json!({ "what": finding.what, "ok": finding.fault.is_none(), "fault": finding.fault }))
                .collect(),
        );
        return;
    }
    for finding in findings {
        match &finding.fault {
            None => println!("ok    {}", finding.what),
            Some(fault) => println!("FAULT {}: {fault}", finding.what),
        }
    }
}

fn data_folder(config: &NodeConfig) -> Result<(), String> {
    let lock = fenghuo_durable::lock_folder(&config.data_dir).map_err(|error| error.to_string())?;
    let probe = config.data_dir.join("doctor");
    std::fs::write(&probe, b"x")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| format!("{}: {error}", config.data_dir.display()))?;
    drop(lock);
    Ok(())
}

fn keys(config: &NodeConfig) -> Result<(), String> {
    let dir = &config.keys_dir;
    if !dir.exists() {
        return Ok(()); // Made at the first start.
    }
    ProvinceKeys::load_or_create(dir, &config.province_code, &config.certificate_hosts(), wall::now())
        .map(|_| ())
        .map_err(|error| error.to_string())
}

async fn database(config: &NodeConfig) -> Result<(), String> {
    if let Some(url) = &config.database_url {
        return reachable(&Location::Postgres(url.expose().to_owned()), "SELECT 1").await;
    }
    let folder = config.data_dir.join("spaces");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) }; // Made at the first start.
    for entry in entries.flatten().filter(|entry| entry.path().extension().is_some_and(|ending| ending == "sqlite3")) {
        reachable(&Location::Sqlite(entry.path()), "PRAGMA quick_check")
            .await
            .map_err(|fault| format!("{}: {fault}", entry.path().display()))?;
    }
    Ok(())
}

/// Opens a database and asks it one question; what is wrong, if anything is.
async fn reachable(location: &Location, question: &'static str) -> Result<(), String> {
    let clock = std::sync::Arc::new(fenghuo_durable::Clock::real());
    let db = Db::open(location, clock).await.map_err(|error| fenghuo_edge::status::chain(&error))?;
    let answer = db.read(question, |question, tx| Box::pin(tx.rows(question, &[]))).await;
    db.close().await;
    let rows = answer.map_err(|error| fenghuo_edge::status::chain(&error))?;
    match rows.first().and_then(|row| row.text(0).ok()) {
        Some(fault) if fault != "ok" => Err(fault),
        _ => Ok(()),
    }
}
