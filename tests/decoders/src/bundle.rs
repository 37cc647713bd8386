//! The enrolment bundle's JSON, which a person imports.

use fenghuo_edge::bundle::{MAX_BUNDLE_BYTES, fingerprint, fingerprint_matches, own_bundle, parse, to_json};
use fenghuo_edge::{PartnerTrust, partner_channel};

use crate::{Seed, fixture, refused};

/// Accepted: it could be enrolled, and its endpoint could be called.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let bundle = match parse(text, fixture::now()) {
        Ok(bundle) => bundle,
        Err(error) => return refused(error),
    };
    assert!(text.len() <= MAX_BUNDLE_BYTES);
    assert_eq!(parse(&to_json(&bundle).unwrap(), fixture::now()).unwrap(), bundle);
    let print = fingerprint(&bundle);
    assert!(print.len() == 39 && fingerprint_matches(&bundle, &print.to_uppercase().replace(' ', "-")), "{print}");
    assert!(!fingerprint_matches(&bundle, "") && !fingerprint_matches(&bundle, &print[..38]));
    let trust = PartnerTrust::new();
    if let Err(error) = trust.enrol_bundle(&bundle, fixture::now()) {
        return refused(error);
    }
    if !bundle.endpoint.is_empty() {
        let _runtime = runtime().enter();
        partner_channel(fixture::keys(), trust, &bundle.province_code, &bundle.endpoint).unwrap();
    }
    true
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().build().unwrap())
}

/// One that is called, one that pulls, one with the field names of the proto file, and one for another province.
pub fn seeds() -> Vec<Seed> {
    let text = |endpoint: &str| to_json(&own_bundle(&fixture::keys(), "湖北省", endpoint, "027-87167480", fixture::now())).unwrap();
    let called = text("https://fenghuo.hb.example:7420");
    let old_names = called.replace("provinceCode", "province_code").replace("publicKey", "public_key");
    vec![
        ("called", called.clone().into_bytes()),
        ("pulls", text("").into_bytes()),
        ("proto_names", old_names.into_bytes()),
        ("wrong_key", called.replace("\"keyId\": \"", "\"keyId\": \"0").into_bytes()),
    ]
}
