//! A notification from one province to another and back, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod common;

use common::*;
use fenghuo_api::notification::v1::notification_service_server::NotificationService;
use fenghuo_api::notification::v1::partner_directory_service_server::PartnerDirectoryService;
use fenghuo_api::notification::v1::*;
use fenghuo_api::partner::v1::{BoundaryEffect, NotificationKind, Outcome};
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{SpaceId, new_id};
use fenghuo_edge::from_status;

const REAL: SpaceId = SpaceId::Real;

async fn a_warning_is_delivered_with_a_receipt_and_acknowledged_by_a_person(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (&two.hubei, &two.chongqing);
    let incident = hubei.incident(REAL).await;
    let draft = hubei.draft(REAL, &incident, "500000", NotificationKind::Warning, Default::default()).await;
    let content = draft.content.clone().unwrap();
    assert_eq!(draft.state(), NotificationState::Draft);
    assert_eq!(content.boundary_effect(), BoundaryEffect::Forecast);
    assert_eq!((content.section_sender_name.as_str(), content.section_recipient_name.as_str()), ("洼地出口", "巫山县千丈岩水库"));
    assert_eq!((content.duty_telephone.as_str(), content.substances.len()), ("12369", 1));
    assert!(content.grade == 0 && content.approved_by.is_empty() && content.next_update_time.is_some());
    assert!(draft.why_zh.contains("第八条") && draft.why_zh.contains("岩溶地下水"));
    assert!(draft.delivery.is_none() && chongqing.find(REAL, &draft.name).await.is_none(), "nothing is sent before an officer approves");

    let approved = hubei.approve(REAL, &draft.name).await;
    assert_eq!(approved.delivery.as_ref().unwrap().position, 1, "it stands signed in the stream when the answer comes");
    assert!(approved.delivery.as_ref().unwrap().signed_envelope.is_some());
    assert_eq!(approved.approved_by, "李静 值班员");

    let delivered = hubei.until_state(REAL, &draft.name, NotificationState::Delivered).await;
    let proof = delivered.delivery.unwrap();
    let receipt = proof.receipt.unwrap();
    assert_eq!((receipt.outcome(), receipt.position), (Outcome::Accepted, 1));
    assert_eq!(hex::encode(&receipt.envelope_digest), proof.envelope_digest);

    let received = chongqing.until_state(REAL, &draft.name, NotificationState::Delivered).await;
    assert_eq!((received.direction(), received.partner_code.as_str()), (Direction::Incoming, "420000"));
    assert_eq!(received.content.as_ref().unwrap().approved_by, "李静 值班员");
    assert_eq!(received.delivery.unwrap().signed_receipt, proof.signed_receipt, "both ends keep the same receipt, byte for byte");

    let acknowledged = chongqing.acknowledge(REAL, &draft.name).await;
    assert_eq!(acknowledged.state(), NotificationState::Acknowledged);
    let known = hubei.until_state(REAL, &draft.name, NotificationState::Acknowledged).await;
    let by = known.acknowledgement.unwrap();
    assert_eq!((by.person.as_str(), by.post.as_str(), by.remark.as_str()), ("周敏", "值班员", "收到"));
    assert!(!known.acknowledged_by_hand && known.acknowledge_due_time.is_none());

    until("the acknowledgement's own receipt", || async {
        let checked = chongqing.assert_holds(REAL).await;
        ((checked.envelopes, checked.receipts) == (2, 2)).then_some(())
    })
    .await;
    let checked = hubei.assert_holds(REAL).await;
    assert_eq!((checked.envelopes, checked.receipts), (2, 2));
    two.stop().await;
}

async fn a_partner_that_was_down_gets_everything_once_and_in_order(on: On) {
    let Pair { hubei, chongqing, dir } = pair(on).await;
    let incident = hubei.incident(REAL).await;
    let before = hubei.warn(REAL, &incident, "500000", "第0号").await;
    hubei.until_state(REAL, &before, NotificationState::Delivered).await;
    let home = chongqing.stop().await;
    hubei.until_link("500000", LinkState::Down).await;
    let mut names = vec![before];
    for number in 1..=70 {
        names.push(hubei.warn(REAL, &incident, "500000", &format!("第{number}号")).await);
    }
    let link = hubei.until_link("500000", LinkState::Down).await;
    assert_eq!(link.undelivered_count, 70);
    assert!(!link.last_error.is_empty());
    let chongqing = home.start().await;
    for name in &names {
        hubei.until_state(REAL, name, NotificationState::Delivered).await;
    }
    hubei.until_link("500000", LinkState::Up).await;
    let list = ListNotificationsRequest { parent: "provinces/500000".into(), page_size: 500, ..Default::default() };
    let mut got = chongqing.service.list_notifications(chongqing.ask(REAL, list)).await.unwrap().into_inner().notifications;
    got.sort_by_key(|one| one.delivery.as_ref().unwrap().position);
    assert_eq!(got.iter().map(|one| one.name.clone()).collect::<Vec<_>>(), names, "once each, in the order of approval");
    assert_eq!(chongqing.assert_holds(REAL).await.envelopes, 71);
    assert_eq!(hubei.assert_holds(REAL).await.receipts, 71);
    tokio::join!(hubei.stop(), chongqing.stop());
    drop(dir);
}

async fn an_exercise_reaches_the_neighbour_only_when_its_liaison_has_accepted_it(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (&two.hubei, &two.chongqing);
    let exercise = SpaceId::Exercise(new_id());
    hubei.open_exercise(exercise).await;
    let incident = hubei.incident(exercise).await;
    let before = chongqing.dump(REAL).await;
    let name = hubei.warn(exercise, &incident, "500000", "演练").await;
    until("the partner's refusal", || async {
        hubei.links.status(exercise, "500000").last_error.contains("EXERCISE_NOT_ACCEPTED").then_some(())
    })
    .await;
    assert_eq!(hubei.find(exercise, &name).await.unwrap().state(), NotificationState::Approved);
    assert_eq!(chongqing.dump(REAL).await, before, "nothing of an exercise leaks into what is real");
    chongqing.open_exercise(exercise).await;
    hubei.until_state(exercise, &name, NotificationState::Delivered).await;
    assert!(chongqing.find(exercise, &name).await.is_some());
    assert!(chongqing.find(REAL, &name).await.is_none());
    assert_eq!(chongqing.dump(REAL).await, before);
    two.stop().await;
}

async fn a_call_from_the_wrong_district_finds_nothing(on: On) {
    let two = pair(on).await;
    let hubei = &two.hubei;
    let incident = hubei.incident(REAL).await;
    let draft = hubei.draft(REAL, &incident, "500000", NotificationKind::Warning, Default::default()).await;
    let mut wuhan = hubei.caller(REAL);
    wuhan.grants.iter_mut().for_each(|grant| grant.jurisdiction = "420100".into());
    let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: draft.name.clone(), etag: String::new() };
    let refused = hubei.service.approve_notification(as_caller(wuhan.clone(), approve.clone())).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
    let propose = ProposeRecipientsRequest { incident: incident.clone() };
    assert_eq!(
        hubei.service.propose_recipients(as_caller(wuhan.clone(), propose.clone())).await.unwrap_err().code(),
        tonic::Code::NotFound
    );
    let list = ListNotificationsRequest { parent: "provinces/420000".into(), ..Default::default() };
    let seen = hubei.service.list_notifications(as_caller(wuhan, list)).await.unwrap().into_inner();
    assert_eq!(seen.notifications, vec![]);
    let mut elsewhere = hubei.caller(REAL);
    elsewhere.grants.iter_mut().for_each(|grant| grant.jurisdiction = "510000".into());
    let partners = hubei.service.list_partners(as_caller(elsewhere, ListPartnersRequest::default())).await.unwrap().into_inner();
    assert_eq!(partners.partners, vec![]);
    // The right jurisdiction, the wrong role.
    let mut viewer = hubei.caller(REAL);
    viewer.grants.retain(|grant| grant.role == fenghuo_edge::Role::Viewer);
    let refused = hubei.service.approve_notification(as_caller(viewer, approve)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "ROLE_REQUIRED");
    let proposed = hubei.service.propose_recipients(hubei.ask(REAL, propose)).await.unwrap().into_inner().recipients;
    assert_eq!((proposed[0].partner_code.as_str(), proposed[0].display_name.as_str(), proposed[0].enrolled), ("500000", "重庆市", true));
    two.stop().await;
}

async fn the_head_of_the_chain_is_told_once_and_kept_by_the_neighbour(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (&two.hubei, &two.chongqing);
    hubei.incident(REAL).await;
    hubei.assert_holds(REAL).await;
    hubei.mailbox.tell_chain_heads().await.unwrap();
    hubei.mailbox.tell_chain_heads().await.unwrap();
    let (sequence, hash) = hubei.space(REAL).db().read((), |(), tx| Box::pin(tx.log_head())).await.unwrap();
    let kept = until("the head at the neighbour", || async {
        let space = chongqing.space(REAL);
        let sql = "SELECT sequence, hash FROM mailbox_chain_head WHERE partner = '420000'";
        let rows = space.db().read(sql, |sql, tx| Box::pin(tx.rows(sql, &[]))).await.unwrap();
        (!rows.is_empty()).then_some(rows)
    })
    .await;
    assert_eq!(kept.len(), 1, "the same head is not told twice");
    assert_eq!((kept[0].count(0).unwrap(), kept[0].blob(1).unwrap()), (sequence, hash));
    two.stop().await;
}

async fn racing_officers_approve_each_notification_once_and_leave_no_gap_in_the_stream(on: On) {
    let Pair { hubei, chongqing, dir } = pair(on).await;
    let letter = AddLetterPartnerRequest {
        request_id: new_id().to_string(),
        province_code: "610000".into(),
        display_name: "陕西省".into(),
        duty_telephone: "029-12369".into(),
    };
    hubei.service.add_letter_partner(hubei.ask(REAL, letter)).await.unwrap();
    let incident = hubei.incident(REAL).await;
    let mut names = Vec::new();
    for number in 0..12 {
        let to = if number % 2 == 0 { "500000" } else { "610000" };
        names.push(hubei.draft(REAL, &incident, to, NotificationKind::Information, Default::default()).await.name);
    }
    // Three officers press at once on each of twelve drafts; each press is a request of its own.
    let presses = names.iter().flat_map(|name| std::iter::repeat_n(name.clone(), 3)).map(|name| {
        let request = ApproveNotificationRequest { request_id: new_id().to_string(), name, etag: String::new() };
        let (service, asked) = (hubei.service.clone(), hubei.ask(REAL, request));
        tokio::spawn(async move { service.approve_notification(asked).await.map_err(|status| from_status(&status).reason) })
    });
    let outcomes = futures::future::join_all(presses.collect::<Vec<_>>()).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap()).collect();
    let approved: Vec<_> = outcomes.iter().flatten().map(|answer| answer.get_ref().notification.clone().unwrap()).collect();
    assert_eq!(approved.len(), 12, "each once");
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|reason| reason == "NOT_A_DRAFT"));
    let mut positions: Vec<u64> = approved.iter().filter_map(|one| one.delivery.as_ref()).map(|proof| proof.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6]);
    let mut letters: Vec<String> = approved.iter().map(|one| one.letter_number.clone()).filter(|number| !number.is_empty()).collect();
    letters.sort();
    letters.dedup();
    assert_eq!(letters.len(), 6, "no two letters have one number");
    let node_names: Vec<_> = names.iter().step_by(2).collect();
    for name in &node_names {
        hubei.until_state(REAL, name, NotificationState::Delivered).await;
    }
    // Two people acknowledge the same notification: one does, the other hears of it.
    let presses = (0..4).map(|_| {
        let request =
            AcknowledgeNotificationRequest { request_id: new_id().to_string(), name: node_names[0].clone(), remark: String::new() };
        chongqing.service.acknowledge_notification(chongqing.ask(REAL, request))
    });
    let outcomes = futures::future::join_all(presses).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    hubei.until_state(REAL, node_names[0], NotificationState::Acknowledged).await;
    assert_eq!(hubei.assert_holds(REAL).await.envelopes, 7);
    tokio::join!(hubei.stop(), chongqing.stop());
    drop(dir);
}

fenghuo_durable::on_both!(
    racing_officers_approve_each_notification_once_and_leave_no_gap_in_the_stream,
    the_head_of_the_chain_is_told_once_and_kept_by_the_neighbour,
    a_warning_is_delivered_with_a_receipt_and_acknowledged_by_a_person,
    a_partner_that_was_down_gets_everything_once_and_in_order,
    an_exercise_reaches_the_neighbour_only_when_its_liaison_has_accepted_it,
    a_call_from_the_wrong_district_finds_nothing,
);
