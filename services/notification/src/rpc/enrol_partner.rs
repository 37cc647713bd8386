//! `EnrolPartner`: a neighbour's bundle is believed, because two officers compared its fingerprint by telephone.

use fenghuo_api::notification::v1::{EnrolPartnerRequest, EnrolPartnerResponse, PartnerMode};
use fenghuo_api::partner::v1::EnrolmentBundle;
use fenghuo_durable::{Error, RequestKey, Result, wall};
use fenghuo_edge::{Caller, bundle};
use fenghuo_mailbox::LinkStatus;

use crate::domain::{Mode, Partner};
use crate::service::Service;
use crate::store::partner;
use crate::wire::partner_out;

const METHOD: &str = "/fenghuo.notification.v1.PartnerDirectoryService/EnrolPartner";

pub(super) async fn handle(service: &Service, caller: &Caller, request: EnrolPartnerRequest) -> Result<EnrolPartnerResponse> {
    caller.require_for(METHOD, service.province_code(), "partner directory")?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let given = bundle::parse(&request.bundle_json, wall::now())?;
    if !bundle::fingerprint_matches(&given, &request.fingerprint) {
        let text = "does not belong to this bundle: do not enrol it; telephone the neighbour and compare again";
        let mut error = Error::invalid("fingerprint", text);
        error.reason = "FINGERPRINT_DIFFERS";
        return Err(error);
    }
    if given.province_code == service.province_code() {
        return Err(Error::invalid("bundle.provinceCode", "is that of this province itself; ask the neighbour for its own bundle"));
    }
    let entry = entry_of(service, mode_of(&request, &given)?, &given);
    // An authority that is pinned for another province may not even be written down.
    refuse_authority_of_another(service, &entry)?;
    let context = (service.province_code().to_owned(), entry, caller.identity.clone(), request.request_id.clone());
    let answer = service
        .0
        .node
        .db()
        .write_once(key, context, |(us, entry, actor, request_id), tx| {
            Box::pin(async move {
                let mut entry = entry.clone();
                if let Some(before) = partner::get(tx, &entry.province_code).await? {
                    entry.revision = before.revision;
                    // Old keys verify their positions for ever.
                    let old: Vec<String> =
                        before.signing_keys_hex.into_iter().filter(|key| !entry.signing_keys_hex.contains(key)).collect();
                    entry.signing_keys_hex.extend(old);
                }
                partner::save(tx, us, &mut entry, "partner.enrolled", actor, request_id).await?;
                Ok(EnrolPartnerResponse { partner: Some(partner_out(&entry, &LinkStatus::default(), 0)) })
            })
        })
        .await?;
    service.0.directory.reload().await?;
    Ok(answer)
}

fn mode_of(request: &EnrolPartnerRequest, given: &EnrolmentBundle) -> Result<Mode> {
    match request.mode() {
        PartnerMode::Push => Ok(Mode::Push),
        PartnerMode::Pull if given.endpoint.is_empty() => {
            Err(Error::invalid("mode", "the bundle names no endpoint: this partner calls us, so choose PUSH"))
        }
        PartnerMode::Pull => Ok(Mode::Pull),
        PartnerMode::Letter | PartnerMode::Unspecified => {
            Err(Error::invalid("mode", "must be PUSH (both sides open connections) or PULL (only we do); for letters use AddLetterPartner"))
        }
    }
}

fn entry_of(service: &Service, mode: Mode, given: &EnrolmentBundle) -> Partner {
    Partner {
        name: format!("provinces/{}/partners/{}", service.province_code(), given.province_code),
        revision: 0,
        province_code: given.province_code.clone(),
        display_name: given.display_name.clone(),
        mode,
        endpoint: given.endpoint.clone(),
        fingerprint: bundle::fingerprint(given),
        duty_telephone: given.duty_telephone.clone(),
        ca_certificate_hex: hex::encode(&given.ca_certificate_der),
        signing_keys_hex: given.signing_key.iter().map(|key| hex::encode(&key.public_key)).collect(),
    }
}

fn refuse_authority_of_another(service: &Service, entry: &Partner) -> Result<()> {
    let same = |one: &Partner| one.province_code != entry.province_code && one.ca_certificate_hex == entry.ca_certificate_hex;
    match service.0.directory.all().into_iter().find(same) {
        None => Ok(()),
        Some(other) => Err(Error::precondition(
            "CA_OF_ANOTHER",
            format!("this authority is that of province {}; it cannot also stand for {}", other.province_code, entry.province_code),
        )),
    }
}
