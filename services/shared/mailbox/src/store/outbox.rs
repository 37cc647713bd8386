//! Envelopes that we wrote, and the partners' receipts for them.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{ChainHead, Envelope, Receipt, SignedEnvelope, SignedReceipt, StreamId};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Error, Result, Tx, new_id, params, wall};
use prost::Message;

use super::stream::{self, Direction};
use super::{read_digest, read_envelope};
use crate::envelope::{Opened, Outgoing, SpaceKeys, kind_of, open_receipt, seal};
use crate::inbox::Inbox;
use crate::machine::{self, Arrival, Digest, Head, ReceiptMeaning, Waiting};
use crate::telemetry;

/// Where an envelope stands in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Epoch of the stream.
    pub epoch: u64,
    /// Position in it.
    pub position: u64,
    /// SHA-256 of the envelope.
    pub digest: Digest,
}

/// Signs a content as the next envelope to a partner and stores it, in the caller's transaction: what it tells of and the envelope
/// commit together, and the worker sends it when they have. FAILED_PRECONDITION, reason RESTORED, while a restored node has not fetched back
/// what it had sent to this partner.
pub async fn enqueue(tx: &mut Tx, signer: &SpaceKeys, partner: &str, content: Content) -> Result<Position> {
    tx.lock(&format!("mailbox.out.{partner}")).await?;
    if stream::quarantined(tx, partner).await? {
        let text = format!(
            "this node was restored from a backup and has not yet fetched back what it had sent to {partner}; telephone, and repeat later"
        );
        return Err(Error::precondition("RESTORED", text));
    }
    let head = match stream::head(tx, partner, Direction::Out).await? {
        Head::NEVER => Head::start_of(1),
        head => head,
    };
    let kind = kind_of(Some(&content));
    let envelope = Envelope {
        stream: Some(StreamId {
            sender: signer.keys.province_code().to_owned(),
            recipient: partner.to_owned(),
            space: signer.space.to_string(),
            epoch: head.epoch,
        }),
        position: head.position + 1,
        previous_digest: head.digest.to_vec(),
        envelope_id: new_id().to_string(),
        space_time: Some(to_proto(tx.now())),
        clock_setting: tx.clock().setting_number(),
        traceparent: tx.traceparent(),
        content: Some(content),
    };
    let (signed, digest) = seal(&signer.keys, &envelope)?;
    let next = Head { epoch: head.epoch, position: head.position + 1, digest };
    insert(tx, partner, &next, kind, &signed).await?;
    stream::advance(tx, partner, Direction::Out, &next).await?;
    Ok(Position { epoch: next.epoch, position: next.position, digest })
}

pub(crate) async fn insert(tx: &mut Tx, partner: &str, at: &Head, kind: &str, signed: &SignedEnvelope) -> Result<()> {
    let sql = "INSERT INTO mailbox_outbox (partner, epoch, position, kind, envelope, digest, key_id, signature, write_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = params![partner, at.epoch, at.position, kind, &signed.envelope, at.digest, &signed.key_id, &signed.signature, wall::now()];
    tx.execute_one(sql, values).await
}

/// The next batch of envelopes without a receipt, in order; empty when all is delivered.
pub async fn waiting(tx: &mut Tx, partner: &str) -> Result<Vec<SignedEnvelope>> {
    let sql = "SELECT envelope, key_id, signature, epoch, position FROM mailbox_outbox WHERE partner = $1 AND receipt_us IS NULL ORDER BY epoch, position LIMIT $2";
    let rows = tx.rows(sql, params![partner, machine::MAX_BATCH as i64]).await?;
    let mut envelopes = Vec::new();
    let mut sizes = Vec::new();
    for row in &rows {
        let signed = read_envelope(row, 0)?;
        sizes.push(Waiting { epoch: row.count(3)?, position: row.count(4)?, bytes: signed.envelope.len() });
        envelopes.push(signed);
    }
    envelopes.truncate(machine::batch_len(&sizes));
    Ok(envelopes)
}

/// Envelopes of one epoch after a position, receipted or not: for a pull and for gap repair.
pub async fn after(tx: &mut Tx, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<SignedEnvelope>> {
    let sql = "SELECT envelope, key_id, signature, epoch, position FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position > $3 ORDER BY position LIMIT $4";
    let rows = tx.rows(sql, params![partner, epoch, position, most.min(machine::MAX_BATCH) as i64]).await?;
    let mut envelopes = Vec::new();
    let mut sizes = Vec::new();
    for row in &rows {
        let signed = read_envelope(row, 0)?;
        sizes.push(Waiting { epoch: row.count(3)?, position: row.count(4)?, bytes: signed.envelope.len() });
        envelopes.push(signed);
    }
    envelopes.truncate(machine::batch_len(&sizes));
    Ok(envelopes)
}

/// Up to which position of an epoch every envelope has its receipt.
pub async fn receipted_position(tx: &mut Tx, partner: &str, epoch: u64) -> Result<u64> {
    let sql = "SELECT position FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND receipt_us IS NULL ORDER BY position LIMIT 1";
    if let Some(row) = tx.row(sql, params![partner, epoch]).await? {
        return Ok(row.count(0)?.saturating_sub(1));
    }
    let sql = "SELECT COALESCE(MAX(position), 0) FROM mailbox_outbox WHERE partner = $1 AND epoch = $2";
    Ok(tx.number(sql, params![partner, epoch]).await?.unsigned_abs())
}

/// Stores a partner's receipt for an envelope of ours, and lets the inbox act on it; the signature was checked before. A second
/// receipt changes nothing. FAILED_PRECONDITION, reason RECEIPT_OF_ANOTHER, for one that names another digest.
pub async fn store_receipt(tx: &mut Tx, inbox: &dyn Inbox, partner: &str, signed: &SignedReceipt, recovered: bool) -> Result<()> {
    let (receipt, id) = open_receipt(signed)?;
    let sql =
        "SELECT envelope, key_id, signature, digest, receipt_us FROM mailbox_outbox WHERE partner = $1 AND epoch = $2 AND position = $3";
    let found = tx.row(sql, params![partner, id.epoch, receipt.position]).await?;
    let row = found.ok_or_else(|| not_ours(&receipt, &id, "no envelope was ever written there"))?;
    let digest = read_digest(&row, 3)?;
    match machine::receipt(&digest, row.opt_int(4)?.is_some(), &receipt.envelope_digest) {
        ReceiptMeaning::Again => return Ok(()),
        ReceiptMeaning::OfAnother => return Err(not_ours(&receipt, &id, "it names another digest than the one written there")),
        ReceiptMeaning::First => {}
    }
    let sql =
        "UPDATE mailbox_outbox SET receipt = $4, receipt_key_id = $5, receipt_signature = $6, outcome = $7, reason = $8, receipt_us = $9
        WHERE partner = $1 AND epoch = $2 AND position = $3 AND receipt_us IS NULL";
    let values = params![
        partner,
        id.epoch,
        receipt.position,
        &signed.receipt,
        &signed.key_id,
        &signed.signature,
        i64::from(receipt.outcome),
        &receipt.reason,
        wall::now()
    ];
    tx.execute_one(sql, values).await?;
    let bytes = read_envelope(&row, 0)?.envelope;
    let envelope =
        Envelope::decode(bytes.as_slice()).map_err(|error| Error::internal("a stored envelope cannot be read").caused_by(error))?;
    let outgoing = Outgoing { partner: partner.to_owned(), envelope, digest, recovered };
    telemetry::count_receipted(tx, partner, kind_of(outgoing.envelope.content.as_ref()), receipt.outcome());
    let before = tx.continue_trace(&outgoing.envelope.traceparent);
    let outcome = inbox.receipted(tx, &outgoing, &receipt).await;
    tx.set_trace(before);
    outcome
}

fn not_ours(receipt: &Receipt, id: &StreamId, what: &str) -> Error {
    let text = format!("a receipt for epoch {} position {} proves nothing: {what}", id.epoch, receipt.position);
    Error::new(Code::FailedPrecondition, "RECEIPT_OF_ANOTHER", text)
}

/// Checks that a receipt is for our stream to this partner in this space; in words, what is wrong.
pub(crate) fn check_receipt_stream(signer: &SpaceKeys, partner: &str, id: &StreamId) -> Result<()> {
    let ours = id.sender == signer.keys.province_code() && id.recipient == partner && id.space == signer.space.to_string();
    if ours {
        return Ok(());
    }
    Err(Error::invalid("receipt.stream", "is not our stream to this partner in this space"))
}

/// Last position that was written in an epoch.
pub async fn last_position(tx: &mut Tx, partner: &str, epoch: u64) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(position), 0) FROM mailbox_outbox WHERE partner = $1 AND epoch = $2";
    Ok(tx.number(sql, params![partner, epoch]).await?.unsigned_abs())
}

/// The last envelope of the epoch that is being sent: that of the first envelope without a receipt, else the current one.
pub async fn sending_head(tx: &mut Tx, partner: &str) -> Result<Head> {
    let head = stream::head(tx, partner, Direction::Out).await?;
    let sql = "SELECT epoch FROM mailbox_outbox WHERE partner = $1 AND receipt_us IS NULL ORDER BY epoch LIMIT 1";
    let epoch = match tx.row(sql, params![partner]).await? {
        Some(row) => row.count(0)?,
        None => head.epoch,
    };
    if epoch == head.epoch {
        return Ok(head);
    }
    let position = last_position(tx, partner, epoch).await?;
    let digest = stream::digest_at(tx, partner, Direction::Out, epoch, position).await?.unwrap_or(machine::NOTHING);
    Ok(Head { epoch, position, digest })
}

/// Puts an envelope of ours back that the partner has stored and we have lost; `true` if it was missing. FAILED_PRECONDITION, reason
/// STREAM_DIVERGED, if it does not continue what we have.
pub(crate) async fn take_back(tx: &mut Tx, partner: &str, opened: &Opened) -> Result<bool> {
    let offered = &opened.offered;
    let head = stream::head(tx, partner, Direction::Out).await?;
    let there = stream::digest_at(tx, partner, Direction::Out, offered.epoch, offered.position).await?;
    match machine::arrival(&head, there, offered) {
        Arrival::Duplicate => Ok(false),
        Arrival::Store => {
            let at = Head { epoch: offered.epoch, position: offered.position, digest: offered.digest };
            insert(tx, partner, &at, kind_of(opened.envelope.content.as_ref()), &opened.signed).await?;
            stream::advance(tx, partner, Direction::Out, &at).await?;
            Ok(true)
        }
        Arrival::Diverged(divergence) => Err(super::inbox::diverged(&divergence.text())),
        Arrival::Gap { expected } => {
            Err(super::inbox::diverged(&format!("the partner gave back position {} and not {expected}", offered.position)))
        }
        Arrival::Refused { what, .. } => Err(super::inbox::diverged(what)),
    }
}

/// Every acknowledgement that we sent to a partner, in order: after a restore the records that they concern may be older.
pub(crate) async fn acknowledgements(tx: &mut Tx, partner: &str) -> Result<Vec<Outgoing>> {
    let sql = "SELECT envelope, digest FROM mailbox_outbox WHERE partner = $1 AND kind = 'acknowledgement' ORDER BY epoch, position";
    let rows = tx.rows(sql, params![partner]).await?;
    rows.iter()
        .map(|row| {
            let envelope = Envelope::decode(row.blob(0)?.as_slice())
                .map_err(|error| Error::internal("a stored envelope cannot be read").caused_by(error))?;
            Ok(Outgoing { partner: partner.to_owned(), envelope, digest: read_digest(row, 1)?, recovered: true })
        })
        .collect()
}

/// Tells a partner the head of our event chain, unless the last head that it was told is this one.
pub(crate) async fn tell_chain_head(tx: &mut Tx, signer: &SpaceKeys, partner: &str) -> Result<()> {
    let (sequence, hash) = tx.log_head().await?;
    if sequence == 0 || stream::quarantined(tx, partner).await? {
        return Ok(());
    }
    let sql = "SELECT envelope FROM mailbox_outbox WHERE partner = $1 AND kind = 'chain_head' ORDER BY epoch DESC, position DESC LIMIT 1";
    if let Some(row) = tx.row(sql, params![partner]).await? {
        let last = Envelope::decode(row.blob(0)?.as_slice())
            .map_err(|error| Error::internal("a stored envelope cannot be read").caused_by(error))?;
        if matches!(last.content, Some(Content::ChainHead(told)) if told.sequence == sequence) {
            return Ok(());
        }
    }
    enqueue(tx, signer, partner, Content::ChainHead(ChainHead { sequence, hash })).await.map(|_| ())
}
