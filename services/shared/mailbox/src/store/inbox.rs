//! Envelopes that we stored, and our receipts for them.

use fenghuo_api::partner::v1::{OwnEnvelope, SignedReceipt};
use fenghuo_durable::{Result, Tx, params, wall};

use super::{read_envelope, read_receipt};
use crate::core::Stored;
use crate::envelope::{Opened, kind_of};
use crate::inbox::Judgement;

impl Stored for Tx {
    async fn store(&mut self, opened: &Opened, receipt: &SignedReceipt, judgement: &Judgement) -> Result<()> {
        let sql = "INSERT INTO mailbox_inbox (partner, epoch, position, kind, envelope, digest, key_id, signature, receipt, receipt_key_id, receipt_signature, outcome, reason, store_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let (offered, signed) = (&opened.offered, &opened.signed);
        let (outcome, reason) = judgement.outcome();
        let values = params![
            &opened.stream.sender,
            offered.epoch,
            offered.position,
            kind_of(opened.envelope.content.as_ref()),
            &signed.envelope,
            offered.digest,
            &signed.key_id,
            &signed.signature,
            &receipt.receipt,
            &receipt.key_id,
            &receipt.signature,
            i64::from(i32::from(outcome)),
            reason,
            wall::now()
        ];
        self.execute_one(sql, values).await
    }

    async fn receipt_at(&mut self, partner: &str, epoch: u64, position: u64) -> Result<Option<SignedReceipt>> {
        let sql =
            "SELECT receipt, receipt_key_id, receipt_signature FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position = $3";
        let row = self.row(sql, params![partner, epoch, position]).await?;
        Ok(row.map(|row| read_receipt(&row, 0)).transpose()?.flatten())
    }

    async fn receipts_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<SignedReceipt>> {
        let sql = "SELECT receipt, receipt_key_id, receipt_signature FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position > $3 ORDER BY position LIMIT $4";
        let rows = self.rows(sql, params![partner, epoch, position, most as i64]).await?;
        rows.iter().filter_map(|row| read_receipt(row, 0).transpose()).collect()
    }

    async fn stored_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<OwnEnvelope>> {
        let sql = "SELECT envelope, key_id, signature, receipt, receipt_key_id, receipt_signature FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position > $3 ORDER BY position LIMIT $4";
        let rows = self.rows(sql, params![partner, epoch, position, most as i64]).await?;
        rows.iter()
            .map(|row| Ok(OwnEnvelope { signed_envelope: Some(read_envelope(row, 0)?), signed_receipt: read_receipt(row, 3)? }))
            .collect()
    }

    async fn last_of_each_epoch(&mut self, partner: &str) -> Result<Vec<(u64, u64)>> {
        let sql = "SELECT epoch, MAX(position) FROM mailbox_inbox WHERE partner = $1 GROUP BY epoch ORDER BY epoch";
        let rows = self.rows(sql, params![partner]).await?;
        rows.iter().map(|row| Ok((row.count(0)?, row.count(1)?))).collect()
    }
}
