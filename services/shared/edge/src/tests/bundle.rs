use base64::Engine;
use fenghuo_api::partner::v1::EnrolmentBundle;
use fenghuo_durable::{Code, wall};

use crate::bundle::{MAX_BUNDLE_BYTES, check, fingerprint, fingerprint_matches, own_bundle, parse, to_json};
use crate::signing::{key_id, sha256};
use crate::testing::forge_leaf;
use crate::trust::PartnerTrust;

fn bundle() -> EnrolmentBundle {
    let (keys, _dir) = super::keys("420000");
    own_bundle(&keys, "湖北省", "https://127.0.0.1:7420", "027-87167480", wall::now())
}

fn faulty_field(bundle: &EnrolmentBundle) -> String {
    let error = check(bundle, wall::now()).unwrap_err();
    assert_eq!((error.code, error.violations.len()), (Code::InvalidArgument, 1), "{error}");
    error.violations[0].field.clone()
}

#[test]
fn a_bundle_survives_its_file() {
    let bundle = bundle();
    let text = to_json(&bundle).unwrap();
    assert_eq!(parse(&text, wall::now()).unwrap(), bundle);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["provinceCode"], "420000");
    assert_eq!(json["signingKey"]["keyId"], bundle.signing_key.as_ref().unwrap().key_id);
    let ca = base64::engine::general_purpose::STANDARD.decode(json["caCertificateDer"].as_str().unwrap()).unwrap();
    assert_eq!(ca, bundle.ca_certificate_der);
}

#[test]
fn other_spellings_of_the_protobuf_mapping_are_read() {
    let bundle = bundle();
    let text = to_json(&bundle).unwrap();
    let by_proto_names =
        text.replace("provinceCode", "province_code").replace("publicKey", "public_key").replace("createTime", "create_time");
    assert_eq!(parse(&by_proto_names, wall::now()).unwrap(), bundle);
    let key = &bundle.signing_key.as_ref().unwrap().public_key;
    let padded = base64::engine::general_purpose::STANDARD.encode(key);
    let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key);
    assert_eq!(parse(&text.replace(&padded, &url_safe), wall::now()).unwrap(), bundle);
    assert_eq!(parse(&text.replacen('{', "{\"later\": [1], ", 1), wall::now()).unwrap(), bundle);
    assert_eq!(parse(&format!("\u{feff}{text}"), wall::now()).unwrap(), bundle);
}

#[test]
fn each_wrong_field_is_named() {
    let good = bundle();
    check(&good, wall::now()).unwrap();
    let with = |change: fn(&mut EnrolmentBundle)| {
        let mut bundle = good.clone();
        change(&mut bundle);
        faulty_field(&bundle)
    };
    assert_eq!(with(|b| b.province_code = "42".into()), "bundle.provinceCode");
    assert_eq!(with(|b| b.display_name = " ".into()), "bundle.displayName");
    assert_eq!(with(|b| b.duty_telephone = "1\u{0}2".into()), "bundle.dutyTelephone");
    assert_eq!(with(|b| b.endpoint = "http://127.0.0.1:7420".into()), "bundle.endpoint");
    assert_eq!(with(|b| b.endpoint = "https://user@host:1/path".into()), "bundle.endpoint");
    assert_eq!(with(|b| b.create_time = None), "bundle.createTime");
    assert_eq!(with(|b| b.signing_key = None), "bundle.signingKey");
    assert_eq!(with(|b| b.signing_key.as_mut().unwrap().key_id = "0123456789abcdef".into()), "bundle.signingKey.keyId");
    assert_eq!(with(|b| b.signing_key.as_mut().unwrap().public_key.truncate(31)), "bundle.signingKey.publicKey");
    assert_eq!(with(|b| b.ca_certificate_der.push(0)), "bundle.caCertificateDer");
    assert_eq!(with(|b| b.ca_certificate_der.clear()), "bundle.caCertificateDer");
    // One flipped bit anywhere in the signed part breaks the authority's own signature.
    assert_eq!(with(|b| b.ca_certificate_der[60] ^= 1), "bundle.caCertificateDer");
    let mut pulls_only = good.clone();
    pulls_only.endpoint.clear();
    check(&pulls_only, wall::now()).unwrap();
}

#[test]
fn a_leaf_is_no_authority() {
    let (keys, _dir) = super::keys("420000");
    let leaf = forge_leaf(&keys, "420000", wall::now()).unwrap();
    let mut bundle = bundle();
    bundle.ca_certificate_der = leaf.certificate.to_vec();
    assert_eq!(faulty_field(&bundle), "bundle.caCertificateDer");
}

#[test]
fn what_is_not_a_bundle_is_refused_precisely() {
    let refused = |text: &str| parse(text, wall::now()).unwrap_err().message;
    assert!(refused("").contains("not the JSON of a bundle"));
    assert!(refused("[]").contains("not the JSON of a bundle"));
    assert!(refused("{}").contains("bundle.caCertificateDer: is missing"));
    assert!(refused(&" ".repeat(MAX_BUNDLE_BYTES + 1)).contains("65537 bytes"));
    let deep = "[".repeat(60_000);
    assert!(refused(&format!("{{\"later\": {deep}")).contains("not the JSON of a bundle"));
    let text = to_json(&bundle()).unwrap();
    let key = bundle().signing_key.unwrap().key_id;
    let start = text.find("\"keyId\"").unwrap();
    assert!(!key.is_empty() && start > 0);
    assert!(refused(&text.replace("\"publicKey\": \"", "\"publicKey\": \"*")).contains("bundle.signingKey.publicKey: is not base64"));
}

#[test]
fn the_fingerprint_is_what_the_contract_says_and_changes_with_each_part() {
    let bundle = bundle();
    let key = bundle.signing_key.clone().unwrap();
    // Written out from partner.proto, as another province would.
    let bytes = [b"fenghuo.fingerprint.v1\n420000".as_slice(), &bundle.ca_certificate_der, &key.public_key].concat();
    let hex = hex::encode(&sha256(&bytes)[..16]);
    let shown = fingerprint(&bundle);
    assert_eq!(shown.len(), 39);
    assert_eq!(shown.replace(' ', ""), hex);
    assert!(fingerprint_matches(&bundle, &shown.to_uppercase().replace(' ', "-")));
    assert!(!fingerprint_matches(&bundle, &shown[..38]));
    assert!(!fingerprint_matches(&bundle, ""));

    let mut other = bundle.clone();
    other.province_code = "430000".into();
    assert_ne!(fingerprint(&other), shown);
    let mut other = bundle.clone();
    other.ca_certificate_der[0] ^= 1;
    assert_ne!(fingerprint(&other), shown);
    let mut other = bundle;
    other.signing_key.as_mut().unwrap().public_key[31] ^= 1;
    assert_ne!(fingerprint(&other), shown);
}

#[test]
fn an_authority_stands_for_one_province_only() {
    let trust = PartnerTrust::new();
    let bundle = bundle();
    trust.enrol_bundle(&bundle, wall::now()).unwrap();
    let mut claimed = bundle.clone();
    claimed.province_code = "430000".into();
    assert_eq!(trust.enrol_bundle(&claimed, wall::now()).unwrap_err().reason, "CA_OF_ANOTHER");
    assert_eq!(trust.province_codes(), ["420000"]);
    trust.enrol_bundle(&bundle, wall::now()).unwrap();
}

#[test]
fn an_announced_key_joins_the_old_one_and_strangers_keys_are_unknown() {
    let trust = PartnerTrust::new();
    let (old, _a) = super::keys("420000");
    let (new, _b) = super::keys("420000");
    trust.enrol("420000", old.ca_certificate(), &[old.signing_public_key().to_vec()], wall::now()).unwrap();
    let digest = sha256(b"x");
    let unknown = trust.verify_envelope("420000", &new.key_id(), &digest, &new.sign_envelope(&digest)).unwrap_err();
    assert_eq!(unknown.reason, "SIGNING_KEY_UNKNOWN");
    trust.add_signing_key("420000", &new.signing_public_key()).unwrap();
    trust.verify_envelope("420000", &new.key_id(), &digest, &new.sign_envelope(&digest)).unwrap();
    trust.verify_receipt("420000", &old.key_id(), &digest, &old.sign_receipt(&digest)).unwrap();
    assert_eq!(
        trust.verify_envelope("420000", &old.key_id(), &digest, &new.sign_envelope(&digest)).unwrap_err().reason,
        "SIGNATURE_INVALID"
    );
    assert_eq!(trust.signing_key("420000", &key_id(&new.signing_public_key())).unwrap(), new.signing_public_key());
    trust.remove("420000");
    assert_eq!(trust.add_signing_key("420000", &new.signing_public_key()).unwrap_err().reason, "PARTNER_NOT_ENROLLED");
}
