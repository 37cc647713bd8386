//! Several replicas on one PostgreSQL database: what one does, the others keep to. Each replica here is a `Space` of its own, with its own
//! connections, on the same database.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_durable::testing::{Fresh, On, until};
use fenghuo_durable::*;
use futures::future::{BoxFuture, join_all};

const TABLES: &[Migration] = &[Migration {
    service: "sample",
    version: 1,
    name: "firings",
    sqlite: "SELECT 1;",
    postgres: "CREATE TABLE sample_firing (timer TEXT NOT NULL, by TEXT NOT NULL, place BIGINT GENERATED ALWAYS AS IDENTITY);",
}];

/// Notes in the database which replica fired what.
struct Note(&'static str);

impl TimerHandler for Note {
    fn kind(&self) -> &'static str {
        "sample.note"
    }

    fn fire<'t>(&'t self, tx: &'t mut Tx, timer: &'t Timer) -> BoxFuture<'t, Result<()>> {
        Box::pin(
            async move { tx.execute_one("INSERT INTO sample_firing (timer, by) VALUES ($1, $2)", params![&timer.subject, self.0]).await },
        )
    }
}

fn fittings(replica: &'static str) -> Fittings {
    Fittings { migrations: vec![TABLES], timers: vec![Arc::new(Note(replica))], ..Fittings::default() }
}

async fn open(location: &Location, replica: &'static str) -> Arc<Space> {
    Space::open(SpaceId::Real, location, None, fittings(replica)).await.unwrap()
}

async fn tell(db: &Db, subject: &str) {
    db.write(subject.to_owned(), |subject, tx| {
        Box::pin(async move {
            let revision =
                u64::try_from(tx.number("SELECT COUNT(*) FROM log_event WHERE subject = $1", params![subject]).await?).unwrap() + 1;
            tx.append(NewEvent { service: "sample", kind: "told", subject: subject.clone(), revision, ..NewEvent::default() }).await
        })
    })
    .await
    .unwrap();
}

async fn schedule(db: &Db, names: Vec<String>, due_at: Vec<jiff::Timestamp>) {
    db.write((names, due_at), |(names, due_at), tx| {
        Box::pin(async move {
            for (name, due_at) in names.iter().zip(due_at) {
                let timer = NewTimer { kind: "sample.note", subject: name.clone(), generation: 1, due_at: *due_at, payload: String::new() };
                tx.schedule(timer).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn firings(db: &Db) -> Vec<(String, String)> {
    db.read((), |(), tx| {
        Box::pin(async move {
            let rows = tx.rows("SELECT timer, by FROM sample_firing ORDER BY place", &[]).await?;
            rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
        })
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_make_the_tables_once() {
    let fresh = Fresh::new(On::Postgres);
    for _ in 0..3 {
        let location = fresh.location().await;
        let opened = join_all((0..5).map(|_| Space::open_idle(SpaceId::Real, &location, None, fittings("any")))).await;
        for space in opened {
            space.unwrap().stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_timers_due_at_once_fire_once_and_both_replicas_take_part() {
    let fresh = Fresh::new(On::Postgres);
    let location = fresh.location().await;
    let (one, two) = tokio::join!(open(&location, "one"), open(&location, "two"));
    let due = wall::now() + jiff::SignedDuration::from_millis(300);
    schedule(one.db(), (0..500).map(|n| n.to_string()).collect(), vec![due; 500]).await;
    until("500 firings", || async { (firings(one.db()).await.len() >= 500).then_some(()) }).await;
    let fired = firings(one.db()).await;
    let names: std::collections::BTreeSet<&str> = fired.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names.len(), fired.len()), (500, 500));
    let of_one = fired.iter().filter(|(_, by)| by == "one").count();
    println!("500 timers: {of_one} by one replica, {} by the other", 500 - of_one);
    assert!((1..500).contains(&of_one), "one replica fired all");
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exercise_fires_in_order_whichever_replica_fires() {
    let fresh = Fresh::new(On::Postgres);
    let (location, id) = (fresh.location().await, SpaceId::Exercise(new_id()));
    let begin: jiff::Timestamp = "2014-08-13T00:00:00Z".parse().unwrap();
    let first = ClockSetting { number: 1, space_time: begin, rate: 0.0 };
    // Both open it at once with the same clock.
    let (one, two) =
        tokio::join!(Space::open(id, &location, Some(first), fittings("one")), Space::open(id, &location, Some(first), fittings("two")));
    let (one, two) = (one.unwrap(), two.unwrap());
    let due: Vec<_> = (0..100).map(|n| begin + jiff::SignedDuration::from_secs(60 + (n * 37) % 100)).collect();
    schedule(one.db(), due.iter().map(ToString::to_string).collect(), due.clone()).await;
    two.set_clock(ClockSetting { number: 2, space_time: begin + jiff::SignedDuration::from_secs(1000), rate: 0.0 }).await.unwrap();
    until("100 firings", || async { (firings(one.db()).await.len() >= 100).then_some(()) }).await;
    let fired: Vec<_> = firings(one.db()).await;
    let mut in_order: Vec<_> = due.iter().map(ToString::to_string).collect();
    in_order.sort();
    assert_eq!(fired.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), in_order);
    println!("an exercise: {} of 100 fired by the replica that did not set the clock", fired.iter().filter(|(_, by)| by == "one").count());
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_and_an_end_hold_on_every_replica() {
    let fresh = Fresh::new(On::Postgres);
    let (location, id) = (fresh.location().await, SpaceId::Exercise(new_id()));
    let begin: jiff::Timestamp = "2014-08-13T00:00:00Z".parse().unwrap();
    let setting =
        |number: u64, minutes: i64| ClockSetting { number, space_time: begin + jiff::SignedDuration::from_mins(minutes), rate: 0.0 };
    let one = Space::open(id, &location, Some(setting(1, 0)), fittings("one")).await.unwrap();
    let two = Space::open(id, &location, Some(setting(1, 0)), fittings("two")).await.unwrap();
    for number in 2..12 {
        let minutes = i64::try_from(number).unwrap();
        let (here, there) = tokio::join!(one.set_clock(setting(number, minutes)), two.set_clock(setting(number, minutes)));
        let lost = if here.is_ok() { there } else { here };
        assert_eq!(lost.unwrap_err().reason, "CLOCK_SETTING_OLD", "both replicas put setting {number} in force");
        // The next write of either is at the new time, whoever set it.
        for space in [&one, &two] {
            let now = space.db().write((), |(), tx| Box::pin(async move { Ok(tx.now()) })).await.unwrap();
            assert_eq!((now, space.clock().setting_number()), (setting(number, minutes).space_time, number));
        }
    }
    tell(two.db(), "before").await;
    one.end().await.unwrap();
    let refused = two.db().write((), |(), tx| Box::pin(async move { tx.log_head().await })).await.unwrap_err();
    assert_eq!(refused.reason, "EXERCISE_ENDED", "the other replica wrote to what is over");
    two.end().await.unwrap();
    for space in [&one, &two] {
        assert_eq!(space.activity().await.unwrap().pending, Vec::<String>::new());
        assert_eq!(space.clock().now(), setting(11, 11).space_time);
        space.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_numbers_the_other_sees_at_once() {
    let fresh = Fresh::new(On::Postgres);
    let location = fresh.location().await;
    let (one, two) = (open(&location, "one").await, open(&location, "two").await);
    let mut head = two.head();
    tell(one.db(), "first").await;
    until("the hints to be heard", || async { (*two.head().borrow() == 1).then_some(()) }).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut took = Vec::new();
    for n in 2..22 {
        head.borrow_and_update();
        let began = Instant::now();
        tell(one.db(), "first").await;
        head.wait_for(|head| *head == n).await.unwrap();
        took.push(began.elapsed());
    }
    took.sort();
    println!("from a write on one replica until the other's head has it: median {:?}, slowest {:?}", took[10], took[19]);
    assert!(took[10] < Duration::from_millis(125), "slower than the look that comes anyway: {took:?}");
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_has_one_holder_and_goes_over_when_he_is_cut_off() {
    let fresh = Fresh::new(On::Postgres);
    let location = fresh.location().await;
    let (one, two) = (open(&location, "one").await, open(&location, "two").await);
    let (mut here, mut there) = (one.db().lease("work"), two.db().lease("work"));
    tokio::select! { () = here.held() => {}, () = there.held() => {} }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(here.is_held() != there.is_held(), "both or neither hold it");
    // The server cuts the connection off, as it does when a process is killed. Whoever asks first has it next: here both still live.
    let loser = if here.is_held() { &mut here } else { &mut there };
    let began = Instant::now();
    let cut = two.db().write((), |(), tx| {
        Box::pin(async move {
            let sql = "SELECT COUNT(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()";
            tx.number(sql, &[]).await
        })
    });
    assert_eq!(cut.await.unwrap(), 1, "exactly one session held a lease");
    tokio::time::timeout(Duration::from_secs(5), loser.lost()).await.unwrap();
    let next = async {
        tokio::select! { () = here.held() => {}, () = there.held() => {} }
    };
    tokio::time::timeout(Duration::from_secs(5), next).await.unwrap();
    println!("a lease had a holder again {:?} after its holder was cut off", began.elapsed());

    // Given up by a stop, it goes over as well.
    let (stopping, other) = if here.is_held() { (&one, &mut there) } else { (&two, &mut here) };
    let began = Instant::now();
    stopping.stop().await;
    tokio::time::timeout(Duration::from_secs(5), other.held()).await.unwrap();
    println!("a lease was taken over {:?} after its holder began to stop", began.elapsed());
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_another_process_fires_is_left_to_it() {
    let fresh = Fresh::new(On::Postgres);
    let location = fresh.location().await;
    let mut elsewhere = Fittings::default();
    elsewhere.add(fittings("nobody"), false);
    let without = Space::open(SpaceId::Real, &location, None, elsewhere).await.unwrap();
    schedule(without.db(), vec!["one".into()], vec![wall::now()]).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let failures = without.db().read((), |(), tx| Box::pin(tx.number("SELECT MAX(failures) FROM timer_due", &[])));
    assert_eq!(failures.await.unwrap(), 0, "it was tried where nobody can fire it");
    let with = open(&location, "with").await;
    until("the firing", || async { (firings(with.db()).await.len() == 1).then_some(()) }).await;
    with.stop().await;
    without.stop().await;
}
