//! `GetOwnBundle`: what a partner needs to enrol us.

use fenghuo_api::notification::v1::{GetOwnBundleRequest, GetOwnBundleResponse};
use fenghuo_durable::{Result, wall};
use fenghuo_edge::{Caller, bundle};

use crate::service::Service;

const METHOD: &str = "/fenghuo.notification.v1.PartnerDirectoryService/GetOwnBundle";

pub(super) async fn handle(service: &Service, caller: &Caller, _request: GetOwnBundleRequest) -> Result<GetOwnBundleResponse> {
    caller.require_for(METHOD, service.province_code(), "bundle")?;
    let needs = &service.0;
    let own = bundle::own_bundle(&needs.keys, &needs.display_name, &needs.endpoint, &needs.duty_telephone, wall::now());
    Ok(GetOwnBundleResponse { bundle_json: bundle::to_json(&own)?, fingerprint: bundle::fingerprint(&own), bundle: Some(own) })
}
