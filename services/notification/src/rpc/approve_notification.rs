//! `ApproveNotification`: the envelope is signed and stands in the stream, or the letter has its number, when the answer comes.

use fenghuo_api::notification::v1::{ApproveNotificationRequest, ApproveNotificationResponse};
use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_durable::{Code, Error, RequestKey, Result, Tx, ahead};
use fenghuo_edge::Caller;
use fenghuo_mailbox::enqueue;
use jiff::SignedDuration;

use super::{answer, authorised, person};
use crate::domain::notification::Approval;
use crate::domain::{Mode, Notification, Partner, StreamPlace, letter};
use crate::reactions::acknowledge_due;
use crate::service::{Service, check_etag};
use crate::store;
use crate::store::notification::{self, Told};

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/ApproveNotification";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ApproveNotificationRequest) -> Result<ApproveNotificationResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    let context = (service.clone(), caller.clone(), request);
    let approve = || {
        let (key, context) = (key.clone(), context.clone());
        ahead(space.db().write_once(key, context, |(service, caller, request), tx| Box::pin(write(tx, service, caller, request))))
    };
    match approve().await {
        Err(error) if error.reason == "PARTNER_NOT_ENROLLED" => {
            // Drafted where the partner was enrolled just now: at another replica.
            service.0.directory.reload().await?;
            approve().await
        }
        outcome => outcome,
    }
}

async fn write(
    tx: &mut Tx,
    service: &Service,
    caller: &Caller,
    request: &ApproveNotificationRequest,
) -> Result<ApproveNotificationResponse> {
    let mut found = authorised(tx, caller, METHOD, &request.name).await?;
    // Art. 8 goes from department to department of the same level: what is signed as the province needs a grant for the province.
    caller.require_for(METHOD, service.province_code(), &request.name).map_err(|_| {
        let text = "a notification to another province is approved by an officer of the province; ask the provincial desk";
        Error::new(Code::PermissionDenied, "PROVINCE_APPROVES", text)
    })?;
    check_etag(&request.etag, &found)?;
    let partner = service.0.directory.existing(&found.partner_code)?;
    let within_s = service.0.acknowledge_within_s;
    let now = tx.now();
    let acknowledge_due = now
        .checked_add(SignedDuration::from_secs(i64::from(within_s)))
        .map_err(|error| Error::internal("the clock is at its end").caused_by(error))?;
    found.approve(&Approval { by: person(caller), at: now, acknowledge_due })?;
    // The law says only "promptly" (及时): how long we wait for a person is our own setting, and the record says so.
    found.why_zh.push_str(&format!("。确认时限{within_s}秒为本节点设置,法规无明文时限"));
    found.why_en.push_str(&format!(". To be acknowledged within {within_s} s: this node's setting, the law gives no figure"));
    send(tx, service, caller, &partner, &mut found).await?;
    let told = Told {
        kind: "notification.approved",
        actor: caller.identity.clone(),
        request_id: request.request_id.clone(),
        zh: format!("签发致{}通报 {}", partner.display_name, found.letter_number).trim_end().to_owned(),
        en: format!("Notification to {} approved {}", partner.province_code, found.letter_number).trim_end().to_owned(),
    };
    notification::save(tx, &mut found, told).await?;
    acknowledge_due::watch(tx, &found).await?;
    Ok(ApproveNotificationResponse { notification: Some(answer(tx, service, caller, &found).await?) })
}

async fn send(tx: &mut Tx, service: &Service, caller: &Caller, partner: &Partner, found: &mut Notification) -> Result<()> {
    if partner.mode == Mode::Letter {
        let now = tx.now();
        let year = letter::year(now);
        found.letter_number = letter::number(year, store::letter::next(tx, year).await?);
        found.letter_text = letter::text(&found.letter_number, &service.0.display_name, &partner.display_name, &found.content, now);
        return Ok(());
    }
    let at = enqueue(tx, &service.signer(caller)?, &partner.province_code, Content::Notification(found.content.clone())).await?;
    found.place = Some(StreamPlace { epoch: at.epoch, position: at.position, digest: hex::encode(at.digest) });
    Ok(())
}
