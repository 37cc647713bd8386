//! What the contents of envelopes mean, to the one service that takes them up.

use fenghuo_api::partner::v1::{Envelope, Outcome, Receipt, SignedEnvelope, SignedReceipt};
use fenghuo_durable::{Result, Tx};
use futures::future::BoxFuture;

use crate::envelope::Outgoing;
use crate::machine::Digest;

/// An envelope that is being stored.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The partner that sent it, proved by its certificate and its signature.
    pub partner: String,
    /// Decoded; a content of an unknown kind is `None`.
    pub envelope: Envelope,
    /// Its epoch.
    pub epoch: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// What becomes of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Taken up.
    Accepted,
    /// Stored, and refused for this reason (`UPPER_SNAKE_CASE`); nothing else was written.
    Refused(&'static str),
    /// Stored; its kind is not known here.
    NotUnderstood,
}

impl Judgement {
    /// As the receipt says it.
    pub fn outcome(&self) -> (Outcome, &'static str) {
        match self {
            Self::Accepted => (Outcome::Accepted, ""),
            Self::Refused(reason) => (Outcome::Refused, reason),
            Self::NotUnderstood => (Outcome::NotUnderstood, ""),
        }
    }
}

/// The service behind the mailbox; `L` is the transaction that it works in.
pub trait Inbox<L = Tx>: Send + Sync + 'static {
    /// Judges an envelope and takes it up, in the transaction that stores it. Bad content is a [`Judgement`]; an error means that
    /// nothing was stored, and the sender tries again.
    fn take<'t>(&'t self, ledger: &'t mut L, incoming: &'t Incoming) -> BoxFuture<'t, Result<Judgement>>;

    /// The partner's first receipt for an envelope of ours, in the transaction that stores it.
    ///
    /// With [`Outgoing::recovered`] the envelope was fetched back after a restore, and the record that it tells of may be older or missing:
    /// it is made anew from the envelope.
    fn receipted<'t>(&'t self, ledger: &'t mut L, outgoing: &'t Outgoing, receipt: &'t Receipt) -> BoxFuture<'t, Result<()>>;

    /// An envelope of ours had no receipt and was written again in a new epoch: where it stands now.
    fn moved<'t>(&'t self, ledger: &'t mut L, outgoing: &'t Outgoing) -> BoxFuture<'t, Result<()>>;

    /// After a restore: an acknowledgement that we sent stands in the stream, and the record that it concerns may be older. Called when all
    /// that the partner sent has been fetched again; may be called for what is known already.
    fn sent_before<'t>(&'t self, ledger: &'t mut L, outgoing: &'t Outgoing) -> BoxFuture<'t, Result<()>>;
}

/// An envelope with its receipt, byte for byte.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The signed envelope.
    pub envelope: SignedEnvelope,
    /// The signed receipt; `None` until delivered.
    pub receipt: Option<SignedReceipt>,
}
