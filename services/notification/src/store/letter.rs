//! Numbers of letters.

use fenghuo_durable::{Result, Tx, params};

/// The next number of a year; no two letters of a space get the same.
pub async fn next(tx: &mut Tx, year: i64) -> Result<i64> {
    let sql =
        "INSERT INTO notification_letter (year, last) VALUES ($1, 1) ON CONFLICT (year) DO UPDATE SET last = notification_letter.last + 1";
    tx.execute_one(sql, params![year]).await?;
    tx.number("SELECT last FROM notification_letter WHERE year = $1", params![year]).await
}
