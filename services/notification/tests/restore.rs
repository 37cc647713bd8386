//! A backup, a crash later, a restore: nothing that was sent is lost, and nothing is proved delivered that was not.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod common;

use common::*;
use fenghuo_api::notification::v1::notification_service_server::NotificationService;
use fenghuo_api::notification::v1::*;
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{Locations, SpaceId, new_id};
use fenghuo_edge::from_status;
use sqlx::Connection;

const REAL: SpaceId = SpaceId::Real;

/// Puts copies of a stopped node's databases in the place of others.
async fn copy(home: &Home, from: &str, to: &str) {
    match &home.locations {
        Locations::Sqlite(spaces) => {
            let place = |name: &str| if name.is_empty() { spaces.clone() } else { home.dir.join(name) };
            let _ = std::fs::remove_dir_all(place(to));
            std::fs::create_dir_all(place(to)).unwrap();
            for entry in std::fs::read_dir(place(from)).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), place(to).join(entry.file_name())).unwrap();
            }
        }
        Locations::Postgres(url) => {
            let base = url.rsplit('/').next().unwrap();
            let mut admin = sqlx::PgConnection::connect(&fenghuo_durable::testing::postgres_admin_url()).await.unwrap();
            for name in ["node", "real"] {
                let (from, to) = (format!("{base}_{name}{from}"), format!("{base}_{name}{to}"));
                for sql in [format!("DROP DATABASE IF EXISTS {to} WITH (FORCE)"), format!("CREATE DATABASE {to} TEMPLATE {from}")] {
                    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
                }
            }
        }
    }
}

async fn a_restored_node_gets_back_what_it_had_sent_and_begins_a_new_epoch(on: On) {
    let Pair { hubei, chongqing, dir } = pair(on).await;
    let theirs = chongqing.incident(REAL).await;
    let ours = hubei.incident(REAL).await;
    let delivered = hubei.warn(REAL, &ours, "500000", "备份前已送达").await;
    hubei.until_state(REAL, &delivered, NotificationState::Delivered).await;
    let received = chongqing.warn(REAL, &theirs, "420000", "备份前收到").await;
    chongqing.until_state(REAL, &received, NotificationState::Delivered).await;
    let drafted =
        hubei.draft(REAL, &ours, "500000", fenghuo_api::partner::v1::NotificationKind::Information, Default::default()).await.name;
    let chongqing = chongqing.stop().await;
    let on_the_way = hubei.warn(REAL, &ours, "500000", "备份时在途").await;
    let hubei = hubei.stop().await;
    copy(&hubei, "", "_backup").await;

    // Life goes on after the backup.
    let (hubei, chongqing) = tokio::join!(hubei.start(), chongqing.start());
    hubei.until_state(REAL, &on_the_way, NotificationState::Delivered).await;
    hubei.approve(REAL, &drafted).await;
    let later = hubei.warn(REAL, &ours, "500000", "备份后签发").await;
    let proof = hubei.until_state(REAL, &later, NotificationState::Delivered).await.delivery.unwrap();
    chongqing.acknowledge(REAL, &later).await;
    hubei.until_state(REAL, &later, NotificationState::Acknowledged).await;
    let received_later = chongqing.warn(REAL, &theirs, "420000", "备份后收到").await;
    chongqing.until_state(REAL, &received_later, NotificationState::Delivered).await;
    for name in [&received, &received_later] {
        hubei.acknowledge(REAL, name).await;
        chongqing.until_state(REAL, name, NotificationState::Acknowledged).await;
    }
    until("every receipt at Hubei", || async { (hubei.assert_holds(REAL).await.receipts == 9).then_some(()) }).await;

    // The crash, and the older copy in its place. Unmarked, the handshake sees it, and nothing moves.
    let hubei = hubei.stop().await;
    copy(&hubei, "_backup", "").await;
    let hubei = hubei.start().await;
    hubei.until_link("500000", LinkState::Diverged).await;
    chongqing.until_link("420000", LinkState::Diverged).await;
    assert!(hubei.find(REAL, &later).await.is_none());
    assert_eq!(hubei.find(REAL, &on_the_way).await.unwrap().state(), NotificationState::Approved, "not proved delivered by a guess");
    assert_eq!(chongqing.assert_holds(REAL).await.envelopes, 9, "the partner keeps what it has");

    // Marked as restored: quarantined until the partner has given back what it has.
    let (mut hubei, listener) = hubei.stop().await.open().await;
    std::fs::write(fenghuo_mailbox::restored_flag(&hubei.home.dir), "").unwrap();
    assert!(hubei.mailbox.quarantine_if_restored(&hubei.home.dir).await.unwrap());
    assert!(!hubei.mailbox.quarantine_if_restored(&hubei.home.dir).await.unwrap(), "once, and kept in the database");
    let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: drafted.clone(), etag: String::new() };
    let refused = hubei.service.approve_notification(hubei.ask(REAL, approve)).await.unwrap_err();
    assert_eq!(from_status(&refused).reason, "RESTORED", "nothing is written to the stream meanwhile");
    hubei.run(listener);
    hubei.until_link("500000", LinkState::Up).await;
    chongqing.until_link("420000", LinkState::Up).await;

    let again = hubei.until_state(REAL, &later, NotificationState::Acknowledged).await;
    assert_eq!(again.delivery.unwrap().signed_receipt, proof.signed_receipt, "the very receipt of then");
    assert_eq!(again.acknowledgement.unwrap().person, "周敏");
    hubei.until_state(REAL, &on_the_way, NotificationState::Delivered).await;
    hubei.until_state(REAL, &drafted, NotificationState::Delivered).await;
    hubei.until_state(REAL, &delivered, NotificationState::Delivered).await;
    for name in [&received, &received_later] {
        let found = hubei.until_state(REAL, name, NotificationState::Acknowledged).await;
        assert_eq!(found.acknowledgement.unwrap().person, "李静");
    }

    // A new epoch, from position 1, once and in order.
    let after = hubei.warn(REAL, &ours, "500000", "恢复后签发").await;
    let place = hubei.until_state(REAL, &after, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!((place.stream.unwrap().epoch, place.position), (2, 1));
    let back = chongqing.warn(REAL, &theirs, "420000", "恢复后收到").await;
    chongqing.until_state(REAL, &back, NotificationState::Delivered).await;
    let list = ListNotificationsRequest { parent: "provinces/500000".into(), page_size: 500, ..Default::default() };
    let at_chongqing = chongqing.service.list_notifications(chongqing.ask(REAL, list)).await.unwrap().into_inner().notifications;
    let mut incoming: Vec<&str> =
        at_chongqing.iter().filter(|one| one.direction() == Direction::Incoming).map(|one| one.name.as_str()).collect();
    incoming.sort_unstable();
    let mut sent = vec![delivered.as_str(), &drafted, &on_the_way, &later, &after];
    sent.sort_unstable();
    assert_eq!(incoming, sent, "each once");
    assert_eq!(hubei.assert_holds(REAL).await.envelopes, 11);
    assert_eq!(chongqing.assert_holds(REAL).await.envelopes, 11);

    // What was recovered is not recovered again.
    let hubei = hubei.stop().await.start().await;
    hubei.until_link("500000", LinkState::Up).await;
    let last = hubei.warn(REAL, &ours, "500000", "重启后签发").await;
    let place = hubei.until_state(REAL, &last, NotificationState::Delivered).await.delivery.unwrap();
    assert_eq!((place.stream.unwrap().epoch, place.position), (2, 2));
    tokio::join!(hubei.stop(), chongqing.stop());
    drop(dir);
}

fenghuo_durable::on_both!(a_restored_node_gets_back_what_it_had_sent_and_begins_a_new_epoch);
