//! A partner's receipts for our envelopes.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Envelope, Outcome, Receipt, SignedReceipt, StreamId};
use fenghuo_durable::{Code, Error, Result, sha256, trace};
use prost::Message;

use super::{Ledger, Post, Store};
use crate::envelope::{Outgoing, SpaceKeys, kind_of, open_receipt};
use crate::inbox::Inbox;
use crate::machine::{self, ReceiptMeaning};
use crate::telemetry::Counted;

impl<S: Store> Post<S> {
    /// Stores receipts of a partner for envelopes of ours, all or none, after checking them.
    pub(crate) async fn take_receipts(&self, partner: &str, receipts: Vec<SignedReceipt>) -> Result<()> {
        if receipts.is_empty() {
            return Ok(());
        }
        for signed in &receipts {
            self.check_receipt(partner, signed).await?;
        }
        let context = (self.inbox.clone(), partner.to_owned(), receipts);
        let stored = self.store.write(context, |(inbox, partner, receipts), ledger: &mut S::Ledger| {
            Box::pin(async move {
                for signed in receipts {
                    store_receipt(ledger, inbox.as_ref(), partner, signed, false).await?;
                }
                Ok(())
            })
        });
        stored.await
    }

    /// Checks a receipt's stream and signature.
    pub(super) async fn check_receipt(&self, partner: &str, signed: &SignedReceipt) -> Result<()> {
        let (_, stream) = open_receipt(signed)?;
        check_receipt_stream(&self.signer, partner, &stream)?;
        self.know_key(partner, &signed.key_id).await?;
        self.trust.verify_receipt(partner, &signed.key_id, &sha256(&signed.receipt), &signed.signature)
    }
}

/// Stores a partner's receipt for an envelope of ours, and lets the inbox act on it; the signature was checked before. A second
/// receipt changes nothing. FAILED_PRECONDITION, reason RECEIPT_OF_ANOTHER, for one that names another digest.
pub(super) async fn store_receipt<L: Ledger>(
    ledger: &mut L,
    inbox: &dyn Inbox<L>,
    partner: &str,
    signed: &SignedReceipt,
    recovered: bool,
) -> Result<()> {
    let (receipt, id) = open_receipt(signed)?;
    let found = ledger.written(partner, id.epoch, receipt.position).await?;
    let Some(written) = found else {
        if id.epoch < ledger.out_stream(partner).await?.head.epoch {
            // Lost in a restore, and not fetched back before a new epoch was begun by decision.
            tracing::warn!(
                partner,
                epoch = id.epoch,
                position = receipt.position,
                "a receipt came for an envelope that is not here any more"
            );
            return Ok(());
        }
        return Err(not_ours(&receipt, &id, "no envelope was ever written there"));
    };
    match machine::receipt(&written.digest, written.receipted, &receipt.envelope_digest) {
        ReceiptMeaning::Again => return Ok(()),
        ReceiptMeaning::OfAnother if written.superseded || id.epoch < ledger.out_stream(partner).await?.head.epoch => {
            // The two sides differed there, and went on in a new epoch by decision.
            tracing::warn!(
                partner,
                epoch = id.epoch,
                position = receipt.position,
                "a receipt came for another envelope than the one that stands here, in an epoch that is over"
            );
            return Ok(());
        }
        ReceiptMeaning::OfAnother => return Err(not_ours(&receipt, &id, "it names another digest than the one written there")),
        ReceiptMeaning::First => {}
    }
    ledger.put_receipt(partner, id.epoch, signed, &receipt).await?;
    let envelope = decode(&written.signed.envelope)?;
    if receipt.outcome() == Outcome::Accepted
        && let Some(Content::KeyAnnouncement(announced)) = &envelope.content
        && let Some(key) = &announced.signing_key
    {
        // The partner has the new key: from now on it also signs our receipts.
        let mut stream = ledger.out_stream(partner).await?;
        stream.receipt_key_id = Some(key.key_id.clone());
        ledger.save_out_stream(partner, &stream).await?;
    }
    let outgoing = Outgoing { partner: partner.to_owned(), envelope, digest: written.digest, recovered };
    ledger.count(Counted::Receipted, partner, kind_of(outgoing.envelope.content.as_ref()), receipt.outcome());
    // What the receipt lets happen here belongs to the trace of what it is for.
    let before = ledger.trace();
    ledger.set_trace(trace::parse(&outgoing.envelope.traceparent).unwrap_or_else(|| before.clone()));
    let taken_up = inbox.receipted(ledger, &outgoing, &receipt).await;
    ledger.set_trace(before);
    taken_up
}

/// Decodes an envelope of ours.
pub(crate) fn decode(bytes: &[u8]) -> Result<Envelope> {
    Envelope::decode(bytes).map_err(|error| Error::internal("a stored envelope cannot be read").caused_by(error))
}

fn not_ours(receipt: &Receipt, id: &StreamId, what: &str) -> Error {
    let text = format!("a receipt for epoch {} position {} proves nothing: {what}", id.epoch, receipt.position);
    Error::new(Code::FailedPrecondition, "RECEIPT_OF_ANOTHER", text)
}

/// Checks that a receipt is for our stream to this partner in this space; in words, what is wrong.
fn check_receipt_stream(signer: &SpaceKeys, partner: &str, id: &StreamId) -> Result<()> {
    let ours = id.sender == signer.keys.province_code() && id.recipient == partner && id.space == signer.space.to_string();
    if ours {
        return Ok(());
    }
    Err(Error::invalid("receipt.stream", "is not our stream to this partner in this space"))
}
