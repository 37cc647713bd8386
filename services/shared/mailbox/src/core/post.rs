//! The mailbox of one space: its store, its keys, and who takes up what comes.

use std::sync::Arc;

use fenghuo_api::partner::v1::SignedEnvelope;
use fenghuo_durable::{Code, Error, Result};

use super::{Announced, Store, Trust};
use crate::envelope::{Opened, SpaceKeys, open};
use crate::inbox::Inbox;

/// The mailbox of one space.
pub struct Post<S: Store> {
    /// Where everything is kept.
    pub store: S,
    /// Who signs, and in which space.
    pub signer: SpaceKeys,
    /// The partners' keys.
    pub trust: Arc<dyn Trust>,
    /// Who takes up what comes.
    pub inbox: Arc<dyn Inbox<S::Ledger>>,
}

impl<S: Store> Clone for Post<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), signer: self.signer.clone(), trust: self.trust.clone(), inbox: self.inbox.clone() }
    }
}

impl<S: Store> std::fmt::Debug for Post<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("signer", &self.signer).finish_non_exhaustive()
    }
}

impl<S: Store> Post<S> {
    /// The space, as messages name it.
    pub(crate) fn space(&self) -> String {
        self.signer.space.to_string()
    }

    /// Comes to believe what the partner's stored stream announced, where a key is not known: another replica may have stored the announcement, or a
    /// COMMIT of our own whose answer was lost.
    pub(super) async fn know_key(&self, partner: &str, key_id: &str) -> Result<()> {
        if self.trust.knows(partner, key_id) {
            return Ok(());
        }
        let read = self
            .store
            .read(partner.to_owned(), |partner, ledger: &mut S::Ledger| Box::pin(async move { ledger.announced_keys(partner).await }));
        read.await?.iter().try_for_each(|public_key| self.trust.add_signing_key(partner, public_key))
    }

    /// Checks an envelope as far as that goes without a transaction: form, stream, signature.
    pub(super) async fn check(&self, partner: &str, signed: SignedEnvelope) -> Result<Opened> {
        let opened = open(signed)?;
        if opened.stream.sender != partner {
            let text = format!(
                "the envelope says that province {} sent it, and the certificate says that province {partner} calls",
                shown(&opened.stream.sender)
            );
            return Err(Error::new(Code::PermissionDenied, "SENDER_NOT_CALLER", text));
        }
        let us = self.signer.keys.province_code();
        if opened.stream.recipient != us {
            let text = format!("the envelope is for province {}; this is {us}", shown(&opened.stream.recipient));
            let mut error = Error::invalid("envelope.stream.recipient", text);
            error.reason = "RECIPIENT_NOT_US";
            return Err(error);
        }
        let signed = &opened.signed;
        self.know_key(partner, &signed.key_id).await?;
        self.trust.verify_envelope(partner, &signed.key_id, &opened.offered.digest, &signed.signature)?;
        Ok(opened)
    }
}

/// Text of a stranger in a message of ours.
pub(crate) fn shown(text: &str) -> String {
    format!("\"{}\"", text.chars().take(20).collect::<String>())
}

/// The two sides do not agree: an alarm.
pub(crate) fn diverged(text: &str) -> Error {
    Error::precondition("STREAM_DIVERGED", format!("the stream is stopped: {text}"))
}
