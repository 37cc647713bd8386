//! Reports that came in.

use fenghuo_durable::{Error, NewEvent, Result, Tx, params};

use crate::domain::Report;

/// Stores a new report with its event. The event holds no personal data: that stands in the report's record alone.
pub async fn insert(tx: &mut Tx, report: &Report, actor: &str, request_id: &str) -> Result<()> {
    let body = serde_json::to_string(report).map_err(|error| Error::internal("a report cannot be stored").caused_by(error))?;
    let sql = "INSERT INTO intake_report (name, revision, admin_code, incident, learn_us, body) VALUES ($1, 1, $2, $3, $4, $5)";
    tx.execute_one(sql, params![&report.name, &report.place.admin_code, &report.incident, report.learn_time, &body]).await?;
    tx.append(NewEvent {
        service: "incident-intake",
        kind: "report.taken",
        subject: report.name.clone(),
        revision: 1,
        admin_code: report.place.admin_code.clone(),
        actor: actor.to_owned(),
        request_id: request_id.to_owned(),
        payload: serde_json::json!({ "incident": report.incident, "origin": report.origin, "notification": report.source_notification })
            .to_string(),
        text_zh: "接到报告".to_owned(),
        text_en: "Report taken".to_owned(),
        record: body.into_bytes(),
        private: None,
    })
    .await?;
    Ok(())
}

/// Reports of an incident, oldest first.
pub async fn of_incident(tx: &mut Tx, incident: &str) -> Result<Vec<Report>> {
    let rows = tx.rows("SELECT body FROM intake_report WHERE incident = $1 ORDER BY learn_us, name", params![incident]).await?;
    rows.iter()
        .map(|row| serde_json::from_str(&row.text(0)?).map_err(|error| Error::internal("a stored report cannot be read").caused_by(error)))
        .collect()
}

/// Has this notification been made into a report already?
pub async fn by_notification(tx: &mut Tx, name: &str) -> Result<bool> {
    Ok(tx.number("SELECT COUNT(*) FROM intake_report WHERE name = $1", params![name]).await? > 0)
}
