//! Certificates of a province: its authority (CA), the TLS leaf below it, and what is read from those of others.

use std::net::IpAddr;

use fenghuo_durable::{Error, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

/// What a URI subject alternative name of ours starts with.
const URI_PREFIX: &str = "fenghuo://provinces/";
/// Years that a province's authority lives.
const CA_YEARS: i32 = 10;
/// Years that a leaf lives; it is made anew at each start and, in a node that runs for long, a month before it ends.
const LEAF_YEARS: i32 = 1;

/// A leaf certificate with its private key, for TLS as server and as client.
#[derive(Debug)]
pub struct Leaf {
    /// The certificate; the CA is not part of the chain that is sent, because the other side has it pinned.
    pub certificate: CertificateDer<'static>,
    /// Its key, PKCS #8.
    pub private_key: PrivateKeyDer<'static>,
}

/// The URI that names a province in its certificates.
pub fn province_uri(province_code: &str) -> String {
    format!("{URI_PREFIX}{province_code}")
}

/// Makes the certificate of a province's authority for this key, valid for ten years from the day before `now`.
pub(crate) fn issue_ca(province_code: &str, key: &KeyPair, now: Timestamp) -> Result<CertificateDer<'static>> {
    let mut params = dated(now, CA_YEARS)?;
    params.distinguished_name = named(&format!("Fenghuo CA {province_code}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.subject_alt_names = vec![uri(province_code)?];
    let certificate = params.self_signed(key).map_err(|e| Error::internal("cannot make the CA certificate").caused_by(e))?;
    Ok(certificate.der().clone())
}

/// Makes a leaf for TLS below this authority, stating `province_code` and reachable under `hosts`.
pub(crate) fn issue_leaf(issuer: &Issuer<'_, KeyPair>, province_code: &str, hosts: &[String], now: Timestamp) -> Result<Leaf> {
    let failed = |e: rcgen::Error| Error::internal("cannot make the TLS certificate").caused_by(e);
    let mut params = dated(now, LEAF_YEARS)?;
    params.distinguished_name = named(&format!("Fenghuo node {province_code}"));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = vec![uri(province_code)?];
    for host in hosts {
        params.subject_alt_names.push(host_name(host)?);
    }
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.signed_by(&key, issuer).map_err(failed)?;
    Ok(Leaf { certificate: certificate.der().clone(), private_key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
}

/// Until when a certificate holds.
pub(crate) fn not_after(certificate: &CertificateDer<'_>) -> Result<Timestamp> {
    let parsed = parse(certificate).map_err(Error::internal)?;
    Timestamp::from_second(parsed.validity().not_after.timestamp())
        .map_err(|e| Error::internal("impossible end of a certificate").caused_by(e))
}

/// The province that a certificate states in its URI alternative name. In words, what is wrong if it does not state exactly one.
pub fn stated_province(certificate: &CertificateDer<'_>) -> std::result::Result<String, String> {
    let parsed = parse(certificate)?;
    let names = parsed.subject_alternative_name().map_err(|e| format!("the certificate's alternative names cannot be read: {e}"))?;
    let codes: Vec<&str> = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(URI_PREFIX),
            _ => None,
        })
        .collect();
    match codes.as_slice() {
        [code] if crate::province_code::is_province_code(code) => Ok((*code).to_owned()),
        [code] => Err(format!("the certificate states \"{code}\", which is not a province code")),
        [] => Err(format!("the certificate states no province (no alternative name {URI_PREFIX}{{code}})")),
        _ => Err("the certificate states more than one province".to_owned()),
    }
}

/// Checks that these bytes are a certificate authority that can be pinned at `now`: one X.509 certificate, a CA, signed by
/// itself, and in force. In words, what is wrong.
pub fn check_ca(ca: &CertificateDer<'_>, now: Timestamp) -> std::result::Result<(), String> {
    let parsed = parse(ca)?;
    let is_ca = parsed
        .basic_constraints()
        .map_err(|e| format!("the certificate's basic constraints cannot be read: {e}"))?
        .is_some_and(|constraints| constraints.value.ca);
    if !is_ca {
        return Err("the certificate is not that of an authority (basic constraints without CA)".to_owned());
    }
    let may_sign = parsed.key_usage().map_err(|e| format!("the certificate's key usage cannot be read: {e}"))?;
    if may_sign.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err("the authority's key may not sign certificates (key usage without keyCertSign)".to_owned());
    }
    if parsed.issuer() != parsed.subject() || parsed.verify_signature(None).is_err() {
        return Err("the CA certificate is not signed by itself".to_owned());
    }
    let (from, until) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
    if now.as_second() < from {
        return Err(format!("the CA certificate is not valid before {}", shown(from)));
    }
    if now.as_second() > until {
        return Err(format!("the CA certificate expired at {}", shown(until)));
    }
    Ok(())
}

/// The authority's public key (SubjectPublicKeyInfo), to tell whether two certificates are of one authority.
pub(crate) fn public_key_info(certificate: &CertificateDer<'_>) -> std::result::Result<Vec<u8>, String> {
    Ok(parse(certificate)?.public_key().raw.to_vec())
}

/// Does the authority sign as this province? Only our own certificates state it.
pub(crate) fn states_province(certificate: &CertificateDer<'_>, province_code: &str) -> bool {
    stated_province(certificate).is_ok_and(|stated| stated == province_code)
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> std::result::Result<X509Certificate<'a>, String> {
    let (rest, parsed) = X509Certificate::from_der(certificate).map_err(|e| format!("this is not an X.509 certificate in DER: {e}"))?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow the certificate", rest.len()));
    }
    for extension in parsed.extensions() {
        if let ParsedExtension::ParseError { error } = extension.parsed_extension() {
            return Err(format!("the certificate's extension {} cannot be read: {error}", extension.oid));
        }
    }
    Ok(parsed)
}

fn dated(now: Timestamp, years: i32) -> Result<CertificateParams> {
    let today = TimeZone::UTC.to_datetime(now).date();
    // A day earlier than today: the partner's clock may be behind ours.
    let from = today.yesterday().map_err(|e| Error::internal("impossible wall time").caused_by(e))?;
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(from.year().into(), from.month().unsigned_abs(), from.day().unsigned_abs());
    // The 29th of February has no like in most years.
    let end_day = today.day().unsigned_abs().min(28);
    params.not_after = rcgen::date_time_ymd(i32::from(today.year()) + years, today.month().unsigned_abs(), end_day);
    Ok(params)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn uri(province_code: &str) -> Result<SanType> {
    let uri = province_uri(province_code);
    uri.try_into().map(SanType::URI).map_err(|e| Error::invalid("province_code", format!("cannot stand in a certificate: {e}")))
}

fn host_name(host: &str) -> Result<SanType> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    host.try_into().map(SanType::DnsName).map_err(|e| Error::invalid("partner_endpoint", format!("host \"{host}\": {e}")))
}

fn shown(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| second.to_string(), |time| time.to_string())
}
