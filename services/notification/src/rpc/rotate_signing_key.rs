//! `RotateSigningKey`: a new key signs for this province; the old one announces it to every partner.

use fenghuo_api::notification::v1::{RotateSigningKeyRequest, RotateSigningKeyResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{NewEvent, RequestKey, Result, Tx};
use fenghuo_edge::Caller;

use crate::service::Service;

const METHOD: &str = "/fenghuo.notification.v1.PartnerDirectoryService/RotateSigningKey";

pub(super) async fn handle(service: &Service, caller: &Caller, request: RotateSigningKeyRequest) -> Result<RotateSigningKeyResponse> {
    caller.require_for(METHOD, service.province_code(), "signing key")?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let mut faults = Faults::default();
    faults.required_line("reason", &request.reason);
    faults.done()?;
    let context = (service.clone(), caller.identity.clone(), request);
    let written =
        service.0.node.db().write_once(key, context, |(service, actor, request), tx| Box::pin(write(tx, service, actor, request)));
    let answer = written.await?;
    // The request stands. What a crash or an error leaves here, the node finishes by itself.
    if let Err(error) = service.0.mailbox.announce_prepared_key().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the new signing key is not announced everywhere yet; trying again");
        service.0.mailbox.finish_rotation();
    }
    Ok(answer)
}

/// Makes the key, or finds the one of a rotation under way, and writes down who asked for it.
async fn write(tx: &mut Tx, service: &Service, actor: &str, request: &RotateSigningKeyRequest) -> Result<RotateSigningKeyResponse> {
    let key = service.0.keys.prepare_signing_key()?;
    tx.append(NewEvent {
        service: "notification",
        kind: "province.signing_key_rotated",
        subject: format!("provinces/{}/signing-keys/{}/requests/{}", service.province_code(), key.key_id, request.request_id),
        revision: 1,
        admin_code: service.province_code().to_owned(),
        actor: actor.to_owned(),
        request_id: request.request_id.clone(),
        payload: serde_json::json!({ "key_id": key.key_id, "reason": request.reason }).to_string(),
        text_zh: format!("更换本省签名密钥:{}", request.reason.trim()),
        text_en: format!("The signing key of this province is replaced by {}", key.key_id),
        record: key.public_key.clone(),
        private: None,
    })
    .await?;
    Ok(RotateSigningKeyResponse { signing_key: Some(key) })
}
