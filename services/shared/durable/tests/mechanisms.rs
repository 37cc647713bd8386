//! The six mechanisms' own promises, each on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fenghuo_durable::testing::{Fresh, On, until};
use fenghuo_durable::*;
use futures::future::BoxFuture;

const TABLES: &[Migration] = &[Migration {
    service: "sample",
    version: 1,
    name: "things",
    sqlite: "CREATE TABLE sample_thing (name TEXT PRIMARY KEY, revision BIGINT NOT NULL, body TEXT NOT NULL);",
    postgres: "CREATE TABLE sample_thing (name TEXT PRIMARY KEY, revision BIGINT NOT NULL, body TEXT NOT NULL);",
}];

fn fittings() -> Fittings {
    Fittings { migrations: vec![TABLES], ..Fittings::default() }
}

/// Raises a counter record and logs it; the record's body is its number.
async fn raise(tx: &mut Tx, name: &str) -> Result<u64> {
    let found = tx.row("SELECT revision FROM sample_thing WHERE name = $1", params![name]).await?;
    let revision = found.map(|row| row.count(0)).transpose()?.unwrap_or(0) + 1;
    let sql = "INSERT INTO sample_thing (name, revision, body) VALUES ($2, $1, $3) ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, body = excluded.body";
    let body = format!("{{\"n\":{revision}}}");
    tx.execute_one(sql, params![revision, name, &body]).await?;
    tx.append(NewEvent {
        service: "sample",
        kind: "thing.raised",
        subject: name.to_owned(),
        revision,
        admin_code: "500000".into(),
        actor: "test".into(),
        payload: body.clone(),
        record: body.into_bytes(),
        private: Some("张三 13800000000".into()),
        ..NewEvent::default()
    })
    .await?;
    Ok(revision)
}

async fn open(fresh: &Fresh, fittings: Fittings) -> Arc<Space> {
    Space::open(SpaceId::Real, &fresh.location().await, None, fittings).await.unwrap()
}

async fn racing_writers_lose_nothing_and_the_chain_holds(on: On) {
    let fresh = Fresh::new(on);
    let space = open(&fresh, fittings()).await;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let db = space.db().clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..10 {
                db.write(task, |task, tx| Box::pin(async move { raise(tx, if task % 2 == 0 { "even" } else { "odd" }).await }))
                    .await
                    .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    until("80 sequenced events", || async { (*space.head().borrow() == 80).then_some(()) }).await;
    let found = verify(space.db(), vec!["SELECT name, body FROM sample_thing"]).await.unwrap();
    assert_eq!((found.events, found.records), (80, 2));
    assert_eq!(found.faults, Vec::<String>::new());
    space.stop().await;
}

async fn verify_sees_a_changed_record_event_and_private_part(on: On) {
    let fresh = Fresh::new(on);
    let space = open(&fresh, fittings()).await;
    for _ in 0..3 {
        space.db().write((), |(), tx| Box::pin(async move { raise(tx, "one").await })).await.unwrap();
    }
    until("3 events", || async { (*space.head().borrow() == 3).then_some(()) }).await;
    for (sql, fault) in [
        ("UPDATE sample_thing SET body = '{\"n\":9}'", "one: is not what event revision 3 left"),
        ("UPDATE log_event SET payload = '{}' WHERE seq = 2", "event 2: the chain does not hold"),
        ("UPDATE log_private SET body = '李四'", "its private part was changed"),
    ] {
        space.db().write(sql, |sql, tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
        let found = verify(space.db(), vec!["SELECT name, body FROM sample_thing"]).await.unwrap();
        assert!(found.faults.iter().any(|text| text.contains(fault)), "{fault} not in {:?}", found.faults);
    }
    space.stop().await;
}

async fn a_repeated_request_answers_the_same_and_another_body_is_refused(on: On) {
    let fresh = Fresh::new(on);
    let space = open(&fresh, fittings()).await;
    let id = new_id().to_string();
    let request = |text: &str| text.to_owned();
    let send = async |body: &str| {
        let key = RequestKey::new("people/1", "/sample/Raise", &id, &request(body))?;
        space.db().write_once(key, (), |(), tx| Box::pin(async move { raise(tx, "once").await })).await
    };
    // All at once, then once more.
    let answers = futures::future::join_all((0..6).map(|_| send("a"))).await;
    for answer in answers {
        assert_eq!(answer.unwrap(), 1);
    }
    assert_eq!(send("a").await.unwrap(), 1);
    assert_eq!(send("b").await.unwrap_err().reason, "REQUEST_ID_REUSED");
    assert_eq!(RequestKey::new("people/1", "/sample/Raise", "7", &request("a")).unwrap_err().violations[0].field, "request_id");
    space.stop().await;
}

struct Follower {
    seen: Arc<AtomicU64>,
    fail_until: Arc<AtomicU64>,
}

impl Consumer for Follower {
    fn name(&self) -> &'static str {
        "sample.follower"
    }
    fn wants(&self, kind: &str) -> bool {
        kind == "thing.raised"
    }
    fn handle<'t>(&'t self, tx: &'t mut Tx, event: &'t Event) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            if event.subject == "source" {
                raise(tx, "effect").await?;
                if self.fail_until.fetch_sub(1, Ordering::SeqCst) > 1 {
                    return Err(Error::internal("not yet"));
                }
                self.fail_until.store(1, Ordering::SeqCst);
                self.seen.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        })
    }
}

async fn a_failing_consumer_stops_visibly_and_every_event_takes_effect_once(on: On) {
    let fresh = Fresh::new(on);
    let (seen, fail_until) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(3)));
    let mut parts = fittings();
    parts.consumers.push(Arc::new(Follower { seen: seen.clone(), fail_until: fail_until.clone() }));
    let space = open(&fresh, parts).await;
    for _ in 0..5 {
        space.db().write((), |(), tx| Box::pin(async move { raise(tx, "source").await })).await.unwrap();
    }
    until("the failure to show", || async {
        let states = space.db().read((), |(), tx| Box::pin(tx.consumers())).await.unwrap();
        states.into_iter().find(|state| state.failures > 0 && state.last_error == "not yet")
    })
    .await;
    until("the consumer to catch up", || async {
        let activity = space.activity().await.unwrap();
        (activity.pending.is_empty() && *space.head().borrow() == 10).then_some(())
    })
    .await;
    let effect =
        space.db().read((), |(), tx| Box::pin(tx.number("SELECT revision FROM sample_thing WHERE name = 'effect'", &[]))).await.unwrap();
    assert_eq!(effect, 5, "five events, five effects, though the first was tried three times");
    space.stop().await;
}

struct Ring;

impl TimerHandler for Ring {
    fn kind(&self) -> &'static str {
        "sample.ring"
    }
    fn fire<'t>(&'t self, tx: &'t mut Tx, timer: &'t Timer) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            assert!(timer.due_at <= timer.fired_at);
            if timer.payload == "fail" && raise(tx, "never").await? > 0 {
                return Err(Error::internal("cannot"));
            }
            raise(tx, &timer.subject).await.map(|_| ())
        })
    }
}

fn ring(subject: &str, due_at: &str, payload: &str) -> NewTimer {
    NewTimer { kind: "sample.ring", subject: subject.into(), generation: 1, due_at: due_at.parse().unwrap(), payload: payload.into() }
}

async fn timers_fire_once_in_order_at_their_space_time_and_survive_a_restart(on: On) {
    let fresh = Fresh::new(on);
    let location = fresh.location().await;
    let id = SpaceId::Exercise(new_id());
    let mut parts = fittings();
    parts.timers.push(Arc::new(Ring));
    let first = ClockSetting { number: 1, space_time: "2014-08-13T00:00:00Z".parse().unwrap(), rate: 0.0 };
    let space = Space::open(id, &location, Some(first), parts.clone()).await.unwrap();
    space
        .db()
        .write((), |(), tx| {
            Box::pin(async move {
                tx.schedule(ring("late", "2014-08-13T04:00:00Z", "")).await?;
                tx.schedule(ring("early", "2014-08-13T02:00:00Z", "")).await?;
                tx.schedule(ring("bad", "2014-08-13T01:00:00Z", "fail")).await?;
                tx.schedule(ring("cancelled", "2014-08-13T01:30:00Z", "")).await?;
                assert_eq!(tx.cancel_timers("sample.ring", "cancelled").await?, 1);
                Ok(())
            })
        })
        .await
        .unwrap();
    assert_eq!(space.activity().await.unwrap().next_due_at, Some("2014-08-13T01:00:00Z".parse().unwrap()));
    space.stop().await;

    // Opened again with its first setting, as a node does at its start: the kept setting wins.
    let space = Space::open(id, &location, Some(first), parts.clone()).await.unwrap();
    assert_eq!((space.clock().now(), space.clock().setting_number()), (first.space_time, 1), "the clock's setting was kept");
    space.set_clock(ClockSetting { number: 2, space_time: "2014-08-13T05:00:00Z".parse().unwrap(), rate: 0.0 }).await.unwrap();
    assert_eq!(space.set_clock(first).await.unwrap_err().reason, "CLOCK_SETTING_OLD");
    let names = until("both timers", || async {
        let rows = space
            .db()
            .read((), |(), tx| Box::pin(tx.rows("SELECT subject FROM log_event WHERE seq IS NOT NULL ORDER BY seq", &[])))
            .await
            .unwrap();
        (rows.len() == 2).then(|| rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>())
    })
    .await;
    assert_eq!(names, ["early", "late"]);
    let failing =
        space.db().read((), |(), tx| Box::pin(tx.row("SELECT subject, failures, last_error FROM timer_due", &[]))).await.unwrap().unwrap();
    assert_eq!(failing.text(0).unwrap(), "bad");
    until("its failure to show", || async {
        let row = space
            .db()
            .read((), |(), tx| Box::pin(tx.row("SELECT failures FROM timer_due WHERE last_error = 'cannot'", &[])))
            .await
            .unwrap();
        row.filter(|row| row.int(0).unwrap() >= 1)
    })
    .await;
    // The system's clock was an hour ahead when it failed, and was set back.
    let set_back = "UPDATE timer_due SET retry_us = retry_us + 3600000000, failures = 40";
    space.db().write(set_back, |sql, tx| Box::pin(tx.execute(sql, &[]))).await.unwrap();
    until("a retry that does not wait an hour", || async {
        let row = space.db().read((), |(), tx| Box::pin(tx.row("SELECT failures FROM timer_due", &[]))).await.unwrap();
        row.filter(|row| row.int(0).unwrap() > 40)
    })
    .await;
    space.stop().await;
}

async fn a_void_transaction_leaves_nothing_and_an_unknown_schema_is_refused(on: On) {
    let fresh = Fresh::new(on);
    let location = fresh.location().await;
    let space = Space::open(SpaceId::Real, &location, None, fittings()).await.unwrap();
    let failed: Result<u64> = space
        .db()
        .write((), |(), tx| {
            Box::pin(async move {
                raise(tx, "gone").await?;
                Err(Error::precondition("NO", "no"))
            })
        })
        .await;
    assert_eq!(failed.unwrap_err().reason, "NO");
    let count = space
        .db()
        .read((), |(), tx| Box::pin(tx.number("SELECT (SELECT COUNT(*) FROM sample_thing) + (SELECT COUNT(*) FROM log_event)", &[])))
        .await
        .unwrap();
    assert_eq!(count, 0);
    space.stop().await;
    let older = Space::open(SpaceId::Real, &location, None, Fittings::default()).await.unwrap_err();
    assert_eq!(older.reason, "SCHEMA_UNKNOWN");
}

fenghuo_durable::on_both!(
    racing_writers_lose_nothing_and_the_chain_holds,
    verify_sees_a_changed_record_event_and_private_part,
    a_repeated_request_answers_the_same_and_another_body_is_refused,
    a_failing_consumer_stops_visibly_and_every_event_takes_effect_once,
    timers_fire_once_in_order_at_their_space_time_and_survive_a_restart,
    a_void_transaction_leaves_nothing_and_an_unknown_schema_is_refused,
);
