//! The desk's own calls: letters, drafts, missed acknowledgements, partners, live feeds, a partner behind a gate.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod common;

use common::*;
use fenghuo_api::notification::v1::notification_service_server::NotificationService;
use fenghuo_api::notification::v1::partner_directory_service_server::PartnerDirectoryService;
use fenghuo_api::notification::v1::*;
use fenghuo_api::partner::v1::{
    Acknowledgement, DeliverEnvelopesRequest, FetchEnvelopesRequest, Notification as Content, NotificationKind,
};
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{ClockSetting, NewEvent, SpaceId, new_id};
use fenghuo_edge::from_status;
use futures::StreamExt;
use jiff::Timestamp;

const REAL: SpaceId = SpaceId::Real;

fn id() -> String {
    new_id().to_string()
}

fn reason(status: tonic::Status) -> String {
    from_status(&status).reason
}

async fn letter_to_guizhou(node: &Node) {
    let request = AddLetterPartnerRequest {
        request_id: id(),
        province_code: "520000".into(),
        display_name: "贵州省".into(),
        duty_telephone: "0851-12369".into(),
    };
    let added = node.service.add_letter_partner(node.ask(REAL, request)).await.unwrap().into_inner().partner.unwrap();
    assert_eq!((added.mode(), added.link_state()), (PartnerMode::Letter, LinkState::None));
}

async fn a_province_without_a_node_gets_a_numbered_letter_acknowledged_by_hand(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let node = Home::new(on, "500000", dir.path()).await.start().await;
    letter_to_guizhou(&node).await;
    let exercise = SpaceId::Exercise(new_id());
    node.open_exercise(exercise).await;
    let incident = node.incident(exercise).await;
    let first = node.warn(exercise, &incident, "520000", "乌江上游水质异常").await;
    let second = node.warn(exercise, &incident, "520000", "乌江上游水质异常(续)").await;
    let letter = node.find(exercise, &first).await.unwrap();
    assert_eq!(letter.letter_number, "环应急通〔2014〕1号");
    assert_eq!(node.find(exercise, &second).await.unwrap().letter_number, "环应急通〔2014〕2号");
    for part in
        ["环应急通〔2014〕1号", "贵州省生态环境主管部门", "预警通报", "乌江上游水质异常", "乙基黄原酸钠 0.2 mg/L", "12369", "周敏 值班员"]
    {
        assert!(letter.letter_text.contains(part), "{part} is not in:\n{}", letter.letter_text);
    }
    assert!(letter.delivery.is_none() && letter.state() == NotificationState::Approved);

    let given = |time: &str| Acknowledgement {
        person: "罗某".into(),
        post: "贵州省生态环境厅 值班员".into(),
        acknowledge_time: Some(to_proto(time.parse().unwrap())),
        ..Default::default()
    };
    let record = |name: &str, given: Acknowledgement| RecordAcknowledgementRequest {
        request_id: id(),
        name: name.into(),
        acknowledgement: Some(given),
    };
    for (time, what) in [("2014-08-12T13:00:00Z", "future"), ("2014-08-12T11:00:00Z", "before")] {
        let refused = node.service.record_acknowledgement(node.ask(exercise, record(&first, given(time)))).await.unwrap_err();
        let error = from_status(&refused);
        assert_eq!(error.violations[0].field, "acknowledgement.acknowledge_time");
        assert!(error.message.contains(what), "{error}");
    }
    let request = record(&first, given("2014-08-12T12:00:00Z"));
    let done = node.service.record_acknowledgement(node.ask(exercise, request.clone())).await.unwrap().into_inner();
    let found = done.notification.clone().unwrap();
    assert!(found.acknowledged_by_hand && found.state() == NotificationState::Acknowledged);
    // The same call again gets the same answer; another acknowledgement is refused.
    assert_eq!(node.service.record_acknowledgement(node.ask(exercise, request)).await.unwrap().into_inner(), done);
    let again = record(&first, given("2014-08-12T12:00:00Z"));
    assert_eq!(reason(node.service.record_acknowledgement(node.ask(exercise, again)).await.unwrap_err()), "ALREADY_ACKNOWLEDGED");
    let list = ListNotificationsRequest { parent: "provinces/500000".into(), unacknowledged_only: true, ..Default::default() };
    let open = node.service.list_notifications(node.ask(exercise, list)).await.unwrap().into_inner().notifications;
    assert_eq!(open.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [second.as_str()]);
    node.assert_holds(exercise).await;
    node.stop().await;
}

async fn a_draft_is_changed_until_it_is_approved_and_never_after(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let node = Home::new(on, "500000", dir.path()).await.start().await;
    letter_to_guizhou(&node).await;
    let incident = node.incident(REAL).await;
    let draft = node.draft(REAL, &incident, "520000", NotificationKind::Information, Default::default()).await;
    let update = |etag: &str, content: Content| UpdateNotificationRequest {
        request_id: id(),
        name: draft.name.clone(),
        etag: etag.into(),
        content: Some(content),
    };
    let better = Content {
        situation: "补充情况".into(),
        name: "provinces/1/x".into(),
        approved_by: "别人".into(),
        ..draft.content.clone().unwrap()
    };
    let updated = node.service.update_notification(node.ask(REAL, update(&draft.etag, better.clone()))).await.unwrap().into_inner();
    let content = updated.notification.unwrap().content.unwrap();
    assert_eq!((content.situation.as_str(), content.name.as_str(), content.approved_by.as_str()), ("补充情况", draft.name.as_str(), ""));
    let stale = node.service.update_notification(node.ask(REAL, update(&draft.etag, better.clone()))).await.unwrap_err();
    assert_eq!(reason(stale), "ETAG_STALE");
    let before = node.dump(REAL).await;
    let wrong = Content { subject: String::new(), flow_m3_per_s: Some(f64::NAN), kind: 0, ..better.clone() };
    let refused = from_status(&node.service.update_notification(node.ask(REAL, update("", wrong))).await.unwrap_err());
    let fields: Vec<_> = refused.violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["content.kind", "content.subject", "content.flow_m3_per_s"]);
    assert_eq!(node.dump(REAL).await, before);

    node.approve(REAL, &draft.name).await;
    assert_eq!(reason(node.service.update_notification(node.ask(REAL, update("", better))).await.unwrap_err()), "NOT_A_DRAFT");
    let discard = |name: &str| DiscardNotificationRequest { request_id: id(), name: name.into() };
    assert_eq!(reason(node.service.discard_notification(node.ask(REAL, discard(&draft.name))).await.unwrap_err()), "NOT_A_DRAFT");
    let other = node.draft(REAL, &incident, "520000", NotificationKind::Information, Default::default()).await;
    assert_eq!(other.content.unwrap().follows, draft.name, "it continues what was said last");
    let gone = node.service.discard_notification(node.ask(REAL, discard(&other.name))).await.unwrap().into_inner().notification.unwrap();
    assert_eq!(gone.state(), NotificationState::Discarded);
    let approve = ApproveNotificationRequest { request_id: id(), name: other.name.clone(), etag: String::new() };
    assert_eq!(reason(node.service.approve_notification(node.ask(REAL, approve)).await.unwrap_err()), "NOT_A_DRAFT");
    let unknown = DraftNotificationRequest {
        request_id: id(),
        incident: incident.clone(),
        partner_code: "610000".into(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    assert_eq!(reason(node.service.draft_notification(node.ask(REAL, unknown)).await.unwrap_err()), "PARTNER_NOT_ENROLLED");
    node.stop().await;
}

async fn silence_is_an_event_at_both_ends_and_a_late_acknowledgement_still_counts(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (&two.hubei, &two.chongqing);
    let exercise = SpaceId::Exercise(new_id());
    hubei.open_exercise(exercise).await;
    chongqing.open_exercise(exercise).await;
    let incident = hubei.incident(exercise).await;
    let name = hubei.warn(exercise, &incident, "500000", "逾期").await;
    let sent = hubei.until_state(exercise, &name, NotificationState::Delivered).await;
    let noon: Timestamp = "2014-08-12T12:00:00Z".parse().unwrap();
    assert_eq!(sent.acknowledge_due_time, Some(to_proto(noon + jiff::SignedDuration::from_secs(900))));
    let later = ClockSetting { number: 2, space_time: noon + jiff::SignedDuration::from_secs(901), rate: 0.0 };
    for node in [hubei, chongqing] {
        node.space(exercise).set_clock(later).await.unwrap();
        until("the silence to be told", || async { node.find(exercise, &name).await.filter(|found| found.acknowledgement_overdue) }).await;
    }
    chongqing.acknowledge(exercise, &name).await;
    let known = hubei.until_state(exercise, &name, NotificationState::Acknowledged).await;
    assert!(known.acknowledgement_overdue, "it was late, and stays so");
    hubei.assert_holds(exercise).await;
    two.stop().await;
}

async fn a_partner_behind_a_gate_pulls_and_returns_its_receipts(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let mut home = Home::new(on, "420000", dir.path()).await;
    home.reachable = false;
    let hubei = home.start().await;
    let chongqing = Home::new(on, "500000", dir.path()).await.start().await;
    hubei.enrol(&chongqing, PartnerMode::Pull).await;
    chongqing.enrol(&hubei, PartnerMode::Push).await;
    hubei.until_link("500000", LinkState::Up).await;
    chongqing.until_link("420000", LinkState::Up).await;
    let ours = chongqing.incident(REAL).await;
    let name = chongqing.warn(REAL, &ours, "420000", "下游发现异常").await;
    let delivered = chongqing.until_state(REAL, &name, NotificationState::Delivered).await;
    assert!(delivered.delivery.unwrap().signed_receipt.is_some());
    hubei.acknowledge(REAL, &name).await;
    chongqing.until_state(REAL, &name, NotificationState::Acknowledged).await;
    chongqing.assert_holds(REAL).await;
    tokio::join!(hubei.stop(), chongqing.stop());
}

async fn a_receipt_that_was_lost_on_its_way_back_is_returned_at_the_next_connection(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let mut home = Home::new(on, "420000", dir.path()).await;
    home.reachable = false;
    let hubei = home.start().await;
    let chongqing = Home::new(on, "500000", dir.path()).await.start().await;
    chongqing.enrol(&hubei, PartnerMode::Push).await;
    // Hubei trusts and does not call yet: the test fetches and stores in its place, and loses the receipts.
    let keys = [chongqing.keys.signing_public_key().to_vec()];
    hubei.trust.enrol("500000", chongqing.keys.ca_certificate(), &keys, fenghuo_durable::wall::now()).unwrap();
    let ours = chongqing.incident(REAL).await;
    let mut names = Vec::new();
    for number in 0..3 {
        names.push(chongqing.warn(REAL, &ours, "420000", &format!("第{number}号")).await);
    }
    let asked = FetchEnvelopesRequest { space: "real".into(), ..Default::default() };
    let envelopes = hubei.channel_to(&chongqing).fetch_envelopes(asked).await.unwrap().into_inner().envelopes;
    assert_eq!(envelopes.len(), 3);
    let lost = chongqing.channel_to(&hubei).deliver_envelopes(DeliverEnvelopesRequest { envelopes }).await.unwrap().into_inner().receipts;
    assert_eq!(lost.len(), 3);
    for name in &names {
        assert_eq!(chongqing.find(REAL, name).await.unwrap().state(), NotificationState::Approved);
    }
    hubei.enrol(&chongqing, PartnerMode::Pull).await;
    for (name, lost) in names.iter().zip(lost) {
        let found = chongqing.until_state(REAL, name, NotificationState::Delivered).await;
        assert_eq!(found.delivery.unwrap().signed_receipt, Some(lost), "the receipt of then");
    }
    tokio::join!(hubei.stop(), chongqing.stop());
}

async fn only_a_bundle_whose_fingerprint_was_compared_is_believed(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let hubei = Home::new(on, "420000", dir.path()).await.start().await;
    let chongqing = Home::new(on, "500000", dir.path()).await.start().await;
    let own = chongqing.service.get_own_bundle(chongqing.ask(REAL, GetOwnBundleRequest {})).await.unwrap().into_inner();
    let enrol = |json: &str, fingerprint: &str, mode: PartnerMode| EnrolPartnerRequest {
        request_id: id(),
        bundle_json: json.into(),
        fingerprint: fingerprint.into(),
        mode: mode.into(),
    };
    let other = "0000 0000 0000 0000 0000 0000 0000 0000";
    let refused = hubei.service.enrol_partner(hubei.ask(REAL, enrol(&own.bundle_json, other, PartnerMode::Push))).await.unwrap_err();
    assert_eq!(reason(refused), "FINGERPRINT_DIFFERS");
    let refused = hubei.service.enrol_partner(hubei.ask(REAL, enrol("{}", other, PartnerMode::Push))).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "INVALID_FIELD");
    let refused = chongqing.service.enrol_partner(chongqing.ask(REAL, enrol(&own.bundle_json, &own.fingerprint, PartnerMode::Push))).await;
    assert_eq!(from_status(&refused.unwrap_err()).violations[0].field, "bundle.provinceCode", "not ourselves");
    let refused =
        hubei.service.enrol_partner(hubei.ask(REAL, enrol(&own.bundle_json, &own.fingerprint, PartnerMode::Letter))).await.unwrap_err();
    assert_eq!(from_status(&refused).violations[0].field, "mode");
    let mut liaison = hubei.caller(REAL);
    liaison.grants.retain(|grant| grant.role == fenghuo_edge::Role::Liaison);
    let asked = as_caller(liaison, enrol(&own.bundle_json, &own.fingerprint, PartnerMode::Push));
    assert_eq!(reason(hubei.service.enrol_partner(asked).await.unwrap_err()), "ROLE_REQUIRED");
    assert_eq!(hubei.directory.all(), vec![]);
    assert_eq!(hubei.trust.province_codes(), Vec::<String>::new());

    hubei.enrol(&chongqing, PartnerMode::Push).await;
    letter_to_guizhou(&hubei).await;
    let letter = AddLetterPartnerRequest {
        request_id: id(),
        province_code: "500000".into(),
        display_name: "重庆市".into(),
        duty_telephone: "1".into(),
    };
    assert_eq!(reason(hubei.service.add_letter_partner(hubei.ask(REAL, letter)).await.unwrap_err()), "PARTNER_HAS_NODE");
    // Known after a restart, and listed page by page.
    let hubei = hubei.stop().await.start().await;
    assert_eq!(hubei.trust.province_codes(), ["500000"]);
    let page = ListPartnersRequest { page_size: 1, page_token: String::new() };
    let first = hubei.service.list_partners(hubei.ask(REAL, page)).await.unwrap().into_inner();
    let page = ListPartnersRequest { page_size: 1, page_token: first.next_page_token.clone() };
    let second = hubei.service.list_partners(hubei.ask(REAL, page)).await.unwrap().into_inner();
    let codes = [&first, &second].map(|page| page.partners[0].province_code.clone());
    assert_eq!((codes, second.next_page_token), (["500000".to_owned(), "520000".to_owned()], String::new()));
    let node_records = fenghuo_durable::verify(hubei.node_space.db(), fenghuo_notification::NODE_RECORDS.to_vec()).await.unwrap();
    assert_eq!((node_records.faults, node_records.records), (vec![], 2));
    tokio::join!(hubei.stop(), chongqing.stop());
}

async fn the_desk_sees_changes_without_asking_again(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (&two.hubei, &two.chongqing);
    let watch = WatchNotificationsRequest { parent: "provinces/500000".into() };
    let mut seen = chongqing.service.watch_notifications(chongqing.ask(REAL, watch)).await.unwrap().into_inner();
    assert!(seen.next().await.unwrap().unwrap().caught_up);
    let mut links = hubei.service.watch_partners(hubei.ask(REAL, WatchPartnersRequest {})).await.unwrap().into_inner();
    assert_eq!(links.next().await.unwrap().unwrap().partner.unwrap().link_state(), LinkState::Up);
    assert!(links.next().await.unwrap().unwrap().caught_up);
    let incident = hubei.incident(REAL).await;
    let started = std::time::Instant::now();
    let name = hubei.warn(REAL, &incident, "500000", "看得见").await;
    let shown = seen.next().await.unwrap().unwrap().notification.unwrap();
    assert!(started.elapsed().as_secs_f64() < 3.0, "shown after {:?}", started.elapsed());
    assert_eq!((shown.name.as_str(), shown.incident.as_str()), (name.as_str(), ""));

    // incident-intake makes a report of it: the report ends with the same identifier, and the notification is joined to its incident.
    let report = name.replace("provinces/420000/notifications", "provinces/500000/reports");
    let event = NewEvent {
        service: "incident-intake",
        kind: "report.taken",
        subject: report,
        revision: 1,
        admin_code: "500000".into(),
        payload: serde_json::json!({ "incident": "provinces/500000/incidents/7" }).to_string(),
        ..NewEvent::default()
    };
    let space = chongqing.space(REAL);
    space.db().write(event, |event, tx| Box::pin(async move { tx.append(event.clone()).await.map(|_| ()) })).await.unwrap();
    let joined = seen.next().await.unwrap().unwrap().notification.unwrap();
    assert_eq!(joined.incident, "provinces/500000/incidents/7");
    // What answers it is about the same incident from the start.
    let overrides = Content { follows: name.clone(), ..Default::default() };
    let next = hubei.draft(REAL, &incident, "500000", NotificationKind::Information, overrides).await;
    hubei.approve(REAL, &next.name).await;
    let followed = seen.next().await.unwrap().unwrap().notification.unwrap();
    assert_eq!((followed.name, followed.incident.as_str()), (next.name, "provinces/500000/incidents/7"));
    two.stop().await;
}

fenghuo_durable::on_both!(
    a_province_without_a_node_gets_a_numbered_letter_acknowledged_by_hand,
    a_draft_is_changed_until_it_is_approved_and_never_after,
    silence_is_an_event_at_both_ends_and_a_late_acknowledgement_still_counts,
    a_partner_behind_a_gate_pulls_and_returns_its_receipts,
    a_receipt_that_was_lost_on_its_way_back_is_returned_at_the_next_connection,
    only_a_bundle_whose_fingerprint_was_compared_is_believed,
    the_desk_sees_changes_without_asking_again,
);
