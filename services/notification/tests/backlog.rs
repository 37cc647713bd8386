//! A partner that was away comes back: what waited goes over in batches, once and in order, and the time is printed.
//!
//! `FENGHUO_BACKLOG=7000 cargo test --release -p fenghuo-notification --test backlog -- --nocapture` measures a larger one.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Instant;

use common::pair;
use fenghuo_api::notification::v1::LinkState;
use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Notification, NotificationKind};
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_mailbox::{enqueue, undelivered};

const REAL: SpaceId = SpaceId::Real;

async fn a_backlog_goes_over_when_the_partner_is_back(on: On) {
    let count: usize = std::env::var("FENGHUO_BACKLOG").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let two = pair(on).await;
    let (hubei, chongqing) = (two.hubei, two.chongqing);
    let home = chongqing.stop().await;
    hubei.until_link("500000", LinkState::Down).await;
    let space = hubei.space(REAL);
    for start in (0..count).step_by(100) {
        let context = (hubei.mailbox.signer(REAL), start..count.min(start + 100));
        let write = space.db().write(context, |(signer, numbers), tx| {
            Box::pin(async move {
                for number in numbers.clone() {
                    let content = Notification {
                        name: format!("provinces/420000/notifications/{}", new_id()),
                        kind: NotificationKind::Warning.into(),
                        subject: format!("积压{number}"),
                        situation: "断线期间签发".into(),
                        learn_time: Some(to_proto(wall::now())),
                        approved_by: "李静".into(),
                        duty_telephone: "12369".into(),
                        ..Default::default()
                    };
                    enqueue(tx, signer, "500000", Content::Notification(content)).await?;
                }
                Ok(())
            })
        });
        write.await.unwrap();
    }
    let chongqing = home.start().await;
    let started = Instant::now();
    until("the first receipt", || async { (waiting(&hubei).await < count as u64).then_some(()) }).await;
    let reached = started.elapsed();
    until("everything to be receipted", || async { (waiting(&hubei).await == 0).then_some(()) }).await;
    println!("{count} envelopes: the first batch {reached:.2?} after the partner's start, the last after {:.2?}", started.elapsed());
    for node in [&hubei, &chongqing] {
        assert!(node.assert_holds(REAL).await.envelopes >= count as u64);
    }
    let space = chongqing.space(REAL);
    let taken =
        space.db().read((), |(), tx| Box::pin(async move { tx.number("SELECT COUNT(*) FROM notification_notification", &[]).await }));
    assert_eq!(taken.await.unwrap(), count as i64, "each taken up once");
    tokio::join!(hubei.stop(), chongqing.stop());
}

async fn waiting(node: &common::Node) -> u64 {
    let space = node.space(REAL);
    space.db().read((), |(), tx| Box::pin(undelivered(tx, "500000"))).await.unwrap()
}

fenghuo_durable::on_both!(a_backlog_goes_over_when_the_partner_is_back);
