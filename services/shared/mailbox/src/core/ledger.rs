//! What the protocol knows of storage: one transaction on the tables of a space, and how a transaction is run.
//!
//! Implemented over `Tx` in [`crate::store`], and in memory by the simulator. A ledger's futures wait for nothing but the store.

use std::sync::Arc;

use fenghuo_api::partner::v1::{ChainHead, Outcome, OwnEnvelope, Receipt, SignedEnvelope, SignedReceipt, SigningKey};
use fenghuo_durable::trace::Context;
use fenghuo_durable::{Result, Tx};
use futures::future::BoxFuture;
use jiff::Timestamp;
use uuid::Uuid;

use crate::envelope::{Opened, Outgoing};
use crate::inbox::Judgement;
use crate::machine::{Digest, Head, Offered};
use crate::telemetry::Counted;

/// Which way a stream runs, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// We send.
    Out,
    /// We receive.
    In,
}

impl Direction {
    /// As the tables say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// Our stream to a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutStream {
    /// Its last envelope.
    pub head: Head,
    /// Nothing may be written: the node was restored and has not fetched back what it had sent.
    pub quarantined: bool,
    /// The key that signs the next envelope; `None` before the first.
    pub key_id: Option<String>,
    /// The key that signs our receipts for this partner: one that it surely has. `None`: the same as `key_id`.
    pub receipt_key_id: Option<String>,
}

impl OutStream {
    /// Nothing was ever written.
    pub const NEVER: OutStream = OutStream { head: Head::NEVER, quarantined: false, key_id: None, receipt_key_id: None };
}

/// An envelope of ours as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Epoch of its stream.
    pub epoch: u64,
    /// Its position.
    pub position: u64,
    /// Exactly as signed.
    pub signed: SignedEnvelope,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The partner's receipt is stored.
    pub receipted: bool,
    /// It was given up, and written again in a later epoch.
    pub superseded: bool,
}

/// How far the streams are, and which are stopped.
pub trait Streams {
    /// Holds a stream against every other transaction until the end of this one.
    fn hold(&mut self, partner: &str, direction: Direction) -> impl Future<Output = Result<()>> + Send;
    /// Our stream to a partner.
    fn out_stream(&mut self, partner: &str) -> impl Future<Output = Result<OutStream>> + Send;
    /// Changes it.
    fn save_out_stream(&mut self, partner: &str, stream: &OutStream) -> impl Future<Output = Result<()>> + Send;
    /// How far we have stored the partner's stream; [`Head::NEVER`] before its first envelope.
    fn in_head(&mut self, partner: &str) -> impl Future<Output = Result<Head>> + Send;
    /// Moves it.
    fn save_in_head(&mut self, partner: &str, head: &Head) -> impl Future<Output = Result<()>> + Send;
    /// The digest of one envelope of a stream, if it is here.
    fn digest_at(
        &mut self,
        partner: &str,
        direction: Direction,
        epoch: u64,
        position: u64,
    ) -> impl Future<Output = Result<Option<Digest>>> + Send;
    /// Stops a partner's stream at this epoch, for good.
    fn stop(&mut self, partner: &str, epoch: u64, why: &str) -> impl Future<Output = Result<()>> + Send;
    /// Why a partner's stream is stopped at this epoch, if it is.
    fn stopped(&mut self, partner: &str, epoch: u64) -> impl Future<Output = Result<Option<String>>> + Send;
}

/// Envelopes that we wrote, and the partners' receipts for them.
pub trait Outbox {
    /// Keeps a new one.
    fn write(&mut self, partner: &str, at: &Head, kind: &str, signed: &SignedEnvelope) -> impl Future<Output = Result<()>> + Send;
    /// One of them.
    fn written(&mut self, partner: &str, epoch: u64, position: u64) -> impl Future<Output = Result<Option<Written>>> + Send;
    /// Those of one epoch after a position, in order, receipted or not; without what was given up.
    fn written_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize)
    -> impl Future<Output = Result<Vec<Written>>> + Send;
    /// The last one of an epoch; its start if there is none.
    fn last_written(&mut self, partner: &str, epoch: u64) -> impl Future<Output = Result<Head>> + Send;
    /// The next epoch after this one in which something stands that was not given up.
    fn next_epoch_written(&mut self, partner: &str, epoch: u64) -> impl Future<Output = Result<Option<u64>>> + Send;
    /// Epoch and position of the first that waits for its receipt.
    fn first_waiting(&mut self, partner: &str) -> impl Future<Output = Result<Option<(u64, u64)>>> + Send;
    /// Those of epochs before this one from the first of each epoch on that waits for its receipt, in order; without what was given up. A receipt may
    /// have come for one of them all the same.
    fn waiting_before(&mut self, partner: &str, epoch: u64) -> impl Future<Output = Result<Vec<Written>>> + Send;
    /// Gives one of them up: it was written again in a later epoch, and is not sent any more.
    fn supersede(&mut self, partner: &str, epoch: u64, position: u64) -> impl Future<Output = Result<()>> + Send;
    /// Position of the first of an epoch that has no receipt.
    fn first_unreceipted(&mut self, partner: &str, epoch: u64) -> impl Future<Output = Result<Option<u64>>> + Send;
    /// Keeps the first receipt of one of them.
    fn put_receipt(
        &mut self,
        partner: &str,
        epoch: u64,
        signed: &SignedReceipt,
        receipt: &Receipt,
    ) -> impl Future<Output = Result<()>> + Send;
    /// Every acknowledgement that we sent to a partner, in order, marked as recovered.
    fn acknowledgements(&mut self, partner: &str) -> impl Future<Output = Result<Vec<Outgoing>>> + Send;
}

/// Envelopes that we stored, and our receipts for them.
pub trait Stored {
    /// Keeps a new one with its receipt.
    fn store(&mut self, opened: &Opened, receipt: &SignedReceipt, judgement: &Judgement) -> impl Future<Output = Result<()>> + Send;
    /// The receipt of one of them.
    fn receipt_at(&mut self, partner: &str, epoch: u64, position: u64) -> impl Future<Output = Result<Option<SignedReceipt>>> + Send;
    /// The receipts of one epoch after a position, in order.
    fn receipts_after(
        &mut self,
        partner: &str,
        epoch: u64,
        position: u64,
        most: usize,
    ) -> impl Future<Output = Result<Vec<SignedReceipt>>> + Send;
    /// Those of one epoch after a position with their receipts, in order.
    fn stored_after(
        &mut self,
        partner: &str,
        epoch: u64,
        position: u64,
        most: usize,
    ) -> impl Future<Output = Result<Vec<OwnEnvelope>>> + Send;
    /// The last epoch and position stored of each epoch of a partner's stream, in order.
    fn last_of_each_epoch(&mut self, partner: &str) -> impl Future<Output = Result<Vec<(u64, u64)>>> + Send;
}

/// What partners announced of themselves: keys, and heads of their event chains.
pub trait Announced {
    /// Remembers a new signing key of a partner, announced at this place of its stream.
    fn add_key(&mut self, partner: &str, key: &SigningKey, at: &Offered) -> impl Future<Output = Result<()>> + Send;
    /// Every public key that a partner announced.
    fn announced_keys(&mut self, partner: &str) -> impl Future<Output = Result<Vec<Vec<u8>>>> + Send;
    /// The last key announced before a place of the stream, with the epoch of its announcement.
    fn key_announced_before(
        &mut self,
        partner: &str,
        epoch: u64,
        position: u64,
    ) -> impl Future<Output = Result<Option<(u64, String)>>> + Send;
    /// Did this key of a partner announce another one, and so end?
    fn key_retired(&mut self, partner: &str, key_id: &str) -> impl Future<Output = Result<bool>> + Send;
    /// Does a head contradict one told before in the same epoch (a chain that got shorter, or another hash at one number)?
    fn chain_head_contradicted(&mut self, partner: &str, epoch: u64, head: &ChainHead) -> impl Future<Output = Result<bool>> + Send;
    /// Keeps a head.
    fn add_chain_head(&mut self, partner: &str, head: &ChainHead, at: &Offered) -> impl Future<Output = Result<()>> + Send;
}

/// One open transaction.
pub trait Ledger: Streams + Outbox + Stored + Announced + Send + 'static {
    /// The space's time.
    fn now(&self) -> Timestamp;
    /// Number of the clock setting in force; 0 in the real space.
    fn clock_setting(&self) -> u64;
    /// Wall time.
    fn wall(&self) -> Timestamp;
    /// A new identifier.
    fn new_id(&mut self) -> Uuid;
    /// The trace that what is written belongs to; a ledger may know of none.
    fn trace(&self) -> Context {
        Context::new()
    }
    /// Goes on with another trace.
    fn set_trace(&mut self, _next: Context) {}
    /// Counts an envelope, if this transaction commits.
    fn count(&mut self, _what: Counted, _partner: &str, _kind: &'static str, _outcome: Outcome) {}
}

/// The database of a space.
pub trait Store: Clone + Send + Sync + 'static {
    /// Its transactions.
    type Ledger: Ledger;
    /// Runs a write. `Ok`: it is on disk.
    fn write<C, T, F>(&self, context: C, run: F) -> BoxFuture<'_, Result<T>>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Self::Ledger) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static;
    /// Runs a read on one unchanging picture.
    fn read<C, T, F>(&self, context: C, run: F) -> BoxFuture<'_, Result<T>>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Self::Ledger) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static;
    /// Wall time.
    fn wall(&self) -> Timestamp;
}

impl Store for Arc<fenghuo_durable::Db> {
    type Ledger = Tx;

    fn write<C, T, F>(&self, context: C, run: F) -> BoxFuture<'_, Result<T>>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        // A province waits for each of these; reports that were written a little earlier can wait a little.
        Box::pin(fenghuo_durable::ahead(fenghuo_durable::Db::write(self, context, run)))
    }

    fn read<C, T, F>(&self, context: C, run: F) -> BoxFuture<'_, Result<T>>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        Box::pin(fenghuo_durable::Db::read(self, context, run))
    }

    fn wall(&self) -> Timestamp {
        fenghuo_durable::wall::now()
    }
}
