//! A new signing key of our own: announced in a stream by the key before it.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{KeyAnnouncement, SigningKey};
use fenghuo_durable::Result;

use super::enqueue::append;
use super::{Direction, Ledger, Post, Store, Streams};
use crate::envelope::SpaceKeys;

/// Notes the key that a partner has of us when it is enrolled, before anything is written to it: a rotation later must begin with that one.
pub async fn begin<L: Ledger>(ledger: &mut L, signer: &SpaceKeys, partner: &str) -> Result<()> {
    ledger.hold(partner, Direction::Out).await?;
    let mut stream = ledger.out_stream(partner).await?;
    if stream.key_id.is_none() {
        stream.key_id = Some(signer.keys.present().key_id);
        ledger.save_out_stream(partner, &stream).await?;
    }
    Ok(())
}

/// Announces a key in the stream to a partner, unless it is the one that signs there already; `true` if it was announced now. What is written
/// after it is signed by the new key; receipts are, when the partner has given its receipt for the announcement. A stream in quarantine is left
/// as it is: the announcement follows when it has recovered.
pub async fn announce<L: Ledger>(ledger: &mut L, signer: &SpaceKeys, partner: &str, key: &SigningKey) -> Result<bool> {
    begin(ledger, signer, partner).await?;
    let stream = ledger.out_stream(partner).await?;
    if stream.quarantined || stream.key_id.as_ref() == Some(&key.key_id) {
        return Ok(false);
    }
    let receipt_key_id = stream.receipt_key_id.clone().or(stream.key_id.clone());
    let content = Content::KeyAnnouncement(KeyAnnouncement { signing_key: Some(key.clone()) });
    append(ledger, signer, partner, stream, content).await?;
    let mut stream = ledger.out_stream(partner).await?;
    stream.key_id = Some(key.key_id.clone());
    stream.receipt_key_id = receipt_key_id;
    ledger.save_out_stream(partner, &stream).await?;
    Ok(true)
}

impl<S: Store> Post<S> {
    /// Begins the stream to a partner that is enrolled; see [`begin`]. To be called before anything is exchanged with it.
    pub async fn begin(&self, partner: &str) -> Result<()> {
        let context = (self.signer.clone(), partner.to_owned());
        let read = self.store.read(partner.to_owned(), |partner, ledger: &mut S::Ledger| {
            Box::pin(async move { ledger.out_stream(partner).await.map(|stream| stream.key_id.is_some()) })
        });
        if read.await? {
            return Ok(());
        }
        let write = self.store.write(context, |(signer, partner), ledger: &mut S::Ledger| Box::pin(begin(ledger, signer, partner)));
        write.await
    }

    /// Announces a key to a partner; see [`announce`].
    pub async fn announce(&self, partner: &str, key: &SigningKey) -> Result<bool> {
        let context = (self.signer.clone(), partner.to_owned(), key.clone());
        let write =
            self.store.write(context, |(signer, partner, key), ledger: &mut S::Ledger| Box::pin(announce(ledger, signer, partner, key)));
        write.await
    }

    /// Announces the present key to a partner if an older one of ours still signs there: a rotation that did not reach this stream.
    pub async fn announce_successor(&self, partner: &str) -> Result<bool> {
        let read = self
            .store
            .read(partner.to_owned(), |partner, ledger: &mut S::Ledger| Box::pin(async move { ledger.out_stream(partner).await }));
        let stream = read.await?;
        match stream.key_id.and_then(|key_id| self.signer.keys.successor(&key_id)) {
            Some(key) if !stream.quarantined => self.announce(partner, &key).await,
            _ => Ok(false),
        }
    }
}
