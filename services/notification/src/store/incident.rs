//! The read copy of incidents.

use fenghuo_api::incident::v1::Incident;
use fenghuo_durable::{Error, Result, Tx, params};
use prost::Message;

/// Names the reader that keeps the copy.
pub const READER: &str = "notification.incidents";

/// Keeps an incident as its newest event tells it.
pub async fn keep(tx: &mut Tx, admin_code: &str, revision: u64, incident: &Incident) -> Result<()> {
    let sql = "INSERT INTO notification_incident (name, admin_code, revision, snapshot) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET admin_code = excluded.admin_code, revision = excluded.revision, snapshot = excluded.snapshot
        WHERE notification_incident.revision < excluded.revision";
    tx.execute(sql, params![&incident.name, admin_code, revision, incident.encode_to_vec()]).await?;
    Ok(())
}

/// The copy of an incident.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Incident>> {
    let row = tx.row("SELECT snapshot FROM notification_incident WHERE name = $1", params![name]).await?;
    let Some(row) = row else { return Ok(None) };
    let incident =
        Incident::decode(row.blob(0)?.as_slice()).map_err(|error| Error::internal("a stored incident cannot be read").caused_by(error))?;
    Ok(Some(incident))
}

/// Are there events that our copy has not taken in yet?
pub async fn late(tx: &mut Tx) -> Result<bool> {
    let (head, _) = tx.log_head().await?;
    let read = tx.consumers().await?.into_iter().find(|reader| reader.consumer == READER).map_or(0, |reader| reader.seq);
    Ok(read < head || tx.unsequenced().await? > 0)
}
