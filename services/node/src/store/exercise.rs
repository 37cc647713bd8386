//! Exercises.

use fenghuo_durable::{Error, NewEvent, Result, Row, Tx, params};
use serde_json::json;

use super::Told;
use crate::domain::Exercise;

fn read(row: &Row) -> Result<Exercise> {
    serde_json::from_str(&row.text(0)?).map_err(|error| Error::internal("a stored exercise cannot be read").caused_by(error))
}

/// An exercise by its name.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Exercise>> {
    let row = tx.row("SELECT body FROM node_exercise WHERE name = $1", params![name]).await?;
    row.as_ref().map(read).transpose()
}

/// An exercise that must be there.
pub async fn existing(tx: &mut Tx, name: &str) -> Result<Exercise> {
    get(tx, name).await?.ok_or_else(|| Error::not_found(name))
}

/// Every exercise, for a start of the node.
pub async fn all(tx: &mut Tx) -> Result<Vec<Exercise>> {
    tx.rows("SELECT body FROM node_exercise ORDER BY open_us, name", &[]).await?.iter().map(read).collect()
}

/// A page before a key of (wall time of opening in microseconds, name), newest first.
pub async fn page(tx: &mut Tx, before: &(i64, String), most: i64) -> Result<Vec<Exercise>> {
    let sql = "SELECT body FROM node_exercise WHERE (open_us, name) < ($1, $2) ORDER BY open_us DESC, name DESC LIMIT $3";
    tx.rows(sql, params![before.0, &before.1, most]).await?.iter().map(read).collect()
}

/// Stores an exercise at its next revision, with its event.
pub async fn save(tx: &mut Tx, province_code: &str, exercise: &mut Exercise, told: Told) -> Result<()> {
    exercise.revision += 1;
    let body = serde_json::to_string(exercise).map_err(|error| Error::internal("an exercise cannot be stored").caused_by(error))?;
    let sql = "INSERT INTO node_exercise (name, revision, admin_code, state, open_us, body) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, state = excluded.state, body = excluded.body
        WHERE node_exercise.revision = excluded.revision - 1";
    let values = params![&exercise.name, exercise.revision, province_code, exercise.state.as_str(), exercise.opened_at, &body];
    if tx.execute(sql, values).await? != 1 {
        return Err(Error::race_lost());
    }
    let payload = json!({
        "state": exercise.state, "clock": exercise.clock, "province_codes": exercise.province_codes, "ended_at": exercise.ended_at,
    });
    tx.append(NewEvent {
        service: "node",
        kind: told.kind,
        subject: exercise.name.clone(),
        revision: exercise.revision,
        admin_code: province_code.to_owned(),
        actor: told.actor,
        request_id: told.request_id,
        payload: payload.to_string(),
        text_zh: told.zh.to_owned(),
        text_en: told.en.to_owned(),
        record: body.into_bytes(),
        private: Some(json!({ "title": exercise.title }).to_string()),
    })
    .await?;
    Ok(())
}
