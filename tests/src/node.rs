//! A node as a process of its own: started, killed without warning, started again in the same place.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// A node that is not ready by then has failed.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// A node that is asked to stop has ended by then.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// The binary under test: `FENGHUO_BIN`, or the one that Cargo built beside this program.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("FENGHUO_BIN") {
        return path.into();
    }
    let here = std::env::current_exe().unwrap();
    let found = here.ancestors().skip(1).map(|dir| dir.join("fenghuo")).find(|path| path.is_file());
    found.expect("the binary is not built beside the tests: cargo build -p fenghuo (add --release for measurements), or set FENGHUO_BIN")
}

/// How a node is started. What is the same at every start of it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Six-digit code of the province.
    pub code: String,
    /// Folder of its data, keys and log.
    pub dir: PathBuf,
    /// The subcommand: "up", or "serve".
    pub command: String,
    /// PostgreSQL; without it SQLite.
    pub database_url: Option<String>,
    /// Address of the console; port 0 is fixed at the first start, so that a restart is found at the same place.
    pub console: String,
    /// Address of the partner listener, likewise.
    pub partner: String,
    /// Further options of the command line.
    pub options: Vec<String>,
    /// Further variables, such as `FENGHUO_*` settings or `LD_PRELOAD`.
    pub variables: Vec<(String, String)>,
    /// What stands before the binary: nothing, or `ip netns exec NAME`.
    pub before: Vec<String>,
}

impl Spec {
    /// A node of this province on SQLite in a folder of its own below `dir`.
    pub fn new(code: &str, dir: &Path) -> Self {
        Self {
            code: code.to_owned(),
            dir: dir.join(code),
            command: "up".to_owned(),
            database_url: None,
            console: "127.0.0.1:0".to_owned(),
            partner: "127.0.0.1:0".to_owned(),
            options: Vec::new(),
            variables: Vec::new(),
            before: Vec::new(),
        }
    }

    /// The same on this PostgreSQL database.
    pub fn on_postgres(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        self
    }

    /// The first of several replicas on this PostgreSQL database; [`Spec::replica`] gives the others.
    pub fn replicated(self, url: &str) -> Self {
        let keys = self.dir.with_file_name(format!("{}-keys", self.code)).display().to_string();
        let mut spec = self.on_postgres(url);
        spec.command = "serve".to_owned();
        spec.options.extend(["--keys".to_owned(), keys]);
        spec
    }

    /// Another replica of the same node: the same database and keys, a folder of its own.
    pub fn replica(&self, name: &str) -> Self {
        Self { dir: self.dir.with_file_name(format!("{}-{name}", self.code)), ..self.clone() }
    }

    /// With an option of the command line.
    pub fn option(mut self, words: &[&str]) -> Self {
        self.options.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// With a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self) -> Command {
        let data = self.dir.join("data").display().to_string();
        let telephone = format!("{}-12369", &self.code[..3]);
        let binary = binary().display().to_string();
        let mut words: Vec<&str> = self.before.iter().map(String::as_str).collect();
        words.extend([binary.as_str(), &self.command, "--json", "--province", &self.code, "--telephone", &telephone]);
        words.extend(["--data", &data, "--console", &self.console, "--partner", &self.partner]);
        if let Some(url) = &self.database_url {
            words.extend(["--database-url", url]);
        }
        words.extend(self.options.iter().map(String::as_str));
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FENGHUO_")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The line that a node prints when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
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
pub struct Process {
    /// Where it is.
    pub ready: Ready,
    /// From its start until it was ready.
    pub start_time: Duration,
    spec: Spec,
    child: Child,
}

impl Process {
    /// Starts it and waits until it is ready; panics with the end of its log otherwise.
    pub fn start(spec: &Spec) -> Self {
        Self::try_start(spec).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts it; in words, why it did not become ready.
    pub fn try_start(spec: &Spec) -> Result<Self, String> {
        std::fs::create_dir_all(&spec.dir).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log_of(spec)).unwrap();
        let began = Instant::now();
        let mut child = spec.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().map_err(|why| why.to_string())?;
        let (tell, told) = std::sync::mpsc::channel();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        // What else it prints is nobody's, but its pipe must not fill.
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                if let Ok(ready) = serde_json::from_str::<Ready>(&line) {
                    let _ = tell.send(ready);
                }
                line.clear();
            }
        });
        match told.recv_timeout(READY_WITHIN) {
            Ok(ready) => {
                let mut spec = spec.clone();
                spec.console = address(&ready.console_url);
                spec.partner = address(&ready.partner_url);
                Ok(Self { ready, start_time: began.elapsed(), spec, child })
            }
            Err(_) => {
                let _ = child.kill();
                let status = child.wait();
                Err(format!("node {} did not become ready ({status:?}); its log ends:\n{}", spec.code, log_tail(spec)))
            }
        }
    }

    /// Starts it again in the same place and kills it without warning after so long, ready or not.
    pub fn start_again_in_vain(&self, killed_after: Duration) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log_of(&self.spec)).unwrap();
        let mut child = self.spec.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        std::thread::sleep(killed_after);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "the node had ended before it was killed; its log ends:\n{}", log_tail(&self.spec));
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How to start it again in the same place.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Is it running? Once it has ended, this says that it has.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it without warning (SIGKILL) and proves that this was its end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "the node had ended before it was killed; its log ends:\n{}", log_tail(&self.spec));
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub fn stop(&mut self) {
        signal(self.id(), "TERM");
        let end = Instant::now() + STOP_WITHIN;
        while self.is_running() {
            assert!(Instant::now() < end, "node {} does not stop; its log ends:\n{}", self.spec.code, log_tail(&self.spec));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again in the same place after its end.
    pub fn start_again(&mut self) {
        *self = Self::start(&self.spec);
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        log_tail(&self.spec)
    }

    /// Its whole log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(log_of(&self.spec)).unwrap_or_default()
    }

    /// Resident memory in bytes, as the kernel counts it.
    pub fn memory_bytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it ever had, in bytes.
    pub fn memory_peak_bytes(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0 kB");
        line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by its name, such as "KILL", "STOP" or "CONT".
pub fn signal(id: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().unwrap();
    assert!(status.success(), "signal {name} could not be sent to {id}");
}

fn address(url: &str) -> String {
    url.rsplit('/').next().unwrap_or(url).to_owned()
}

fn log_of(spec: &Spec) -> PathBuf {
    spec.dir.join("node.log")
}

fn log_tail(spec: &Spec) -> String {
    let text = std::fs::read_to_string(log_of(spec)).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
