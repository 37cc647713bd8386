//! A PostgreSQL of one's own, to be restarted, crashed and starved.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A throw-away server on loopback; it ends when dropped. Durability as it comes: fsync and `synchronous_commit` on.
#[derive(Debug)]
pub(crate) struct Server {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
}

/// Why no server can be started here, in a line, if none can.
pub(crate) fn missing() -> Option<String> {
    programs().is_none().then(|| "no PostgreSQL server is installed".to_owned())
}

fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.into_iter().rev().find(|bin| bin.join("initdb").is_file())
}

impl Server {
    /// Starts one with its data below `dir`, which the user postgres must be able to enter.
    pub(crate) fn start(dir: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { bin: programs().unwrap(), dir: dir.to_owned(), port };
        std::fs::write(server.log_path(), "").unwrap();
        if rustix::process::geteuid().is_root() {
            assert!(Command::new("chown").arg("postgres:postgres").arg(dir).arg(server.log_path()).status().unwrap().success());
        }
        let data = server.data();
        server.run("initdb", &["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D", &data]);
        server.start_again();
        server
    }

    fn data(&self) -> String {
        self.dir.join("data").display().to_string()
    }

    /// The URL of its first database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it after its end.
    pub(crate) fn start_again(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c max_connections=200 -c max_wal_size=64MB -c min_wal_size=32MB",
            self.port,
            self.dir.display()
        );
        self.run("pg_ctl", &["-w", "-s", "-D", &self.data(), "-l", &self.log_path(), "-o", &options, "start"]);
    }

    /// Ends it: "fast" ends every session first, "immediate" is a crash.
    pub(crate) fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["-w", "-s", "-m", mode, "-D", &self.data(), "stop"]);
    }

    /// Is it there to be asked?
    pub(crate) fn is_running(&self) -> bool {
        self.command("pg_ctl").args(["-D", &self.data(), "status"]).stdout(Stdio::null()).status().unwrap().success()
    }

    fn log_path(&self) -> String {
        // Beside the data: a server that has no space left must still be able to say so.
        format!("{}.log", self.dir.display())
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        // PostgreSQL refuses to run as root.
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        // Its output goes to a file: a pipe would stay open as long as the server runs.
        let said = std::fs::File::create(format!("{}.said", self.dir.display())).unwrap();
        let status = self.command(program).args(arguments).stdout(Stdio::null()).stderr(said).status().unwrap();
        let said = std::fs::read_to_string(format!("{}.said", self.dir.display())).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {said}\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl").args(["-s", "-m", "immediate", "-D", &self.data(), "stop"]).stderr(Stdio::null()).status();
        let _ = std::fs::remove_file(format!("{}.said", self.dir.display()));
        let _ = std::fs::remove_file(self.log_path());
    }
}
