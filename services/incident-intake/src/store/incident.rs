//! Incidents.

use fenghuo_api::snapshot;
use fenghuo_durable::{Dialect, Error, NewEvent, Result, Row, Tx, params};

use crate::domain::place::Substance;
use crate::domain::{Incident, IncidentState, Report, matching};
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

/// Candidates that are read at once.
const CANDIDATES: i64 = 50;

macro_rules! candidates {
    ($keys:literal) => {
        // A union of searches: SQLite would answer one OR of them by walking every open incident. CROSS JOIN keeps it from doing so after all.
        concat!(
            "SELECT i.body FROM (
                SELECT name FROM intake_incident WHERE admin_code = $3 AND state = 'open' AND by_matter IN (0, $10)
                UNION SELECT name FROM intake_incident WHERE water_body = $4 AND water_body <> '' AND state = 'open' AND by_matter IN (0, $10)
                UNION SELECT name FROM intake_incident WHERE state = 'open' AND by_matter IN (0, $10)
                    AND latitude_deg >= $6 AND latitude_deg <= $8 AND longitude_deg >= $5 AND longitude_deg <= $7
                UNION SELECT m.incident AS name FROM ",
            $keys,
            " AS k JOIN intake_matter m ON m.matter = k.value) AS near CROSS JOIN intake_incident AS i
            WHERE i.name = near.name AND i.state = 'open' AND i.told_us >= $1 AND i.told_us <= $2 AND i.name > $9
            AND (i.admin_code = $3 OR (i.water_body = $4 AND i.water_body <> '')
                OR (i.latitude_deg >= $6 AND i.latitude_deg <= $8 AND i.longitude_deg >= $5 AND i.longitude_deg <= $7))
            ORDER BY i.name LIMIT $12"
        )
    };
}

/// Open incidents that a report could belong to, a page after a name: near in time, of the same division, water body or point, and of the
/// same pollutant where both are known. [`matching::reasons`] decides; this only leaves out what it would refuse. Empty: no more.
pub async fn candidates(tx: &mut Tx, report: &Report, after: &str) -> Result<Vec<Incident>> {
    let (from, to) = matching::window(report.learn_time);
    let (west_south, east_north) = matching::bounds(report.place.position());
    let sql = match tx.dialect() {
        Dialect::Sqlite => candidates!("json_each($11)"),
        Dialect::Postgres => candidates!("json_array_elements_text($11::json)"),
    };
    let water = report.place.water_body.trim();
    // What neighbours tell lies "somewhere in the province": hundreds of incidents, and none of them the same for that.
    let division = matching::one_place(&report.place.admin_code).unwrap_or_default();
    let keys = matter_keys(&report.substances);
    // A report of nothing known may belong to an incident of anything.
    let known = i64::from(report.substances.is_empty());
    let values = params![from, to, division, water, west_south.0, west_south.1, east_north.0, east_north.1, after, known, keys, CANDIDATES];
    tx.rows(sql, values).await?.iter().map(read).collect()
}

/// What these substances are looked for by, as JSON.
fn matter_keys(substances: &[Substance]) -> String {
    serde_json::Value::from_iter(substances.iter().flat_map(Substance::keys)).to_string()
}

/// Open incidents that a partner knows by this name.
pub async fn of_remote(tx: &mut Tx, remote: &str) -> Result<Vec<Incident>> {
    let sql = "SELECT i.body FROM intake_remote_incident r JOIN intake_incident i ON i.name = r.incident WHERE r.remote = $1 AND i.state = 'open' ORDER BY i.name";
    tx.rows(sql, params![remote]).await?.iter().map(read).collect()
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
    let sql = "INSERT INTO intake_incident (name, revision, admin_code, state, learn_us, next_due_us, body, told_us, longitude_deg, latitude_deg, water_body, by_matter)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, admin_code = excluded.admin_code, state = excluded.state, next_due_us = excluded.next_due_us,
        body = excluded.body, told_us = excluded.told_us, longitude_deg = excluded.longitude_deg, latitude_deg = excluded.latitude_deg, water_body = excluded.water_body, by_matter = excluded.by_matter
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
        water,
        !incident.substances.is_empty()
    ];
    let written = tx.execute(sql, values).await?;
    if written != 1 {
        return Err(Error::race_lost());
    }
    keep_matter(tx, incident).await?;
    for remote in &incident.remote_incidents {
        tx.execute(
            "INSERT INTO intake_remote_incident (remote, incident) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![remote, &incident.name],
        )
        .await?;
    }
    tx.append(NewEvent {
        service: "incident-intake",
        kind: told.kind,
        subject: incident.name.clone(),
        revision: incident.revision,
        admin_code: admin_code.clone(),
        actor: told.actor,
        request_id: told.request_id,
        payload: snapshot::to_payload("incident", &incident_out(incident)),
        text_zh: told.zh,
        text_en: told.en,
        record: body.into_bytes(),
        private: None,
    })
    .await?;
    Ok(())
}

/// Lets an open incident be found by what it is about.
async fn keep_matter(tx: &mut Tx, incident: &Incident) -> Result<()> {
    if incident.state == IncidentState::Closed {
        tx.execute("DELETE FROM intake_matter WHERE incident = $1", params![&incident.name]).await?;
        return Ok(());
    }
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "INSERT INTO intake_matter (incident, matter) SELECT $1, value FROM json_each($2) WHERE TRUE ON CONFLICT DO NOTHING"
        }
        Dialect::Postgres => {
            "INSERT INTO intake_matter (incident, matter) SELECT $1, value FROM json_array_elements_text($2::json) ON CONFLICT DO NOTHING"
        }
    };
    if !incident.substances.is_empty() {
        tx.execute(sql, params![&incident.name, matter_keys(&incident.substances)]).await?;
    }
    Ok(())
}
