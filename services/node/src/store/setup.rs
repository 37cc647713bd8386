//! The one-time link of the first start.

use fenghuo_durable::{Result, Tx, params, wall};

/// Puts a new token in the place of the old one, which is void from now on.
pub async fn issue(tx: &mut Tx, token_digest: [u8; 32]) -> Result<()> {
    let sql = "INSERT INTO node_setup (one, token_digest, issue_us) VALUES (1, $1, $2)
        ON CONFLICT (one) DO UPDATE SET token_digest = excluded.token_digest, issue_us = excluded.issue_us";
    tx.execute_one(sql, params![token_digest, wall::now()]).await
}

/// Is this the token in force?
pub async fn holds(tx: &mut Tx, token_digest: [u8; 32]) -> Result<bool> {
    let sql = "SELECT 1 FROM node_setup WHERE one = 1 AND token_digest = $1";
    Ok(tx.row(sql, params![token_digest]).await?.is_some())
}

/// Makes the token void.
pub async fn redeem(tx: &mut Tx) -> Result<()> {
    tx.execute_one("DELETE FROM node_setup WHERE one = 1", &[]).await
}
