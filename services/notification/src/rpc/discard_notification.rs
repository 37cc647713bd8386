//! `DiscardNotification`: throws a draft away.

use fenghuo_api::notification::v1::{DiscardNotificationRequest, DiscardNotificationResponse};
use fenghuo_durable::{RequestKey, Result};
use fenghuo_edge::Caller;

use super::{answer, authorised};
use crate::service::Service;
use crate::store;
use crate::store::notification::Told;

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/DiscardNotification";

pub(super) async fn handle(service: &Service, caller: &Caller, request: DiscardNotificationRequest) -> Result<DiscardNotificationResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let context = (request.name, service.clone(), caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, service, caller, request_id), tx| {
            Box::pin(async move {
                let mut record = authorised(tx, caller, METHOD, name).await?;
                record.discard()?;
                let told = Told {
                    kind: "notification.discarded",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: "作废通报草稿".to_owned(),
                    en: "Draft discarded".to_owned(),
                };
                store::notification::save(tx, &mut record, told).await?;
                Ok(DiscardNotificationResponse { notification: Some(answer(tx, service, caller, &record).await?) })
            })
        })
        .await
}
