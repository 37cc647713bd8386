//! A board rebuilt from the stream alone shows what the node shows, although node and NATS were killed with `kill -9` under load.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fenghuo_api::common::v1::{Grade, Place, Tristate};
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::incident::v1::{DecideGradeRequest, Facts, GradeDecision, GradeDecisionKind, Report, ReportOrigin, SubmitReportRequest};
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::{postgres_admin_url, until};
use fenghuo_durable::{SpaceId, create_postgres_database, drop_postgres_databases, new_id, wall};
use fenghuo_edge::{ClientSession, console_channel};
use fenghuo_outward::testing::{NatsServer, plain};
use serde_json::Value;
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;

/// Reports of one run.
const REPORTS: usize = 60;
/// Never to be found outside the house.
const OFFICER: &str = "秦月明";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FENGHUO_")) {
        command.env_remove(name);
    }
    command
}

/// A node that publishes to NATS. Dropped, it is killed.
struct Node {
    child: Child,
    url: String,
    setup_token: String,
}

impl Node {
    fn start(dir: &Path, nats: &str, database_url: Option<&str>) -> Self {
        let mut command = program();
        command.args([
            "up",
            "--json",
            "--province",
            "500000",
            "--telephone",
            "023-1",
            "--console",
            "127.0.0.1:0",
            "--partner",
            "127.0.0.1:0",
        ]);
        command.arg("--data").arg(dir.join("data")).env("FENGHUO_NATS_URL", nats).stdout(Stdio::piped());
        command.stderr(std::fs::OpenOptions::new().create(true).append(true).open(dir.join("node.log")).unwrap());
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

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{} {}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The officer's session token, by the command line as a newcomer would.
fn set_up(node: &Node, dir: &Path) -> String {
    let run = |arguments: &[&str], token: &str| {
        let mut command = program();
        command.args(arguments).args(["--json", "--url", &node.url]).env("XDG_CONFIG_HOME", dir);
        command.env("FENGHUO_PASSWORD", "correct horse").env("FENGHUO_NEW_PASSWORD", "correct horse");
        if !token.is_empty() {
            command.env("FENGHUO_TOKEN", token);
        }
        json(&command.output().unwrap())["session_token"].as_str().unwrap_or_default().to_owned()
    };
    let admin = run(&["session", "setup", "--setup-token", &node.setup_token], "");
    let grants = ["--grant", "duty-officer:500000", "--grant", "commander:500000"];
    run(&[&["person", "add", "--user", "officer", "--name", OFFICER][..], &grants].concat(), &admin);
    run(&["session", "sign-in", "--user", "officer"], "")
}

type Incidents = IncidentServiceClient<InterceptedService<tonic::transport::Channel, ClientSession>>;

fn incidents(url: &str, token: &str) -> Incidents {
    let session = ClientSession::anonymous().with_token(token).unwrap().in_space(SpaceId::Real).unwrap();
    IncidentServiceClient::new(InterceptedService::new(console_channel(url, None).unwrap(), session))
}

/// Sends a report until the node, wherever it is by now, has acknowledged it.
async fn report(url: watch::Receiver<String>, token: String, number: usize) {
    let report = Report {
        origin: ReportOrigin::Hotline.into(),
        learn_time: Some(to_proto(wall::now())),
        title: format!("江面漂油 {number}"),
        place: Some(Place { admin_code: format!("5001{:02}", 1 + number % 12), ..Place::default() }),
        facts: Some(Facts { confirmed_environmental: Tristate::Yes.into(), ..Facts::default() }),
        ..Report::default()
    };
    let request = SubmitReportRequest { request_id: new_id().to_string(), report: Some(report), ..SubmitReportRequest::default() };
    loop {
        let at = url.borrow().clone();
        if incidents(&at, &token).submit_report(request.clone()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Kills node, NATS and node again while reports come in; the node that runs in the end.
async fn kill_both_under_load(mut node: Node, nats: &mut NatsServer, token: &str, start: impl Fn() -> Node) -> Node {
    let (url, acknowledged) = (watch::Sender::new(node.url.clone()), Arc::new(AtomicUsize::new(0)));
    let work: Vec<_> = (0..REPORTS).map(|number| (url.subscribe(), token.to_owned(), number, acknowledged.clone())).collect();
    let load = tokio::spawn(four_at_a_time(work));
    for (after, what) in [(10, "node"), (20, "nats"), (30, "node")] {
        until("the load goes on", || async { (acknowledged.load(Ordering::SeqCst) >= after).then_some(()) }).await;
        if what == "node" {
            node.kill();
            node = start();
            url.send_replace(node.url.clone());
        } else {
            nats.kill();
            tokio::time::sleep(Duration::from_millis(200)).await;
            nats.resume().await;
        }
        assert!(acknowledged.load(Ordering::SeqCst) < REPORTS, "the load was over before the {what} died");
    }
    load.await.unwrap();
    node
}

/// Sends the reports.
async fn four_at_a_time(work: Vec<(watch::Receiver<String>, String, usize, Arc<AtomicUsize>)>) {
    let (mut running, mut work) = (tokio::task::JoinSet::new(), work.into_iter());
    loop {
        while running.len() < 4
            && let Some((url, token, number, acknowledged)) = work.next()
        {
            running.spawn(async move {
                report(url, token, number).await;
                acknowledged.fetch_add(1, Ordering::SeqCst);
            });
        }
        if running.join_next().await.is_none() {
            return;
        }
    }
}

async fn decide(node: &Node, token: &str, name: &str) {
    let decision = GradeDecision {
        grade: Grade::Iii.into(),
        kind: GradeDecisionKind::Preliminary.into(),
        authority: "重庆市生态环境局".into(),
        reason: "专家意见".into(),
        ..GradeDecision::default()
    };
    let request = DecideGradeRequest {
        request_id: new_id().to_string(),
        name: name.into(),
        decision: Some(decision),
        ..DecideGradeRequest::default()
    };
    incidents(&node.url, token).decide_grade(request).await.unwrap();
}

fn board(nats: &NatsServer, more: &[&str]) -> Output {
    program().args(["board", "--nats", &nats.url(), "--province", "500000", "--json"]).args(more).output().unwrap()
}

fn of_node(node: &Node, token: &str, arguments: &[&str]) -> Value {
    json(&program().args(arguments).args(["--json", "--url", &node.url]).env("FENGHUO_TOKEN", token).output().unwrap())
}

async fn a_board_shows_what_the_node_shows(database_url: Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mut nats = NatsServer::idle(&dir.path().join("nats"));
    let url = nats.url();
    let start = || Node::start(dir.path(), &url, database_url.as_deref());
    // NATS is away when the node starts; it serves all the same.
    let node = start();
    let token = set_up(&node, dir.path());
    let empty = board(&nats, &[]);
    assert_eq!(empty.status.code(), Some(4), "{}", String::from_utf8_lossy(&empty.stderr));
    nats.resume().await;
    let node = kill_both_under_load(node, &mut nats, &token, start).await;

    let listed = of_node(&node, &token, &["incident", "list"]);
    decide(&node, &token, listed[0]["name"].as_str().unwrap()).await;
    // The chain's head, as the node proves it, is the head of the board.
    let proof = of_node(&node, &token, &["audit", "verify"]);
    let shown = until("the board has caught up", || async {
        let shown = board(&nats, &[]);
        let shown = shown.status.success().then(|| serde_json::from_slice::<Value>(&shown.stdout).unwrap())?;
        (shown["head_hash"] == proof["head_hash"]).then_some(shown)
    })
    .await;
    let listed = of_node(&node, &token, &["incident", "list"]);
    assert_eq!(shown["incidents"], listed);
    assert_eq!(listed.as_array().unwrap().len(), 12);
    assert_eq!((shown["whole"].as_bool(), shown["withheld"].as_u64()), (Some(true), Some(1)));

    // Counted: every report once, every event once.
    let events = nats.messages("FENGHUO_500000_REAL_G1").await;
    assert_eq!(Some(events.len() as u64), shown["sequence"].as_u64());
    let ids: HashSet<_> = events.iter().map(|event| event.event.event_id.clone()).collect();
    assert_eq!(ids.len(), events.len());
    assert_eq!(events.iter().filter(|event| event.event.kind == "report.taken").count(), REPORTS);
    assert!(events.iter().all(|event| !format!("{event:?}").contains(OFFICER) && !plain(&event.event.payload).contains(OFFICER)));

    follow(&node, &mut nats, &token).await;
    if let Some(url) = &database_url {
        drop(node);
        let (_, base) = url.rsplit_once('/').unwrap();
        drop_postgres_databases(&postgres_admin_url(), base).await.unwrap();
    }
}

/// `--follow` tells of what happens after the board was shown, over a restart of NATS.
async fn follow(node: &Node, nats: &mut NatsServer, token: &str) {
    let mut following = program();
    following.args(["board", "--nats", &nats.url(), "--province", "500000", "--json", "--follow"]);
    let mut following = following.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Some(Ok(line)) = lines.next() {
            let _ = told.send(serde_json::from_str::<Value>(&line).unwrap());
        }
    });
    let first = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await.unwrap().unwrap();
    assert_eq!(first["incidents"].as_array().unwrap().len(), 12);
    let mut before = first["sequence"].as_u64();
    for number in [REPORTS, REPORTS + 1] {
        report(watch::Sender::new(node.url.clone()).subscribe(), token.to_owned(), number).await;
        let change = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let line = heard.recv().await.unwrap();
                if line["incident"]["name"].is_string() {
                    break line;
                }
            }
        });
        let sequence = change.await.unwrap()["sequence"].as_u64();
        assert!(sequence > before, "{sequence:?} after {before:?}");
        before = sequence;
        nats.kill();
        nats.resume().await;
    }
    following.kill().unwrap();
    following.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    a_board_shows_what_the_node_shows(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let admin = postgres_admin_url();
    let base = format!("board_{}", &new_id().simple().to_string()[12..]);
    create_postgres_database(&admin, &base).await.unwrap();
    let (server, _) = admin.rsplit_once('/').unwrap();
    a_board_shows_what_the_node_shows(Some(format!("{server}/{base}"))).await;
}
