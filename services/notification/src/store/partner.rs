//! Partners, in the node's database.

use fenghuo_durable::{Error, NewEvent, Result, Tx, params};

use crate::domain::Partner;
use crate::wire::{read_json, write_json};

/// Every partner by code.
pub async fn all(tx: &mut Tx) -> Result<Vec<Partner>> {
    let rows = tx.rows("SELECT body FROM notification_partner ORDER BY province_code", &[]).await?;
    rows.iter().map(|row| read_json(&row.text(0)?)).collect()
}

/// One partner.
pub async fn get(tx: &mut Tx, province_code: &str) -> Result<Option<Partner>> {
    let row = tx.row("SELECT body FROM notification_partner WHERE province_code = $1", params![province_code]).await?;
    row.map(|row| read_json(&row.text(0)?)).transpose()
}

/// Stores a partner at its next revision, with its event.
pub async fn save(tx: &mut Tx, us: &str, partner: &mut Partner, kind: &'static str, actor: &str, request_id: &str) -> Result<()> {
    partner.revision += 1;
    let body = write_json(partner)?;
    let sql = "INSERT INTO notification_partner (name, revision, admin_code, province_code, body) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, body = excluded.body WHERE notification_partner.revision = excluded.revision - 1";
    if tx.execute(sql, params![&partner.name, partner.revision, us, &partner.province_code, &body]).await? != 1 {
        return Err(Error::race_lost());
    }
    tx.append(NewEvent {
        service: "notification",
        kind,
        subject: partner.name.clone(),
        revision: partner.revision,
        admin_code: us.to_owned(),
        actor: actor.to_owned(),
        request_id: request_id.to_owned(),
        payload: serde_json::json!({ "province_code": partner.province_code, "mode": partner.mode, "fingerprint": partner.fingerprint })
            .to_string(),
        text_zh: format!("登记通报对象 {}", partner.display_name),
        text_en: format!("Partner {} was entered", partner.province_code),
        record: body.into_bytes(),
        private: None,
    })
    .await?;
    Ok(())
}
