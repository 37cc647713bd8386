//! Follows incident-intake: learns which of our incidents an incoming notification became.

use fenghuo_durable::{Consumer, Error, Event, Result, Tx};
use futures::future::BoxFuture;

use crate::store::notification::{self, Told};

/// The reader.
#[derive(Debug)]
pub struct Incidents;

impl Consumer for Incidents {
    fn name(&self) -> &'static str {
        "notification.incidents"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "report.taken"
    }

    fn handle<'t>(&'t self, tx: &'t mut Tx, event: &'t Event) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let payload: serde_json::Value =
                serde_json::from_str(&event.payload).map_err(|error| Error::internal("an event's payload is not JSON").caused_by(error))?;
            self.link(tx, event, payload.get("incident").and_then(|value| value.as_str()).unwrap_or_default()).await
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
