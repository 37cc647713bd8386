//! The tables of a space. Every function works inside the caller's transaction.

pub(crate) mod contact;
mod inbox;
pub(crate) mod key;
pub(crate) mod link;
pub(crate) mod outbox;
mod stream;

use fenghuo_api::partner::v1::{Outcome, Receipt, SignedEnvelope, SignedReceipt};
use fenghuo_durable::trace::Context;
use fenghuo_durable::{Error, Result, Row, Tx, new_id, params, wall};
use jiff::Timestamp;
use prost::Message;
use uuid::Uuid;

use crate::core::Ledger;
use crate::inbox::Kept;
use crate::machine::Digest;
use crate::telemetry::{self, Counted};

impl Ledger for Tx {
    fn now(&self) -> Timestamp {
        Tx::now(self)
    }

    fn clock_setting(&self) -> u64 {
        self.clock().setting_number()
    }

    fn wall(&self) -> Timestamp {
        wall::now()
    }

    fn new_id(&mut self) -> Uuid {
        new_id()
    }

    fn trace(&self) -> Context {
        Tx::trace(self).clone()
    }

    fn set_trace(&mut self, next: Context) {
        Tx::set_trace(self, next);
    }

    fn count(&mut self, what: Counted, partner: &str, kind: &'static str, outcome: Outcome) {
        telemetry::count(self, what, partner, kind, outcome);
    }
}

/// An envelope with its receipt and when that was stored here: what proves a delivery.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Byte for byte.
    pub kept: Kept,
    /// The receipt, decoded.
    pub receipt: Option<Receipt>,
    /// When the receipt was stored (out) or made (in), wall time.
    pub receipt_time: Option<Timestamp>,
}

/// The proof of one envelope; `outgoing` says whether we sent it.
pub async fn proof(tx: &mut Tx, outgoing: bool, partner: &str, epoch: u64, position: u64) -> Result<Option<Proof>> {
    let sql = if outgoing {
        "SELECT envelope, key_id, signature, receipt, receipt_key_id, receipt_signature, receipt_us FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position = $3"
    } else {
        "SELECT envelope, key_id, signature, receipt, receipt_key_id, receipt_signature, store_us FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position = $3"
    };
    let Some(row) = tx.row(sql, params![partner, epoch, position]).await? else { return Ok(None) };
    let kept = Kept { envelope: read_envelope(&row, 0)?, receipt: read_receipt(&row, 3)? };
    let receipt = match &kept.receipt {
        Some(signed) => Some(
            Receipt::decode(signed.receipt.as_slice())
                .map_err(|error| Error::internal("a stored receipt cannot be read").caused_by(error))?,
        ),
        None => None,
    };
    let receipt_time = row.opt_time(6)?;
    Ok(Some(Proof { kept, receipt, receipt_time }))
}

/// Envelopes to a partner that have no receipt yet.
pub async fn undelivered(tx: &mut Tx, partner: &str) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM mailbox_outbox WHERE partner = $1 AND receipt_us IS NULL AND supersede_us IS NULL";
    Ok(tx.number(sql, params![partner]).await?.unsigned_abs())
}

/// Three columns from `at`: envelope, key id, signature.
pub(crate) fn read_envelope(row: &Row, at: usize) -> Result<SignedEnvelope> {
    Ok(SignedEnvelope { envelope: row.blob(at)?, key_id: row.text(at + 1)?, signature: row.blob(at + 2)? })
}

/// Three columns from `at`: receipt, key id, signature, or all NULL.
pub(crate) fn read_receipt(row: &Row, at: usize) -> Result<Option<SignedReceipt>> {
    let Some(receipt) = row.opt_blob(at)? else { return Ok(None) };
    Ok(Some(SignedReceipt { receipt, key_id: row.text(at + 1)?, signature: row.blob(at + 2)? }))
}

pub(crate) fn read_digest(row: &Row, at: usize) -> Result<Digest> {
    row.blob(at)?.try_into().map_err(|_| Error::internal("a stored digest has not 32 bytes"))
}
