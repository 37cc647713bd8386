//! A signed receipt as `DeliverEnvelopes` answers it and `ReturnReceipts` carries it.

use fenghuo_api::partner::v1::{Outcome, Receipt, SignedReceipt};
use fenghuo_api::time::to_proto;
use fenghuo_durable::sha256;
use fenghuo_edge::signing;
use fenghuo_mailbox::inspect;
use prost::Message;

use crate::{Seed, envelope, fixture, refused};

/// Accepted: the form holds, whatever the signature.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(signed) = SignedReceipt::decode(bytes) else { return false };
    let (receipt, stream) = match inspect::receipt(&signed) {
        Ok(opened) => opened,
        Err(error) => return refused(error),
    };
    assert_eq!(receipt.stream.as_ref(), Some(&stream));
    assert_ne!(receipt.outcome(), Outcome::Unspecified);
    assert!(receipt.reason.len() <= 200);
    assert_eq!(Receipt::decode(receipt.encode_to_vec().as_slice()).unwrap(), receipt);
    if let Err(error) = signing::verify_receipt(&fixture::keys().signing_public_key(), &sha256(&signed.receipt), &signed.signature) {
        assert_eq!(error.reason, "SIGNATURE_INVALID");
        refused(error);
    }
    true
}

/// One of each outcome.
pub fn seeds() -> Vec<Seed> {
    vec![
        ("accepted", signed(Outcome::Accepted, "")),
        ("refused", signed(Outcome::Refused, "NAME_NOT_OF_SENDER")),
        ("not_understood", signed(Outcome::NotUnderstood, "")),
        ("no_outcome", signed(Outcome::Unspecified, "")),
    ]
}

fn signed(outcome: Outcome, reason: &str) -> Vec<u8> {
    let receipt = Receipt {
        stream: Some(envelope::stream()),
        position: 1,
        envelope_digest: vec![9; 32],
        outcome: outcome.into(),
        reason: reason.into(),
        store_time: Some(to_proto(fixture::now())),
    };
    let (bytes, keys) = (receipt.encode_to_vec(), fixture::keys());
    let signature = keys.sign_receipt(&sha256(&bytes)).to_vec();
    SignedReceipt { receipt: bytes, key_id: keys.key_id(), signature }.encode_to_vec()
}
