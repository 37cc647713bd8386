//! PostgreSQL's own tools, `pg_dump` and `pg_restore`, and the databases of a restore.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fenghuo_durable::{Error, Result};
use tokio::process::Command;

/// Where Debian puts the tools of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// How often the size of a growing dump is told.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// A tool on PATH, or the newest of Debian's.
fn tool(name: &str) -> Result<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&on_path).map(|dir| dir.join(name)).find(|path| path.is_file()) {
        return Ok(found);
    }
    let entries = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> =
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name)))).collect();
    versions.retain(|(_, path)| path.is_file());
    versions.into_iter().max().map(|(_, path)| path).ok_or_else(|| {
        let text =
            format!("{name} is neither on PATH nor in {DEBIAN}/*/bin; install PostgreSQL's client programs (Debian: postgresql-client)");
        Error::precondition("TOOL_MISSING", text)
    })
}

/// A database URL taken apart, so that its password goes to a tool by its environment and is seen by nobody else.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    variables: Vec<(&'static str, String)>,
    database: String,
}

fn target(url: &str) -> Result<Target> {
    let bad = || Error::invalid("database_url", "must look like postgres://user:password@host:port/name");
    let rest = url.split_once("://").ok_or_else(bad)?.1;
    let (authority, database) = rest.rsplit_once('/').ok_or_else(bad)?;
    let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() => (host, port),
        _ => (address, ""),
    };
    let given = [("PGHOST", host.trim_matches(['[', ']'])), ("PGPORT", port), ("PGUSER", user), ("PGPASSWORD", password)];
    let variables = given.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, percent_decoded(value)));
    Ok(Target { variables: variables.collect(), database: percent_decoded(database) })
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        match digits.filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Dumps a database as it was in an exported snapshot into a file that is there; tells its size as it grows.
pub async fn dump(url: &str, snapshot: &str, file: &Path, mut size: impl FnMut(u64)) -> Result<()> {
    let target = target(url)?;
    let mut command = Command::new(tool("pg_dump")?);
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--snapshot", snapshot, "--file"]).arg(file);
    command.arg("--dbname").arg(&target.database).envs(target.variables);
    let mut work = Box::pin(run(command, "pg_dump"));
    loop {
        tokio::select! {
            done = &mut work => {
                done?;
                return std::fs::File::open(file).and_then(|file| file.sync_all()).map_err(|error| super::cannot("write", file, error));
            }
            () = tokio::time::sleep(TELL_EVERY) => size(std::fs::metadata(file).map_or(0, |found| found.len())),
        }
    }
}

/// Puts a dump into an empty database.
pub async fn load(url: &str, file: &Path) -> Result<()> {
    let target = target(url)?;
    let mut command = Command::new(tool("pg_restore")?);
    command.args(["--no-owner", "--no-privileges", "--no-password", "--exit-on-error", "--single-transaction", "--dbname"]);
    command.arg(&target.database).arg(file).envs(target.variables);
    run(command, "pg_restore").await
}

/// Are the tools of a restore there?
pub fn can_load() -> Result<()> {
    tool("pg_restore").map(|_| ())
}

async fn run(mut command: Command, name: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| Error::internal(format!("{name} could not be started")).caused_by(error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::unavailable("TOOL_FAILED", format!("{name} failed ({}): {}", output.status, said.trim())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_its_password_stands_in_the_environment_alone() {
        let found = target("postgres://fenghuo:p%40ss%3A@db.example:5433/chongqing_real").unwrap();
        let variables: Vec<_> = found.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(variables, [("PGHOST", "db.example"), ("PGPORT", "5433"), ("PGUSER", "fenghuo"), ("PGPASSWORD", "p@ss:")]);
        assert_eq!(found.database, "chongqing_real");
        let short = target("postgres://[::1]/x").unwrap();
        assert_eq!((short.variables, short.database), (vec![("PGHOST", "::1".to_owned())], "x".to_owned()));
        assert!(target("sqlite").is_err());
    }
}
