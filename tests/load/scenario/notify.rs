//! Approved here, stored and signed there, the receipt stored here: how long a neighbour waits.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use fenghuo_api::notification::v1::{ApproveNotificationRequest, DraftNotificationRequest};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_durable::new_id;
use fenghuo_tests::count;
use fenghuo_tests::follow::Follow;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, pair};
use fenghuo_tests::reports::{county, report as fresh, submit};

use super::reports::SQLITE;
use crate::args::Args;
use crate::drive::{Run, closed, keep, open_for, waits};
use crate::figure::Report;
use crate::load_node::{Desk, PROVINCE, Postgres};

const PARTNER: &str = "500000";
/// Notifications in a second: far more than a province ever sends.
const PER_SECOND: f64 = 20.0;

/// On SQLite, and on PostgreSQL where there is a server.
pub async fn run(args: &Args, report: &mut Report) {
    let dir = args.folder();
    measure(args, report, "SQLite", [Spec::new(PROVINCE, dir.path()), Spec::new(PARTNER, dir.path())]).await;
    let Some(server) = &args.postgres else { return };
    let (ours, theirs) = (Postgres::new(server).await, Postgres::new(server).await);
    let specs = [(PROVINCE, &ours), (PARTNER, &theirs)].map(|(code, on)| Spec::new(code, &dir.path().join("pg")).on_postgres(&on.url()));
    measure(args, report, "PostgreSQL", specs).await;
    ours.drop().await;
    theirs.drop().await;
}

async fn measure(args: &Args, report: &mut Report, database: &str, specs: [Spec; 2]) {
    let (hubei, chongqing) = pair(&specs[0], &specs[1]).await;
    let desk = Desk::of(&hubei);
    let submitting = desk.clone();
    let call = move |connection: usize| {
        let desk = submitting.clone();
        async move { desk.submit(connection).await }
    };
    let seen = Follow::start(&hubei).await;
    let mut sent = BTreeSet::new();
    let each = (args.run_time().as_secs_f64() * PER_SECOND) as usize;
    let mut runs = Vec::new();
    for _ in 0..args.runs {
        runs.push(one_run(&hubei, &seen, each, &mut sent).await);
    }
    report.rate(&format!("{database}, idle"), 0, &runs, None);
    let full = format!("SubmitReport, {database}");
    let highest = match report.highest(if database == "SQLite" { SQLITE } else { &full }) {
        Some(highest) => highest,
        None => closed(&Args { runs: 1, ..args.clone() }, 64, call.clone()).await[0].per_second,
    };
    let (mut runs, mut loads) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        // The drafts are written before the load begins.
        let drafts = drafts(&hubei, each).await;
        let load = tokio::spawn(open_for(args.warm_up_time() + args.run_time(), highest / 2.0, call.clone()));
        tokio::time::sleep(args.warm_up_time()).await;
        runs.push(approve_all(&hubei, &seen, drafts, &mut sent).await);
        loads.push(load.await.unwrap());
    }
    report.rate(&format!("{database}, under half load"), 0, &runs, None);
    report.rate(&format!("{database}, the load beside it"), 0, &loads, None);
    count::delivered(&hubei, &sent, Duration::from_secs(60)).await;
    let there = count::notifications(&chongqing).await;
    let names: BTreeSet<String> = there.iter().map(|one| one.name.clone()).collect();
    assert_eq!((there.len(), &names), (sent.len(), &sent), "what the partner has, and what was approved");
    println!("  counted afterwards: {} notifications approved, as many with a receipt here, as many there", sent.len());
}

async fn one_run(hubei: &Province, seen: &Follow, each: usize, sent: &mut BTreeSet<String>) -> Run {
    let drafts = drafts(hubei, each).await;
    approve_all(hubei, seen, drafts, sent).await
}

/// Incidents with a drafted notification each.
async fn drafts(hubei: &Province, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let taken = hubei.incidents().submit_report(submit(fresh(county(PROVINCE)))).await.unwrap().into_inner();
        let draft = DraftNotificationRequest {
            request_id: new_id().to_string(),
            incident: taken.incident.unwrap_or_default().name,
            partner_code: PARTNER.to_owned(),
            kind: NotificationKind::Warning.into(),
            overrides: None,
        };
        names.push(hubei.notifications().draft_notification(draft).await.unwrap().into_inner().notification.unwrap_or_default().name);
    }
    names
}

/// Approves them at a steady rate; the waits go from the intended sending of each until its receipt was seen here.
async fn approve_all(hubei: &Province, seen: &Follow, drafts: Vec<String>, sent: &mut BTreeSet<String>) -> Run {
    let began = Instant::now();
    let mut approvals = tokio::task::JoinSet::new();
    let mut intended = HashMap::new();
    for (number, name) in drafts.iter().enumerate() {
        let due = began + Duration::from_secs_f64(number as f64 / PER_SECOND);
        tokio::time::sleep_until(due.into()).await;
        intended.insert(name.clone(), due);
        let mut client = hubei.notifications();
        let request = ApproveNotificationRequest { request_id: new_id().to_string(), name: name.clone(), etag: String::new() };
        approvals.spawn(async move { client.approve_notification(request).await.map(|_| ()) });
    }
    let mut failed = 0;
    while let Some(outcome) = approvals.join_next().await {
        failed += u64::from(outcome.unwrap().is_err());
    }
    assert_eq!(failed, 0, "approvals failed");
    let mut waits = waits();
    for name in &drafts {
        let at = seen.shown("notification.delivered", name, Duration::from_secs(60)).await.at;
        keep(&mut waits, at.saturating_duration_since(intended[name]));
    }
    let per_second = drafts.len() as f64 / began.elapsed().as_secs_f64();
    sent.extend(drafts);
    Run { per_second, waits, failed }
}
