//! The mailbox of one space: its store, its keys, and who takes up what comes.

use std::sync::Arc;

use fenghuo_api::partner::v1::SignedEnvelope;
use fenghuo_durable::{Code, Error, Result};

use super::{Store, Trust};
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

    /// Checks an envelope as far as that goes without the store: form, stream, signature.
    pub(crate) fn check(&self, partner: &str, signed: SignedEnvelope) -> Result<Opened> {
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
