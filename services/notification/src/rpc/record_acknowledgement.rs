//! `RecordAcknowledgement`: told by telephone or fax, entered by hand, and worth as much.

use fenghuo_api::notification::v1::{RecordAcknowledgementRequest, RecordAcknowledgementResponse};
use fenghuo_api::partner::v1::Acknowledgement;
use fenghuo_api::time::from_proto;
use fenghuo_durable::faults::TOLERANCE;
use fenghuo_durable::{Error, RequestKey, Result, Tx};
use fenghuo_edge::Caller;

use super::{answer, authorised, person};
use crate::domain::Direction;
use crate::domain::check::check_acknowledgement;
use crate::reactions::acknowledge_due;
use crate::service::Service;
use crate::store::notification::{self, Told};

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/RecordAcknowledgement";

pub(super) async fn handle(
    service: &Service,
    caller: &Caller,
    request: RecordAcknowledgementRequest,
) -> Result<RecordAcknowledgementResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let given = request.acknowledgement.clone().ok_or_else(|| Error::invalid("acknowledgement", "is required"))?;
    check_acknowledgement("acknowledgement", &given)?;
    let space = service.space(caller)?;
    let context = (service.clone(), caller.clone(), request, given);
    space.db().write_once(key, context, |(service, caller, request, given), tx| Box::pin(write(tx, service, caller, request, given))).await
}

async fn write(
    tx: &mut Tx,
    service: &Service,
    caller: &Caller,
    request: &RecordAcknowledgementRequest,
    given: &Acknowledgement,
) -> Result<RecordAcknowledgementResponse> {
    let mut found = authorised(tx, caller, METHOD, &request.name).await?;
    if found.direction != Direction::Outgoing {
        return Err(Error::precondition("NOT_OUTGOING", "this notification is the partner's: acknowledge it yourself"));
    }
    let at = given.acknowledge_time.as_ref().and_then(from_proto);
    if at.is_some_and(|at| at > tx.now() + TOLERANCE) {
        return Err(Error::invalid("acknowledgement.acknowledge_time", format!("lies in the future; it is now {}", tx.now())));
    }
    if at.zip(found.approve_time).is_some_and(|(at, sent)| at + TOLERANCE < sent) {
        return Err(Error::invalid("acknowledgement.acknowledge_time", "lies before the notification was sent"));
    }
    let given = Acknowledgement { notification: found.name.clone(), ..given.clone() };
    let (by, post) = (given.person.clone(), given.post.clone());
    found.acknowledge(given, true)?;
    let told = Told {
        kind: "notification.acknowledged",
        actor: caller.identity.clone(),
        request_id: request.request_id.clone(),
        zh: format!("{post} {by}已确认(由{}录入)", person(caller)),
        en: format!("Acknowledged by {by} (entered by {})", caller.display_name),
    };
    notification::save(tx, &mut found, told).await?;
    tx.cancel_timers(acknowledge_due::KIND, &found.name).await?;
    Ok(RecordAcknowledgementResponse { notification: Some(answer(tx, service, caller, &found).await?) })
}
