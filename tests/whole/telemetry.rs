//! What two real nodes tell a collector: one trace from the officer's call to the incident that it opens in the neighbouring province, and
//! the metrics of the table in `deploy/telemetry.md`. And that a collector which is dead holds nobody up.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "telemetry/collector.rs"]
mod collector;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use collector::{Collector, Span};
use fenghuo_api::common::v1::{Figure, Tristate};
use fenghuo_api::incident::v1::{Facts, Report, ReportOrigin};
use fenghuo_api::notification::v1::{ApproveNotificationRequest, DraftNotificationRequest};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{new_id, wall};
use fenghuo_tests::count;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, pair};
use fenghuo_tests::reports::{county, report, submit};
use tonic::Request;

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// The browser's span of a call, which nobody sends to the collector.
const BROWSER: &str = "00f067aa0ba902b7";
const REPORT: &str = "11111111111111111111111111111111";
const DRAFT: &str = "22222222222222222222222222222222";
const APPROVE: &str = "33333333333333333333333333333333";
const UNSAMPLED: &str = "44444444444444444444444444444444";

/// A call as the browser makes it.
fn in_trace<T>(message: T, trace: &str, flags: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("traceparent", format!("00-{trace}-{BROWSER}-{flags}").parse().unwrap());
    request
}

fn telling(spec: Spec, collector: &str) -> Spec {
    spec.with("FENGHUO_OTLP_ENDPOINT", collector)
        .with("FENGHUO_LOG_FORMAT", "json")
        .with("OTEL_BSP_SCHEDULE_DELAY", "100")
        .with("OTEL_METRIC_EXPORT_INTERVAL", "500")
}

/// The main job, with a trace for each of its calls; the notification's name. The last call asks not to be traced.
async fn warn(hubei: &Province) -> String {
    let taken = hubei.incidents().submit_report(in_trace(submit(report(county("420000"))), REPORT, "01")).await.unwrap().into_inner();
    let draft = DraftNotificationRequest {
        request_id: new_id().to_string(),
        incident: taken.incident.unwrap().name,
        partner_code: "500000".into(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    let drafted = loop {
        match hubei.notifications().draft_notification(in_trace(draft.clone(), DRAFT, "01")).await {
            Ok(answer) => break answer.into_inner().notification.unwrap(),
            // The copy of the incident is made from its event, a moment later.
            Err(status) if status.code() == tonic::Code::NotFound => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(status) => panic!("{status}"),
        }
    };
    let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: drafted.name, etag: String::new() };
    let approved = hubei.notifications().approve_notification(in_trace(approve, APPROVE, "01")).await.unwrap().into_inner();
    hubei.incidents().submit_report(in_trace(submit(report(county("420000"))), UNSAMPLED, "00")).await.unwrap();
    approved.notification.unwrap().name
}

/// A report that is learned of long after it had to be passed on: its clocks are missed at once. How many.
async fn report_too_late(hubei: &Province) -> usize {
    let long_ago = Some(to_proto(wall::now().checked_sub(jiff::SignedDuration::from_hours(48)).unwrap()));
    let without_water = Figure { value: Some(50_000.0), caused_by_pollution: Tristate::Yes.into(), ..Figure::default() };
    let late = Report {
        origin: ReportOrigin::DistrictBureau.into(),
        reporting_body_code: county("420000").into(),
        reporting_body_learn_time: long_ago,
        learn_time: long_ago,
        occur_time: long_ago,
        facts: Some(Facts {
            confirmed_environmental: Tristate::Yes.into(),
            may_cross_province: Tristate::Yes.into(),
            without_water: Some(without_water),
            ..Facts::default()
        }),
        ..report(county("420000"))
    };
    hubei.incidents().submit_report(submit(late)).await.unwrap();
    let mut missed = 0;
    // One transaction misses them all, and they get their numbers together.
    until("a clock is missed", Duration::from_secs(20), async || {
        missed = count::events(hubei).await.iter().filter(|event| event.r#type == "incident.clock_missed").count();
        missed > 0
    })
    .await;
    missed
}

async fn until(what: &str, within: Duration, mut there: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + within;
    while !there().await {
        assert!(Instant::now() < end, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The only span of this name below a span, on a node.
fn below<'a>(spans: &'a [Span], parent: &str, province: &str, name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.parent == parent && span.name == name && span.province == province).collect();
    assert_eq!(found.len(), 1, "{province}: one \"{name}\" below {parent}, in:\n{}", tree(spans));
    found[0]
}

fn tree(spans: &[Span]) -> String {
    let line = |span: &Span| format!("{} {} <- {} {} {:?}", span.province, span.id, span.parent, span.name, span.attributes);
    spans.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn has(span: &Span, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(span.attributes.get(*key).map(String::as_str), Some(*value), "{key} of {span:#?}");
    }
}

/// Everything below the browser's span, and nothing beside it.
fn assert_one_tree(spans: &[Span]) {
    let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "a span came twice");
    let loose: Vec<_> = spans.iter().filter(|span| span.parent != BROWSER && !ids.contains(span.parent.as_str())).collect();
    assert!(loose.is_empty(), "spans whose parent nobody sent: {loose:#?}");
}

fn assert_call(span: &Span, method: &str) {
    assert_eq!((span.name.as_str(), span.kind), (method, SERVER));
    has(span, &[("rpc.system.name", "grpc"), ("rpc.method", method), ("rpc.response.status_code", "OK"), ("network.transport", "tcp")]);
    assert!(span.attributes.contains_key("server.address") && span.attributes.contains_key("server.port"), "{span:#?}");
}

/// The write below a span; its database's kind.
fn write<'a>(spans: &'a [Span], parent: &Span, system: &str) -> &'a Span {
    let found = spans.iter().filter(|span| span.parent == parent.id && span.name.starts_with("write ") && span.name.ends_with("real"));
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "one write below {}, in:\n{}", parent.name, tree(spans));
    has(found[0], &[("db.system.name", system), ("db.operation.name", "write")]);
    let told = if system == "sqlite" { "fenghuo.db.group.size" } else { "fenghuo.db.reruns" };
    assert!(found[0].attributes.contains_key(told), "{:#?}", found[0]);
    found[0]
}

fn assert_report_trace(spans: &[Span], system: &str) {
    const METHOD: &str = "fenghuo.incident.v1.IncidentService/SubmitReport";
    assert_one_tree(spans);
    let call = below(spans, BROWSER, "420000", METHOD);
    assert_call(call, METHOD);
    let write = write(spans, call, system);
    let read = below(spans, &write.id, "420000", "process report.taken");
    assert_eq!(read.kind, CONSUMER);
    has(read, &[("messaging.operation.type", "process"), ("fenghuo.space.kind", "real")]);
}

/// From the approval to the incident that opens in the other province, and back with the receipt.
fn assert_approval_trace(spans: &[Span], system: &str) {
    const APPROVED: &str = "fenghuo.notification.v1.NotificationService/ApproveNotification";
    const DELIVER: &str = "fenghuo.partner.v1.PartnerService/DeliverEnvelopes";
    assert_one_tree(spans);
    let call = below(spans, BROWSER, "420000", APPROVED);
    assert_call(call, APPROVED);
    let written = write(spans, call, system);
    let sent = below(spans, &written.id, "420000", "send notification");
    assert_eq!(sent.kind, PRODUCER);
    has(sent, &[("messaging.operation.type", "send"), ("messaging.destination.name", "500000"), ("fenghuo.stream.position", "1")]);
    let delivered = below(spans, &sent.id, "420000", DELIVER);
    assert_eq!(delivered.kind, CLIENT);
    has(delivered, &[("rpc.system.name", "grpc"), ("rpc.response.status_code", "OK"), ("server.address", "127.0.0.1")]);
    let served = below(spans, &delivered.id, "500000", DELIVER);
    assert_call(served, DELIVER);
    has(served, &[("fenghuo.partner.code", "420000")]);
    let stored = write(spans, served, system);
    let received = below(spans, &stored.id, "500000", "receive notification");
    assert_eq!(received.kind, CONSUMER);
    has(received, &[("fenghuo.partner.code", "420000"), ("fenghuo.stream.position", "1")]);
    assert_eq!(received.attributes["messaging.message.id"], sent.attributes["messaging.message.id"]);
    let opened = below(spans, &received.id, "500000", "process notification.received");
    // The report that it became there is an event of this trace too, and has its own reader.
    below(spans, &opened.id, "500000", "process report.taken");
    // The receipt came back into the trace of what it is for.
    below(spans, &written.id, "420000", "process notification.delivered");
}

fn sum(collector: &Collector, province: &str, name: &str, wanted: &[(&str, &str)]) -> f64 {
    let matches =
        |attributes: &BTreeMap<String, String>| wanted.iter().all(|(key, value)| attributes.get(*key).map(String::as_str) == Some(*value));
    collector.points(province, name).iter().filter(|point| matches(&point.attributes)).map(|point| point.value).sum()
}

async fn one_trace_and_every_metric(hubei: Spec, chongqing: Spec, system: &str) {
    let collector = Collector::start().await;
    let (mut hubei, mut chongqing) = pair(&telling(hubei, &collector.url()), &telling(chongqing, &collector.url())).await;
    let told = warn(&hubei).await;
    count::delivered(&hubei, &BTreeSet::from([told]), Duration::from_secs(20)).await;
    until("the neighbour opens its incident", Duration::from_secs(20), async || !count::incidents(&chongqing).await.is_empty()).await;
    let missed = report_too_late(&hubei).await;
    // Gauges are read every five seconds.
    until("the outbox shows that nothing waits", Duration::from_secs(20), async || {
        let waiting = collector.points("420000", "fenghuo.outbox.waiting");
        let head = sum(&collector, "420000", "fenghuo.log.head", &[("fenghuo.space", "real")]);
        !waiting.is_empty() && waiting.iter().all(|point| point.value == 0.0) && head == count::events(&hubei).await.len() as f64
    })
    .await;
    hubei.process.stop();
    chongqing.process.stop();
    assert_report_trace(&collector.trace(REPORT), system);
    assert_one_tree(&collector.trace(DRAFT));
    assert_approval_trace(&collector.trace(APPROVE), system);
    assert!(collector.trace(UNSAMPLED).is_empty(), "a caller asked not to be traced");
    assert_metrics(&collector, missed, system);
    assert_resources(&collector);
    assert_log_lines(&hubei);
}

fn assert_metrics(collector: &Collector, missed: usize, system: &str) {
    let call = |province: &str, method: &str| {
        sum(collector, province, "rpc.server.call.duration", &[("rpc.method", method), ("rpc.response.status_code", "OK")])
    };
    assert_eq!(call("420000", "fenghuo.incident.v1.IncidentService/SubmitReport"), 3.0);
    assert_eq!(call("420000", "fenghuo.notification.v1.NotificationService/ApproveNotification"), 1.0);
    assert!(call("500000", "fenghuo.partner.v1.PartnerService/DeliverEnvelopes") >= 1.0);
    assert_eq!(sum(collector, "420000", "fenghuo.clock.missed", &[("fenghuo.space.kind", "real")]), missed as f64);
    let envelope = [("fenghuo.envelope.kind", "notification"), ("fenghuo.receipt.outcome", "accepted")];
    assert_eq!(sum(collector, "500000", "fenghuo.envelope.received", &envelope), 1.0);
    assert_eq!(sum(collector, "420000", "fenghuo.envelope.receipted", &envelope), 1.0);
    let link =
        |state: &str| sum(collector, "420000", "fenghuo.link.state", &[("fenghuo.partner.code", "500000"), ("fenghuo.link.state", state)]);
    assert_eq!((link("up"), link("down")), (1.0, 0.0));
    assert!(sum(collector, "420000", "fenghuo.link.clock.difference", &[]).abs() < 5000.0);
    let came = collector.metrics();
    let rows = table();
    let absent: Vec<_> = rows.iter().filter(|(name, of)| of.is_none_or(|of| of == system) && !came.contains_key(name)).collect();
    assert!(absent.is_empty(), "of the table, these did not come: {absent:?}");
    let known: BTreeSet<&String> = rows.iter().map(|(name, _)| name).collect();
    let unknown: Vec<_> = came.keys().filter(|name| !known.contains(*name)).collect();
    assert!(unknown.is_empty(), "not in the table of deploy/telemetry.md: {unknown:?}");
}

/// The metrics of the table in the documentation that every run of this test has; and on which database, if on one alone.
fn table() -> Vec<(String, Option<&'static str>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/telemetry.md");
    let text = std::fs::read_to_string(page).unwrap();
    let table = text.split("## Metrics").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split_once('`'));
    rows.map(|(name, rest)| {
        let of = if rest.contains("(SQLite)") { Some("sqlite") } else { rest.contains("(PostgreSQL)").then_some("postgresql") };
        (name.to_owned(), if rest.contains("only when") { Some("never") } else { of })
    })
    .collect()
}

fn assert_resources(collector: &Collector) {
    for resource in collector.resources() {
        assert_eq!(resource["service.name"], "fenghuo");
        assert!(["420000", "500000"].contains(&resource["fenghuo.province.code"].as_str()));
        assert!(!resource["service.version"].is_empty() && resource["service.instance.id"].len() == 36, "{resource:?}");
    }
}

/// The line of a call names the trace that the browser gave it.
fn assert_log_lines(node: &Province) {
    let log = node.process.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let of_report = |line: &serde_json::Value| line["trace_id"] == REPORT && line["span_id"].as_str().is_some_and(|id| id.len() == 16);
    let found: Vec<_> = lines.filter(of_report).collect();
    assert!(found.iter().any(|line| line["method"] == "/fenghuo.incident.v1.IncidentService/SubmitReport"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_browser_to_the_neighbours_incident_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    one_trace_and_every_metric(Spec::new("420000", dir.path()), Spec::new("500000", dir.path()), "sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_browser_to_the_neighbours_incident_on_postgres() {
    let admin = std::env::var("FENGHUO_TEST_POSTGRES").expect("FENGHUO_TEST_POSTGRES: deploy/test starts a throw-away server and sets it");
    let dir = tempfile::tempdir().unwrap();
    let server = admin.rsplit_once('/').unwrap().0;
    let bases = ["hb", "cq"].map(|node| format!("tel_{node}_{}", &new_id().simple().to_string()[12..28]));
    for base in &bases {
        fenghuo_durable::create_postgres_database(&admin, base).await.unwrap();
    }
    let [hubei, chongqing] = [("420000", &bases[0]), ("500000", &bases[1])]
        .map(|(code, base)| Spec { command: "serve".into(), ..Spec::new(code, dir.path()).on_postgres(&format!("{server}/{base}")) });
    one_trace_and_every_metric(hubei, chongqing, "postgresql").await;
    for base in &bases {
        fenghuo_durable::drop_postgres_databases(&admin, base).await.unwrap();
    }
}

/// Nobody answers at the collector's address: once because nothing listens there, once because what listens says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_collector_holds_nobody_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for address in [silent.local_addr().unwrap(), gone] {
        let dir = tempfile::tempdir().unwrap();
        let mut node = Province::start(&telling(Spec::new("420000", dir.path()), &format!("http://{address}"))).await;
        assert!(node.process.start_time < Duration::from_secs(10), "{:?}", node.process.start_time);
        let began = Instant::now();
        for _ in 0..20 {
            node.incidents().submit_report(submit(report(county("420000")))).await.unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(5), "20 reports took {:?}", began.elapsed());
        until("the log says that spans are not taken", Duration::from_secs(20), async || {
            node.process.log().contains("the OTLP collector does not take them")
        })
        .await;
        let began = Instant::now();
        node.process.stop();
        assert!(began.elapsed() < Duration::from_secs(10), "the stop took {:?}", began.elapsed());
    }
}

/// What telling costs: reports a second with 64 in flight, without a collector and with one, in turns. A measurement, not a check:
/// `cargo test -p fenghuo-tests --test telemetry -- --ignored --nocapture`; `FENGHUO_BIN` names another binary to compare with.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of about a minute"]
async fn reports_per_second_with_and_without_a_collector() {
    let collector = Collector::start().await;
    let mut rates: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..3 {
        for (what, url) in [("without", String::new()), ("with", collector.url())] {
            let dir = tempfile::tempdir().unwrap();
            let node = Province::start(&Spec::new("420000", dir.path()).with("FENGHUO_OTLP_ENDPOINT", &url)).await;
            rates.entry(what).or_default().push(rate(&node, Duration::from_secs(5)).await);
        }
    }
    for (what, mut runs) in rates {
        runs.sort_by(f64::total_cmp);
        println!("{what} a collector: {:.0} reports/s (median of {runs:.0?})", runs[runs.len() / 2]);
    }
    println!("{} spans came", collector.spans().len());
}

async fn rate(node: &Province, during: Duration) -> f64 {
    let end = Instant::now() + during;
    let desks = (0..64).map(|_| async {
        let (mut desk, mut done) = (node.incidents(), 0_u32);
        while Instant::now() < end {
            desk.submit_report(submit(report(county("420000")))).await.unwrap();
            done += 1;
        }
        done
    });
    f64::from(futures::future::join_all(desks).await.iter().sum::<u32>()) / during.as_secs_f64()
}
