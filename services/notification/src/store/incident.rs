//! Incidents as their newest events tell them. There is no copy: an event is committed with its change, so the log is never behind.

use fenghuo_api::incident::v1::Incident;
use fenghuo_api::snapshot;
use fenghuo_durable::{Error, Result, Tx, params};

/// An incident as incident-intake last told of it.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Incident>> {
    let sql = "SELECT seq, payload FROM log_event WHERE subject = $1 AND kind LIKE 'incident.%' ORDER BY revision DESC LIMIT 1";
    let Some(row) = tx.row(sql, params![name]).await? else { return Ok(None) };
    let unreadable = || Error::internal(format!("the newest event of {name} carries no incident that can be read"));
    let payload: serde_json::Value = serde_json::from_str(&row.text(1)?).map_err(|error| unreadable().caused_by(error))?;
    let text = payload.get("incident").and_then(|value| value.as_str()).filter(|text| !text.is_empty()).ok_or_else(unreadable)?;
    snapshot::from_text(text).map(Some).map_err(|error| unreadable().caused_by(error))
}
