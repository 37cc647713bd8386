//! A backup under load, the node destroyed, a restore into quarantine and out of it: with the partner reachable, and without.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fenghuo_api::audit::v1::Event;
use fenghuo_api::notification::v1::{
    AcknowledgeNotificationRequest, ApproveNotificationRequest, Direction, DraftNotificationRequest, NotificationState,
};
use fenghuo_api::operation::v1::{QuarantineState, ReleaseQuarantineRequest};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_durable::new_id;
use fenghuo_durable::testing::On;
use fenghuo_edge::from_status;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, pair};
use fenghuo_tests::reports::{county, notify, report, submit};
use fenghuo_tests::{backup, conditions, count};
use parking_lot::Mutex;

/// A person of the partner should acknowledge within so many seconds: the timer that comes due in quarantine. Long enough for a backup
/// and a kill on a busy machine before it, which the test checks.
const ACKNOWLEDGE_WITHIN_S: u64 = 15;
const OVERDUE: &str = "notification.acknowledgement_overdue";
const SOON: Duration = Duration::from_secs(30);

struct Story {
    hubei: Province,
    chongqing: Province,
    /// Reports that were acknowledged before the backup began.
    before: BTreeSet<String>,
    /// Sent before the backup, and acknowledged by the partner's officer after it.
    acknowledged_later: String,
    /// Sent before the backup, and never acknowledged.
    silent: String,
    /// Sent and delivered after the backup.
    later: String,
    /// Came from the partner after the backup.
    received_later: String,
    _dir: tempfile::TempDir,
}

fn spec(code: &str, dir: &Path) -> Spec {
    Spec::new(code, dir).with("FENGHUO_ACKNOWLEDGE_WITHIN_S", &ACKNOWLEDGE_WITHIN_S.to_string())
}

async fn incident(of: &Province) -> String {
    of.incidents().submit_report(submit(report(county(of.code())))).await.unwrap().into_inner().incident.unwrap().name
}

/// Takes reports until told to stop; what was acknowledged.
async fn write(
    incidents: impl Fn() -> fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient<fenghuo_tests::province::Signed>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
) {
    while !stop.load(Ordering::Relaxed) {
        let answer = incidents().submit_report(submit(report("422822"))).await.unwrap().into_inner();
        acknowledged.lock().insert(answer.report.unwrap().name);
    }
}

/// Two provinces at work, a backup of Hubei in the middle of it, more work, Hubei destroyed and restored. Chongqing is down.
async fn destroyed_and_restored(on: On) -> Story {
    let dir = tempfile::tempdir().unwrap();
    let mut ours = spec("420000", dir.path());
    if on == On::Postgres {
        ours = ours.on_postgres(&backup::postgres_url().await);
    }
    let (mut hubei, mut chongqing) = pair(&ours, &spec("500000", dir.path())).await;
    let (here, there) = (incident(&hubei).await, incident(&chongqing).await);

    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let desk = hubei.desk();
            let client = move || fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient::new(desk.clone());
            tokio::spawn(write(client, stop.clone(), acknowledged.clone()))
        })
        .collect();
    let acknowledged_later = notify(&hubei, &here, "500000").await.unwrap();
    let silent = notify(&hubei, &here, "500000").await.unwrap();
    while acknowledged.lock().len() < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = acknowledged.lock().clone();
    let (spec, file) = (hubei.process.spec().clone(), dir.path().join("hubei.tar"));
    let taking = (spec.clone(), file.clone());
    let manifest = tokio::task::spawn_blocking(move || backup::take(&taking.0, &taking.1)).await.unwrap();
    let during = acknowledged.lock().len() - before.len();
    assert!(during > 0, "the writers stood still during the backup");
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    eprintln!(
        "{on:?}: {} reports before the backup, {during} during it, {} parts",
        before.len(),
        manifest["parts"].as_array().unwrap().len()
    );
    assert_eq!(backup::verify(&file)["holds"], true);

    // Life goes on after the backup.
    let later = notify(&hubei, &here, "500000").await.unwrap();
    let all = BTreeSet::from([acknowledged_later.clone(), silent.clone(), later.clone()]);
    count::delivered(&hubei, &all, SOON).await;
    let acknowledge =
        AcknowledgeNotificationRequest { request_id: new_id().to_string(), name: acknowledged_later.clone(), remark: "收到".into() };
    chongqing.notifications().acknowledge_notification(acknowledge).await.unwrap();
    let received_later = notify(&chongqing, &there, "420000").await.unwrap();
    count::delivered(&chongqing, &BTreeSet::from([received_later.clone()]), SOON).await;
    assert_eq!(overdue(&count::events(&hubei).await, &silent), 0, "the machine is too slow for this test: the timer fired before the end");

    chongqing.process.kill();
    hubei.process.kill();
    backup::destroy(&spec).await;
    let restored = backup::restore(&spec, &file);
    assert_eq!(restored["starts_in_quarantine"], true);
    hubei.start_again();
    Story { hubei, chongqing, before, acknowledged_later, silent, later, received_later, _dir: dir }
}

fn overdue(events: &[Event], name: &str) -> usize {
    events.iter().filter(|event| event.r#type == OVERDUE && event.subject == name).count()
}

/// The time at which the timer of the silent notification was due has come and is well past.
async fn until_due(story: &Story) {
    let found = count::notifications(&story.hubei).await.into_iter().find(|one| one.name == story.silent).unwrap();
    let due = fenghuo_api::time::from_proto(&found.acknowledge_due_time.unwrap()).unwrap();
    while fenghuo_durable::wall::now() < due + jiff::SignedDuration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What holds while the node waits: everything from before the backup is there, people work on, no timer fires, nothing is sent; across a
/// kill.
async fn assert_quarantined(story: &mut Story) {
    conditions::told(&story.hubei, "PARTNER_DOWN", SOON).await;
    let events = count::assert_whole(&story.hubei).await;
    count::assert_all_once("reports", &story.before, &count::subjects(&events, "report.taken"));
    until_due(story).await;
    let here = incident(&story.hubei).await;
    refused(&story.hubei, &here).await;
    story.hubei.kill_and_restart();
    assert_eq!(conditions::told(&story.hubei, "QUARANTINE", SOON).await.severity, 3);
    assert_eq!(conditions::quarantine(&story.hubei).await, QuarantineState::Held);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let events = count::assert_whole(&story.hubei).await;
    assert_eq!(count::subjects(&events, OVERDUE).len(), 0, "a timer fired in quarantine");
    assert_eq!(count::subjects(&events, "incident.clock_missed").len(), 0, "a clock fired in quarantine");
    assert!(!count::notifications(&story.hubei).await.iter().any(|one| one.name == story.later), "the backup is older");
}

/// A notification to the partner is refused, and the refusal says to telephone.
async fn refused(of: &Province, incident: &str) {
    let draft = DraftNotificationRequest {
        request_id: new_id().to_string(),
        incident: incident.to_owned(),
        partner_code: "500000".to_owned(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    let drafted = until_drafted(of, draft).await;
    let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: drafted, etag: String::new() };
    let refusal = from_status(&of.notifications().approve_notification(approve).await.unwrap_err());
    assert_eq!(refusal.reason, "RESTORED", "{refusal}");
    assert!(refusal.message.contains("telephone"), "{refusal}");
}

/// The copy of the incident to draft from comes with the next look of a consumer.
async fn until_drafted(of: &Province, draft: DraftNotificationRequest) -> String {
    loop {
        match of.notifications().draft_notification(draft.clone()).await {
            Ok(answer) => return answer.into_inner().notification.unwrap().name,
            Err(status) if status.code() == tonic::Code::NotFound => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(status) => panic!("{status:?}"),
        }
    }
}

/// The partner is back: everything that it had is here again, notifications flow in a new epoch both ways, and both logs hold.
async fn assert_recovered(story: &Story) {
    let (hubei, chongqing) = (&story.hubei, &story.chongqing);
    hubei.link_up("500000", SOON).await;
    for code in ["QUARANTINE", "PARTNER_CLOSED", "PARTNER_DOWN"] {
        conditions::over(hubei, code, SOON).await;
    }
    assert_eq!(conditions::quarantine(hubei).await, QuarantineState::Over);
    let ours = count::notifications(hubei).await;
    for theirs in count::notifications(chongqing).await {
        let found = ours.iter().filter(|one| one.name == theirs.name).count();
        assert_eq!(found, 1, "{} is not here once", theirs.name);
    }
    let named = |name: &str| ours.iter().find(|one| one.name == name).unwrap();
    assert_eq!(named(&story.acknowledged_later).state(), NotificationState::Acknowledged);
    assert!(named(&story.later).delivery.as_ref().unwrap().signed_receipt.is_some(), "with the receipt of then");
    assert_eq!(named(&story.received_later).direction(), Direction::Incoming);

    let (here, there) = (incident(hubei).await, incident(chongqing).await);
    let sent = notify(hubei, &here, "500000").await.unwrap();
    count::delivered(hubei, &BTreeSet::from([sent.clone()]), SOON).await;
    let back = notify(chongqing, &there, "420000").await.unwrap();
    count::delivered(chongqing, &BTreeSet::from([back]), SOON).await;
    let place = count::notifications(hubei).await.into_iter().find(|one| one.name == sent).unwrap().delivery.unwrap();
    assert_eq!(place.stream.unwrap().epoch, 2, "a new epoch");
    count::assert_whole(hubei).await;
    count::assert_whole(chongqing).await;
}

/// Waits for the one firing, and sees that there is no second one.
async fn assert_fired_once(of: &Province, name: &str) {
    let began = std::time::Instant::now();
    while overdue(&count::events(of).await, name) == 0 {
        assert!(began.elapsed() < SOON, "the timer did not fire");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(overdue(&count::events(of).await, name), 1);
}

async fn with_the_partner_reachable(on: On) {
    let mut story = destroyed_and_restored(on).await;
    assert_quarantined(&mut story).await;
    story.chongqing.start_again();
    assert_recovered(&story).await;
    assert_fired_once(&story.hubei, &story.silent).await;
    // Its acknowledgement came back before its timer could fire: that is what the quarantine is for.
    assert_eq!(overdue(&count::events(&story.hubei).await, &story.acknowledged_later), 0);
}

async fn without_the_partner(on: On) {
    let mut story = destroyed_and_restored(on).await;
    assert_quarantined(&mut story).await;
    let release = ReleaseQuarantineRequest {
        request_id: new_id().to_string(), reason: "已与重庆值班室电话核对,对方停机检修".into()
    };
    let empty = ReleaseQuarantineRequest { reason: "  ".into(), ..release.clone() };
    let wrong = from_status(&conditions::operation(&story.hubei).release_quarantine(empty).await.unwrap_err());
    assert_eq!(wrong.violations[0].field, "reason");
    for _ in 0..2 {
        let answer = conditions::operation(&story.hubei).release_quarantine(release.clone()).await.unwrap().into_inner();
        let released = answer.quarantine.unwrap();
        assert_eq!((released.state(), released.reason.as_str()), (QuarantineState::Released, release.reason.as_str()));
        assert!(released.released_by.starts_with("provinces/420000/people/"));
    }
    assert_fired_once(&story.hubei, &story.silent).await;
    // Nobody could know that it had been acknowledged: its silence is an alarm as well, once.
    assert_fired_once(&story.hubei, &story.acknowledged_later).await;
    let here = incident(&story.hubei).await;
    refused(&story.hubei, &here).await;
    story.hubei.kill_and_restart();
    conditions::told(&story.hubei, "PARTNER_CLOSED", SOON).await;
    assert_eq!(conditions::quarantine(&story.hubei).await, QuarantineState::Released, "released is released");
    refused(&story.hubei, &here).await;
    story.chongqing.start_again();
    assert_recovered(&story).await;
    assert_eq!(overdue(&count::events(&story.hubei).await, &story.silent), 1);
}

fenghuo_durable::on_both!(with_the_partner_reachable, without_the_partner);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restore_refuses_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Province::start(&spec("420000", dir.path())).await;
    incident(&node).await;
    let (spec, file) = (node.process.spec().clone(), dir.path().join("a.tar"));
    backup::take(&spec, &file);
    let refusal = |spec: &Spec, file: &Path| {
        let output = backup::try_restore(spec, file);
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refusal(&spec, &file).contains("another Fenghuo process is using"));
    node.process.stop();
    assert!(refusal(&spec, &file).contains("is not empty"));

    let fresh = Spec { dir: dir.path().join("fresh"), ..spec.clone() };
    let is_empty = || std::fs::read_dir(fresh.dir.join("data")).unwrap().flatten().all(|entry| entry.file_name() == "lock");
    let wrong = Spec { code: "500000".into(), ..fresh.clone() };
    assert!(refusal(&wrong, &file).contains("the backup is of province 420000"));
    assert!(is_empty());
    let whole = std::fs::read(&file).unwrap();
    let damaged = dir.path().join("damaged.tar");
    std::fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    assert!(refusal(&fresh, &damaged).contains("not a whole backup"));
    let mut bytes = whole.clone();
    bytes[5000] ^= 1;
    std::fs::write(&damaged, &bytes).unwrap();
    assert!(refusal(&fresh, &damaged).contains("is not what was backed up"));
    assert!(is_empty());

    // As a kill in the middle would leave it: no node starts beside it, and the next restore begins anew.
    let data = fresh.dir.join("data");
    std::fs::create_dir_all(data.join(".restoring/databases")).unwrap();
    std::fs::write(data.join(".restoring/databases/node.sqlite3"), "half").unwrap();
    std::fs::write(data.join("restoring"), "").unwrap();
    let why = fenghuo_tests::node::Process::try_start(&fresh).unwrap_err();
    assert!(why.contains("was interrupted"), "{why}");
    backup::restore(&fresh, &file);
    assert!(!data.join("restoring").exists() && data.join("restored").exists());
    node.process = fenghuo_tests::node::Process::start(&fresh);
}
