//! After a restore: fetch back what we had sent, take again what we had received, then begin a new epoch.
//!
//! The order matters. Our own notifications come first, so that the partner's acknowledgements find them; then what the partner sent; then
//! our own acknowledgements, which concern that. Each step may be repeated: a crash in between starts over.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{FetchOwnEnvelopesRequest, OwnEnvelope, SignedEnvelope, SignedReceipt};
use fenghuo_durable::{Error, Result};

use super::epoch::begin_next;
use super::post::diverged;
use super::receipts::store_receipt;
use super::{Direction, Exchange, Failure, Ledger, Line, OutStream, Outbox, Store, Streams};
use crate::envelope::{Opened, kind_of, open};
use crate::machine::{Arrival, Head, arrival};

/// Puts the stream to a partner in quarantine, whether anything was ever written to it or not.
pub async fn quarantine<L: Ledger>(ledger: &mut L, partner: &str) -> Result<()> {
    let stream = ledger.out_stream(partner).await?;
    ledger.save_out_stream(partner, &OutStream { quarantined: true, ..stream }).await
}

/// Puts an envelope of ours back that the partner has stored and we have lost; `true` if it was missing. FAILED_PRECONDITION, reason
/// STREAM_DIVERGED, if it does not continue what we have.
async fn take_back<L: Ledger>(ledger: &mut L, partner: &str, opened: &Opened) -> Result<bool> {
    let offered = &opened.offered;
    let mut stream = ledger.out_stream(partner).await?;
    let there = ledger.digest_at(partner, Direction::Out, offered.epoch, offered.position).await?;
    match arrival(&stream.head, there, offered) {
        Arrival::Duplicate => Ok(false),
        Arrival::Store => {
            let content = opened.envelope.content.as_ref();
            let at = Head { epoch: offered.epoch, position: offered.position, digest: offered.digest };
            ledger.write(partner, &at, kind_of(content), &opened.signed).await?;
            stream.head = at;
            stream.key_id = Some(match content {
                Some(Content::KeyAnnouncement(announced)) => announced.signing_key.clone().unwrap_or_default().key_id,
                _ => opened.signed.key_id.clone(),
            });
            ledger.save_out_stream(partner, &stream).await?;
            Ok(true)
        }
        Arrival::Diverged(divergence) => Err(diverged(&divergence.text())),
        Arrival::Gap { expected } => Err(diverged(&format!("the partner gave back position {} and not {expected}", offered.position))),
        Arrival::Refused { what, .. } => Err(diverged(what)),
    }
}

impl<S: Store, L: Line> Exchange<S, L> {
    /// Recovers from the partner if our stream to it is in quarantine.
    pub(super) async fn recover_if_quarantined(&mut self) -> Result<(), Failure> {
        let read = self.post.store.read(self.partner.clone(), |partner, ledger: &mut S::Ledger| {
            Box::pin(async move { ledger.out_stream(partner).await.map(|stream| stream.quarantined) })
        });
        if !read.await? {
            return Ok(());
        }
        let (envelopes, last_epoch) = self.fetch_own().await?;
        self.pull().await?;
        let context = (self.partner.clone(), self.post.signer.clone(), self.post.inbox.clone());
        let begun = self.post.store.write(context, move |(partner, signer, inbox), ledger: &mut S::Ledger| {
            Box::pin(async move {
                ledger.hold(partner, Direction::Out).await?;
                let stream = ledger.out_stream(partner).await?;
                if !stream.quarantined {
                    // Another replica was first.
                    return Ok(stream.head.epoch);
                }
                for outgoing in ledger.acknowledgements(partner).await? {
                    inbox.sent_before(ledger, &outgoing).await?;
                }
                begin_next(ledger, signer, inbox.as_ref(), partner, last_epoch).await
            })
        });
        let epoch = begun.await?;
        let partner = self.partner.as_str();
        tracing::warn!(partner, envelopes, epoch, "restored: fetched back from the partner what this node had sent; a new epoch begins");
        Ok(())
    }

    /// Fetches every envelope of ours that the partner has and we lack, or whose receipt we lack, epoch by epoch; how many were missing, and
    /// the last epoch of which the partner has anything.
    async fn fetch_own(&mut self) -> Result<(usize, u64), Failure> {
        let mut found = 0;
        let read = self.post.store.read(self.partner.clone(), |partner, ledger: &mut S::Ledger| {
            Box::pin(async move {
                let head = ledger.out_stream(partner).await?.head;
                Ok(match ledger.first_waiting(partner).await? {
                    Some((epoch, position)) => (epoch, position - 1),
                    None => (head.epoch.max(1), head.position),
                })
            })
        });
        let (mut epoch, mut after) = read.await?;
        loop {
            let request = FetchOwnEnvelopesRequest { space: self.post.space(), epoch, after_position: after, max_envelopes: 0 };
            let answer = self.line.fetch_own_envelopes(request).await?;
            let Some(last) = answer.envelopes.last() else {
                if epoch >= answer.last_epoch {
                    return Ok((found, answer.last_epoch));
                }
                (epoch, after) = (answer.next_epoch.max(epoch + 1), 0);
                continue;
            };
            let last = last.signed_envelope.clone().ok_or_else(incomplete)?;
            after = open(last)?.offered.position;
            found += self.take_back(answer.envelopes).await?;
        }
    }

    /// Stores envelopes of ours with the partner's receipts, after checking both signatures; how many were missing.
    async fn take_back(&mut self, given: Vec<OwnEnvelope>) -> Result<usize, Failure> {
        let mut checked: Vec<(Opened, SignedReceipt)> = Vec::with_capacity(given.len());
        for one in given {
            let (Some(envelope), Some(receipt)) = (one.signed_envelope, one.signed_receipt) else { return Err(incomplete().into()) };
            let opened = self.check_own(envelope)?;
            self.look_for_keys(std::slice::from_ref(&receipt)).await?;
            self.post.check_receipt(&self.partner, &receipt).await?;
            checked.push((opened, receipt));
        }
        let context = (self.partner.clone(), self.post.inbox.clone(), checked);
        let taken = self.post.store.write(context, |(partner, inbox, checked), ledger: &mut S::Ledger| {
            Box::pin(async move {
                let mut missing = 0;
                for (opened, receipt) in checked {
                    missing += usize::from(take_back(ledger, partner, opened).await?);
                    store_receipt(ledger, inbox.as_ref(), partner, receipt, true).await?;
                }
                Ok(missing)
            })
        });
        Ok(taken.await?)
    }

    fn check_own(&self, envelope: SignedEnvelope) -> Result<Opened, Failure> {
        let opened = open(envelope)?;
        let keys = self.post.signer.keys.as_ref();
        let ours = (keys.province_code(), self.partner.as_str(), self.post.space());
        if (opened.stream.sender.as_str(), opened.stream.recipient.as_str(), opened.stream.space.clone()) != ours {
            return Err(Failure::Diverged("the partner gave back an envelope of another stream".to_owned()));
        }
        // Only what we signed ourselves may become ours again.
        keys.verify_envelope(&opened.signed.key_id, &opened.offered.digest, &opened.signed.signature)?;
        Ok(opened)
    }
}

fn incomplete() -> Error {
    Error::precondition("RECOVERY_INCOMPLETE", "the partner gave back an envelope without its receipt")
}
