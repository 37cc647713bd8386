//! TLS between provinces: a leaf is believed if it chains to the authority pinned for exactly the province that it states.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::{Error, Result, wall};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, OtherError, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::certificate::{self, Leaf};
use crate::keys::ProvinceKeys;
use crate::trust::{PartnerTrust, Pinned};

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A leaf as rustls presents it.
pub(crate) fn certified(leaf: Leaf) -> Result<Arc<CertifiedKey>> {
    let key = rustls::crypto::ring::sign::any_supported_type(&leaf.private_key)
        .map_err(|e| Error::internal("the TLS key cannot be used").caused_by(e))?;
    Ok(Arc::new(CertifiedKey::new(vec![leaf.certificate], key)))
}

/// TLS for our partner listener: the caller must present a leaf of an enrolled province.
pub fn partner_server_config(keys: Arc<ProvinceKeys>, trust: Arc<PartnerTrust>) -> Result<Arc<ServerConfig>> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WallTime))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::internal("TLS cannot be set up").caused_by(e))?
        .with_client_cert_verifier(Arc::new(PinnedVerifier::new(trust, None)))
        .with_cert_resolver(Arc::new(OwnLeaf(keys)));
    // A resumed session would skip the check against the pins, which may have changed since.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// TLS for calls to one partner: the server must present a leaf of exactly this province; its host name does not matter.
pub fn partner_client_config(keys: Arc<ProvinceKeys>, trust: Arc<PartnerTrust>, partner_code: &str) -> Result<Arc<ClientConfig>> {
    client_config(Arc::new(OwnLeaf(keys)), trust, partner_code)
}

pub(crate) fn client_config(
    own: Arc<dyn rustls::client::ResolvesClientCert>,
    trust: Arc<PartnerTrust>,
    partner_code: &str,
) -> Result<Arc<ClientConfig>> {
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(WallTime))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::internal("TLS cannot be set up").caused_by(e))?
        .dangerous() // Not without a check: with our own, by the pinned authority instead of by host name.
        .with_custom_certificate_verifier(Arc::new(PinnedVerifier::new(trust, Some(partner_code.to_owned()))))
        .with_client_cert_resolver(own);
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// TLS for the console listener, for people and programs that sign in: our leaf, no certificate asked for.
pub fn console_server_config(keys: Arc<ProvinceKeys>) -> Result<Arc<ServerConfig>> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WallTime))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::internal("TLS cannot be set up").caused_by(e))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(OwnLeaf(keys)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Gives rustls the one wall clock.
#[derive(Debug)]
struct WallTime;

impl TimeProvider for WallTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(wall::now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Presents our leaf, the present one at each handshake.
#[derive(Debug)]
struct OwnLeaf(Arc<ProvinceKeys>);

impl ResolvesServerCert for OwnLeaf {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.leaf(wall::now()))
    }
}

impl rustls::client::ResolvesClientCert for OwnLeaf {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.leaf(wall::now()))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Why a leaf was refused, in words, for the log of the side that refuses.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

fn refused(why: impl Into<String>) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Refused(why.into())))))
}

/// Verifies the leaf of the other side against the pins, as a server (any enrolled province) or as a client (one province).
#[derive(Debug)]
struct PinnedVerifier {
    trust: Arc<PartnerTrust>,
    expected: Option<String>,
    provider: Arc<CryptoProvider>,
}

impl PinnedVerifier {
    fn new(trust: Arc<PartnerTrust>, expected: Option<String>) -> Self {
        Self { trust, expected, provider: provider() }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        check_chain: impl Fn(&Pinned) -> std::result::Result<(), rustls::Error>,
    ) -> std::result::Result<(), rustls::Error> {
        let stated = certificate::stated_province(leaf).map_err(refused)?;
        if let Some(expected) = self.expected.as_ref().filter(|expected| **expected != stated) {
            return Err(refused(format!("province {expected} was called, and the server's certificate states {stated}")));
        }
        let Some(pinned) = self.trust.pinned(&stated) else {
            return Err(refused(format!("the certificate states province {stated}, which is not enrolled here")));
        };
        let Err(error) = check_chain(&pinned) else { return Ok(()) };
        let signer = self.trust.others(&stated).into_iter().find(|(_, other)| check_chain(other).is_ok());
        Err(refused(match signer {
            Some((code, _)) => format!("the certificate states province {stated}, and was signed by the authority of {code}"),
            None => format!("the certificate states province {stated}, and does not chain to its pinned authority: {error}"),
        }))
    }
}

impl ClientCertVerifier for PinnedVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[] // No hint: the list of our partners is nobody's business, and it changes.
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        self.check(leaf, |pinned| pinned.client_verifier.verify_client_cert(leaf, intermediates, now).map(|_| ()))?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(leaf)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        self.check(leaf, |pinned| verify_server_cert_signed_by_trust_anchor(&parsed, &pinned.roots, intermediates, now, algorithms))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The check of our partner listener by itself.
#[cfg(test)]
pub(crate) fn verifier_for_test(trust: Arc<PartnerTrust>) -> impl ClientCertVerifier {
    PinnedVerifier::new(trust, None)
}
