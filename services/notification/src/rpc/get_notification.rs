//! `GetNotification`.

use fenghuo_api::notification::v1::{GetNotificationRequest, GetNotificationResponse};
use fenghuo_durable::Result;
use fenghuo_edge::Caller;

use super::{answer, authorised};
use crate::service::Service;

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/GetNotification";

pub(super) async fn handle(service: &Service, caller: &Caller, request: GetNotificationRequest) -> Result<GetNotificationResponse> {
    let space = service.space(caller)?;
    let context = (request.name, service.clone(), caller.clone());
    let read = space.db().read(context, |(name, service, caller), tx| {
        Box::pin(async move {
            let record = authorised(tx, caller, METHOD, name).await?;
            answer(tx, service, caller, &record).await
        })
    });
    Ok(GetNotificationResponse { notification: Some(read.await?) })
}
