//! What the protocol knows of keys: ours sign, the partners' verify.

use std::fmt::Debug;

use fenghuo_api::partner::v1::SigningKey;
use fenghuo_durable::Result;

use crate::machine::Digest;

/// The signing keys of this province: the present one, and those before it.
pub trait OwnKeys: Debug + Send + Sync + 'static {
    /// Our six-digit code.
    fn province_code(&self) -> &str;
    /// The key that a stream begins with.
    fn present(&self) -> SigningKey;
    /// The present key, if the key of this identifier is one of ours that came before it.
    fn successor(&self, key_id: &str) -> Option<SigningKey>;
    /// Signs the digest of an envelope. FAILED_PRECONDITION, reason SIGNING_KEY_LOST, if the private key is not here.
    fn sign_envelope(&self, key_id: &str, digest: &Digest) -> Result<[u8; 64]>;
    /// Signs the digest of a receipt. FAILED_PRECONDITION, reason SIGNING_KEY_LOST, if the private key is not here.
    fn sign_receipt(&self, key_id: &str, digest: &Digest) -> Result<[u8; 64]>;
    /// Checks a signature that one of our keys made under an envelope, now or once.
    fn verify_envelope(&self, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()>;
    /// Checks a signature that one of our keys made under a receipt, now or once.
    fn verify_receipt(&self, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()>;
}

/// The signing keys of the partners.
pub trait Trust: Debug + Send + Sync + 'static {
    /// Is this a key of the province, as far as we believe now?
    fn knows(&self, partner: &str, key_id: &str) -> bool;
    /// Checks that a province signed an envelope. INVALID_ARGUMENT, reason SIGNING_KEY_UNKNOWN or SIGNATURE_INVALID.
    fn verify_envelope(&self, partner: &str, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()>;
    /// Checks that a province signed a receipt. INVALID_ARGUMENT, reason SIGNING_KEY_UNKNOWN or SIGNATURE_INVALID.
    fn verify_receipt(&self, partner: &str, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()>;
    /// Believes a further key that the province announced.
    fn add_signing_key(&self, partner: &str, public_key: &[u8]) -> Result<()>;
}

impl Trust for fenghuo_edge::PartnerTrust {
    fn knows(&self, partner: &str, key_id: &str) -> bool {
        self.signing_key(partner, key_id).is_some()
    }

    fn verify_envelope(&self, partner: &str, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()> {
        fenghuo_edge::PartnerTrust::verify_envelope(self, partner, key_id, digest, signature)
    }

    fn verify_receipt(&self, partner: &str, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()> {
        fenghuo_edge::PartnerTrust::verify_receipt(self, partner, key_id, digest, signature)
    }

    fn add_signing_key(&self, partner: &str, public_key: &[u8]) -> Result<()> {
        fenghuo_edge::PartnerTrust::add_signing_key(self, partner, public_key)
    }
}

impl OwnKeys for fenghuo_edge::ProvinceKeys {
    fn province_code(&self) -> &str {
        fenghuo_edge::ProvinceKeys::province_code(self)
    }

    fn present(&self) -> SigningKey {
        self.signing_key()
    }

    fn successor(&self, key_id: &str) -> Option<SigningKey> {
        fenghuo_edge::ProvinceKeys::successor(self, key_id)
    }

    fn sign_envelope(&self, key_id: &str, digest: &Digest) -> Result<[u8; 64]> {
        self.sign_envelope_with(key_id, digest)
    }

    fn sign_receipt(&self, key_id: &str, digest: &Digest) -> Result<[u8; 64]> {
        self.sign_receipt_with(key_id, digest)
    }

    fn verify_envelope(&self, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()> {
        fenghuo_edge::signing::verify_envelope(&self.public_key(key_id)?, digest, signature)
    }

    fn verify_receipt(&self, key_id: &str, digest: &Digest, signature: &[u8]) -> Result<()> {
        fenghuo_edge::signing::verify_receipt(&self.public_key(key_id)?, digest, signature)
    }
}
