//! The enrolment bundle as a file: JSON in the protobuf mapping, checked as a whole before anything is believed.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use fenghuo_api::partner::v1::{EnrolmentBundle, SigningKey};
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::{Error, Result, Violation};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};

use crate::certificate;
use crate::keys::ProvinceKeys;
use crate::province_code::check_province_code;
use crate::signing;

/// A bundle file is at most this big.
pub const MAX_BUNDLE_BYTES: usize = 64 * 1024;
/// Names and the telephone are at most so many characters.
const MAX_TEXT_CHARS: usize = 200;
/// What the fingerprint's digest starts with.
const FINGERPRINT_DOMAIN: &[u8] = b"fenghuo.fingerprint.v1\n";

/// The protobuf JSON mapping allows either alphabet, with or without padding, when reading.
pub(crate) const STANDARD: GeneralPurpose = engine(&alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = engine(&alphabet::URL_SAFE);

const fn engine(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    GeneralPurpose::new(alphabet, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent))
}

/// The JSON form. Reading takes the names of the proto file as well, ignores unknown fields (a later version may have more), and
/// treats null as absent.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleJson {
    #[serde(alias = "province_code")]
    province_code: Option<String>,
    #[serde(alias = "display_name")]
    display_name: Option<String>,
    #[serde(alias = "ca_certificate_der")]
    ca_certificate_der: Option<String>,
    #[serde(alias = "signing_key")]
    signing_key: Option<SigningKeyJson>,
    endpoint: Option<String>,
    #[serde(alias = "duty_telephone")]
    duty_telephone: Option<String>,
    #[serde(alias = "create_time")]
    create_time: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SigningKeyJson {
    #[serde(alias = "key_id")]
    key_id: Option<String>,
    #[serde(alias = "public_key")]
    public_key: Option<String>,
}

/// This province's bundle. `endpoint` is empty if the province only pulls.
pub fn own_bundle(keys: &ProvinceKeys, display_name: &str, endpoint: &str, duty_telephone: &str, now: Timestamp) -> EnrolmentBundle {
    if let Err(error) = keys.reload_signing_keys() {
        tracing::warn!(%error, "the folder of keys could not be read again; the bundle names the key known so far");
    }
    EnrolmentBundle {
        province_code: keys.province_code().to_owned(),
        display_name: display_name.to_owned(),
        ca_certificate_der: keys.ca_certificate().to_vec(),
        signing_key: Some(keys.signing_key()),
        endpoint: endpoint.to_owned(),
        duty_telephone: duty_telephone.to_owned(),
        create_time: Some(to_proto(now)),
    }
}

/// The file's text: JSON, indented, with a line end.
pub fn to_json(bundle: &EnrolmentBundle) -> Result<String> {
    let json = BundleJson {
        province_code: Some(bundle.province_code.clone()),
        display_name: Some(bundle.display_name.clone()),
        ca_certificate_der: Some(STANDARD.encode(&bundle.ca_certificate_der)),
        signing_key: bundle
            .signing_key
            .as_ref()
            .map(|key| SigningKeyJson { key_id: Some(key.key_id.clone()), public_key: Some(STANDARD.encode(&key.public_key)) }),
        endpoint: Some(bundle.endpoint.clone()),
        duty_telephone: Some(bundle.duty_telephone.clone()),
        create_time: bundle.create_time.as_ref().and_then(from_proto).map(|time| time.to_string()),
    };
    let text = serde_json::to_string_pretty(&json).map_err(|e| Error::internal("the bundle cannot be written as JSON").caused_by(e))?;
    Ok(text + "\n")
}

/// Reads a bundle file and checks it as a whole: see [`check`]. INVALID_ARGUMENT with every wrong field, the fields named as in
/// the JSON form below `bundle`.
pub fn parse(text: &str, now: Timestamp) -> Result<EnrolmentBundle> {
    if text.len() > MAX_BUNDLE_BYTES {
        return Err(Error::invalid("bundle", format!("is {} bytes long; a bundle has at most {MAX_BUNDLE_BYTES}", text.len())));
    }
    // Some editors put a byte order mark before the text.
    let text = text.trim_start_matches('\u{feff}');
    let json: BundleJson = serde_json::from_str(text).map_err(|e| Error::invalid("bundle", format!("is not the JSON of a bundle: {e}")))?;
    let mut faults = Faults(Vec::new());
    let key = json.signing_key.unwrap_or(SigningKeyJson { key_id: None, public_key: None });
    let bundle = EnrolmentBundle {
        province_code: json.province_code.unwrap_or_default(),
        display_name: json.display_name.unwrap_or_default(),
        ca_certificate_der: faults.bytes("bundle.caCertificateDer", json.ca_certificate_der),
        signing_key: Some(SigningKey {
            key_id: key.key_id.unwrap_or_default(),
            public_key: faults.bytes("bundle.signingKey.publicKey", key.public_key),
        }),
        endpoint: json.endpoint.unwrap_or_default(),
        duty_telephone: json.duty_telephone.unwrap_or_default(),
        create_time: faults.time("bundle.createTime", json.create_time),
    };
    faults.into_result()?;
    check(&bundle, now)?;
    Ok(bundle)
}

/// Checks a bundle as a whole: a province code; names without control characters; a CA certificate that is signed by itself and in force
/// at `now`; a signing key of 32 bytes whose identifier is right; an https endpoint or none; a time of making.
/// INVALID_ARGUMENT with every wrong field.
pub fn check(bundle: &EnrolmentBundle, now: Timestamp) -> Result<()> {
    let mut faults = Faults(Vec::new());
    if let Err(error) = check_province_code("bundle.provinceCode", &bundle.province_code) {
        faults.0.extend(error.violations);
    }
    faults.text("bundle.displayName", &bundle.display_name, true);
    faults.text("bundle.dutyTelephone", &bundle.duty_telephone, false);
    if let Err(what) = certificate::check_ca(&CertificateDer::from(bundle.ca_certificate_der.as_slice()), now) {
        faults.add("bundle.caCertificateDer", what);
    }
    match &bundle.signing_key {
        None => faults.add("bundle.signingKey", "is missing"),
        Some(key) if key.public_key.len() != 32 => {
            faults.add("bundle.signingKey.publicKey", format!("an Ed25519 public key has 32 bytes, this has {}", key.public_key.len()));
        }
        Some(key) if key.key_id != signing::key_id(&key.public_key) => {
            faults.add(
                "bundle.signingKey.keyId",
                format!("does not belong to the public key, whose identifier is {}", signing::key_id(&key.public_key)),
            );
        }
        Some(_) => {}
    }
    if !bundle.endpoint.is_empty()
        && let Err(what) = check_endpoint(&bundle.endpoint)
    {
        faults.add("bundle.endpoint", what);
    }
    if bundle.create_time.as_ref().and_then(from_proto).is_none() {
        faults.add("bundle.createTime", "is missing or impossible");
    }
    faults.into_result()
}

/// What two officers compare by telephone. Precisely: the first 16 bytes of SHA-256 over, one after another, the ASCII bytes
/// "fenghuo.fingerprint.v1\n", the six ASCII digits of `province_code`, `ca_certificate_der`, and the 32 bytes of `signing_key.public_key`;
/// written as 32 lower-case hexadecimal digits in eight groups of four with a space between. 128 bits: to find another bundle with the same
/// fingerprint is out of reach. The definition for others stands at `EnrolmentBundle` in `partner.proto`.
pub fn fingerprint(bundle: &EnrolmentBundle) -> String {
    let key = bundle.signing_key.as_ref().map(|key| key.public_key.as_slice()).unwrap_or_default();
    let digest = signing::sha256(&[FINGERPRINT_DOMAIN, bundle.province_code.as_bytes(), &bundle.ca_certificate_der, key].concat());
    digest[..16].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
}

/// Is `compared` this bundle's fingerprint? Case, spaces and hyphens do not matter; every digit must be there.
pub fn fingerprint_matches(bundle: &EnrolmentBundle, compared: &str) -> bool {
    let digits = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()).collect::<String>();
    digits(compared) == digits(&fingerprint(bundle))
}

/// Refuses what is not an https URL with a host and nothing after the port. In words, what is wrong.
pub(crate) fn check_endpoint(endpoint: &str) -> std::result::Result<http::Uri, String> {
    let uri: http::Uri = endpoint.parse().map_err(|e| format!("is not a URL: {e}"))?;
    let bare = uri.path() == "/" && uri.query().is_none();
    let no_user = uri.authority().is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty());
    if uri.scheme_str() != Some("https") || !bare || !no_user || uri.port_u16() == Some(0) || endpoint.len() > 300 {
        return Err("must look like \"https://host:port\"".to_owned());
    }
    // A host that no certificate can name could be enrolled and never be called.
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    ServerName::try_from(host).map_err(|e| format!("host \"{host}\": {e}"))?;
    Ok(uri)
}

struct Faults(Vec<Violation>);

impl Faults {
    fn add(&mut self, field: &str, description: impl Into<String>) {
        self.0.push(Violation { field: field.to_owned(), description: description.into() });
    }

    fn bytes(&mut self, field: &str, text: Option<String>) -> Vec<u8> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            self.add(field, "is missing");
            return Vec::new();
        };
        STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text)).unwrap_or_else(|e| {
            self.add(field, format!("is not base64: {e}"));
            Vec::new()
        })
    }

    fn time(&mut self, field: &str, text: Option<String>) -> Option<prost_types::Timestamp> {
        let text = text?;
        match text.parse::<Timestamp>() {
            Ok(time) => Some(to_proto(time)),
            Err(e) => {
                self.add(field, format!("is not a time like \"2026-11-23T03:00:00Z\": {e}"));
                None
            }
        }
    }

    fn text(&mut self, field: &str, text: &str, required: bool) {
        if required && text.trim().is_empty() {
            self.add(field, "is missing");
        } else if text.chars().any(char::is_control) || text.chars().count() > MAX_TEXT_CHARS {
            self.add(field, format!("must be at most {MAX_TEXT_CHARS} characters without control characters"));
        }
    }

    fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid_fields(self.0)) }
    }
}
