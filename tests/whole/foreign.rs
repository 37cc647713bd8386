//! A stranger's client: a province in Python, built from the contract alone, as a process beside a real node.
//! `deploy/test` makes the Python environment and names it in `FENGHUO_TEST_PYTHON`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use fenghuo_api::notification::v1::{EnrolPartnerRequest, GetNotificationRequest, GetOwnBundleRequest, NotificationRecord, PartnerMode};
use fenghuo_durable::new_id;
use fenghuo_tests::count;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::Province;
use fenghuo_tests::reports::{county, notify, report, submit};

const CODE: &str = "430000";

/// The foreign province: its folder, and its server while it serves.
struct Hunan {
    folder: PathBuf,
    server: Option<Child>,
    port: u16,
}

impl Drop for Hunan {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Hunan {
    fn command(&self, arguments: &[&str]) -> Command {
        let python = std::env::var("FENGHUO_TEST_PYTHON")
            .expect("FENGHUO_TEST_PYTHON: a Python with tests/foreign/requirements.txt; deploy/test makes one and sets it");
        let mut command = Command::new(python);
        command.args(["-m", "province", "--folder"]).arg(&self.folder).args(["--code", CODE]).args(arguments);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign"));
        command
    }

    /// Runs a command to its end; panics unless it succeeds.
    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn serve(&mut self) {
        let mut server = self.command(&["serve", "--listen", &format!("127.0.0.1:{}", self.port)]).stdout(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(server.stdout.take().unwrap()).lines().next().expect("the foreign server did not start").unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["event"], "ready");
        self.server = Some(server);
    }

    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// What came in, by name.
    fn list(&self) -> Vec<serde_json::Value> {
        let output = self.run(&["list"]);
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn acknowledge(&self, name: &str) {
        self.run(&["acknowledge", name, "--person", "李明", "--post", "湖南省生态环境厅 值班员"]);
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Each takes up the other's bundle by the fingerprint.
async fn enrol(hunan: &Hunan, chongqing: &Province, dir: &Path) {
    let bundle = hunan.run(&["bundle", "--name", "湖南省", "--endpoint", &format!("https://127.0.0.1:{}", hunan.port)]);
    let request = EnrolPartnerRequest {
        request_id: new_id().to_string(),
        bundle_json: String::from_utf8(bundle.stdout).unwrap(),
        fingerprint: String::from_utf8(bundle.stderr).unwrap(),
        mode: PartnerMode::Push.into(),
    };
    chongqing.directory().enrol_partner(request).await.unwrap();
    let own = chongqing.directory().get_own_bundle(GetOwnBundleRequest {}).await.unwrap().into_inner();
    let file = dir.join("chongqing.json");
    std::fs::write(&file, own.bundle_json).unwrap();
    let wrong = hunan.command(&["enrol", file.to_str().unwrap(), "--fingerprint", "0000"]).output().unwrap();
    assert!(!wrong.status.success(), "a wrong fingerprint was believed");
    hunan.run(&["enrol", file.to_str().unwrap(), "--fingerprint", &own.fingerprint]);
}

async fn warned(chongqing: &Province) -> String {
    let taken = chongqing.incidents().submit_report(submit(report(county("500000")))).await.unwrap().into_inner();
    notify(chongqing, &taken.incident.unwrap().name, CODE).await.unwrap()
}

async fn read(chongqing: &Province, name: &str) -> NotificationRecord {
    let request = GetNotificationRequest { name: name.to_owned() };
    chongqing.notifications().get_notification(request).await.unwrap().into_inner().notification.unwrap()
}

async fn acknowledged(chongqing: &Province, name: &str) -> NotificationRecord {
    for _ in 0..200 {
        let record = read(chongqing, name).await;
        if record.acknowledgement.is_some() {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is not acknowledged after 10 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_in_python_is_warned_and_answers_by_push_and_by_pull() {
    let dir = tempfile::tempdir().unwrap();
    let chongqing = Province::start(&Spec::new("500000", dir.path())).await;
    let mut hunan = Hunan { folder: dir.path().join("hunan"), server: None, port: free_port() };
    enrol(&hunan, &chongqing, dir.path()).await;
    hunan.serve();
    chongqing.link_up(CODE, Duration::from_secs(20)).await;

    let first = warned(&chongqing).await;
    count::delivered(&chongqing, &BTreeSet::from([first.clone()]), Duration::from_secs(20)).await;
    assert_eq!(hunan.list().len(), 1);
    assert_eq!(hunan.list()[0]["name"], first.as_str());

    // Killed and started again, it has what it gave a receipt for.
    hunan.kill();
    hunan.serve();
    hunan.acknowledge(&first);
    hunan.acknowledge(&first); // says the same again, and is one acknowledgement
    let record = acknowledged(&chongqing, &first).await;
    assert_eq!(record.acknowledgement.unwrap().person, "李明");

    // Nobody can call it now: it fetches.
    hunan.kill();
    let second = warned(&chongqing).await;
    assert!(read(&chongqing, &second).await.delivery.is_none_or(|proof| proof.signed_receipt.is_none()), "it was delivered to nobody");
    let pulled = hunan.run(&["pull", "500000"]);
    assert!(String::from_utf8_lossy(&pulled.stdout).contains("\"envelopes\": 1"), "{pulled:?}");
    count::delivered(&chongqing, &BTreeSet::from([second.clone()]), Duration::from_secs(5)).await;
    hunan.acknowledge(&second);
    acknowledged(&chongqing, &second).await;
    assert!(hunan.list().iter().all(|one| one["acknowledged"] == true), "{:?}", hunan.list());
    let events = count::assert_whole(&chongqing).await;
    let told = count::subjects(&events, "notification.acknowledged");
    count::assert_all_once("acknowledgements", &BTreeSet::from([first, second]), &told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_that_was_not_enrolled_learns_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let chongqing = Province::start(&Spec::new("500000", dir.path())).await;
    let stranger = Hunan { folder: dir.path().join("stranger"), server: None, port: free_port() };
    let own = chongqing.directory().get_own_bundle(GetOwnBundleRequest {}).await.unwrap().into_inner();
    let file = dir.path().join("chongqing.json");
    std::fs::write(&file, own.bundle_json).unwrap();
    // The stranger trusts Chongqing; Chongqing knows nothing of the stranger.
    stranger.run(&["enrol", file.to_str().unwrap(), "--fingerprint", &own.fingerprint]);
    let before = count::events(&chongqing).await.len();
    let refused = stranger.command(&["pull", "500000"]).output().unwrap();
    assert!(!refused.status.success(), "a stranger was answered: {refused:?}");
    assert!(chongqing.process.log().contains("a TLS handshake was refused"), "{}", chongqing.process.log_tail());
    assert_eq!(count::events(&chongqing).await.len(), before);
}
