//! A node's spaces with one table, an export of them, and the count afterwards.

#![allow(dead_code, unreachable_pub)] // not every test file uses all; and it is a module of each, exported nowhere

use std::sync::Arc;

use fenghuo_durable::testing::{Fresh, On, until};
use fenghuo_durable::*;
use fenghuo_outward::testing::NatsServer;
use fenghuo_outward::{CloudEvent, Outward, OutwardStatus, Parts, Server, StreamLimits};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const TABLES: &[Migration] = &[Migration {
    service: "sample",
    version: 1,
    name: "things",
    sqlite: "CREATE TABLE sample_thing (name TEXT PRIMARY KEY, revision BIGINT NOT NULL);",
    postgres: "CREATE TABLE sample_thing (name TEXT PRIMARY KEY, revision BIGINT NOT NULL);",
}];

/// A node's spaces.
pub struct Test {
    fresh: Fresh,
    locations: Locations,
    pub spaces: Arc<Spaces>,
}

/// An export that runs.
pub struct Export {
    status: watch::Receiver<OutwardStatus>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Test {
    pub async fn new(on: On) -> Self {
        let fresh = Fresh::new(on);
        let locations = match fresh.location().await {
            Location::Sqlite(_) => Locations::Sqlite(fresh.dir().join("spaces")),
            Location::Postgres(url) => {
                let (server, _) = url.rsplit_once('/').unwrap();
                // Short, so that the databases of exercises keep within 63 characters; unique by its random end.
                let id = new_id().simple().to_string();
                let base = format!("o_{}", &id[12..]);
                create_postgres_database(&url, &base).await.unwrap();
                Locations::Postgres(format!("{server}/{base}"))
            }
        };
        let fittings = Fittings { migrations: vec![TABLES], ..Fittings::default() };
        Self { fresh, spaces: Spaces::open(locations.clone(), fittings).await.unwrap(), locations }
    }

    /// The same node once more, as another replica on the same databases.
    pub async fn replica(&self, on: On) -> Self {
        let fittings = Fittings { migrations: vec![TABLES], ..Fittings::default() };
        let locations = self.locations.clone();
        Self { fresh: Fresh::new(on), spaces: Spaces::open(locations.clone(), fittings).await.unwrap(), locations }
    }

    pub fn dir(&self) -> std::path::PathBuf {
        self.fresh.dir()
    }

    fn real(&self) -> Arc<Space> {
        self.spaces.get(SpaceId::Real).unwrap()
    }

    pub async fn write(&self, count: u64) {
        write(self.real().db(), count).await;
    }

    pub fn write_in_background(&self, count: u64) -> JoinHandle<()> {
        let space = self.real();
        tokio::spawn(async move { write(space.db(), count).await })
    }

    pub async fn write_large(&self, payload: String, text: &str) {
        let (space, context) = (self.real(), (payload, text.to_owned()));
        space.db().write(context, |(payload, text), tx| Box::pin(raise(tx, payload.clone(), text.clone()))).await.unwrap();
    }

    pub fn export(&self, nats: &NatsServer) -> Export {
        self.export_with(nats, StreamLimits::default())
    }

    pub fn export_with(&self, nats: &NatsServer, limits: StreamLimits) -> Export {
        self.start(Parts { limits, ..self.parts(nats) })
    }

    pub fn export_to(&self, server: Server) -> Export {
        let (spaces, province_code) = (self.spaces.clone(), "500000".to_owned());
        self.start(Parts { spaces, province_code, server, generation: 1, limits: StreamLimits::default() })
    }

    pub fn export_generation(&self, nats: &NatsServer, generation: u32) -> Export {
        self.start(Parts { generation, ..self.parts(nats) })
    }

    fn parts(&self, nats: &NatsServer) -> Parts {
        let (spaces, province_code) = (self.spaces.clone(), "500000".to_owned());
        Parts { spaces, province_code, server: nats.server(), generation: 1, limits: StreamLimits::default() }
    }

    fn start(&self, parts: Parts) -> Export {
        let outward = Outward::new(parts).unwrap();
        let (status, stop) = (outward.status(), CancellationToken::new());
        Export { status, stop: stop.clone(), task: outward.start(stop) }
    }

    /// Counts: the stream has exactly the events of the log, each once, in order, byte for byte.
    pub async fn holds_exactly(&self, nats: &NatsServer, count: u64) -> Vec<CloudEvent> {
        let messages = nats.messages("FENGHUO_500000_REAL_G1").await;
        let log = self.real().db().read((), |(), tx| Box::pin(tx.events_after(0, 100_000))).await.unwrap();
        assert_eq!((messages.len() as u64, log.len() as u64), (count, count));
        let mut ids = std::collections::HashSet::new();
        for (message, event) in messages.iter().zip(&log) {
            assert!(ids.insert(message.event.event_id.clone()), "twice: {}", message.event.event_id);
            assert_eq!(format!("{:?}", message.event), format!("{event:?}"));
        }
        messages
    }

    pub async fn stop(self) {
        self.spaces.stop().await;
    }
}

impl Export {
    pub fn status(&self) -> watch::Receiver<OutwardStatus> {
        self.status.clone()
    }

    fn published_now(&self) -> u64 {
        self.status.borrow().spaces.get(&SpaceId::Real).map_or(0, |status| status.published)
    }

    pub async fn published(&self, seq: u64) {
        until(&format!("{seq} published"), || async { (self.published_now() >= seq).then_some(()) }).await;
    }

    /// Everything up to `seq` is confirmed.
    pub async fn caught_up(&self, seq: u64) {
        self.published(seq).await;
        assert_eq!(self.published_now(), seq);
    }

    /// Ends it as a crash would: in the middle of whatever it does. How far it had come.
    pub async fn abort(self) -> u64 {
        self.stop.cancel();
        let published = self.published_now();
        let _ = self.task.await;
        published
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Writes events into a space, several writers at once.
pub async fn write(db: &Arc<Db>, count: u64) {
    let one = |_| {
        let db = db.clone();
        async move { db.write((), |(), tx| Box::pin(raise(tx, String::new(), String::new()))).await.unwrap() }
    };
    let from = db.read((), |(), tx| Box::pin(tx.number("SELECT COUNT(*) FROM log_event", &[]))).await.unwrap();
    futures::StreamExt::for_each_concurrent(futures::stream::iter(0..count), 8, one).await;
    let end = from.unsigned_abs() + count;
    until("all are sequenced", || async {
        let (head, _) = db.read((), |(), tx| Box::pin(tx.log_head())).await.unwrap();
        (head >= end).then_some(())
    })
    .await;
}

/// One event, about a thing of its own. The trace context is filled in by the edge of a node; here by hand.
async fn raise(tx: &mut Tx, payload: String, text: String) -> Result<()> {
    let name = format!("things/{}", new_id());
    tx.execute_one("INSERT INTO sample_thing (name, revision) VALUES ($1, 1)", params![&name]).await?;
    let event_id = tx
        .append(NewEvent {
            service: "sample",
            kind: "thing.raised",
            subject: name.clone(),
            revision: 1,
            admin_code: "500237".into(),
            actor: "people/1".into(),
            payload: if payload.is_empty() { format!("{{\"thing\":\"{name}\"}}") } else { payload },
            text_zh: if text.is_empty() { format!("事件 {name}") } else { text },
            text_en: format!("Event \"{name}\""),
            private: Some("张三 13800000000".into()),
            ..NewEvent::default()
        })
        .await?;
    tx.execute_one("UPDATE log_event SET traceparent = $1 WHERE event_id = $2", params![TRACEPARENT, event_id]).await
}
