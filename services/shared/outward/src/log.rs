//! Reading the log to publish it.

use fenghuo_durable::{Db, Event, Result, params};

/// Events after a sequence number with their trace context, in sequence.
pub(crate) async fn after(db: &Db, seq: u64, most: i64) -> Result<Vec<(Event, String)>> {
    db.read((seq, most), |(seq, most), tx| {
        Box::pin(async move {
            let events = tx.events_after(*seq, *most).await?;
            let sql = "SELECT traceparent FROM log_event WHERE seq > $1 ORDER BY seq LIMIT $2";
            let traces = tx.rows(sql, params![*seq, *most]).await?;
            events.into_iter().zip(traces).map(|(event, row)| Ok((event, row.text(0)?))).collect()
        })
    })
    .await
}

/// The last sequence number.
pub(crate) async fn head(db: &Db) -> Result<u64> {
    db.read((), |(), tx| Box::pin(async move { Ok(tx.log_head().await?.0) })).await
}
