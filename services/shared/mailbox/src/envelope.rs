//! Envelopes and receipts as bytes: made, signed, opened. What was signed is never serialised again.

use std::sync::Arc;

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Envelope, Outcome, Receipt, SignedEnvelope, SignedReceipt, StreamId};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Error, Result, SpaceId, sha256};
use jiff::Timestamp;
use prost::Message;

use crate::core::OwnKeys;
use crate::inbox::Judgement;
use crate::machine::{Digest, MAX_ENVELOPE_BYTES, Offered};

/// Who signs, and in which space: what a writer of envelopes needs.
#[derive(Debug, Clone)]
pub struct SpaceKeys {
    /// The province's keys.
    pub keys: Arc<dyn OwnKeys>,
    /// The space of the transaction.
    pub space: SpaceId,
}

/// An envelope of ours, as the [`crate::Inbox`] is told of it when its receipt comes.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The partner that it went to.
    pub partner: String,
    /// Decoded.
    pub envelope: Envelope,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// It was fetched back after a restore: our own records of it may be missing.
    pub recovered: bool,
}

/// A word for the kind of a content, for people who look at the tables.
pub fn kind_of(content: Option<&Content>) -> &'static str {
    match content {
        Some(Content::Notification(_)) => "notification",
        Some(Content::Acknowledgement(_)) => "acknowledgement",
        Some(Content::KeyAnnouncement(_)) => "key_announcement",
        Some(Content::ChainHead(_)) => "chain_head",
        None => "unknown",
    }
}

/// Signs an envelope of ours with one of our keys. RESOURCE_EXHAUSTED, reason ENVELOPE_TOO_LARGE, over 256 KiB.
pub(crate) fn seal(keys: &dyn OwnKeys, key_id: &str, envelope: &Envelope) -> Result<(SignedEnvelope, Digest)> {
    let bytes = envelope.encode_to_vec();
    check_size(bytes.len())?;
    let digest = sha256(&bytes);
    let signature = keys.sign_envelope(key_id, &digest)?.to_vec();
    Ok((SignedEnvelope { envelope: bytes, key_id: key_id.to_owned(), signature }, digest))
}

/// Refuses an envelope over 256 KiB.
pub(crate) fn check_size(bytes: usize) -> Result<()> {
    if bytes <= MAX_ENVELOPE_BYTES {
        return Ok(());
    }
    let text = format!("an envelope has at most {MAX_ENVELOPE_BYTES} bytes, and this one has {bytes}; shorten the text");
    Err(Error::new(Code::ResourceExhausted, "ENVELOPE_TOO_LARGE", text).with("bytes", bytes.to_string()))
}

/// An envelope of a partner that was opened and whose outer form is right; its signature is checked apart.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Decoded.
    pub envelope: Envelope,
    /// Its stream.
    pub stream: StreamId,
    /// As it came.
    pub signed: SignedEnvelope,
    /// What it says of its place.
    pub offered: Offered,
}

/// Decodes an envelope and checks its form. INVALID_ARGUMENT with the wrong fields.
pub(crate) fn open(signed: SignedEnvelope) -> Result<Opened> {
    check_size(signed.envelope.len())?;
    let bad = |field: &str, what: &str| Error::invalid(format!("envelope.{field}"), what);
    let envelope = Envelope::decode(signed.envelope.as_slice())
        .map_err(|error| Error::invalid("envelope", format!("is not a serialised Envelope: {error}")))?;
    let stream = envelope.stream.clone().ok_or_else(|| bad("stream", "is missing"))?;
    let previous = envelope.previous_digest.as_slice().try_into().map_err(|_| bad("previous_digest", "must have 32 bytes"))?;
    // What the store cannot count, nobody can have sent.
    if stream.epoch == 0 || envelope.position == 0 || stream.epoch > i64::MAX as u64 || envelope.position > i64::MAX as u64 {
        return Err(bad("position", "epochs and positions start at 1"));
    }
    if uuid::Uuid::try_parse(&envelope.envelope_id).is_err() {
        return Err(bad("envelope_id", "must be a UUID"));
    }
    let offered = Offered { epoch: stream.epoch, position: envelope.position, previous, digest: sha256(&signed.envelope) };
    Ok(Opened { envelope, stream, signed, offered })
}

/// Makes and signs the receipt for an envelope that is being stored.
pub(crate) fn sign_receipt(
    keys: &dyn OwnKeys,
    key_id: &str,
    opened: &Opened,
    judgement: &Judgement,
    now: Timestamp,
) -> Result<SignedReceipt> {
    let (outcome, reason) = judgement.outcome();
    let receipt = Receipt {
        stream: Some(opened.stream.clone()),
        position: opened.offered.position,
        envelope_digest: opened.offered.digest.to_vec(),
        outcome: outcome.into(),
        reason: reason.to_owned(),
        store_time: Some(to_proto(now)),
    };
    let bytes = receipt.encode_to_vec();
    let signature = keys.sign_receipt(key_id, &sha256(&bytes))?.to_vec();
    Ok(SignedReceipt { receipt: bytes, key_id: key_id.to_owned(), signature })
}

/// Decodes a receipt and checks its form; its signature is checked apart.
pub(crate) fn open_receipt(signed: &SignedReceipt) -> Result<(Receipt, StreamId)> {
    let receipt = Receipt::decode(signed.receipt.as_slice())
        .map_err(|error| Error::invalid("receipt", format!("is not a serialised Receipt: {error}")))?;
    let stream = receipt.stream.clone().ok_or_else(|| Error::invalid("receipt.stream", "is missing"))?;
    if !matches!(receipt.outcome(), Outcome::Accepted | Outcome::Refused | Outcome::NotUnderstood) {
        return Err(Error::invalid("receipt.outcome", "must be ACCEPTED, REFUSED or NOT_UNDERSTOOD"));
    }
    if receipt.reason.len() > 200 || receipt.reason.contains('\0') {
        return Err(Error::invalid("receipt.reason", "must have at most 200 characters"));
    }
    Ok((receipt, stream))
}
