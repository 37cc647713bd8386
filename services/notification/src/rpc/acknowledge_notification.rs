//! `AcknowledgeNotification`: the person signed in answers for what came; the sender is told by an envelope in the opposite stream.

use fenghuo_api::notification::v1::{AcknowledgeNotificationRequest, AcknowledgeNotificationResponse};
use fenghuo_api::partner::v1::Acknowledgement;
use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Error, RequestKey, Result, Tx, ahead};
use fenghuo_edge::Caller;
use fenghuo_mailbox::enqueue;

use super::{answer, authorised};
use crate::domain::Direction;
use crate::domain::check::check_acknowledgement;
use crate::reactions::acknowledge_due;
use crate::service::Service;
use crate::store::notification::{self, Told};

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/AcknowledgeNotification";

pub(super) async fn handle(
    service: &Service,
    caller: &Caller,
    request: AcknowledgeNotificationRequest,
) -> Result<AcknowledgeNotificationResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let context = (service.clone(), caller.clone(), request);
    ahead(space.db().write_once(key, context, |(service, caller, request), tx| Box::pin(write(tx, service, caller, request)))).await
}

async fn write(
    tx: &mut Tx,
    service: &Service,
    caller: &Caller,
    request: &AcknowledgeNotificationRequest,
) -> Result<AcknowledgeNotificationResponse> {
    let mut found = authorised(tx, caller, METHOD, &request.name).await?;
    if found.direction != Direction::Incoming {
        let text = "this notification is ours: the partner's officer acknowledges it, or you enter it by hand";
        return Err(Error::precondition("NOT_INCOMING", text));
    }
    let given = Acknowledgement {
        notification: found.name.clone(),
        person: caller.display_name.clone(),
        post: caller.post.clone(),
        acknowledge_time: Some(to_proto(tx.now())),
        remark: request.remark.clone(),
    };
    check_acknowledgement("acknowledgement", &given)?;
    found.acknowledge(given.clone(), false)?;
    enqueue(tx, &service.signer(caller)?, &found.partner_code, Content::Acknowledgement(given)).await?;
    let told = Told {
        kind: "notification.received_acknowledged",
        actor: caller.identity.clone(),
        request_id: request.request_id.clone(),
        zh: format!("{} {}确认收到", caller.post, caller.display_name),
        en: format!("Acknowledged by {}", caller.display_name),
    };
    notification::save(tx, &mut found, told).await?;
    tx.cancel_timers(acknowledge_due::KIND, &found.name).await?;
    Ok(AcknowledgeNotificationResponse { notification: Some(answer(tx, service, caller, &found).await?) })
}
