//! Follows incident-intake: keeps a read copy of incidents, and learns which of ours an incoming notification became.

use data_encoding::HEXLOWER;
use fenghuo_api::incident::v1::Incident;
use fenghuo_durable::{Consumer, Error, Event, Result, Tx};
use futures::future::BoxFuture;
use prost::Message;

use crate::store::incident;
use crate::store::notification::{self, Told};

/// The reader.
#[derive(Debug)]
pub struct Incidents;

impl Consumer for Incidents {
    fn name(&self) -> &'static str {
        incident::READER
    }

    fn wants(&self, kind: &str) -> bool {
        kind.starts_with("incident.") || kind == "report.taken"
    }

    fn handle<'t>(&'t self, tx: &'t mut Tx, event: &'t Event) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let payload: serde_json::Value =
                serde_json::from_str(&event.payload).map_err(|error| Error::internal("an event's payload is not JSON").caused_by(error))?;
            let text = payload.get("incident").and_then(|value| value.as_str()).unwrap_or_default();
            if event.kind == "report.taken" {
                return self.link(tx, event, text).await;
            }
            let Some(bytes) = HEXLOWER.decode(text.as_bytes()).ok().filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            let found = Incident::decode(bytes.as_slice()).map_err(|error| {
                Error::internal(format!("event {} carries an incident that cannot be read", event.seq)).caused_by(error)
            })?;
            incident::keep(tx, &event.admin_code, event.revision, &found).await
        })
    }
}

impl Incidents {
    /// A report that was made from a notification ends with the same identifier.
    async fn link(&self, tx: &mut Tx, event: &Event, incident: &str) -> Result<()> {
        let uuid = event.subject.rsplit('/').next().unwrap_or_default();
        let Some(mut found) = notification::incoming_by_uuid(tx, uuid).await? else { return Ok(()) };
        if found.incident == incident || incident.is_empty() {
            return Ok(());
        }
        found.incident = incident.to_owned();
        let told = Told {
            kind: "notification.linked",
            actor: event.actor.clone(),
            request_id: String::new(),
            zh: "来件已归入事件".to_owned(),
            en: "Joined to an incident".to_owned(),
        };
        notification::save(tx, &mut found, told).await
    }
}
