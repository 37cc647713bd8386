//! The event log: what changed, committed with the change; sequenced and chained afterwards.
//!
//! An event is written after its record is locked and carries the record's revision. Sequence numbers are not taken inside
//! transactions: those would commit out of order, and a reader after a cursor would skip rows. One sequencer gives them.

use ring::digest;
use ring::rand::SecureRandom;

use crate::clock::{new_id, wall};
use crate::db::{Db, Isolation};
use crate::error::{Error, Result};
use crate::params;
use crate::standing::HEAD_CHANNEL;
use crate::tx::{Dialect, Tx};
use crate::value::Row;

/// Events sequenced in one transaction.
const BATCH: i64 = 256;

/// An event to be written beside its change.
#[derive(Debug, Clone, Default)]
pub struct NewEvent {
    /// The service that writes it.
    pub service: &'static str,
    /// Type, for example `incident.opened`.
    pub kind: &'static str,
    /// Resource name of the record.
    pub subject: String,
    /// Revision of the record after the change; unique for the record.
    pub revision: u64,
    /// Administrative code of the record.
    pub admin_code: String,
    /// Resource name of a person, `partners/{code}`, or `timers/{kind}`.
    pub actor: String,
    /// The call's `request_id`; empty for reactions.
    pub request_id: String,
    /// Exact JSON of what happened, without personal data.
    pub payload: String,
    /// One line in Chinese.
    pub text_zh: String,
    /// One line in English.
    pub text_en: String,
    /// Exact bytes of the record after the change; only their digest is kept here.
    pub record: Vec<u8>,
    /// Personal data and free text, kept apart and erasable.
    pub private: Option<String>,
}

/// An event as it stands in the log.
#[derive(Debug, Clone)]
pub struct Event {
    /// Sequence number, from 1 without gaps.
    pub seq: u64,
    /// UUID.
    pub event_id: String,
    /// The service that wrote it.
    pub service: String,
    /// Type.
    pub kind: String,
    /// Resource name of the record.
    pub subject: String,
    /// Revision of the record.
    pub revision: u64,
    /// Administrative code of the record.
    pub admin_code: String,
    /// Who.
    pub actor: String,
    /// The call's `request_id`.
    pub request_id: String,
    /// The space's time.
    pub space_time: jiff::Timestamp,
    /// Wall time.
    pub record_time: jiff::Timestamp,
    /// JSON.
    pub payload: String,
    /// One line in Chinese.
    pub text_zh: String,
    /// One line in English.
    pub text_en: String,
    /// SHA-256 of the record afterwards.
    pub record_digest: Vec<u8>,
    /// Salted SHA-256 of the private part.
    pub private_digest: Option<Vec<u8>>,
    /// SHA-256 of the chain here.
    pub chain_hash: Vec<u8>,
    /// The trace that it belongs to; empty if none. Not part of the chain: it tells of the machinery, not of what happened.
    pub traceparent: String,
}

macro_rules! event_columns {
    () => {
        "seq, event_id, service, kind, subject, revision, admin_code, actor, request_id, space_time_us, record_time_us, payload, text_zh, text_en, record_digest, private_digest, chain_hash, traceparent"
    };
}

impl Event {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.opt_int(0)?.unwrap_or(0).unsigned_abs(),
            event_id: row.text(1)?,
            service: row.text(2)?,
            kind: row.text(3)?,
            subject: row.text(4)?,
            revision: row.count(5)?,
            admin_code: row.text(6)?,
            actor: row.text(7)?,
            request_id: row.text(8)?,
            space_time: row.time(9)?,
            record_time: row.time(10)?,
            payload: row.text(11)?,
            text_zh: row.text(12)?,
            text_en: row.text(13)?,
            record_digest: row.blob(14)?,
            private_digest: row.opt_blob(15)?,
            chain_hash: row.opt_blob(16)?.unwrap_or_default(),
            traceparent: row.text(17)?,
        })
    }

    /// The chain at this event, given the chain before it: SHA-256 over a prefix, the hash before, and every field with its
    /// length before it.
    pub fn chain(&self, before: &[u8], seq: u64) -> [u8; 32] {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"fenghuo.chain.v1\n");
        hash.update(before);
        hash.update(&seq.to_be_bytes());
        for field in [
            &self.event_id,
            &self.service,
            &self.kind,
            &self.subject,
            &self.admin_code,
            &self.actor,
            &self.request_id,
            &self.payload,
            &self.text_zh,
            &self.text_en,
        ] {
            update_sized(&mut hash, field.as_bytes());
        }
        hash.update(&self.revision.to_be_bytes());
        hash.update(&self.space_time.as_microsecond().to_be_bytes());
        hash.update(&self.record_time.as_microsecond().to_be_bytes());
        update_sized(&mut hash, &self.record_digest);
        update_sized(&mut hash, self.private_digest.as_deref().unwrap_or_default());
        sized(hash)
    }
}

fn update_sized(hash: &mut digest::Context, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn sized(hash: digest::Context) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}

/// SHA-256 of these bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(bytes);
    sized(hash)
}

/// Salted SHA-256 of the private part of an event.
pub(crate) fn private_digest(salt: &[u8], body: &str) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    update_sized(&mut hash, salt);
    update_sized(&mut hash, body.as_bytes());
    sized(hash)
}

impl Tx {
    /// Writes an event beside its change. The record must be locked by now (written in this transaction).
    pub async fn append(&mut self, event: NewEvent) -> Result<String> {
        let event_id = new_id().to_string();
        let digest = match &event.private {
            Some(body) => Some(self.keep_private(&event_id, body).await?),
            None => None,
        };
        let sql = "INSERT INTO log_event (event_id, service, kind, subject, revision, admin_code, actor, request_id, traceparent, space_time_us, record_time_us, payload, text_zh, text_en, record_digest, private_digest)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        let values = params![
            &event_id,
            event.service,
            event.kind,
            event.subject,
            event.revision,
            event.admin_code,
            event.actor,
            event.request_id,
            self.traceparent(),
            self.now(),
            wall::now(),
            event.payload,
            event.text_zh,
            event.text_en,
            sha256(&event.record),
            digest.map(|digest| digest.to_vec()),
        ];
        self.execute_one(sql, values).await?;
        Ok(event_id)
    }

    async fn keep_private(&mut self, event_id: &str, body: &str) -> Result<[u8; 32]> {
        let mut salt = [0_u8; 16];
        ring::rand::SystemRandom::new().fill(&mut salt).map_err(|_| Error::internal("no randomness"))?;
        self.execute_one("INSERT INTO log_private (event_id, salt, body) VALUES ($1, $2, $3)", params![event_id, &salt[..], body]).await?;
        Ok(private_digest(&salt, body))
    }

    /// Events after a sequence number, in sequence.
    pub async fn events_after(&mut self, seq: u64, most: i64) -> Result<Vec<Event>> {
        let sql = concat!("SELECT ", event_columns!(), " FROM log_event WHERE seq > $1 ORDER BY seq LIMIT $2");
        self.rows(sql, params![seq, most]).await?.iter().map(Event::from_row).collect()
    }

    /// Events of one record, in sequence; those not sequenced yet come last with sequence number 0.
    pub async fn events_of(&mut self, subject: &str, most: i64) -> Result<Vec<Event>> {
        let sql = concat!("SELECT ", event_columns!(), " FROM log_event WHERE subject = $1 ORDER BY revision LIMIT $2");
        self.rows(sql, params![subject, most]).await?.iter().map(Event::from_row).collect()
    }

    /// Sequenced events of one record after a sequence number, in sequence.
    pub async fn events_of_after(&mut self, subject: &str, seq: u64, most: i64) -> Result<Vec<Event>> {
        let sql = concat!("SELECT ", event_columns!(), " FROM log_event WHERE subject = $1 AND seq > $2 ORDER BY seq LIMIT $3");
        self.rows(sql, params![subject, seq, most]).await?.iter().map(Event::from_row).collect()
    }

    /// The chain's head: last sequence number and hash.
    pub async fn log_head(&mut self) -> Result<(u64, Vec<u8>)> {
        let row = self.row("SELECT seq, chain_hash FROM log_head WHERE one = 1", &[]).await?;
        let row = row.ok_or_else(|| Error::internal("the log has no head"))?;
        Ok((row.count(0)?, row.blob(1)?))
    }

    /// Events committed and not sequenced yet.
    pub async fn unsequenced(&mut self) -> Result<i64> {
        self.number("SELECT COUNT(*) FROM log_event WHERE seq IS NULL", &[]).await
    }
}

/// Gives the next committed events their numbers; how many there were. An advisory lock keeps one sequencer at a time.
pub(crate) async fn sequence(db: &Db) -> Result<usize> {
    db.write_unheard(Isolation::ReadCommitted, (), |(), tx| Box::pin(sequence_batch(tx))).await
}

async fn sequence_batch(tx: &mut Tx) -> Result<usize> {
    tx.lock("durable.sequencer").await?;
    let sql = concat!("SELECT ", event_columns!(), ", ord FROM log_event WHERE seq IS NULL ORDER BY ord LIMIT $1");
    let waiting = tx.rows(sql, params![BATCH]).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let (mut seq, mut hash) = tx.log_head().await?;
    for row in &waiting {
        seq += 1;
        hash = Event::from_row(row)?.chain(&hash, seq).to_vec();
        tx.execute_one("UPDATE log_event SET seq = $1, chain_hash = $2 WHERE ord = $3", params![seq, &hash, row.int(18)?]).await?;
    }
    tx.execute_one("UPDATE log_head SET seq = $1, chain_hash = $2 WHERE one = 1", params![seq, &hash]).await?;
    if tx.dialect() == Dialect::Postgres {
        // Heard by the other replicas once this commits. One notice for a batch: notices of all databases queue up behind one lock.
        tx.rows("SELECT pg_notify($1, $2)", params![HEAD_CHANNEL, seq.to_string()]).await?;
    }
    Ok(waiting.len())
}
