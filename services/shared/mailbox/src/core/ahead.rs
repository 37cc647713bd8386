//! Keys that a partner has announced and we have not stored: looked for ahead of what we have, where one of them signed a receipt.
//!
//! After a restore the partner's announcement is among what we lost, and it may come only after the receipts. What is found is believed for the same
//! reason as what is stored: the key before it signed, and no key that had ended.

use std::collections::BTreeSet;

use fenghuo_api::partner::v1::SignedReceipt;
use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_durable::Result;
use fenghuo_edge::signing::key_id;

use super::signer::wrong_key;
use super::{Announced, Exchange, Failure, Line, Store, Streams};
use crate::envelope::Opened;
use crate::machine::{Arrival, Head, arrival};

/// What was found ahead.
#[derive(Default)]
struct Ahead {
    /// The last announcement, with its epoch.
    announced: Option<(u64, String)>,
    /// Keys that have announced another one.
    ended: BTreeSet<String>,
}

impl<S: Store, L: Line> Exchange<S, L> {
    /// Looks ahead in the partner's stream for the keys of these receipts, if one of them is not known. Nothing is stored.
    pub(super) async fn look_for_keys(&mut self, receipts: &[SignedReceipt]) -> Result<(), Failure> {
        for signed in receipts {
            self.post.know_key(&self.partner, &signed.key_id).await?;
            if !self.post.trust.knows(&self.partner, &signed.key_id) {
                return self.learn_keys().await;
            }
        }
        Ok(())
    }

    async fn learn_keys(&mut self) -> Result<(), Failure> {
        let read = self
            .post
            .store
            .read(self.partner.clone(), |partner, ledger: &mut S::Ledger| Box::pin(async move { ledger.in_head(partner).await }));
        let (mut head, mut ahead) = (read.await?, Ahead::default());
        loop {
            let envelopes = self.fetch(&head).await?;
            if envelopes.is_empty() {
                return Ok(());
            }
            for signed in envelopes {
                let opened = self.post.check(&self.partner, signed).await?;
                let offered = &opened.offered;
                if arrival(&head, None, offered) != Arrival::Store {
                    return Err(Failure::Other("the partner's stream has a gap".to_owned()));
                }
                head = Head { epoch: offered.epoch, position: offered.position, digest: offered.digest };
                self.learn_from(&mut ahead, opened).await?;
            }
        }
    }

    async fn learn_from(&self, ahead: &mut Ahead, opened: Opened) -> Result<(), Failure> {
        let signed_by = &opened.signed.key_id;
        let Some(Content::KeyAnnouncement(announced)) = &opened.envelope.content else { return Ok(()) };
        let Some(key) = announced.signing_key.as_ref().filter(|key| key.key_id == key_id(&key.public_key)) else { return Ok(()) };
        let context = (self.partner.clone(), opened.offered, signed_by.clone());
        let read = self.post.store.read(context, |(partner, at, signed_by), ledger: &mut S::Ledger| {
            Box::pin(async move {
                let announced = ledger.key_announced_before(partner, at.epoch, at.position).await?;
                Ok((announced, ledger.key_retired(partner, signed_by).await?))
            })
        });
        let (stored, ended) = read.await?;
        let in_force = ahead.announced.clone().or(stored);
        if let Some(wrong) = wrong_key(in_force, opened.offered.epoch, signed_by, ended || ahead.ended.contains(signed_by)) {
            return Err(wrong.into());
        }
        ahead.ended.insert(signed_by.clone());
        ahead.announced = Some((opened.offered.epoch, key.key_id.clone()));
        self.post.trust.add_signing_key(&self.partner, &key.public_key)?;
        Ok(())
    }
}
