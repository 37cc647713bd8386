//! The event log: what changed, committed with the change; sequenced and chained afterwards.
//!
//! An event is written after its record is locked and carries the record's revision. On PostgreSQL sequence numbers are not taken inside
//! transactions: those would commit out of order, and a reader after a cursor would skip rows. One sequencer gives them. SQLite has one
//! writer, whose transactions commit in order: there an event gets its number as it is written.

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
const SET_HEAD: &str = "UPDATE log_head SET seq = $1, chain_hash = $2 WHERE one = 1";

/// Where the chain stands within an open transaction.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    seq: u64,
    hash: [u8; 32],
    /// An event was written.
    moved: bool,
}

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

/// What people are shown of an event.
#[derive(Debug, Clone)]
pub struct Line {
    /// Sequence number; 0 until there is one.
    pub seq: u64,
    /// Type.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// The space's time.
    pub space_time: jiff::Timestamp,
    /// One line in Chinese.
    pub text_zh: String,
    /// One line in English.
    pub text_en: String,
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
        let mut event = self.stamped(event).await?;
        if self.dialect() == Dialect::Sqlite {
            let chain = self.chain().await?;
            event.seq = chain.seq + 1;
            let hash = event.chain(&chain.hash, event.seq);
            event.chain_hash = hash.to_vec();
            self.chain = Some(Chain { seq: event.seq, hash, moved: true });
        }
        let numbered = event.seq > 0;
        let sql = "INSERT INTO log_event (event_id, service, kind, subject, revision, admin_code, actor, request_id, traceparent, space_time_us, record_time_us, payload, text_zh, text_en, record_digest, private_digest, seq, chain_hash)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
        let values = params![
            &event.event_id,
            event.service,
            event.kind,
            event.subject,
            event.revision,
            event.admin_code,
            event.actor,
            event.request_id,
            event.traceparent,
            event.space_time,
            event.record_time,
            event.payload,
            event.text_zh,
            event.text_en,
            event.record_digest,
            event.private_digest,
            numbered.then_some(event.seq),
            numbered.then_some(event.chain_hash),
        ];
        self.execute_one(sql, values).await?;
        Ok(event.event_id)
    }

    /// The event as it will stand in the log, without a number; its private part is kept apart by now.
    async fn stamped(&mut self, event: NewEvent) -> Result<Event> {
        let event_id = new_id().to_string();
        let private_digest = match &event.private {
            Some(body) => Some(self.keep_private(&event_id, body).await?.to_vec()),
            None => None,
        };
        Ok(Event {
            seq: 0,
            event_id,
            service: event.service.to_owned(),
            kind: event.kind.to_owned(),
            subject: event.subject,
            revision: event.revision,
            admin_code: event.admin_code,
            actor: event.actor,
            request_id: event.request_id,
            space_time: self.now(),
            record_time: wall::now(),
            payload: event.payload,
            text_zh: event.text_zh,
            text_en: event.text_en,
            record_digest: sha256(&event.record).to_vec(),
            private_digest,
            chain_hash: Vec::new(),
            traceparent: self.traceparent(),
        })
    }

    /// Where the chain stands in this transaction of SQLite. What is there without a number, from before events got theirs at once, gets
    /// it first.
    async fn chain(&mut self) -> Result<Chain> {
        if let Some(chain) = &self.chain {
            return Ok(chain.clone());
        }
        while sequence_batch(self).await? > 0 {}
        let (seq, hash) = self.log_head().await?;
        let hash = hash.try_into().map_err(|_| Error::internal("the head of the log has no SHA-256"))?;
        Ok(Chain { seq, hash, moved: false })
    }

    /// Before the COMMIT of a group on SQLite: the chain's head as the group leaves it; the number, if it has moved.
    pub(crate) async fn keep_head(&mut self) -> Result<Option<u64>> {
        let Some(Chain { seq, hash, moved: true }) = self.chain.take() else { return Ok(None) };
        self.execute_one(SET_HEAD, params![seq, hash]).await?;
        Ok(Some(seq))
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

    /// Number and type of the events after a sequence number, in sequence: enough to know who wants them.
    pub async fn kinds_after(&mut self, seq: u64, most: i64) -> Result<Vec<(u64, String)>> {
        let rows = self.rows("SELECT seq, kind FROM log_event WHERE seq > $1 ORDER BY seq LIMIT $2", params![seq, most]).await?;
        rows.iter().map(|row| Ok((row.count(0)?, row.text(1)?))).collect()
    }

    /// The event of this number.
    pub async fn event(&mut self, seq: u64) -> Result<Event> {
        let sql = concat!("SELECT ", event_columns!(), " FROM log_event WHERE seq = $1");
        let row = self.row(sql, params![seq]).await?.ok_or_else(|| Error::internal(format!("there is no event {seq}")))?;
        Event::from_row(&row)
    }

    /// Events of one record, in sequence; those not sequenced yet come last with sequence number 0.
    pub async fn events_of(&mut self, subject: &str, most: i64) -> Result<Vec<Event>> {
        let sql = concat!("SELECT ", event_columns!(), " FROM log_event WHERE subject = $1 ORDER BY revision LIMIT $2");
        self.rows(sql, params![subject, most]).await?.iter().map(Event::from_row).collect()
    }

    /// The event of a record's last change, sequenced or not.
    pub async fn newest_event_of(&mut self, subject: &str) -> Result<Option<Event>> {
        let sql = concat!("SELECT ", event_columns!(), " FROM log_event WHERE subject = $1 ORDER BY revision DESC LIMIT 1");
        self.row(sql, params![subject]).await?.as_ref().map(Event::from_row).transpose()
    }

    /// What people are shown of the events of one record, in sequence.
    pub async fn lines_of(&mut self, subject: &str, most: i64) -> Result<Vec<Line>> {
        let sql = "SELECT seq, kind, actor, space_time_us, text_zh, text_en FROM log_event WHERE subject = $1 ORDER BY revision LIMIT $2";
        let line = |row: &Row| {
            Ok(Line {
                seq: row.opt_int(0)?.unwrap_or(0).unsigned_abs(),
                kind: row.text(1)?,
                actor: row.text(2)?,
                space_time: row.time(3)?,
                text_zh: row.text(4)?,
                text_en: row.text(5)?,
            })
        };
        self.rows(sql, params![subject, most]).await?.iter().map(line).collect()
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
    let mut numbers = Vec::with_capacity(waiting.len());
    for row in &waiting {
        seq += 1;
        hash = Event::from_row(row)?.chain(&hash, seq).to_vec();
        numbers.push(serde_json::json!({ "ord": row.int(18)?, "seq": seq, "chain_hash": hex::encode(&hash) }));
    }
    write_numbers(tx, numbers).await?;
    tx.execute_one(SET_HEAD, params![seq, &hash]).await?;
    if tx.dialect() == Dialect::Postgres {
        // Heard by the other replicas once this commits. One notice for a batch: notices of all databases queue up behind one lock.
        tx.rows("SELECT pg_notify($1, $2)", params![HEAD_CHANNEL, seq.to_string()]).await?;
    }
    Ok(waiting.len())
}

/// All numbers of a batch in one statement: a round trip for each event would hold the rest up.
async fn write_numbers(tx: &mut Tx, numbers: Vec<serde_json::Value>) -> Result<()> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "UPDATE log_event SET seq = n.value ->> 'seq', chain_hash = unhex(n.value ->> 'chain_hash') FROM json_each($1) AS n
            WHERE log_event.ord = n.value ->> 'ord'"
        }
        Dialect::Postgres => {
            "UPDATE log_event SET seq = n.seq, chain_hash = decode(n.chain_hash, 'hex')
            FROM json_to_recordset($1::json) AS n (ord BIGINT, seq BIGINT, chain_hash TEXT) WHERE log_event.ord = n.ord"
        }
    };
    let wanted = numbers.len() as u64;
    match tx.execute(sql, params![serde_json::Value::Array(numbers).to_string()]).await? {
        rows if rows == wanted => Ok(()),
        rows => Err(Error::internal(format!("{wanted} events should have got a number, and {rows} did"))),
    }
}
