//! `UpdateNotification`: the officer's own words, in a draft.

use fenghuo_api::notification::v1::{UpdateNotificationRequest, UpdateNotificationResponse};
use fenghuo_durable::{Error, RequestKey, Result};
use fenghuo_edge::Caller;

use super::{answer, authorised};
use crate::domain::check::check_content;
use crate::service::{Service, check_etag};
use crate::store;
use crate::store::notification::Told;

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/UpdateNotification";

pub(super) async fn handle(service: &Service, caller: &Caller, request: UpdateNotificationRequest) -> Result<UpdateNotificationResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let content = request.content.ok_or_else(|| Error::invalid("content", "is required"))?;
    check_content("content", &content)?;
    let context = (request.name, request.etag, content, service.clone(), caller.clone(), key.request_id.clone());
    space
        .db()
        .write_once(key, context, |(name, etag, content, service, caller, request_id), tx| {
            Box::pin(async move {
                let mut record = authorised(tx, caller, METHOD, name).await?;
                check_etag(etag, &record)?;
                record.revise(content.clone())?;
                let told = Told {
                    kind: "notification.updated",
                    actor: caller.identity.clone(),
                    request_id: request_id.clone(),
                    zh: "修改通报".to_owned(),
                    en: "Notification edited".to_owned(),
                };
                store::notification::save(tx, &mut record, told).await?;
                Ok(UpdateNotificationResponse { notification: Some(answer(tx, service, caller, &record).await?) })
            })
        })
        .await
}
