//! Notifications.

use fenghuo_api::snapshot;
use fenghuo_durable::{Error, NewEvent, Result, Row, Tx, params};

use crate::domain::{Direction, Notification};
use crate::wire::{notification_out, read_json, write_json};

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

fn read(row: &Row) -> Result<Notification> {
    read_json(&row.text(0)?)
}

/// A notification.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Notification>> {
    let row = tx.row("SELECT body FROM notification_notification WHERE name = $1", params![name]).await?;
    row.as_ref().map(read).transpose()
}

/// A notification that must be there.
pub async fn existing(tx: &mut Tx, name: &str) -> Result<Notification> {
    get(tx, name).await?.ok_or_else(|| Error::not_found(name))
}

/// The incoming notification that was made into this report (its name ends the same).
pub async fn incoming_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Notification>> {
    let sql = "SELECT body FROM notification_notification WHERE uuid = $1 AND direction = 'incoming'";
    tx.row(sql, params![uuid]).await?.as_ref().map(read).transpose()
}

/// Our incident of the last incoming notification about a partner's incident; empty if there is none.
pub async fn incident_of_remote(tx: &mut Tx, partner: &str, remote_incident: &str) -> Result<String> {
    if remote_incident.is_empty() {
        return Ok(String::new());
    }
    let sql = "SELECT incident FROM notification_notification WHERE partner = $1 AND remote_incident = $2 AND incident <> '' ORDER BY create_us DESC, name DESC LIMIT 1";
    Ok(tx.row(sql, params![partner, remote_incident]).await?.map(|row| row.text(0)).transpose()?.unwrap_or_default())
}

/// Messages between us and a partner about one of our incidents, newest first.
pub async fn of_incident_and_partner(tx: &mut Tx, incident: &str, partner: &str) -> Result<Vec<Notification>> {
    let sql =
        "SELECT body FROM notification_notification WHERE incident = $1 AND partner = $2 ORDER BY create_us DESC, name DESC LIMIT 100";
    tx.rows(sql, params![incident, partner]).await?.iter().map(read).collect()
}

/// What a list asks for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this incident; empty means all.
    pub incident: String,
    /// Only those whose acknowledgement is missing.
    pub unacknowledged_only: bool,
}

/// A page, newest first, before a key.
pub async fn page(tx: &mut Tx, filter: &Filter, before: (i64, String), most: i64) -> Result<Vec<(i64, Notification)>> {
    let sql =
        "SELECT body, create_us FROM notification_notification WHERE ($1 = '' OR incident = $1) AND (wants_acknowledgement = 1 OR $2 = 0)
        AND (create_us < $3 OR (create_us = $3 AND name < $4)) ORDER BY create_us DESC, name DESC LIMIT $5";
    let rows = tx.rows(sql, params![&filter.incident, filter.unacknowledged_only, before.0, before.1, most]).await?;
    rows.iter().map(|row| Ok((row.int(1)?, read(row)?))).collect()
}

/// Stores a notification at its next revision, with its event.
pub async fn save(tx: &mut Tx, found: &mut Notification, told: Told) -> Result<()> {
    found.revision += 1;
    let body = write_json(found)?;
    let (direction, remote) = match found.direction {
        Direction::Outgoing => ("outgoing", ""),
        Direction::Incoming => ("incoming", found.content.incident.as_str()),
    };
    let sql = "INSERT INTO notification_notification (name, revision, admin_code, direction, partner, incident, remote_incident, uuid, wants_acknowledgement, create_us, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, incident = excluded.incident, wants_acknowledgement = excluded.wants_acknowledgement, body = excluded.body
        WHERE notification_notification.revision = excluded.revision - 1";
    let values = params![
        &found.name,
        found.revision,
        &found.admin_code,
        direction,
        &found.partner_code,
        &found.incident,
        remote,
        found.name.rsplit('/').next().unwrap_or_default(),
        found.wants_acknowledgement(),
        found.create_time,
        &body
    ];
    if tx.execute(sql, values).await? != 1 {
        return Err(Error::race_lost());
    }
    tx.append(NewEvent {
        service: "notification",
        kind: told.kind,
        subject: found.name.clone(),
        revision: found.revision,
        admin_code: found.admin_code.clone(),
        actor: told.actor,
        request_id: told.request_id,
        payload: snapshot::to_payload("notification", &notification_out(found)),
        text_zh: told.zh,
        text_en: told.en,
        record: body.into_bytes(),
        private: None,
    })
    .await?;
    Ok(())
}
