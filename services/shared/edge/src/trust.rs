//! Whom we trust: for each enrolled province its authority and its signing keys, changeable while the node runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenghuo_api::partner::v1::EnrolmentBundle;
use fenghuo_durable::{Code, Error, Result};
use jiff::Timestamp;
use parking_lot::RwLock;
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;

use crate::certificate;
use crate::province_code::check_province_code;
use crate::signing;

/// What is pinned of one partner.
pub(crate) struct Pinned {
    pub(crate) ca: CertificateDer<'static>,
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) client_verifier: Arc<dyn ClientCertVerifier>,
    signing_keys: BTreeMap<String, Vec<u8>>,
}

/// The partners that are trusted now. Shared by the listener, the channels and the mailbox; lives as long as the node.
#[derive(Default)]
pub struct PartnerTrust {
    partners: RwLock<BTreeMap<String, Arc<Pinned>>>,
}

impl std::fmt::Debug for PartnerTrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.province_codes()).finish()
    }
}

impl PartnerTrust {
    /// Nobody is trusted yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Enrols a province or replaces all that was pinned of it. `signing_keys` are public keys of 32 bytes: the present one, and
    /// the old ones, which verify their positions for ever.
    ///
    /// Refuses (INVALID_ARGUMENT) a certificate that cannot be pinned at `now`, and (FAILED_PRECONDITION, reason CA_OF_ANOTHER)
    /// an authority that is already pinned for another province.
    pub fn enrol(&self, province_code: &str, ca_der: &[u8], signing_keys: &[Vec<u8>], now: Timestamp) -> Result<()> {
        check_province_code("province_code", province_code)?;
        let ca = CertificateDer::from(ca_der.to_vec());
        certificate::check_ca(&ca, now).map_err(|what| Error::invalid("ca_certificate_der", what))?;
        let mut keys = BTreeMap::new();
        for key in signing_keys {
            check_signing_key(key)?;
            keys.insert(signing::key_id(key), key.clone());
        }
        let pinned = Arc::new(Pinned::new(ca, keys)?);
        let mut partners = self.partners.write();
        check_not_of_another(&partners, province_code, &pinned.ca)?;
        partners.insert(province_code.to_owned(), pinned);
        Ok(())
    }

    /// Enrols or replaces a province by its checked bundle (see `bundle::parse`).
    pub fn enrol_bundle(&self, bundle: &EnrolmentBundle, now: Timestamp) -> Result<()> {
        let keys: Vec<Vec<u8>> = bundle.signing_key.iter().map(|key| key.public_key.clone()).collect();
        self.enrol(&bundle.province_code, &bundle.ca_certificate_der, &keys, now)
    }

    /// Adds a signing key that the province announced in its stream; the earlier ones stay.
    pub fn add_signing_key(&self, province_code: &str, public_key: &[u8]) -> Result<()> {
        check_signing_key(public_key)?;
        let mut partners = self.partners.write();
        let Some(pinned) = partners.get(province_code) else { return Err(not_enrolled(province_code)) };
        let mut signing_keys = pinned.signing_keys.clone();
        signing_keys.insert(signing::key_id(public_key), public_key.to_vec());
        let replaced =
            Pinned { ca: pinned.ca.clone(), roots: pinned.roots.clone(), client_verifier: pinned.client_verifier.clone(), signing_keys };
        partners.insert(province_code.to_owned(), Arc::new(replaced));
        Ok(())
    }

    /// Trusts this province no more. Open connections of it are refused at their next call.
    pub fn remove(&self, province_code: &str) {
        self.partners.write().remove(province_code);
    }

    /// Codes of the provinces that are trusted now, in order.
    pub fn province_codes(&self) -> Vec<String> {
        self.partners.read().keys().cloned().collect()
    }

    /// A public signing key of a province by its identifier.
    pub fn signing_key(&self, province_code: &str, key_id: &str) -> Option<Vec<u8>> {
        self.partners.read().get(province_code)?.signing_keys.get(key_id).cloned()
    }

    /// Checks that a province signed an envelope with one of its keys. INVALID_ARGUMENT with reason SIGNING_KEY_UNKNOWN or
    /// SIGNATURE_INVALID.
    pub fn verify_envelope(&self, province_code: &str, key_id: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
        signing::verify_envelope(&self.known_key(province_code, key_id)?, digest, signature)
    }

    /// Checks that a province signed a receipt with one of its keys. INVALID_ARGUMENT with reason SIGNING_KEY_UNKNOWN or
    /// SIGNATURE_INVALID.
    pub fn verify_receipt(&self, province_code: &str, key_id: &str, digest: &[u8; 32], signature: &[u8]) -> Result<()> {
        signing::verify_receipt(&self.known_key(province_code, key_id)?, digest, signature)
    }

    fn known_key(&self, province_code: &str, key_id: &str) -> Result<Vec<u8>> {
        self.signing_key(province_code, key_id).ok_or_else(|| {
            let shown: String = key_id.chars().take(32).collect();
            let text = format!("province {province_code} has no signing key \"{shown}\" here; after a lost key it must be enrolled anew");
            Error::new(Code::InvalidArgument, "SIGNING_KEY_UNKNOWN", text).with("keyId", shown)
        })
    }

    pub(crate) fn pinned(&self, province_code: &str) -> Option<Arc<Pinned>> {
        self.partners.read().get(province_code).cloned()
    }

    /// All pins but that of one province: only to say in an error whose authority it was.
    pub(crate) fn others(&self, province_code: &str) -> Vec<(String, Arc<Pinned>)> {
        self.partners
            .read()
            .iter()
            .filter(|(code, _)| *code != province_code)
            .map(|(code, pinned)| (code.clone(), pinned.clone()))
            .collect()
    }

    /// SHA-256 of the authority that is pinned for a province now.
    pub(crate) fn ca_digest(&self, province_code: &str) -> Option<[u8; 32]> {
        self.pinned(province_code).map(|pinned| signing::sha256(&pinned.ca))
    }
}

impl Pinned {
    fn new(ca: CertificateDer<'static>, signing_keys: BTreeMap<String, Vec<u8>>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone()).map_err(|e| Error::invalid("ca_certificate_der", format!("cannot be used as an authority: {e}")))?;
        let roots = Arc::new(roots);
        let client_verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), crate::tls::provider())
            .build()
            .map_err(|e| Error::invalid("ca_certificate_der", format!("cannot be used as an authority: {e}")))?;
        Ok(Self { ca, roots, client_verifier, signing_keys })
    }
}

fn check_signing_key(public_key: &[u8]) -> Result<()> {
    if public_key.len() == 32 {
        return Ok(());
    }
    Err(Error::invalid("signing_key.public_key", format!("an Ed25519 public key has 32 bytes, this has {}", public_key.len())))
}

fn check_not_of_another(partners: &BTreeMap<String, Arc<Pinned>>, province_code: &str, ca: &CertificateDer<'_>) -> Result<()> {
    let key = certificate::public_key_info(ca).map_err(Error::internal)?;
    let other =
        partners.iter().find(|(code, pinned)| *code != province_code && certificate::public_key_info(&pinned.ca).is_ok_and(|k| k == key));
    match other {
        None => Ok(()),
        Some((code, _)) => Err(Error::precondition(
            "CA_OF_ANOTHER",
            format!("this authority is that of province {code}; it cannot also stand for {province_code}"),
        )),
    }
}

pub(crate) fn not_enrolled(province_code: &str) -> Error {
    Error::precondition("PARTNER_NOT_ENROLLED", format!("province {province_code} is not enrolled here"))
        .with("provinceCode", province_code)
}
