//! A new signing key of this province: prepared, announced in every stream, then the present one. Each step may be repeated.

use fenghuo_api::partner::v1::SigningKey;
use fenghuo_durable::Result;

use super::Mailbox;

impl Mailbox {
    /// Replaces the signing key: makes a new one, announces it to every partner in every open space, and signs with it from then on. Old keys
    /// stay and verify what they signed. A rotation that was broken off is finished instead; [`Mailbox::start`] does that by itself.
    pub async fn rotate_signing_key(&self) -> Result<SigningKey> {
        let key = self.parts.keys.prepare_signing_key()?;
        self.announce_prepared_key().await?;
        Ok(key)
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
}
