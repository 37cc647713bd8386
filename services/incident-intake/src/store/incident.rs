//! Incidents.

use fenghuo_durable::{Error, NewEvent, Result, Row, Tx, params};

use crate::domain::{Incident, Report, matching};
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

/// Open incidents that a report could belong to: near in time, and of the same division, water body, point or partner's incident.
/// [`matching::reasons`] decides; this only leaves out what it would refuse.
pub async fn candidates(tx: &mut Tx, report: &Report) -> Result<Vec<Incident>> {
    let (from, to) = matching::window(report.learn_time);
    let (west_south, east_north) = matching::bounds(report.place.position());
    // A union of three searches: SQLite would answer one OR of them by walking every open incident.
    let near = "SELECT body FROM intake_incident WHERE told_us >= $1 AND told_us <= $2 AND name IN (
        SELECT name FROM intake_incident WHERE admin_code = $3 AND state = 'open'
        UNION SELECT name FROM intake_incident WHERE water_body = $4 AND water_body <> '' AND state = 'open'
        UNION SELECT name FROM intake_incident WHERE state = 'open' AND latitude_deg >= $6 AND latitude_deg <= $8 AND longitude_deg >= $5 AND longitude_deg <= $7)
        ORDER BY name LIMIT 200";
    let water = report.place.water_body.trim();
    // What neighbours tell lies "somewhere in the province": hundreds of incidents, and none of them the same for that.
    let division = matching::one_place(&report.place.admin_code).unwrap_or_default();
    let values = params![from, to, division, water, west_south.0, west_south.1, east_north.0, east_north.1];
    let mut rows = tx.rows(near, values).await?;
    if !report.remote_incident.is_empty() {
        let same = "SELECT i.body FROM intake_remote_incident r JOIN intake_incident i ON i.name = r.incident WHERE r.remote = $1 AND i.state = 'open' ORDER BY i.name";
        let mut named = tx.rows(same, params![&report.remote_incident]).await?;
        named.append(&mut rows);
        rows = named;
    }
    rows.iter().map(read).collect()
}

/// Every open incident, for a watch that begins.
pub async fn open(tx: &mut Tx) -> Result<Vec<Incident>> {
    tx.rows("SELECT body FROM intake_incident WHERE state = 'open' ORDER BY next_due_us, name", &[]).await?.iter().map(read).collect()
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
    let sql = "INSERT INTO intake_incident (name, revision, admin_code, state, learn_us, next_due_us, body, told_us, longitude_deg, latitude_deg, water_body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, admin_code = excluded.admin_code, state = excluded.state, next_due_us = excluded.next_due_us,
        body = excluded.body, told_us = excluded.told_us, longitude_deg = excluded.longitude_deg, latitude_deg = excluded.latitude_deg, water_body = excluded.water_body
        WHERE intake_incident.revision = excluded.revision - 1";
    let admin_code = &incident.place.admin_code;
    let (longitude, latitude) = incident.place.position().unwrap_or_default();
    let water = incident.place.water_body.trim();
    let values = params![
        &incident.name,
        incident.revision,
        admin_code,
        state,
        incident.learn_time,
        due,
        &body,
        incident.last_told,
        longitude,
        latitude,
        water
    ];
    let written = tx.execute(sql, values).await?;
    if written != 1 {
        return Err(Error::race_lost());
    }
    for remote in &incident.remote_incidents {
        tx.execute(
            "INSERT INTO intake_remote_incident (remote, incident) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![remote, &incident.name],
        )
        .await?;
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
