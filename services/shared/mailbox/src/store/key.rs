//! What partners tell of themselves in their streams: new signing keys, and the heads of their event chains.

use fenghuo_api::partner::v1::{ChainHead, SigningKey};
use fenghuo_durable::{Result, Tx, params, wall};

use crate::core::Announced;
use crate::machine::Offered;

impl Announced for Tx {
    async fn add_key(&mut self, partner: &str, key: &SigningKey, at: &Offered) -> Result<()> {
        let sql = "INSERT INTO mailbox_key (partner, key_id, public_key, epoch, position) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (partner, key_id) DO NOTHING";
        self.execute(sql, params![partner, &key.key_id, &key.public_key, at.epoch, at.position]).await.map(|_| ())
    }

    async fn announced_keys(&mut self, partner: &str) -> Result<Vec<Vec<u8>>> {
        let rows = self.rows("SELECT public_key FROM mailbox_key WHERE partner = $1 ORDER BY key_id", params![partner]).await?;
        rows.iter().map(|row| row.blob(0)).collect()
    }

    async fn key_announced_before(&mut self, partner: &str, epoch: u64, position: u64) -> Result<Option<(u64, String)>> {
        let sql = "SELECT epoch, key_id FROM mailbox_key WHERE partner = $1 AND (epoch < $2 OR (epoch = $2 AND position < $3))
            ORDER BY epoch DESC, position DESC LIMIT 1";
        let row = self.row(sql, params![partner, epoch, position]).await?;
        row.map(|row| Ok((row.count(0)?, row.text(1)?))).transpose()
    }

    async fn key_retired(&mut self, partner: &str, key_id: &str) -> Result<bool> {
        let sql = "SELECT COUNT(*) FROM mailbox_key k
            JOIN mailbox_inbox i ON i.partner = k.partner AND i.epoch = k.epoch AND i.position = k.position
            WHERE k.partner = $1 AND i.key_id = $2";
        Ok(self.number(sql, params![partner, key_id]).await? > 0)
    }

    async fn chain_head_contradicted(&mut self, partner: &str, epoch: u64, head: &ChainHead) -> Result<bool> {
        let sql = "SELECT COUNT(*) FROM mailbox_chain_head WHERE partner = $1 AND epoch = $4 AND (sequence > $2 OR (sequence = $2 AND hash <> $3))";
        Ok(self.number(sql, params![partner, head.sequence, &head.hash, epoch]).await? > 0)
    }

    async fn add_chain_head(&mut self, partner: &str, head: &ChainHead, at: &Offered) -> Result<()> {
        let sql = "INSERT INTO mailbox_chain_head (partner, sequence, hash, epoch, position, store_us) VALUES ($1, $2, $3, $4, $5, $6)";
        self.execute_one(sql, params![partner, head.sequence, &head.hash, at.epoch, at.position, wall::now()]).await
    }
}

/// Every key that partners announced, with its partner: for the trust of a node that starts.
pub(crate) async fn all(tx: &mut Tx) -> Result<Vec<(String, Vec<u8>)>> {
    let rows = tx.rows("SELECT partner, public_key FROM mailbox_key ORDER BY partner, key_id", &[]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.blob(1)?))).collect()
}
