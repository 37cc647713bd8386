//! Envelopes that we stored, and our receipts for them.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{OwnEnvelope, SignedReceipt};
use fenghuo_durable::{Code, Error, Result, Tx, params, wall};

use super::stream::{self, Direction};
use super::{key, link, read_envelope, read_receipt};
use crate::envelope::{Opened, SpaceKeys, kind_of, sign_receipt};
use crate::inbox::{Inbox, Incoming, Judgement};
use crate::machine::{Arrival, Head, MAX_BATCH, MAX_BATCH_BYTES, arrival};
use crate::telemetry;

/// What came of an envelope that arrived.
#[derive(Debug)]
pub(crate) struct Received {
    /// Our receipt: the one made now, or the one made then.
    pub(crate) receipt: SignedReceipt,
    /// It was stored now.
    pub(crate) new: bool,
    /// A signing key that the partner announced with it.
    pub(crate) new_key: Option<Vec<u8>>,
}

/// Stores an envelope whose form and signature were checked, takes it up and makes its receipt, or finds the receipt made before.
/// FAILED_PRECONDITION with reason POSITION_GAP (metadata `expectedPosition`) or STREAM_DIVERGED; nothing is stored then.
pub(crate) async fn receive(tx: &mut Tx, signer: &SpaceKeys, inbox: &dyn Inbox, opened: &Opened) -> Result<Received> {
    let partner = opened.stream.sender.as_str();
    let offered = &opened.offered;
    tx.lock(&format!("mailbox.in.{partner}")).await?;
    let head = stream::head(tx, partner, Direction::In).await?;
    let stored_there = stream::digest_at(tx, partner, Direction::In, offered.epoch, offered.position).await?;
    match arrival(&head, stored_there, offered) {
        Arrival::Duplicate => {
            let receipt = receipt_at(tx, partner, offered.epoch, offered.position).await?;
            Ok(Received { receipt, new: false, new_key: None })
        }
        Arrival::Gap { expected } => {
            let text = format!("position {} is beyond the next one; repeat from position {expected}", offered.position);
            Err(Error::new(Code::FailedPrecondition, "POSITION_GAP", text).with("expectedPosition", expected.to_string()))
        }
        Arrival::Diverged(divergence) => Err(diverged(&divergence.text())),
        Arrival::Refused { reason, what } => Err(Error::new(Code::FailedPrecondition, reason, what)),
        Arrival::Store => {
            if head.epoch > 0 && offered.epoch > head.epoch {
                tracing::warn!(partner, epoch = offered.epoch, "the partner has begun a new epoch: it was restored from a backup");
            }
            if let Some(why) = link::stopped(tx, partner, offered.epoch).await? {
                return Err(diverged(&format!("{why}; a person decides, and the stream goes on in a new epoch")));
            }
            key::check_signer(tx, partner, offered.epoch, offered.position, &opened.signed.key_id).await?;
            store(tx, signer, inbox, opened).await
        }
    }
}

/// The two sides do not agree: an alarm.
pub(crate) fn diverged(text: &str) -> Error {
    Error::precondition("STREAM_DIVERGED", format!("the stream is stopped: {text}"))
}

async fn store(tx: &mut Tx, signer: &SpaceKeys, inbox: &dyn Inbox, opened: &Opened) -> Result<Received> {
    let (partner, offered) = (opened.stream.sender.as_str(), &opened.offered);
    let content = opened.envelope.content.as_ref();
    let mut new_key = None;
    let judgement = match content {
        None => Judgement::NotUnderstood,
        Some(Content::KeyAnnouncement(announced)) => {
            let judgement = key::announced(tx, partner, announced, offered).await?;
            if judgement == Judgement::Accepted {
                new_key = announced.signing_key.as_ref().map(|key| key.public_key.clone());
            }
            judgement
        }
        Some(Content::ChainHead(head)) => key::chain_head(tx, partner, head, offered).await?,
        Some(_) => {
            let incoming =
                Incoming { partner: partner.to_owned(), envelope: opened.envelope.clone(), epoch: offered.epoch, digest: offered.digest };
            inbox.take(tx, &incoming).await?
        }
    };
    telemetry::count_received(tx, partner, kind_of(content), judgement.outcome().0);
    let receipt = sign_receipt(&signer.keys, opened, &judgement);
    insert(tx, opened, &receipt, &judgement).await?;
    let head = Head { epoch: offered.epoch, position: offered.position, digest: offered.digest };
    stream::advance(tx, partner, Direction::In, &head).await?;
    Ok(Received { receipt, new: true, new_key })
}

async fn insert(tx: &mut Tx, opened: &Opened, receipt: &SignedReceipt, judgement: &Judgement) -> Result<()> {
    let sql = "INSERT INTO mailbox_inbox (partner, epoch, position, kind, envelope, digest, key_id, signature, receipt, receipt_key_id, receipt_signature, outcome, reason, store_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let (offered, signed) = (&opened.offered, &opened.signed);
    let (outcome, reason) = judgement.outcome();
    let values = params![
        &opened.stream.sender,
        offered.epoch,
        offered.position,
        kind_of(opened.envelope.content.as_ref()),
        &signed.envelope,
        offered.digest,
        &signed.key_id,
        &signed.signature,
        &receipt.receipt,
        &receipt.key_id,
        &receipt.signature,
        i64::from(i32::from(outcome)),
        reason,
        wall::now()
    ];
    tx.execute_one(sql, values).await
}

async fn receipt_at(tx: &mut Tx, partner: &str, epoch: u64, position: u64) -> Result<SignedReceipt> {
    let sql = "SELECT receipt, receipt_key_id, receipt_signature FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position = $3";
    let row = tx.row(sql, params![partner, epoch, position]).await?;
    let found = row.map(|row| read_receipt(&row, 0)).transpose()?.flatten();
    found.ok_or_else(|| Error::internal("a stored envelope has no receipt"))
}

/// Our receipts for a partner's envelopes of one epoch after a position, in order.
pub(crate) async fn receipts_after(tx: &mut Tx, partner: &str, epoch: u64, position: u64) -> Result<Vec<SignedReceipt>> {
    let sql = "SELECT receipt, receipt_key_id, receipt_signature FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position > $3 ORDER BY position LIMIT $4";
    let rows = tx.rows(sql, params![partner, epoch, position, MAX_BATCH as i64]).await?;
    rows.iter().filter_map(|row| read_receipt(row, 0).transpose()).collect()
}

/// Envelopes of a partner after a position, with the receipts given for them: for a partner that was restored.
pub(crate) async fn given_back(tx: &mut Tx, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<OwnEnvelope>> {
    let sql = "SELECT envelope, key_id, signature, receipt, receipt_key_id, receipt_signature FROM mailbox_inbox WHERE partner = $1 AND epoch = $2 AND position > $3 ORDER BY position LIMIT $4";
    let rows = tx.rows(sql, params![partner, epoch, position, most.min(MAX_BATCH) as i64]).await?;
    let mut given = Vec::new();
    let mut bytes = 0;
    for row in &rows {
        let signed_envelope = read_envelope(row, 0)?;
        bytes += signed_envelope.envelope.len();
        if bytes > MAX_BATCH_BYTES && !given.is_empty() {
            break;
        }
        given.push(OwnEnvelope { signed_envelope: Some(signed_envelope), signed_receipt: read_receipt(row, 3)? });
    }
    Ok(given)
}
