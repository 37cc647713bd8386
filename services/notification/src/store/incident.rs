//! Incidents as their newest events tell them. There is no copy: an event is committed with its change, so the log is never behind.

use fenghuo_api::incident::v1::Incident;
use fenghuo_api::snapshot;
use fenghuo_durable::{Error, Result, Tx};

/// An incident as incident-intake last told of it.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Incident>> {
    let Some(event) = tx.newest_event_of(name).await?.filter(|event| event.kind.starts_with("incident.")) else { return Ok(None) };
    let unreadable = |error| Error::internal(format!("the newest event of {name} carries no incident that can be read")).caused_by(error);
    snapshot::from_payload(&event.payload, "incident").map(Some).map_err(unreadable)
}
