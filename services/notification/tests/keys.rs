//! A new signing key of our own, and a new epoch by decision: two real nodes, real TLS.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::pair;
use fenghuo_api::notification::v1::partner_directory_service_server::PartnerDirectoryService;
use fenghuo_api::notification::v1::{BeginNewEpochRequest, GetOwnBundleRequest, LinkState, NotificationState, RotateSigningKeyRequest};
use fenghuo_durable::testing::On;
use fenghuo_durable::{SpaceId, new_id};
use fenghuo_edge::from_status;

const REAL: SpaceId = SpaceId::Real;

async fn a_new_key_is_announced_and_old_signatures_still_verify(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (two.hubei, two.chongqing);
    let ours = hubei.incident(REAL).await;
    let theirs = chongqing.incident(REAL).await;
    let before = hubei.warn(REAL, &ours, "500000", "换钥前").await;
    hubei.until_state(REAL, &before, NotificationState::Delivered).await;
    let old = hubei.keys.key_id();

    let request = RotateSigningKeyRequest { request_id: new_id().to_string(), reason: "年度更换".into() };
    let answer = hubei.service.rotate_signing_key(hubei.ask(REAL, request.clone())).await.unwrap().into_inner();
    let new = answer.signing_key.clone().unwrap();
    assert_ne!(new.key_id, old);
    // Asked again with the same request: the same answer, and no further key.
    let again = hubei.service.rotate_signing_key(hubei.ask(REAL, request)).await.unwrap().into_inner();
    assert_eq!(again, answer);
    assert_eq!(hubei.keys.key_id(), new.key_id);
    let bundle = hubei.service.get_own_bundle(hubei.ask(REAL, GetOwnBundleRequest {})).await.unwrap().into_inner();
    assert!(bundle.bundle_json.contains(&new.key_id), "the bundle names the new key");

    // Envelopes and receipts go on under the new key, over a restart of both.
    let hubei = hubei.stop().await.start().await;
    let chongqing = chongqing.stop().await.start().await;
    hubei.until_link("500000", LinkState::Up).await;
    let after = hubei.warn(REAL, &ours, "500000", "换钥后").await;
    let sent = hubei.until_state(REAL, &after, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!(sent.signed_envelope.unwrap().key_id, new.key_id);
    let back = chongqing.warn(REAL, &theirs, "420000", "收据用新钥").await;
    let receipted = chongqing.until_state(REAL, &back, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!(receipted.signed_receipt.unwrap().key_id, new.key_id);
    for node in [&hubei, &chongqing] {
        node.assert_holds(REAL).await;
    }
    tokio::join!(hubei.stop(), chongqing.stop());
}

async fn a_new_epoch_by_decision_takes_over_what_was_not_delivered(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (two.hubei, two.chongqing);
    let ours = hubei.incident(REAL).await;
    let delivered = hubei.warn(REAL, &ours, "500000", "已送达").await;
    hubei.until_state(REAL, &delivered, NotificationState::Delivered).await;
    // Chongqing has stopped our stream at this epoch, as it does when it sees two envelopes at one place.
    let space = chongqing.space(REAL);
    let stop = space.db().write((), |(), tx| {
        Box::pin(async move {
            let sql = "INSERT INTO mailbox_link_stop (partner, epoch, why, stop_us) VALUES ('420000', 1, 'two envelopes at one place', 0)";
            tx.execute(sql, &[]).await
        })
    });
    stop.await.unwrap();
    let waiting = hubei.warn(REAL, &ours, "500000", "待送").await;
    hubei.until_link("500000", LinkState::Diverged).await;

    let request = BeginNewEpochRequest {
        request_id: new_id().to_string(),
        province_code: "500000".into(),
        reason: "双方电话商定".into(),
        signing_key_id: String::new(),
    };
    let mut letter = request.clone();
    letter.province_code = "510000".into();
    let refused = hubei.service.begin_new_epoch(hubei.ask(REAL, letter)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "PARTNER_NOT_ENROLLED");
    let begun = hubei.service.begin_new_epoch(hubei.ask(REAL, request.clone())).await.unwrap().into_inner();
    assert_eq!(begun.epoch, 2);
    assert_eq!(hubei.service.begin_new_epoch(hubei.ask(REAL, request)).await.unwrap().into_inner(), begun, "once for each request");
    let place = hubei.until_state(REAL, &waiting, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!(place.stream.unwrap().epoch, 2);
    hubei.until_link("500000", LinkState::Up).await;
    chongqing.until_state(REAL, &waiting, NotificationState::Delivered).await;
    for node in [&hubei, &chongqing] {
        node.assert_holds(REAL).await;
    }
    tokio::join!(hubei.stop(), chongqing.stop());
}

/// Receipts come out of order where a node fetches: one was kept, and the one before it was lost.
async fn what_stands_after_a_lost_receipt_is_written_again_with_it(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (two.hubei, two.chongqing);
    let ours = hubei.incident(REAL).await;
    let first = hubei.warn(REAL, &ours, "500000", "第一件").await;
    hubei.until_state(REAL, &first, NotificationState::Delivered).await;
    let second = hubei.warn(REAL, &ours, "500000", "第二件").await;
    let proof = hubei.until_state(REAL, &second, NotificationState::Delivered).await.delivery.unwrap();
    // No worker between the loss and the decision: it would deliver again, and be given the receipt.
    let chongqing = chongqing.stop().await;
    hubei.until_link("500000", LinkState::Down).await;
    let space = hubei.space(REAL);
    let lost = space.db().write((), |(), tx| {
        Box::pin(async move { tx.execute("UPDATE mailbox_outbox SET receipt_us = NULL WHERE position = 1", &[]).await })
    });
    assert_eq!(lost.await.unwrap(), 1);
    let request = BeginNewEpochRequest {
        request_id: new_id().to_string(),
        province_code: "500000".into(),
        reason: "双方电话商定".into(),
        signing_key_id: String::new(),
    };
    assert_eq!(hubei.service.begin_new_epoch(hubei.ask(REAL, request)).await.unwrap().into_inner().epoch, 2);
    let chongqing = chongqing.start().await;
    let third = hubei.warn(REAL, &ours, "500000", "第三件").await;
    let place = hubei.until_state(REAL, &third, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!((place.stream.unwrap().epoch, place.position), (2, 3), "both stand before it");
    // Chongqing knew both, and nothing came of them twice.
    hubei.until_state(REAL, &first, NotificationState::Delivered).await;
    let kept = hubei.until_state(REAL, &second, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!(kept.signed_receipt, proof.signed_receipt, "the receipt that was kept stays the proof");
    for node in [&hubei, &chongqing] {
        node.assert_holds(REAL).await;
    }
    tokio::join!(hubei.stop(), chongqing.stop());
}

fenghuo_durable::on_both!(
    what_stands_after_a_lost_receipt_is_written_again_with_it,
    a_new_key_is_announced_and_old_signatures_still_verify,
    a_new_epoch_by_decision_takes_over_what_was_not_delivered,
);
