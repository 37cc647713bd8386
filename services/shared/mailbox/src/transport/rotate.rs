//! Decisions of an administrator: a new signing key, and a new epoch.
//!
//! A new signing key of this province: prepared, announced in every stream, then the present one. Each step may be repeated.

use std::time::Duration;

use fenghuo_api::partner::v1::SigningKey;
use fenghuo_durable::{Result, SpaceId, Tx};

use super::Mailbox;
use crate::core::epoch;

/// A rotation that met an error is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

impl Mailbox {
    /// Replaces the signing key: makes a new one, announces it to every partner in every open space, and signs with it from then on. Old keys
    /// stay and verify what they signed. A rotation that was broken off is finished instead; [`Mailbox::start`] does that by itself.
    pub async fn rotate_signing_key(&self) -> Result<SigningKey> {
        let key = self.parts.keys.prepare_signing_key()?;
        self.announce_prepared_key().await?;
        Ok(key)
    }

    /// Goes on by itself with a rotation that was broken off, until the key is announced everywhere.
    pub fn finish_rotation(&self) {
        let mailbox = self.clone();
        tokio::spawn(async move {
            while let Err(error) = mailbox.announce_prepared_key().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a new signing key could not be announced everywhere yet");
                tokio::time::sleep(AGAIN).await;
            }
        });
    }

    /// Goes on with a rotation whose key is made; without one nothing happens.
    pub async fn announce_prepared_key(&self) -> Result<()> {
        let Some(key) = self.parts.keys.pending_signing_key() else { return Ok(()) };
        let routes = self.parts.routes.borrow().clone();
        for space in self.parts.spaces.all() {
            let post = self.post(&space);
            for route in &routes {
                match post.announce(&route.province_code, &key).await {
                    Err(error) if error.reason == "EXERCISE_ENDED" => break,
                    announced => announced?,
                };
            }
        }
        self.parts.keys.promote_signing_key()?;
        tracing::warn!(key_id = key.key_id, "the signing key of this province was replaced, and announced to every partner");
        Ok(())
    }

    /// Begins a new epoch of our stream to a partner by decision, in the caller's transaction; its number. See [`epoch::begin_new_epoch`].
    pub async fn begin_new_epoch(&self, tx: &mut Tx, space: SpaceId, partner: &str, key_id: &str) -> Result<u64> {
        epoch::begin_new_epoch(tx, &self.signer(space), self.parts.inbox.as_ref(), partner, key_id).await
    }
}
