//! How far each stream is, and which are stopped.

use fenghuo_durable::{Result, Tx, params, wall};

use super::read_digest;
use crate::core::{Direction, OutStream, Streams};
use crate::machine::{Digest, Head};

impl Streams for Tx {
    async fn hold(&mut self, partner: &str, direction: Direction) -> Result<()> {
        self.lock(&format!("mailbox.{}.{partner}", direction.as_str())).await
    }

    async fn out_stream(&mut self, partner: &str) -> Result<OutStream> {
        let sql = "SELECT epoch, position, digest, quarantined, key_id, receipt_key_id FROM mailbox_stream WHERE partner = $1 AND direction = 'out'";
        let Some(row) = self.row(sql, params![partner]).await? else { return Ok(OutStream::NEVER) };
        let head = Head { epoch: row.count(0)?, position: row.count(1)?, digest: read_digest(&row, 2)? };
        let mut key_id = row.opt_text(4)?;
        if key_id.is_none() && head.position > 0 {
            // Written before there was more than one key.
            let sql = "SELECT key_id FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position = $3";
            let last = self.row(sql, params![partner, head.epoch, head.position]).await?;
            key_id = last.map(|row| row.text(0)).transpose()?;
        }
        Ok(OutStream { head, quarantined: row.int(3)? != 0, key_id, receipt_key_id: row.opt_text(5)? })
    }

    async fn save_out_stream(&mut self, partner: &str, stream: &OutStream) -> Result<()> {
        let sql = "INSERT INTO mailbox_stream (partner, direction, epoch, position, digest, quarantined, key_id, receipt_key_id)
            VALUES ($1, 'out', $2, $3, $4, $5, $6, $7)
            ON CONFLICT (partner, direction) DO UPDATE SET epoch = excluded.epoch, position = excluded.position, digest = excluded.digest,
                quarantined = excluded.quarantined, key_id = excluded.key_id, receipt_key_id = excluded.receipt_key_id";
        let head = &stream.head;
        let quarantined = i64::from(stream.quarantined);
        let (key_id, receipt_key_id) = (stream.key_id.as_deref(), stream.receipt_key_id.as_deref());
        self.execute_one(sql, params![partner, head.epoch, head.position, head.digest, quarantined, key_id, receipt_key_id]).await
    }

    async fn in_head(&mut self, partner: &str) -> Result<Head> {
        let sql = "SELECT epoch, position, digest FROM mailbox_stream WHERE partner = $1 AND direction = 'in'";
        match self.row(sql, params![partner]).await? {
            Some(row) => Ok(Head { epoch: row.count(0)?, position: row.count(1)?, digest: read_digest(&row, 2)? }),
            None => Ok(Head::NEVER),
        }
    }

    async fn save_in_head(&mut self, partner: &str, head: &Head) -> Result<()> {
        let sql = "INSERT INTO mailbox_stream (partner, direction, epoch, position, digest) VALUES ($1, 'in', $2, $3, $4)
            ON CONFLICT (partner, direction) DO UPDATE SET epoch = excluded.epoch, position = excluded.position, digest = excluded.digest";
        self.execute_one(sql, params![partner, head.epoch, head.position, head.digest]).await
    }

    async fn digest_at(&mut self, partner: &str, direction: Direction, epoch: u64, position: u64) -> Result<Option<Digest>> {
        let sql = match direction {
            Direction::Out => "SELECT digest FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position = $3",
            Direction::In => "SELECT digest FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position = $3",
        };
        let row = self.row(sql, params![partner, epoch, position]).await?;
        row.map(|row| read_digest(&row, 0)).transpose()
    }

    async fn stop(&mut self, partner: &str, epoch: u64, why: &str) -> Result<()> {
        let sql = "INSERT INTO mailbox_link_stop (partner, epoch, why, stop_us) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.execute(sql, params![partner, epoch, why, wall::now()]).await.map(|_| ())
    }

    async fn stopped(&mut self, partner: &str, epoch: u64) -> Result<Option<String>> {
        let row = self.row("SELECT why FROM mailbox_link_stop WHERE partner = $1 AND epoch = $2", params![partner, epoch]).await?;
        row.map(|row| row.text(0)).transpose()
    }
}
