//! What partners tell of themselves in their streams: new signing keys, and the heads of their event chains.

use fenghuo_api::partner::v1::{ChainHead, KeyAnnouncement};
use fenghuo_durable::{Error, Result, Tx, params, wall};
use fenghuo_edge::signing::key_id;

use crate::inbox::Judgement;
use crate::machine::Offered;

/// Remembers a new signing key of a partner. The envelope that announces it was signed by an older one.
pub(crate) async fn announced(tx: &mut Tx, partner: &str, announced: &KeyAnnouncement, at: &Offered) -> Result<Judgement> {
    let Some(key) = &announced.signing_key else { return Ok(Judgement::Refused("KEY_MISSING")) };
    if key.public_key.len() != 32 || key.key_id != key_id(&key.public_key) {
        return Ok(Judgement::Refused("KEY_INVALID"));
    }
    let sql = "INSERT INTO mailbox_key (partner, key_id, public_key, epoch, position) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (partner, key_id) DO NOTHING";
    tx.execute(sql, params![partner, &key.key_id, &key.public_key, at.epoch, at.position]).await?;
    Ok(Judgement::Accepted)
}

/// Refuses an envelope that comes after an announcement and is not signed by the announced key.
pub(crate) async fn check_signer(tx: &mut Tx, partner: &str, epoch: u64, position: u64, signed_by: &str) -> Result<()> {
    let sql = "SELECT key_id FROM mailbox_key WHERE partner = $1 AND epoch = $2 AND position < $3 ORDER BY position DESC LIMIT 1";
    match tx.row(sql, params![partner, epoch, position]).await? {
        Some(row) if row.text(0)? != signed_by => Err(Error::precondition(
            "SIGNING_KEY_RETIRED",
            format!("this position must be signed by key {}, which the stream announced", row.text(0)?),
        )),
        _ => Ok(()),
    }
}

/// Every key that partners announced, with its partner: for the trust of a node that starts.
pub async fn all(tx: &mut Tx) -> Result<Vec<(String, Vec<u8>)>> {
    let rows = tx.rows("SELECT partner, public_key FROM mailbox_key ORDER BY partner, key_id", &[]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.blob(1)?))).collect()
}

/// Remembers the head of a partner's event chain.
pub(crate) async fn chain_head(tx: &mut Tx, partner: &str, head: &ChainHead, at: &Offered) -> Result<Judgement> {
    if head.hash.len() != 32 || head.sequence > i64::MAX as u64 {
        return Ok(Judgement::Refused("CHAIN_HEAD_INVALID"));
    }
    let sql =
        "SELECT COUNT(*) FROM mailbox_chain_head WHERE partner = $1 AND epoch = $4 AND (sequence > $2 OR (sequence = $2 AND hash <> $3))";
    // A chain that got shorter, or another hash at one number: history was rewritten over there. A later epoch says openly that the
    // partner was restored: its chain goes on from the backup.
    if tx.number(sql, params![partner, head.sequence, &head.hash, at.epoch]).await? > 0 {
        tracing::error!(partner, sequence = head.sequence, "ALARM: the partner's event chain contradicts the head that it told before");
        return Ok(Judgement::Refused("CHAIN_REWRITTEN"));
    }
    let sql = "INSERT INTO mailbox_chain_head (partner, sequence, hash, epoch, position, store_us) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute_one(sql, params![partner, head.sequence, &head.hash, at.epoch, at.position, wall::now()]).await?;
    Ok(Judgement::Accepted)
}
