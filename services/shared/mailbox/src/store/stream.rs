//! How far each stream is.

use fenghuo_durable::{Result, Tx, params};

use super::read_digest;
use crate::machine::{Digest, Head};

/// Which way a stream runs, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// We send.
    Out,
    /// We receive.
    In,
}

impl Direction {
    fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// The head of a stream; [`Head::NEVER`] before its first envelope.
pub async fn head(tx: &mut Tx, partner: &str, direction: Direction) -> Result<Head> {
    let sql = "SELECT epoch, position, digest FROM mailbox_stream WHERE partner = $1 AND direction = $2";
    match tx.row(sql, params![partner, direction.as_str()]).await? {
        Some(row) => Ok(Head { epoch: row.count(0)?, position: row.count(1)?, digest: read_digest(&row, 2)? }),
        None => Ok(Head::NEVER),
    }
}

/// Moves the head of a stream.
pub async fn advance(tx: &mut Tx, partner: &str, direction: Direction, head: &Head) -> Result<()> {
    let sql = "INSERT INTO mailbox_stream (partner, direction, epoch, position, digest) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (partner, direction) DO UPDATE SET epoch = excluded.epoch, position = excluded.position, digest = excluded.digest";
    tx.execute_one(sql, params![partner, direction.as_str(), head.epoch, head.position, head.digest]).await
}

/// The digest of one envelope of a stream, if it is here.
pub async fn digest_at(tx: &mut Tx, partner: &str, direction: Direction, epoch: u64, position: u64) -> Result<Option<Digest>> {
    let sql = match direction {
        Direction::Out => "SELECT digest FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position = $3",
        Direction::In => "SELECT digest FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position = $3",
    };
    let row = tx.row(sql, params![partner, epoch, position]).await?;
    row.map(|row| read_digest(&row, 0)).transpose()
}

/// May nothing be written to this partner, because the node was restored and has not fetched back what it had sent?
pub async fn quarantined(tx: &mut Tx, partner: &str) -> Result<bool> {
    let sql = "SELECT quarantined FROM mailbox_stream WHERE partner = $1 AND direction = 'out'";
    Ok(tx.row(sql, params![partner]).await?.map(|row| row.int(0)).transpose()?.is_some_and(|flag| flag != 0))
}

/// Puts the stream to a partner in quarantine, whether anything was ever written to it or not.
pub async fn quarantine(tx: &mut Tx, partner: &str) -> Result<()> {
    let head = head(tx, partner, Direction::Out).await?;
    advance(tx, partner, Direction::Out, &head).await?;
    tx.execute_one("UPDATE mailbox_stream SET quarantined = 1 WHERE partner = $1 AND direction = 'out'", params![partner]).await
}

/// Ends the quarantine: what is written from now on is of a new epoch. Without a quarantine nothing changes: another replica was first.
pub async fn begin_anew(tx: &mut Tx, partner: &str) -> Result<u64> {
    let epoch = head(tx, partner, Direction::Out).await?.epoch;
    if !quarantined(tx, partner).await? {
        return Ok(epoch);
    }
    let epoch = epoch + 1;
    advance(tx, partner, Direction::Out, &Head::start_of(epoch)).await?;
    tx.execute_one("UPDATE mailbox_stream SET quarantined = 0 WHERE partner = $1 AND direction = 'out'", params![partner]).await?;
    Ok(epoch)
}
