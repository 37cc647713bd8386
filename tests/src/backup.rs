//! Backups of a node under test, taken and restored by the command line as an operator does it.

use std::path::Path;
use std::process::{Command, Output};

use fenghuo_durable::databases::{beginning_with, drop_all};
use fenghuo_durable::new_id;

use crate::node::{Spec, binary};

/// Runs the binary with these words and none of this process's settings.
pub fn run(words: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(words);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FENGHUO_")) {
        command.env_remove(name);
    }
    command.output().unwrap()
}

/// The options that say where a node is.
fn place(spec: &Spec) -> Vec<String> {
    let mut words = vec!["--province".to_owned(), spec.code.clone(), "--data".to_owned(), spec.dir.join("data").display().to_string()];
    if let Some(url) = &spec.database_url {
        words.extend(["--database-url".to_owned(), url.clone()]);
    }
    words
}

/// Takes a backup of a node, which may run; its manifest.
pub fn take(spec: &Spec, out: &Path) -> serde_json::Value {
    let (place, out) = (place(spec), out.display().to_string());
    let mut words: Vec<&str> = vec!["backup", "--json", "--out", &out];
    words.extend(place.iter().map(String::as_str));
    succeeded(&run(&words))
}

/// Checks a backup by itself.
pub fn verify(file: &Path) -> serde_json::Value {
    succeeded(&run(&["backup", "verify", "--json", &file.display().to_string()]))
}

/// Tries to restore a backup into the place of a node.
pub fn try_restore(spec: &Spec, file: &Path) -> Output {
    let (place, file) = (place(spec), file.display().to_string());
    let mut words: Vec<&str> = vec!["restore", "--json", &file];
    words.extend(place.iter().map(String::as_str));
    run(&words)
}

/// Restores a backup into the place of a node.
pub fn restore(spec: &Spec, file: &Path) -> serde_json::Value {
    succeeded(&try_restore(spec, file))
}

/// Panics with what was said unless it went well; its JSON.
fn succeeded(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Loses everything that a stopped node had: folder, keys, databases. Its log for people stays beside it.
pub async fn destroy(spec: &Spec) {
    std::fs::remove_dir_all(spec.dir.join("data")).unwrap();
    if let Some(url) = &spec.database_url {
        let base = url.rsplit('/').next().unwrap();
        let names = beginning_with(url, &format!("{base}_")).await.unwrap();
        assert!(names.len() >= 2, "there was nothing to destroy: {names:?}");
        drop_all(url, &names).await.unwrap();
    }
}

/// A fresh base name on the throw-away PostgreSQL of the tests, its empty database made.
pub async fn postgres_url() -> String {
    let admin = fenghuo_durable::testing::postgres_admin_url();
    let base = format!("t_{}", &new_id().simple().to_string()[8..]);
    fenghuo_durable::create_postgres_database(&admin, &base).await.unwrap();
    format!("{}/{base}", admin.rsplit_once('/').unwrap().0)
}
