//! After a restore: fetch back what we had sent, take again what we had received, then begin a new epoch.
//!
//! The order matters. Our own notifications come first, so that the partner's acknowledgements find them; then what the partner sent; then
//! our own acknowledgements, which concern that. Each step may be repeated: a crash in between starts over.

use std::path::{Path, PathBuf};

use fenghuo_api::partner::v1::{FetchOwnEnvelopesRequest, OwnEnvelope, SignedReceipt};
use fenghuo_durable::{Error, Result, Tx, sha256};
use fenghuo_edge::signing::verify_envelope;

use super::Mailbox;
use super::client::{Client, Failure};
use crate::envelope::{Opened, open, open_receipt};
use crate::store::outbox;
use crate::store::stream::{self, Direction};

/// The file in a data folder that says: this was restored from a backup. Who restores one makes it, empty, before the next start.
pub fn restored_flag(data_dir: &Path) -> PathBuf {
    data_dir.join("restored")
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// Envelopes of ours that were missing here.
    pub(crate) own: usize,
    /// The epoch that begins now.
    pub(crate) epoch: u64,
}

impl Mailbox {
    /// Puts every stream of every open space in quarantine: nothing is written or sent to a partner until the worker has fetched back what
    /// was sent before. To be called on a node that was restored, before it serves; the mark is kept in the databases.
    pub async fn quarantine(&self) -> Result<()> {
        let partners: Vec<String> = self.parts.routes.borrow().iter().map(|route| route.province_code.clone()).collect();
        for space in self.parts.spaces.all() {
            space
                .db()
                .write(partners.clone(), |partners, tx: &mut Tx| {
                    Box::pin(async move {
                        for partner in partners {
                            stream::quarantine(tx, partner).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        tracing::warn!("this node was restored from a backup: nothing is sent until each partner has given back what it had");
        Ok(())
    }
}

impl Mailbox {
    /// Puts the streams in quarantine if the data folder says that it was restored; says whether it did. To be called at each start, when
    /// the spaces are open and before anything is served. The file goes once the mark stands in the databases.
    pub async fn quarantine_if_restored(&self, data_dir: &Path) -> Result<bool> {
        let flag = restored_flag(data_dir);
        if !flag.exists() {
            return Ok(false);
        }
        self.quarantine().await?;
        std::fs::remove_file(&flag).map_err(|error| Error::internal(format!("cannot remove {}", flag.display())).caused_by(error))?;
        Ok(true)
    }
}

impl Client {
    /// Is the stream to the partner in quarantine?
    pub(crate) async fn quarantined(&self) -> Result<bool, Failure> {
        let partner = self.route.province_code.clone();
        Ok(self.space.db().read(partner, |partner, tx: &mut Tx| Box::pin(stream::quarantined(tx, partner))).await?)
    }

    /// Recovers from the partner and begins a new epoch.
    pub(crate) async fn recover(&mut self) -> Result<Recovered, Failure> {
        let own = self.fetch_own().await?;
        self.pull().await?;
        let context = (self.route.province_code.clone(), self.mailbox.parts.inbox.clone());
        let epoch = self
            .space
            .db()
            .write(context, |(partner, inbox), tx: &mut Tx| {
                Box::pin(async move {
                    for outgoing in outbox::acknowledgements(tx, partner).await? {
                        inbox.sent_before(tx, &outgoing).await?;
                    }
                    stream::begin_anew(tx, partner).await
                })
            })
            .await?;
        Ok(Recovered { own, epoch })
    }

    /// Fetches every envelope of ours that the partner has and we lack, epoch by epoch; how many.
    async fn fetch_own(&mut self) -> Result<usize, Failure> {
        let mut found = 0;
        let partner = self.route.province_code.clone();
        let head = self.space.db().read(partner, |partner, tx: &mut Tx| Box::pin(stream::head(tx, partner, Direction::Out))).await?;
        let (mut epoch, mut after) = (head.epoch.max(1), if head.epoch == 0 { 0 } else { head.position });
        loop {
            let request = FetchOwnEnvelopesRequest { space: self.space.id().to_string(), epoch, after_position: after, max_envelopes: 0 };
            let answer = self.calls()?.fetch_own_envelopes(request).await?.into_inner();
            let Some(last) = answer.envelopes.last() else {
                if epoch >= answer.last_epoch {
                    return Ok(found);
                }
                (epoch, after) = (epoch + 1, 0);
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
            checked.push(self.check_own(envelope, receipt)?);
        }
        let context = (self.route.province_code.clone(), self.mailbox.parts.inbox.clone(), checked);
        let taken = self.space.db().write(context, |(partner, inbox, checked), tx: &mut Tx| {
            Box::pin(async move {
                let mut missing = 0;
                for (opened, receipt) in checked {
                    missing += usize::from(outbox::take_back(tx, partner, opened).await?);
                    outbox::store_receipt(tx, inbox.as_ref(), partner, receipt, true).await?;
                }
                Ok(missing)
            })
        });
        Ok(taken.await?)
    }

    fn check_own(
        &self,
        envelope: fenghuo_api::partner::v1::SignedEnvelope,
        receipt: SignedReceipt,
    ) -> Result<(Opened, SignedReceipt), Failure> {
        let parts = &self.mailbox.parts;
        let opened = open(envelope)?;
        let ours = (parts.keys.province_code(), self.route.province_code.as_str(), self.space.id().to_string());
        if (opened.stream.sender.as_str(), opened.stream.recipient.as_str(), opened.stream.space.clone()) != ours {
            return Err(Failure::Diverged("the partner gave back an envelope of another stream".to_owned()));
        }
        // Only what we signed ourselves may become ours again.
        verify_envelope(parts.keys.signing_public_key(), &opened.offered.digest, &opened.signed.signature)?;
        let (_, stream) = open_receipt(&receipt)?;
        outbox::check_receipt_stream(&self.mailbox.signer(self.space.id()), &self.route.province_code, &stream)?;
        parts.trust.verify_receipt(&self.route.province_code, &receipt.key_id, &sha256(&receipt.receipt), &receipt.signature)?;
        Ok((opened, receipt))
    }
}

fn incomplete() -> Error {
    Error::precondition("RECOVERY_INCOMPLETE", "the partner gave back an envelope without its receipt")
}
