//! How many envelopes wait for each partner and since when, for metrics.

use fenghuo_durable::queues::Waiting;
use fenghuo_durable::{Result, Tx, params, wall};

/// Envelopes without a receipt, by partner; partners for whom nothing waits are left out. A few reads by index.
pub async fn outbox(tx: &mut Tx) -> Result<Vec<(String, Waiting)>> {
    let sql = "SELECT partner, COUNT(*) FROM mailbox_outbox WHERE receipt_us IS NULL AND supersede_us IS NULL GROUP BY partner";
    let mut found = Vec::new();
    for row in tx.rows(sql, &[]).await? {
        let partner = row.text(0)?;
        let oldest = "SELECT write_us FROM mailbox_outbox WHERE partner = $1 AND receipt_us IS NULL AND supersede_us IS NULL ORDER BY epoch, position LIMIT 1";
        let since = tx.row(oldest, params![&partner]).await?.map(|row| row.time(0)).transpose()?;
        found.push((partner, Waiting::since(row.count(1)?, since, wall::now())));
    }
    Ok(found)
}
