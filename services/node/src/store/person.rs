//! People.

use fenghuo_durable::{Error, NewEvent, Result, Row, Tx, params};
use jiff::Timestamp;
use serde_json::json;

use super::Told;
use crate::domain::Person;

pub(super) fn read(body: &str) -> Result<Person> {
    serde_json::from_str(body).map_err(|error| Error::internal("a stored person cannot be read").caused_by(error))
}

fn read_row(row: &Row) -> Result<Person> {
    read(&row.text(0)?)
}

/// A person by resource name.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Person>> {
    let row = tx.row("SELECT body FROM node_person WHERE name = $1", params![name]).await?;
    row.as_ref().map(read_row).transpose()
}

/// A person who must be there.
pub async fn existing(tx: &mut Tx, name: &str) -> Result<Person> {
    get(tx, name).await?.ok_or_else(|| Error::not_found(name))
}

/// A person by user name.
pub async fn by_user_name(tx: &mut Tx, user_name: &str) -> Result<Option<Person>> {
    let row = tx.row("SELECT body FROM node_person WHERE user_name = $1", params![user_name]).await?;
    row.as_ref().map(read_row).transpose()
}

/// Is there anybody?
pub async fn any(tx: &mut Tx) -> Result<bool> {
    Ok(tx.row("SELECT 1 FROM node_person LIMIT 1", &[]).await?.is_some())
}

/// People after a user name, in the order of user names.
pub async fn page(tx: &mut Tx, after: &str, most: i64) -> Result<Vec<Person>> {
    let sql = "SELECT body FROM node_person WHERE user_name > $1 ORDER BY user_name LIMIT $2";
    tx.rows(sql, params![after, most]).await?.iter().map(read_row).collect()
}

/// Refuses to go on if nobody administers the whole province at this wall time and without an end.
pub async fn require_administrator(tx: &mut Tx, now: Timestamp) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM node_person WHERE administers_us <= $1";
    if tx.number(sql, params![now]).await? > 0 {
        return Ok(());
    }
    let text = "this is the last administrator of the province: make another one first, in force now and without an end";
    Err(Error::precondition("LAST_ADMINISTRATOR", text))
}

/// Stores a person at the next revision, with the event.
pub async fn save(tx: &mut Tx, province_code: &str, person: &mut Person, told: Told) -> Result<()> {
    person.revision += 1;
    let body = serde_json::to_string(person).map_err(|error| Error::internal("a person cannot be stored").caused_by(error))?;
    let sql = "INSERT INTO node_person (name, revision, admin_code, user_name, administers_us, body) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, administers_us = excluded.administers_us, body = excluded.body
        WHERE node_person.revision = excluded.revision - 1";
    let administers = person.administers_from(province_code);
    let values = params![&person.name, person.revision, province_code, &person.user_name, administers, &body];
    if tx.execute(sql, values).await? != 1 {
        return Err(Error::race_lost());
    }
    let private = json!({ "user_name": person.user_name, "display_name": person.display_name, "post": person.post });
    tx.append(NewEvent {
        service: "node",
        kind: told.kind,
        subject: person.name.clone(),
        revision: person.revision,
        admin_code: province_code.to_owned(),
        actor: told.actor,
        request_id: told.request_id,
        payload: json!({ "grants": person.grants, "active": person.active }).to_string(),
        text_zh: told.zh.to_owned(),
        text_en: told.en.to_owned(),
        record: body.into_bytes(),
        private: Some(private.to_string()),
    })
    .await?;
    Ok(())
}
