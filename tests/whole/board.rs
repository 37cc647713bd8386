//! A board rebuilt from the stream alone shows what the node shows, although node and NATS were killed with `kill -9` under load.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fenghuo_durable::testing::{postgres_admin_url, until};
use fenghuo_durable::{create_postgres_database, drop_postgres_databases, new_id};
use fenghuo_outward::testing::NatsServer;
use serde_json::Value;

/// Never to be found outside the house.
const OFFICER: &str = "秦月明";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FENGHUO_")) {
        command.env_remove(name);
    }
    command
}

struct Node {
    child: Child,
    url: String,
    setup_token: String,
}

impl Node {
    fn start(dir: &Path, nats: &str, database_url: Option<&str>) -> Self {
        let mut command = program();
        command.args(["up", "--json", "--province", "500000", "--telephone", "023-1", "--console", "127.0.0.1:0", "--partner", "127.0.0.1:0"]);
        command.arg("--data").arg(dir).env("FENGHUO_NATS_URL", nats).stdout(Stdio::piped());
        command.stderr(std::fs::OpenOptions::new().create(true).append(true).open(dir.with_extension("log")).unwrap());
        if let Some(url) = database_url {
            command.args(["--database-url", url]);
        }
        let mut child = command.spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
        Self { child, url: text("console_url"), setup_token: text("setup_token") }
    }

    /// kill -9.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line against a node, as one person.
#[derive(Clone)]
struct Desk {
    url: String,
    token: String,
}

impl Desk {
    fn run(&self, arguments: &[&str]) -> Option<Value> {
        let output = program().args(arguments).args(["--json", "--url", &self.url]).env("FENGHUO_TOKEN", &self.token).output().unwrap();
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// A report that opens an incident of its own; its name if the node acknowledged it.
    fn report(&self, admin_code: &str, title: &str) -> Option<String> {
        let told = self.run(&["incident", "report", "--admin-code", admin_code, "--title", title, "--confirmed", "--may-cross-province"])?;
        told["name"].as_str().map(str::to_owned)
    }
}

fn set_up(node: &Node) -> Desk {
    let config = tempfile::tempdir().unwrap();
    let mut setup = program();
    setup.args(["session", "set-up", "--url", &node.url, "--setup-token", &node.setup_token, "--user", "admin", "--name", "管理员"]);
    let _ = (config, setup);
    unimplemented!()
}
