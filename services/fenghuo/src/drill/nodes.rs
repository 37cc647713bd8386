//! Two real nodes as processes of their own: own data, own keys, free ports.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::DrillError;
use super::script::NodeText;

/// How long a node may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// The line that a node prints when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    event: String,
    /// Six-digit code.
    pub province_code: String,
    /// Address of the console listener.
    pub console_url: String,
    /// Address of the partner listener.
    pub partner_url: String,
    /// Token of the one-time setup link; absent once it was used.
    pub setup_token: Option<String>,
}

/// A running node. Dropped, it is killed.
#[derive(Debug)]
pub struct NodeProcess {
    /// Where it is.
    pub ready: Ready,
    /// What it writes to its log.
    pub log: PathBuf,
    child: Option<Child>,
}

impl NodeProcess {
    /// Starts a node of this program in `folder`, and waits until it is ready.
    pub async fn start(node: &NodeText, folder: &Path, database_url: Option<&str>) -> Result<Self, DrillError> {
        std::fs::create_dir_all(folder)?;
        let log = folder.join("node.log");
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.args(["up", "--json", "--console", "127.0.0.1:0", "--partner", "127.0.0.1:0"]);
        command.args(["--province", &node.code, "--name", &node.name_zh, "--telephone", &node.duty_telephone]);
        command.arg("--data").arg(folder.join("data"));
        if let Some(url) = database_url {
            command.args(["--database-url", url]);
        }
        // What is set for another node on this machine is not meant for these.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FENGHUO_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        // A group of its own: Ctrl-C reaches the runner alone, which then ends the nodes, or leaves them if they are to be kept.
        command.process_group(0);
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| DrillError::Node(format!("node {} has no output", node.code)))?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = tokio::time::timeout(READY_WITHIN, wait_ready(&mut lines)).await;
        let Ok(Some(ready)) = ready else {
            let _ = child.start_kill();
            return Err(DrillError::Node(format!("node {} did not become ready; its log ends:\n{}", node.code, tail(&log))));
        };
        if ready.province_code != node.code {
            return Err(DrillError::Node(format!("node {} says that it is {}", node.code, ready.province_code)));
        }
        // What else it prints is nobody's, but its pipe must not fill.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { ready, log, child: Some(child) })
    }

    /// Its process id.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Stops it: asks first, then ends it.
    pub async fn stop(mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Some(id) = child.id() {
            let asked = tokio::process::Command::new("kill").args(["-TERM", &id.to_string()]).status().await;
            let gone = asked.is_ok() && tokio::time::timeout(Duration::from_secs(10), child.wait()).await.is_ok();
            if gone {
                return;
            }
        }
        let _ = child.kill().await;
    }

    /// Leaves it running after this program has ended.
    pub fn keep(mut self) {
        if let Some(child) = self.child.take() {
            // Not dropped, it is not killed; the system reaps it when it ends.
            std::mem::forget(child);
        }
    }

    /// The end of its log, for an error.
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }
}

async fn wait_ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<Ready> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(ready) = serde_json::from_str::<Ready>(&line)
            && ready.event == "ready"
        {
            return Some(ready);
        }
    }
    None
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
