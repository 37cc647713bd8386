//! The state of the link to each partner, as a record of its space.

use fenghuo_durable::{Error, NewEvent, Result, Tx, params};

use crate::links::LinkStatus;

/// Stores the state of a link with its event, when it is another than the one stored; says whether it was.
pub(crate) async fn save(tx: &mut Tx, province: &str, partner: &str, status: &LinkStatus) -> Result<bool> {
    let name = format!("provinces/{province}/partners/{partner}/link");
    let row = tx.row("SELECT revision, body FROM mailbox_link WHERE name = $1", params![&name]).await?;
    let (revision, before) = match &row {
        Some(row) => (row.count(0)?, Some(row.text(1)?)),
        None => (0, None),
    };
    let body = serde_json::json!({ "state": status.state.as_str(), "since": status.since, "why": status.last_error }).to_string();
    let same = before.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    if same.is_some_and(|before| before["state"] == status.state.as_str()) {
        return Ok(false);
    }
    let sql = "INSERT INTO mailbox_link (name, revision, admin_code, body) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, body = excluded.body WHERE mailbox_link.revision = excluded.revision - 1";
    if tx.execute(sql, params![&name, revision + 1, province, &body]).await? != 1 {
        return Err(Error::new(fenghuo_durable::Code::Aborted, "RACE_LOST", "another change came first; read again and repeat"));
    }
    tx.append(NewEvent {
        service: "mailbox",
        kind: "partner.link_changed",
        subject: name,
        revision: revision + 1,
        admin_code: province.to_owned(),
        actor: format!("partners/{partner}"),
        payload: serde_json::json!({ "partner": partner, "state": status.state.as_str() }).to_string(),
        text_zh: format!("与 {partner} 的链路:{}", status.state.text_zh()),
        text_en: format!("Link to {partner}: {}", status.state.as_str()),
        record: body.into_bytes(),
        ..NewEvent::default()
    })
    .await?;
    Ok(true)
}
