//! The quarantine.

use fenghuo_durable::{Code, Error, NewEvent, Result, Tx, params};
use serde_json::json;

use super::Told;
use crate::domain::Quarantine;

/// The last quarantine, if there ever was one.
pub async fn last(tx: &mut Tx) -> Result<Option<Quarantine>> {
    let row = tx.row("SELECT body FROM operation_quarantine LIMIT 1", &[]).await?;
    let read =
        |body: String| serde_json::from_str(&body).map_err(|error| Error::internal("a stored quarantine cannot be read").caused_by(error));
    row.map(|row| row.text(0).and_then(read)).transpose()
}

/// Stores it at its next revision, with its event.
pub async fn save(tx: &mut Tx, province_code: &str, quarantine: &mut Quarantine, told: Told) -> Result<()> {
    quarantine.revision += 1;
    let body = serde_json::to_string(quarantine).map_err(|error| Error::internal("a quarantine cannot be stored").caused_by(error))?;
    let sql = "INSERT INTO operation_quarantine (name, revision, body) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, body = excluded.body
        WHERE operation_quarantine.revision = excluded.revision - 1";
    if tx.execute(sql, params![&quarantine.name, quarantine.revision, &body]).await? != 1 {
        return Err(Error::new(Code::Aborted, "RACE_LOST", "another change came first; read again and repeat"));
    }
    let private = (!quarantine.reason.is_empty()).then(|| json!({ "reason": quarantine.reason }).to_string());
    tx.append(NewEvent {
        service: "operation",
        kind: told.kind,
        subject: quarantine.name.clone(),
        revision: quarantine.revision,
        admin_code: province_code.to_owned(),
        actor: told.actor,
        request_id: told.request_id,
        payload: json!({ "state": quarantine.state }).to_string(),
        text_zh: told.zh.to_owned(),
        text_en: told.en.to_owned(),
        record: body.into_bytes(),
        private,
    })
    .await?;
    Ok(())
}
