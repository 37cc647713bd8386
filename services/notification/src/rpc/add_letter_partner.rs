//! `AddLetterPartner`: a neighbour without a node gets numbered letters.

use fenghuo_api::notification::v1::{AddLetterPartnerRequest, AddLetterPartnerResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Code, Error, RequestKey, Result};
use fenghuo_edge::Caller;
use fenghuo_edge::province_code::check_province_code;
use fenghuo_mailbox::LinkStatus;

use crate::domain::{Mode, Partner};
use crate::service::Service;
use crate::store::partner;
use crate::wire::partner_out;

const METHOD: &str = "/fenghuo.notification.v1.PartnerDirectoryService/AddLetterPartner";

pub(super) async fn handle(service: &Service, caller: &Caller, request: AddLetterPartnerRequest) -> Result<AddLetterPartnerResponse> {
    caller.require_for(METHOD, service.province_code(), "partner directory")?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    check_province_code("province_code", &request.province_code)?;
    let mut faults = Faults::default();
    faults.required_line("display_name", &request.display_name);
    faults.required_line("duty_telephone", &request.duty_telephone);
    if request.province_code == service.province_code() {
        faults.add("province_code", "is this province itself");
    }
    faults.done()?;
    let entry = Partner {
        name: format!("provinces/{}/partners/{}", service.province_code(), request.province_code),
        revision: 0,
        province_code: request.province_code,
        display_name: request.display_name.trim().to_owned(),
        mode: Mode::Letter,
        endpoint: String::new(),
        fingerprint: String::new(),
        duty_telephone: request.duty_telephone.trim().to_owned(),
        ca_certificate_hex: String::new(),
        signing_keys_hex: Vec::new(),
    };
    let context = (service.province_code().to_owned(), entry, caller.identity.clone(), key.request_id.clone());
    let answer = service
        .0
        .node
        .db()
        .write_once(key, context, |(us, entry, actor, request_id), tx| {
            Box::pin(async move {
                let mut entry = entry.clone();
                if let Some(before) = partner::get(tx, &entry.province_code).await? {
                    // A partner with a node would be cut off by this: that wants its own decision.
                    if before.mode != Mode::Letter {
                        let text = "this province is enrolled with a node; an acknowledgement by telephone is entered by hand beside it";
                        return Err(Error::new(Code::AlreadyExists, "PARTNER_HAS_NODE", text));
                    }
                    entry.revision = before.revision;
                }
                partner::save(tx, us, &mut entry, "partner.letter_added", actor, request_id).await?;
                Ok(AddLetterPartnerResponse { partner: Some(partner_out(&entry, &LinkStatus::default(), 0)) })
            })
        })
        .await?;
    service.0.directory.reload().await?;
    Ok(answer)
}
