//! `BeginNewEpoch`: two offices agreed by telephone that a stream which has diverged goes on anew.

use fenghuo_api::notification::v1::{BeginNewEpochRequest, BeginNewEpochResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Error, NewEvent, RequestKey, Result, Tx};
use fenghuo_edge::Caller;

use crate::domain::Mode;
use crate::service::Service;

const METHOD: &str = "/fenghuo.notification.v1.PartnerDirectoryService/BeginNewEpoch";

pub(super) async fn handle(service: &Service, caller: &Caller, request: BeginNewEpochRequest) -> Result<BeginNewEpochResponse> {
    caller.require_for(METHOD, service.province_code(), "partner directory")?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let mut faults = Faults::default();
    faults.required_line("reason", &request.reason);
    faults.done()?;
    if service.0.directory.existing(&request.province_code)?.mode == Mode::Letter {
        return Err(Error::precondition("PARTNER_HAS_NO_NODE", "this partner gets letters; there is no stream to it"));
    }
    let space = service.space(caller)?;
    let context = (service.clone(), caller.clone(), request);
    space.db().write_once(key, context, |(service, caller, request), tx| Box::pin(write(tx, service, caller, request))).await
}

async fn write(tx: &mut Tx, service: &Service, caller: &Caller, request: &BeginNewEpochRequest) -> Result<BeginNewEpochResponse> {
    let (us, them) = (service.province_code(), request.province_code.as_str());
    let epoch = service.0.mailbox.begin_new_epoch(tx, caller.space()?, them, &request.signing_key_id).await?;
    tx.append(NewEvent {
        service: "notification",
        kind: "partner.epoch_begun",
        subject: format!("provinces/{us}/partners/{them}/epochs/{epoch}"),
        revision: 1,
        admin_code: us.to_owned(),
        actor: caller.identity.clone(),
        request_id: request.request_id.clone(),
        payload: serde_json::json!({ "partner": them, "epoch": epoch, "reason": request.reason }).to_string(),
        text_zh: format!("发往 {them} 的信道另起第 {epoch} 期:{}", request.reason.trim()),
        text_en: format!("Epoch {epoch} of the stream to {them} begins by decision"),
        record: epoch.to_string().into_bytes(),
        private: None,
    })
    .await?;
    Ok(BeginNewEpochResponse { epoch })
}
