//! The ledger in memory: tables that are copied for each transaction and swapped at its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fenghuo_api::partner::v1::{ChainHead, OwnEnvelope, Receipt, SignedEnvelope, SignedReceipt, SigningKey};
use fenghuo_durable::{Code, Error, Result, SpaceId};
use fenghuo_mailbox::Outgoing;
use fenghuo_mailbox::core::{Announced, Direction, Ledger, OutStream, Outbox, Store, Stored, Streams, Written};
use fenghuo_mailbox::envelope::{Opened, kind_of};
use fenghuo_mailbox::inbox::Judgement;
use fenghuo_mailbox::machine::{Digest, Head, NOTHING, Offered};
use futures::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use prost::Message;
use uuid::Uuid;

use crate::shared::{Hub, Mutation, Pause};

pub type Key = (String, u64, u64);

/// An envelope of ours.
#[derive(Debug, Clone)]
pub struct Out {
    pub signed: SignedEnvelope,
    pub digest: Digest,
    pub kind: String,
    pub receipt: Option<SignedReceipt>,
    /// Written again in a later epoch.
    pub superseded: bool,
}

impl Out {
    fn waits(&self) -> bool {
        self.receipt.is_none() && !self.superseded
    }
}

/// An envelope of a partner.
#[derive(Debug)]
pub struct In {
    pub signed: SignedEnvelope,
    pub digest: Digest,
    pub kind: &'static str,
    pub receipt: SignedReceipt,
}

/// What one space has on disk.
#[derive(Debug, Default, Clone)]
pub struct Tables {
    pub out_streams: BTreeMap<String, OutStream>,
    pub in_heads: BTreeMap<String, Head>,
    pub outbox: BTreeMap<Key, Arc<Out>>,
    pub inbox: BTreeMap<Key, Arc<In>>,
    pub stops: BTreeMap<(String, u64), String>,
    /// Partner, key, place of the announcement.
    pub keys: Vec<(String, SigningKey, u64, u64)>,
    /// What the service took up: partner, epoch, position, name. In order.
    pub taken: Vec<(String, u64, u64, String)>,
    /// What it refused because its name was known.
    pub refused: Vec<(String, u64, u64, String)>,
    /// What the service knows to have sent, and that its receipt came.
    pub sent: BTreeMap<String, bool>,
    /// Acknowledgements that are known here to have been sent.
    pub answered: BTreeSet<String>,
}

/// The disk of one node: it survives a crash, and is put back by a restore.
#[derive(Debug, Default)]
pub struct Disk {
    pub spaces: BTreeMap<SpaceId, Arc<Tables>>,
    /// The data folder says that it was restored.
    pub restored: bool,
    /// What a mutated store answered and has not written.
    pub unwritten: BTreeMap<SpaceId, Arc<Tables>>,
}

/// One open transaction.
pub struct MemLedger {
    pub tables: Tables,
    pub hub: Hub,
    pub new_out: Vec<Key>,
    pub new_in: Vec<Key>,
    pub new_receipts: Vec<Key>,
    pub new_epoch: bool,
    now_ms: u64,
    mutation: Option<Mutation>,
}

/// The store of one space of one node.
#[derive(Clone)]
pub struct MemStore {
    pub hub: Hub,
    pub disk: Arc<Mutex<Disk>>,
    pub space: SpaceId,
    pub code: String,
}

fn wall_of(now_ms: u64) -> Timestamp {
    Timestamp::from_millisecond(1_766_000_000_000 + now_ms as i64).expect("a time within range")
}

impl MemStore {
    fn open(&self) -> MemLedger {
        let disk = self.disk.lock();
        let tables = disk.unwritten.get(&self.space).or(disk.spaces.get(&self.space)).map(|tables| (**tables).clone()).unwrap_or_default();
        let shared = self.hub.lock();
        let (now_ms, mutation) = (shared.now_ms, shared.mutation);
        drop(shared);
        let (new_out, new_in, new_receipts) = (Vec::new(), Vec::new(), Vec::new());
        MemLedger { tables, hub: self.hub.clone(), new_out, new_in, new_receipts, new_epoch: false, now_ms, mutation }
    }

    fn commit(&self, ledger: MemLedger) {
        crate::check::at_commit(&self.hub, &self.code, self.space, &ledger);
        let mut disk = self.disk.lock();
        let tables = Arc::new(ledger.tables);
        if self.hub.lock().mutation == Some(Mutation::AnsweredBeforeStored) {
            // Written at the next commit; a crash before that loses it.
            if let Some(before) = disk.unwritten.insert(self.space, tables) {
                disk.spaces.insert(self.space, before);
            }
        } else {
            disk.spaces.insert(self.space, tables);
        }
    }

    fn fails(&self) -> bool {
        let mut shared = self.hub.lock();
        let odds = shared.odds.store_error;
        shared.roll(odds)
    }
}

fn unavailable() -> Error {
    Error::new(Code::Unavailable, "DATABASE", "the database broke off")
}

impl Store for MemStore {
    type Ledger = MemLedger;

    fn write<C, T, F>(&self, context: C, run: F) -> BoxFuture<'_, Result<T>>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut MemLedger) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        Box::pin(async move {
            Pause(self.hub.clone(), false).await;
            let again = {
                let mut shared = self.hub.lock();
                let odds = shared.odds.rerun;
                shared.roll(odds)
            };
            if again {
                // A lost race: the first run is undone.
                let _ = run(&context, &mut self.open()).await;
            }
            let mut ledger = self.open();
            let outcome = run(&context, &mut ledger).await;
            if self.fails() {
                return Err(unavailable());
            }
            let crash = {
                let mut shared = self.hub.lock();
                let odds = shared.odds.crash;
                shared.crashed = shared.roll(odds);
                shared.crashed
            };
            if crash {
                std::future::pending::<()>().await;
            }
            if outcome.is_ok() {
                self.commit(ledger);
            }
            Pause(self.hub.clone(), false).await;
            // The connection broke at the COMMIT: done, and the caller does not know.
            if self.fails() { Err(unavailable()) } else { outcome }
        })
    }

    fn read<C, T, F>(&self, context: C, run: F) -> BoxFuture<'_, Result<T>>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t C, &'t mut MemLedger) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        Box::pin(async move {
            Pause(self.hub.clone(), false).await;
            if self.fails() {
                return Err(unavailable());
            }
            run(&context, &mut self.open()).await
        })
    }

    fn wall(&self) -> Timestamp {
        wall_of(self.hub.lock().now_ms)
    }
}

impl Ledger for MemLedger {
    fn now(&self) -> Timestamp {
        wall_of(self.now_ms)
    }

    fn clock_setting(&self) -> u64 {
        0
    }

    fn wall(&self) -> Timestamp {
        wall_of(self.now_ms)
    }

    fn new_id(&mut self) -> Uuid {
        let mut shared = self.hub.lock();
        shared.next_id += 1;
        Uuid::from_u128(shared.next_id)
    }
}

impl MemLedger {
    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn written_of(&self, key: &Key, out: &Out) -> Written {
        let (epoch, position) = (key.1, key.2);
        Written {
            epoch,
            position,
            signed: out.signed.clone(),
            digest: out.digest,
            receipted: out.receipt.is_some(),
            superseded: out.superseded,
        }
    }
}

fn key(partner: &str, epoch: u64, position: u64) -> Key {
    (partner.to_owned(), epoch, position)
}

fn epoch_of<'a, V>(
    table: &'a BTreeMap<Key, V>,
    partner: &str,
    epoch: u64,
    after: u64,
) -> impl Iterator<Item = (&'a Key, &'a V)> + use<'a, V> {
    table.range(key(partner, epoch, after.saturating_add(1))..=key(partner, epoch, u64::MAX))
}

impl Streams for MemLedger {
    async fn hold(&mut self, _: &str, _: Direction) -> Result<()> {
        Ok(())
    }

    async fn out_stream(&mut self, partner: &str) -> Result<OutStream> {
        let mut stream = self.tables.out_streams.get(partner).cloned().unwrap_or(OutStream::NEVER);
        if self.is(Mutation::QuarantineForgotten) {
            stream.quarantined = false;
        }
        if self.is(Mutation::ReceiptKeyTooEarly) {
            stream.receipt_key_id = None;
        }
        Ok(stream)
    }

    async fn save_out_stream(&mut self, partner: &str, stream: &OutStream) -> Result<()> {
        let mut stream = stream.clone();
        let before = self.tables.out_streams.get(partner).cloned();
        let before_key = before.as_ref().and_then(|before| before.key_id.clone());
        if before.as_ref().is_some_and(|before| before.quarantined && !stream.quarantined) {
            self.new_epoch = true;
        }
        if let Some(key_id) = before_key.filter(|_| self.is(Mutation::OldKeySignsOn)) {
            stream.key_id = Some(key_id);
        }
        self.tables.out_streams.insert(partner.to_owned(), stream);
        Ok(())
    }

    async fn in_head(&mut self, partner: &str) -> Result<Head> {
        Ok(self.tables.in_heads.get(partner).copied().unwrap_or(Head::NEVER))
    }

    async fn save_in_head(&mut self, partner: &str, head: &Head) -> Result<()> {
        self.tables.in_heads.insert(partner.to_owned(), *head);
        Ok(())
    }

    async fn digest_at(&mut self, partner: &str, direction: Direction, epoch: u64, position: u64) -> Result<Option<Digest>> {
        let at = key(partner, epoch, position);
        Ok(match direction {
            Direction::Out => self.tables.outbox.get(&at).map(|out| out.digest),
            Direction::In if self.is(Mutation::RepeatTakenUp) => None,
            Direction::In => self.tables.inbox.get(&at).map(|stored| stored.digest),
        })
    }

    async fn stop(&mut self, partner: &str, epoch: u64, why: &str) -> Result<()> {
        self.tables.stops.entry((partner.to_owned(), epoch)).or_insert_with(|| why.to_owned());
        Ok(())
    }

    async fn stopped(&mut self, partner: &str, epoch: u64) -> Result<Option<String>> {
        Ok(self.tables.stops.get(&(partner.to_owned(), epoch)).cloned())
    }
}

impl Outbox for MemLedger {
    async fn write(&mut self, partner: &str, at: &Head, kind: &str, signed: &SignedEnvelope) -> Result<()> {
        let at_key = key(partner, at.epoch, at.position);
        let out = Out { signed: signed.clone(), digest: at.digest, kind: kind.to_owned(), receipt: None, superseded: false };
        if self.tables.outbox.insert(at_key.clone(), Arc::new(out)).is_some() {
            return Err(Error::internal("two envelopes at one place of the outbox"));
        }
        self.new_out.push(at_key);
        Ok(())
    }

    async fn written(&mut self, partner: &str, epoch: u64, position: u64) -> Result<Option<Written>> {
        let at = key(partner, epoch, position);
        Ok(self.tables.outbox.get(&at).map(|out| self.written_of(&at, out)))
    }

    async fn written_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<Written>> {
        let position = position + u64::from(self.is(Mutation::PositionOffByOne));
        let rows = epoch_of(&self.tables.outbox, partner, epoch, position).filter(|(_, out)| !out.superseded).take(most);
        Ok(rows.map(|(at, out)| self.written_of(at, out)).collect())
    }

    async fn last_written(&mut self, partner: &str, epoch: u64) -> Result<Head> {
        let last = self.tables.outbox.range(key(partner, epoch, 1)..=key(partner, epoch, u64::MAX)).next_back();
        Ok(last.map_or(Head { epoch, position: 0, digest: NOTHING }, |(at, out)| Head { epoch, position: at.2, digest: out.digest }))
    }

    async fn next_epoch_written(&mut self, partner: &str, epoch: u64) -> Result<Option<u64>> {
        if self.is(Mutation::NextEpochForgotten) {
            return Ok(None);
        }
        let mut next = self.tables.outbox.range(key(partner, epoch + 1, 0)..=key(partner, u64::MAX, u64::MAX));
        Ok(next.find(|(_, out)| !out.superseded).map(|(at, _)| at.1))
    }

    async fn first_waiting(&mut self, partner: &str) -> Result<Option<(u64, u64)>> {
        let mut rows = self.tables.outbox.range(key(partner, 0, 0)..=key(partner, u64::MAX, u64::MAX));
        Ok(rows.find(|(_, out)| out.waits()).map(|(at, _)| (at.1, at.2)))
    }

    async fn waiting_before(&mut self, partner: &str, epoch: u64) -> Result<Vec<Written>> {
        let rows = self.tables.outbox.range(key(partner, 0, 0)..key(partner, epoch, 0));
        let mut waits_in = 0;
        let from_the_first_on = rows.filter(|(at, out)| {
            if out.waits() {
                waits_in = at.1;
            }
            waits_in == at.1 && !out.superseded
        });
        Ok(from_the_first_on.map(|(at, out)| self.written_of(at, out)).collect())
    }

    async fn supersede(&mut self, partner: &str, epoch: u64, position: u64) -> Result<()> {
        let at = key(partner, epoch, position);
        let Some(out) = self.tables.outbox.get(&at) else { return Err(Error::internal("nothing to give up")) };
        let given_up = Out { superseded: true, ..(**out).clone() };
        self.tables.outbox.insert(at, Arc::new(given_up));
        Ok(())
    }

    async fn first_unreceipted(&mut self, partner: &str, epoch: u64) -> Result<Option<u64>> {
        Ok(epoch_of(&self.tables.outbox, partner, epoch, 0).find(|(_, out)| out.waits()).map(|(at, _)| at.2))
    }

    async fn put_receipt(&mut self, partner: &str, epoch: u64, signed: &SignedReceipt, receipt: &Receipt) -> Result<()> {
        if self.is(Mutation::ReceiptForgotten) {
            return Ok(());
        }
        let at = key(partner, epoch, receipt.position);
        let Some(out) = self.tables.outbox.get(&at) else { return Err(Error::internal("a receipt for nothing")) };
        let receipted = Out { receipt: Some(signed.clone()), ..(**out).clone() };
        self.tables.outbox.insert(at.clone(), Arc::new(receipted));
        self.new_receipts.push(at);
        Ok(())
    }

    async fn acknowledgements(&mut self, partner: &str) -> Result<Vec<Outgoing>> {
        let rows = self.tables.outbox.range(key(partner, 0, 0)..=key(partner, u64::MAX, u64::MAX));
        let rows = rows.filter(|(_, out)| out.kind == "acknowledgement");
        let outgoing = |out: &Arc<Out>| {
            let envelope = fenghuo_api::partner::v1::Envelope::decode(out.signed.envelope.as_slice());
            let envelope = envelope.map_err(|error| Error::internal("an envelope cannot be read").caused_by(error))?;
            Ok(Outgoing { partner: partner.to_owned(), envelope, digest: out.digest, recovered: true })
        };
        rows.map(|(_, out)| outgoing(out)).collect()
    }
}

impl Stored for MemLedger {
    async fn store(&mut self, opened: &Opened, receipt: &SignedReceipt, _: &Judgement) -> Result<()> {
        let at = key(&opened.stream.sender, opened.offered.epoch, opened.offered.position);
        let row = In {
            signed: opened.signed.clone(),
            digest: opened.offered.digest,
            kind: kind_of(opened.envelope.content.as_ref()),
            receipt: receipt.clone(),
        };
        if self.tables.inbox.insert(at.clone(), Arc::new(row)).is_some() {
            return Err(Error::internal("two envelopes at one place of the inbox"));
        }
        self.new_in.push(at);
        Ok(())
    }

    async fn receipt_at(&mut self, partner: &str, epoch: u64, position: u64) -> Result<Option<SignedReceipt>> {
        Ok(self.tables.inbox.get(&key(partner, epoch, position)).map(|row| row.receipt.clone()))
    }

    async fn receipts_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<SignedReceipt>> {
        Ok(epoch_of(&self.tables.inbox, partner, epoch, position).take(most).map(|(_, row)| row.receipt.clone()).collect())
    }

    async fn stored_after(&mut self, partner: &str, epoch: u64, position: u64, most: usize) -> Result<Vec<OwnEnvelope>> {
        let rows = epoch_of(&self.tables.inbox, partner, epoch, position).take(most);
        let given = |row: &Arc<In>| OwnEnvelope { signed_envelope: Some(row.signed.clone()), signed_receipt: Some(row.receipt.clone()) };
        Ok(rows.map(|(_, row)| given(row)).collect())
    }

    async fn last_of_each_epoch(&mut self, partner: &str) -> Result<Vec<(u64, u64)>> {
        let mut last = BTreeMap::new();
        for (_, epoch, position) in self.tables.inbox.range(key(partner, 0, 0)..=key(partner, u64::MAX, u64::MAX)).map(|(at, _)| at) {
            last.insert(*epoch, *position);
        }
        Ok(last.into_iter().collect())
    }
}

impl Announced for MemLedger {
    async fn add_key(&mut self, partner: &str, key: &SigningKey, at: &Offered) -> Result<()> {
        let known = self.tables.keys.iter().any(|(one, known, ..)| one == partner && known.key_id == key.key_id);
        if !known && !self.is(Mutation::AnnouncedKeyForgotten) {
            self.tables.keys.push((partner.to_owned(), key.clone(), at.epoch, at.position));
        }
        Ok(())
    }

    async fn announced_keys(&mut self, partner: &str) -> Result<Vec<Vec<u8>>> {
        if self.is(Mutation::AnnouncedKeysUnread) {
            return Ok(Vec::new());
        }
        Ok(self.tables.keys.iter().filter(|(one, ..)| one == partner).map(|(_, key, ..)| key.public_key.clone()).collect())
    }

    async fn key_announced_before(&mut self, partner: &str, epoch: u64, position: u64) -> Result<Option<(u64, String)>> {
        let before = self.tables.keys.iter().filter(|(one, _, e, p)| one == partner && (*e, *p) < (epoch, position));
        Ok(before.max_by_key(|(_, _, e, p)| (*e, *p)).map(|(_, key, e, _)| (*e, key.key_id.clone())))
    }

    async fn key_retired(&mut self, partner: &str, key_id: &str) -> Result<bool> {
        let signer = |epoch, position| self.tables.inbox.get(&key(partner, epoch, position)).map(|row| row.signed.key_id.as_str());
        Ok(self.tables.keys.iter().any(|(one, _, e, p)| one == partner && signer(*e, *p) == Some(key_id)))
    }

    async fn chain_head_contradicted(&mut self, _: &str, _: u64, _: &ChainHead) -> Result<bool> {
        Ok(false)
    }

    async fn add_chain_head(&mut self, _: &str, _: &ChainHead, _: &Offered) -> Result<()> {
        Ok(())
    }
}
