//! Sessions. Each is told in the log when it starts and when it is ended; running out needs no telling, the start says when.

use fenghuo_durable::{NewEvent, Result, Row, Tx, params};
use jiff::Timestamp;
use serde_json::json;

use crate::domain::Person;

/// A session with its person.
#[derive(Debug, Clone)]
pub struct Session {
    /// Our own identifier of it; not the token.
    pub id: String,
    /// Wall time at which it runs out.
    pub expire_at: Timestamp,
    /// Whose it is.
    pub person: Person,
}

/// A session to be started.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Our own identifier of it.
    pub id: String,
    /// SHA-256 of the token.
    pub token_digest: [u8; 32],
    /// Wall time.
    pub start_at: Timestamp,
    /// Wall time at which it runs out.
    pub expire_at: Timestamp,
}

fn read(row: &Row) -> Result<Session> {
    Ok(Session { id: row.text(0)?, expire_at: row.time(1)?, person: super::person::read(&row.text(2)?)? })
}

/// The session of a token.
pub async fn by_token(tx: &mut Tx, token_digest: [u8; 32]) -> Result<Option<Session>> {
    let sql =
        "SELECT s.session_id, s.expire_us, p.body FROM node_session s JOIN node_person p ON p.name = s.person WHERE s.token_digest = $1";
    tx.row(sql, params![token_digest]).await?.as_ref().map(read).transpose()
}

/// A session by our own identifier.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Session>> {
    let sql =
        "SELECT s.session_id, s.expire_us, p.body FROM node_session s JOIN node_person p ON p.name = s.person WHERE s.session_id = $1";
    tx.row(sql, params![id]).await?.as_ref().map(read).transpose()
}

/// Starts a session, and forgets those that have run out.
pub async fn start(tx: &mut Tx, province_code: &str, person: &str, session: &NewSession) -> Result<()> {
    tx.execute("DELETE FROM node_session WHERE expire_us <= $1", params![session.start_at]).await?;
    let sql = "INSERT INTO node_session (token_digest, session_id, person, start_us, expire_us) VALUES ($1, $2, $3, $4, $5)";
    tx.execute_one(sql, params![session.token_digest, &session.id, person, session.start_at, session.expire_at]).await?;
    let payload = json!({ "expire_time": session.expire_at });
    let texts = ("登录", "Signed in");
    tell(tx, province_code, person, &session.id, person, 1, "session.started", &payload.to_string(), texts).await
}

/// Ends a session; nothing if it is over.
pub async fn end(tx: &mut Tx, province_code: &str, id: &str, actor: &str) -> Result<()> {
    let found = tx.row("SELECT session_id, person FROM node_session WHERE session_id = $1", params![id]).await?;
    end_rows(tx, province_code, &Vec::from_iter(found), actor).await
}

/// Ends all sessions of a person but, if given, one.
pub async fn end_all(tx: &mut Tx, province_code: &str, person: &str, but: &str, actor: &str) -> Result<()> {
    let sql = "SELECT session_id, person FROM node_session WHERE person = $1 AND session_id <> $2 ORDER BY session_id";
    let found = tx.rows(sql, params![person, but]).await?;
    end_rows(tx, province_code, &found, actor).await
}

async fn end_rows(tx: &mut Tx, province_code: &str, rows: &[Row], actor: &str) -> Result<()> {
    for row in rows {
        let (id, person) = (row.text(0)?, row.text(1)?);
        tx.execute_one("DELETE FROM node_session WHERE session_id = $1", params![&id]).await?;
        tell(tx, province_code, &person, &id, actor, 2, "session.ended", "{}", ("会话结束", "Session ended")).await?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // The fields of one event.
async fn tell(
    tx: &mut Tx,
    province_code: &str,
    person: &str,
    id: &str,
    actor: &str,
    revision: u64,
    kind: &'static str,
    payload: &str,
    texts: (&str, &str),
) -> Result<()> {
    tx.append(NewEvent {
        service: "node",
        kind,
        subject: format!("{person}/sessions/{id}"),
        revision,
        admin_code: province_code.to_owned(),
        actor: actor.to_owned(),
        payload: payload.to_owned(),
        text_zh: texts.0.to_owned(),
        text_en: texts.1.to_owned(),
        record: payload.as_bytes().to_vec(),
        ..NewEvent::default()
    })
    .await?;
    Ok(())
}
