//! Signatures of envelopes and receipts, exactly as the head of `proto/fenghuo/partner/v1/partner.proto` defines them.

pub use fenghuo_durable::sha256;
use fenghuo_durable::{Code, Error, Result};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

/// What stands before the digest of an envelope, so that a signature for one purpose can never serve another.
pub const ENVELOPE_DOMAIN: &[u8] = b"fenghuo.envelope.v1\n";
/// What stands before the digest of a receipt.
pub const RECEIPT_DOMAIN: &[u8] = b"fenghuo.receipt.v1\n";

/// Identifier of a signing key: the first 16 hexadecimal digits, lower case, of the SHA-256 of its 32 public bytes.
pub fn key_id(public_key: &[u8]) -> String {
    let mut id = hex::encode(sha256(public_key));
    id.truncate(16);
    id
}

/// Ed25519 over the domain and the digest.
pub(crate) fn sign(key: &Ed25519KeyPair, domain: &[u8], digest: &[u8; 32]) -> [u8; 64] {
    let mut out = [0; 64];
    out.copy_from_slice(key.sign(&[domain, digest].concat()).as_ref());
    out
}

/// Checks the signature of an envelope: `digest` is the SHA-256 over the bytes of `SignedEnvelope.envelope`.
/// INVALID_ARGUMENT, reason SIGNATURE_INVALID, if it does not hold.
pub fn verify_envelope(public_key: &[u8], digest: &[u8; 32], signature: &[u8]) -> Result<()> {
    verify("envelope", ENVELOPE_DOMAIN, public_key, digest, signature)
}

/// Checks the signature of a receipt: `digest` is the SHA-256 over the bytes of `SignedReceipt.receipt`.
/// INVALID_ARGUMENT, reason SIGNATURE_INVALID, if it does not hold.
pub fn verify_receipt(public_key: &[u8], digest: &[u8; 32], signature: &[u8]) -> Result<()> {
    verify("receipt", RECEIPT_DOMAIN, public_key, digest, signature)
}

fn verify(what: &str, domain: &[u8], public_key: &[u8], digest: &[u8; 32], signature: &[u8]) -> Result<()> {
    UnparsedPublicKey::new(&ED25519, public_key).verify(&[domain, digest].concat(), signature).map_err(|_| {
        Error::new(
            Code::InvalidArgument,
            "SIGNATURE_INVALID",
            format!("the {what} was altered, or not signed by key {}", key_id(public_key)),
        )
        .with("keyId", key_id(public_key))
    })
}
