//! Incidents.

use fenghuo_durable::{Error, NewEvent, Result, Row, Tx, params};

use crate::domain::Incident;
use crate::wire::incident::incident_out;

/// Who does it, and what to say of it.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Type of the event.
    pub kind: &'static str,
    /// Resource name of the person, partner or timer.
    pub actor: String,
    /// The call's `request_id`; empty for reactions.
    pub request_id: String,
    /// One line in Chinese.
    pub zh: String,
    /// One line in English.
    pub en: String,
}

fn read(row: &Row) -> Result<Incident> {
    serde_json::from_str(&row.text(0)?).map_err(|error| Error::internal("a stored incident cannot be read").caused_by(error))
}

/// An incident.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Incident>> {
    let row = tx.row("SELECT body FROM intake_incident WHERE name = $1", params![name]).await?;
    row.as_ref().map(read).transpose()
}

/// An incident that must be there.
pub async fn existing(tx: &mut Tx, name: &str) -> Result<Incident> {
    get(tx, name).await?.ok_or_else(|| Error::not_found(name))
}

/// Every open incident, for matching.
pub async fn open(tx: &mut Tx) -> Result<Vec<Incident>> {
    tx.rows("SELECT body FROM intake_incident WHERE state = 'open' ORDER BY name", &[]).await?.iter().map(read).collect()
}

/// A page of the queue after a key, with one row more than asked for. Ordered by the next due time, then by name.
pub async fn page(tx: &mut Tx, include_closed: bool, after: (i64, String), most: i64) -> Result<Vec<(i64, Incident)>> {
    let sql = "SELECT body, next_due_us FROM intake_incident WHERE (state = 'open' OR $1 = 1) AND (next_due_us, name) > ($2, $3) ORDER BY next_due_us, name LIMIT $4";
    let rows = tx.rows(sql, params![include_closed, after.0, after.1, most]).await?;
    rows.iter().map(|row| Ok((row.int(1)?, read(row)?))).collect()
}

/// Stores an incident at its next revision, with its event.
pub async fn save(tx: &mut Tx, incident: &mut Incident, told: Told) -> Result<()> {
    incident.revision += 1;
    let body = serde_json::to_string(incident).map_err(|error| Error::internal("an incident cannot be stored").caused_by(error))?;
    let state = match incident.state {
        crate::domain::IncidentState::Open => "open",
        crate::domain::IncidentState::Closed => "closed",
    };
    let due = incident.next_due_at().map_or(i64::MAX, jiff::Timestamp::as_microsecond);
    let sql = "INSERT INTO intake_incident (name, revision, admin_code, state, learn_us, next_due_us, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, admin_code = excluded.admin_code, state = excluded.state, next_due_us = excluded.next_due_us, body = excluded.body
        WHERE intake_incident.revision = excluded.revision - 1";
    let admin_code = &incident.place.admin_code;
    let written = tx.execute(sql, params![&incident.name, incident.revision, admin_code, state, incident.learn_time, due, &body]).await?;
    if written != 1 {
        return Err(Error::new(fenghuo_durable::Code::Aborted, "RACE_LOST", "another change came first; read again and repeat"));
    }
    let snapshot = hex::encode(prost::Message::encode_to_vec(&incident_out(incident)));
    tx.append(NewEvent {
        service: "incident-intake",
        kind: told.kind,
        subject: incident.name.clone(),
        revision: incident.revision,
        admin_code: admin_code.clone(),
        actor: told.actor,
        request_id: told.request_id,
        payload: serde_json::json!({ "incident": snapshot }).to_string(),
        text_zh: told.zh,
        text_en: told.en,
        record: body.into_bytes(),
        private: None,
    })
    .await?;
    Ok(())
}
