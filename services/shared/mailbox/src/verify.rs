//! Recomputing what the mailbox proves: digests, signatures and receipts of both directions.

use fenghuo_api::partner::v1::{Receipt, SignedEnvelope, SignedReceipt};
use fenghuo_durable::{Db, Result, Row, Tx, sha256};
use fenghuo_edge::{PartnerTrust, ProvinceKeys};
use prost::Message;
use std::sync::Arc;

use crate::core::{Direction, OwnKeys, Streams};
use crate::envelope::open;
use crate::machine::{Head, NOTHING};
use crate::store::{read_digest, read_envelope, read_receipt};

/// Faults listed at most.
const FAULTS_MAX: usize = 100;

/// What was checked and what does not hold.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Envelopes checked.
    pub envelopes: u64,
    /// Receipts checked.
    pub receipts: u64,
    /// In words; at most 100.
    pub faults: Vec<String>,
}

struct Keyring {
    keys: Arc<ProvinceKeys>,
    trust: Arc<PartnerTrust>,
}

/// Recomputes every digest, chain of digests, signature and receipt of a space. Our own signatures are checked with the key of then.
pub async fn verify(db: &Db, keys: Arc<ProvinceKeys>, trust: Arc<PartnerTrust>) -> Result<Checked> {
    db.read(Keyring { keys, trust }, |ring, tx: &mut Tx| {
        Box::pin(async move {
            let mut checked = Checked::default();
            let sql = "SELECT partner, epoch, position, digest, envelope, key_id, signature, receipt, receipt_key_id, receipt_signature FROM mailbox_outbox ORDER BY partner, epoch, position";
            walk(&tx.rows(sql, &[]).await?, true, ring, &mut checked)?;
            let sql = "SELECT partner, epoch, position, digest, envelope, key_id, signature, receipt, receipt_key_id, receipt_signature FROM mailbox_inbox ORDER BY partner, epoch, position";
            walk(&tx.rows(sql, &[]).await?, false, ring, &mut checked)?;
            let sql = "SELECT partner, direction, epoch, position, digest FROM mailbox_stream ORDER BY partner, direction";
            for row in tx.rows(sql, &[]).await? {
                heads(tx, &row, &mut checked).await?;
            }
            Ok(checked)
        })
    })
    .await
}

/// The head of a stream must be its last envelope.
async fn heads(tx: &mut Tx, row: &Row, checked: &mut Checked) -> Result<()> {
    let (partner, direction) = (row.text(0)?, row.text(1)?);
    let side = if direction == "out" { Direction::Out } else { Direction::In };
    let (epoch, position) = (row.count(2)?, row.count(3)?);
    let there = tx.digest_at(&partner, side, epoch, position).await?;
    if position > 0 && there != Some(read_digest(row, 4)?) {
        checked.fault(format!("stream {direction} {partner}: its head is not its last envelope"));
    }
    Ok(())
}

impl Checked {
    fn fault(&mut self, text: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(text);
        }
    }
}

fn walk(rows: &[Row], outgoing: bool, ring: &Keyring, checked: &mut Checked) -> Result<()> {
    let mut before: Option<(String, Head)> = None;
    for row in rows {
        let (partner, epoch, position) = (row.text(0)?, row.count(1)?, row.count(2)?);
        let digest = read_digest(row, 3)?;
        let way = if outgoing { "to" } else { "from" };
        let name = format!("envelope {way} {partner} epoch {epoch} position {position}");
        let previous = match &before {
            Some((last, head)) if *last == partner && head.epoch == epoch => (head.position, head.digest),
            _ => (0, NOTHING),
        };
        if position != previous.0 + 1 {
            checked.fault(format!("{name}: what should stand before it is missing"));
        }
        let signed = read_envelope(row, 4)?;
        checked.envelopes += 1;
        check_envelope(&name, outgoing, &partner, &signed, &digest, &previous.1, ring, checked);
        if let Some(receipt) = read_receipt(row, 7)? {
            checked.receipts += 1;
            check_receipt(&name, outgoing, &partner, &receipt, &digest, position, ring, checked);
        }
        before = Some((partner, Head { epoch, position, digest }));
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // One row's columns.
fn check_envelope(
    name: &str,
    outgoing: bool,
    partner: &str,
    signed: &SignedEnvelope,
    digest: &[u8; 32],
    previous: &[u8; 32],
    ring: &Keyring,
    checked: &mut Checked,
) {
    if sha256(&signed.envelope) != *digest {
        checked.fault(format!("{name}: its bytes do not give its digest"));
        return;
    }
    match open(signed.clone()) {
        Err(error) => checked.fault(format!("{name}: {error}")),
        Ok(opened) if opened.offered.previous != *previous => {
            checked.fault(format!("{name}: it does not name the digest before it"));
        }
        Ok(_) => {}
    }
    let holds = if outgoing {
        OwnKeys::verify_envelope(ring.keys.as_ref(), &signed.key_id, digest, &signed.signature)
    } else {
        ring.trust.verify_envelope(partner, &signed.key_id, digest, &signed.signature)
    };
    if let Err(error) = holds {
        checked.fault(format!("{name}: {error}"));
    }
}

#[allow(clippy::too_many_arguments)] // One row's columns.
fn check_receipt(
    name: &str,
    outgoing: bool,
    partner: &str,
    signed: &SignedReceipt,
    digest: &[u8; 32],
    position: u64,
    ring: &Keyring,
    checked: &mut Checked,
) {
    match Receipt::decode(signed.receipt.as_slice()) {
        Ok(receipt) if receipt.envelope_digest == digest && receipt.position == position => {}
        Ok(_) => checked.fault(format!("{name}: its receipt is for another envelope")),
        Err(error) => checked.fault(format!("{name}: its receipt cannot be read: {error}")),
    }
    let digest = sha256(&signed.receipt);
    let holds = if outgoing {
        ring.trust.verify_receipt(partner, &signed.key_id, &digest, &signed.signature)
    } else {
        OwnKeys::verify_receipt(ring.keys.as_ref(), &signed.key_id, &digest, &signed.signature)
    };
    if let Err(error) = holds {
        checked.fault(format!("{name}: receipt: {error}"));
    }
}
