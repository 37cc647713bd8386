//! The main job: both versions of the Qianzhangyan drill, against two real nodes as processes of their own, on SQLite and on
//! PostgreSQL. The runner compares what happened with the expected result beside the script and verifies every receipt itself.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/drills").join(name)
}

fn play(name: &str, postgres: bool) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.args(["drill", "run"]).arg(script(name)).arg("--json").arg(&report);
    if postgres {
        let url =
            std::env::var("FENGHUO_TEST_POSTGRES").expect("FENGHUO_TEST_POSTGRES: deploy/test starts a throw-away server and sets it");
        command.arg("--postgres").arg(url);
    }
    let output = command.output().unwrap();
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "the drill differs from what the law expects, or failed:\n{said}");
    serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap()
}

macro_rules! drills {
    ($($test:ident: $script:literal, postgres = $postgres:literal;)+) => {
        $(#[test] fn $test() { play($script, $postgres); })+
    };
}

drills! {
    as_it_happened_on_sqlite: "qianzhangyan-2014-as-it-happened.toml", postgres = false;
    as_it_happened_on_postgres: "qianzhangyan-2014-as-it-happened.toml", postgres = true;
    as_it_should_have_gone_on_sqlite: "qianzhangyan-2014-as-it-should-have-gone.toml", postgres = false;
    with_the_line_cut_on_sqlite: "qianzhangyan-2014-line-cut.toml", postgres = false;
    with_the_line_cut_on_postgres: "qianzhangyan-2014-line-cut.toml", postgres = true;
    as_it_should_have_gone_on_postgres: "qianzhangyan-2014-as-it-should-have-gone.toml", postgres = true;
}
