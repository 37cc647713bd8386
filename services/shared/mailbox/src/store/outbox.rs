//! Envelopes that we wrote, and the partners' receipts for them.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{ChainHead, Receipt, SignedEnvelope, SignedReceipt};
use fenghuo_durable::{Result, Row, Tx, params, wall};

use super::{read_digest, read_envelope};
use crate::core::enqueue::enqueue;
use crate::core::{Outbox, Streams, Written, decode};
use crate::envelope::{Outgoing, SpaceKeys};
use crate::machine::{Head, NOTHING};

fn read_written(row: &Row) -> Result<Written> {
    Ok(Written {
        epoch: row.count(0)?,
        position: row.count(1)?,
        signed: read_envelope(row, 2)?,
        digest: read_digest(row, 5)?,
        receipted: row.opt_int(6)?.is_some(),
        superseded: row.opt_int(7)?.is_some(),
    })
}

impl Outbox for Tx {
    async fn write(&mut self, partner: &str, at: &Head, kind: &str, signed: &SignedEnvelope) -> Result<()> {
        let sql = "INSERT INTO mailbox_outbox (partner, epoch, position, kind, envelope, digest, key_id, signature, write_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (bytes, signature) = (&signed.envelope, &signed.signature);
        let values = params![partner, at.epoch, at.position, kind, bytes, at.digest, &signed.key_id, signature, wall::now()];
        self.execute_one(sql, values).await
    }

    async fn written(&mut self, partner: &str, epoch: u64, position: u64) -> Result<Option<Written>> {
        let sql = "SELECT epoch, position, envelope, key_id, signature, digest, receipt_us, supersede_us FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position = $3";
        let row = self.row(sql, params![partner, epoch, position]).await?;
        row.as_ref().map(read_written).transpose()
    }

    async fn written_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<Written>> {
        let sql = "SELECT epoch, position, envelope, key_id, signature, digest, receipt_us, supersede_us FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position > $3 AND supersede_us IS NULL ORDER BY position LIMIT $4";
        let rows = self.rows(sql, params![partner, epoch, position, most as i64]).await?;
        rows.iter().map(read_written).collect()
    }

    async fn last_written(&mut self, partner: &str, epoch: u64) -> Result<Head> {
        let sql = "SELECT position, digest FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 ORDER BY position DESC LIMIT 1";
        match self.row(sql, params![partner, epoch]).await? {
            Some(row) => Ok(Head { epoch, position: row.count(0)?, digest: read_digest(&row, 1)? }),
            None => Ok(Head { epoch, position: 0, digest: NOTHING }),
        }
    }

    async fn next_epoch_written(&mut self, partner: &str, epoch: u64) -> Result<Option<u64>> {
        let sql = "SELECT epoch FROM mailbox_outbox WHERE partner = $1 AND epoch > $2 AND supersede_us IS NULL ORDER BY epoch LIMIT 1";
        self.row(sql, params![partner, epoch]).await?.map(|row| row.count(0)).transpose()
    }

    async fn first_waiting(&mut self, partner: &str) -> Result<Option<(u64, u64)>> {
        let sql = "SELECT epoch, position FROM mailbox_outbox WHERE partner = $1 AND receipt_us IS NULL AND supersede_us IS NULL ORDER BY epoch, position LIMIT 1";
        let row = self.row(sql, params![partner]).await?;
        row.map(|row| Ok((row.count(0)?, row.count(1)?))).transpose()
    }

    async fn waiting_before(&mut self, partner: &str, epoch: u64) -> Result<Vec<Written>> {
        let sql =
            "SELECT o.epoch, o.position, o.envelope, o.key_id, o.signature, o.digest, o.receipt_us, o.supersede_us FROM mailbox_outbox o
            JOIN (SELECT epoch, MIN(position) AS first FROM mailbox_outbox
                WHERE partner = $1 AND epoch < $2 AND receipt_us IS NULL AND supersede_us IS NULL GROUP BY epoch) waiting
                ON waiting.epoch = o.epoch AND waiting.first <= o.position
            WHERE o.partner = $1 AND o.supersede_us IS NULL ORDER BY o.epoch, o.position";
        let rows = self.rows(sql, params![partner, epoch]).await?;
        rows.iter().map(read_written).collect()
    }

    async fn supersede(&mut self, partner: &str, epoch: u64, position: u64) -> Result<()> {
        let sql =
            "UPDATE mailbox_outbox SET supersede_us = $4 WHERE partner = $1 AND epoch = $2 AND position = $3 AND supersede_us IS NULL";
        self.execute_one(sql, params![partner, epoch, position, wall::now()]).await
    }

    async fn first_unreceipted(&mut self, partner: &str, epoch: u64) -> Result<Option<u64>> {
        let sql = "SELECT position FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND receipt_us IS NULL AND supersede_us IS NULL ORDER BY position LIMIT 1";
        self.row(sql, params![partner, epoch]).await?.map(|row| row.count(0)).transpose()
    }

    async fn put_receipt(&mut self, partner: &str, epoch: u64, signed: &SignedReceipt, receipt: &Receipt) -> Result<()> {
        let sql =
            "UPDATE mailbox_outbox SET receipt = $4, receipt_key_id = $5, receipt_signature = $6, outcome = $7, reason = $8, receipt_us = $9
            WHERE partner = $1 AND epoch = $2 AND position = $3 AND receipt_us IS NULL";
        let values = params![
            partner,
            epoch,
            receipt.position,
            &signed.receipt,
            &signed.key_id,
            &signed.signature,
            i64::from(receipt.outcome),
            &receipt.reason,
            wall::now()
        ];
        self.execute_one(sql, values).await
    }

    async fn acknowledgements(&mut self, partner: &str) -> Result<Vec<Outgoing>> {
        let sql = "SELECT envelope, digest FROM mailbox_outbox WHERE partner = $1 AND kind = 'acknowledgement' ORDER BY epoch, position";
        let rows = self.rows(sql, params![partner]).await?;
        let outgoing = |row: &Row| {
            let envelope = decode(&row.blob(0)?)?;
            Ok(Outgoing { partner: partner.to_owned(), envelope, digest: read_digest(row, 1)?, recovered: true })
        };
        rows.iter().map(outgoing).collect()
    }
}

/// Tells a partner the head of our event chain, unless the last head that it was told is this one.
pub(crate) async fn tell_chain_head(tx: &mut Tx, signer: &SpaceKeys, partner: &str) -> Result<()> {
    let (sequence, hash) = tx.log_head().await?;
    if sequence == 0 || tx.out_stream(partner).await?.quarantined {
        return Ok(());
    }
    let sql = "SELECT envelope FROM mailbox_outbox WHERE partner = $1 AND kind = 'chain_head' ORDER BY epoch DESC, position DESC LIMIT 1";
    if let Some(row) = tx.row(sql, params![partner]).await? {
        let last = decode(&row.blob(0)?)?;
        if matches!(last.content, Some(Content::ChainHead(told)) if told.sequence == sequence) {
            return Ok(());
        }
    }
    enqueue(tx, signer, partner, Content::ChainHead(ChainHead { sequence, hash })).await.map(|_| ())
}
