//! What the replicas of a node tell each other of the links.

use fenghuo_durable::{Error, Result, Row, Tx, params};

use crate::links::{LinkState, LinkStatus};

/// How a link stands as the database has it: the state of its record, and the last contact that any replica had.
pub(crate) async fn shared(tx: &mut Tx, province: &str) -> Result<Vec<(String, LinkStatus)>> {
    let sql = "SELECT l.name, l.body, c.contact_us, c.difference_ms, c.why FROM mailbox_link l
        LEFT JOIN mailbox_contact c ON l.name = 'provinces/' || $1 || '/partners/' || c.partner || '/link' ORDER BY l.name";
    tx.rows(sql, params![province]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(String, LinkStatus)> {
    let body: serde_json::Value = serde_json::from_str(&row.text(1)?)
        .map_err(|error| Error::internal("the stored state of a link cannot be read").caused_by(error))?;
    let told = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let status = LinkStatus {
        state: LinkState::from_name(&told("state")),
        since: told("since").parse().ok(),
        last_contact: row.opt_time(2)?,
        last_error: row.opt_text(4)?.unwrap_or_else(|| told("why")),
        clock_difference_ms: row.opt_int(3)?,
    };
    let partner = row.text(0)?.split('/').nth(3).unwrap_or_default().to_owned();
    Ok((partner, status))
}

/// Tells the others of a contact. `sends` says whether this replica is the one that sends: then its last error holds.
pub(crate) async fn tell(tx: &mut Tx, partner: &str, status: &LinkStatus, sends: bool) -> Result<()> {
    let sql = "INSERT INTO mailbox_contact (partner, contact_us, difference_ms, why) VALUES ($1, $2, $3, $4)
        ON CONFLICT (partner) DO UPDATE SET
        contact_us = CASE WHEN excluded.contact_us > mailbox_contact.contact_us THEN excluded.contact_us ELSE mailbox_contact.contact_us END,
        difference_ms = COALESCE(excluded.difference_ms, mailbox_contact.difference_ms),
        why = CASE WHEN $5 = 1 THEN excluded.why ELSE mailbox_contact.why END";
    let contact_us = status.last_contact.map_or(0, jiff::Timestamp::as_microsecond);
    let difference = status.clock_difference_ms.filter(|_| sends);
    tx.execute_one(sql, params![partner, contact_us, difference, &status.last_error, i64::from(sends)]).await
}
