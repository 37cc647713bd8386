//! Which SQLite writer? One real `SubmitReport` is recorded, statement by statement, and replayed through both candidates.
//!
//! `cargo bench -p fenghuo-tests --features sqlx-sqlite --bench sqlite_writer`
//!
//! Every candidate gets the same statements with fresh identifiers, on a fresh file, WAL, synchronous=FULL, acknowledged after the
//! COMMIT. The baseline of the ratios is sqlx's own way: a transaction per request on a pool.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_api::common::v1::{Place, Substance, Tristate};
use fenghuo_api::incident::v1::incident_service_server::IncidentService;
use fenghuo_api::incident::v1::{Facts, Report, ReportOrigin, SubmitReportRequest};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Db, Fittings, Location, Locations, SpaceId, Spaces, Value, migrate, new_id, wall};
use fenghuo_edge::{Caller, Grant, Role};
use fenghuo_incident_intake::{Service, fit};
use futures::StreamExt;

type Statements = Vec<(&'static str, Vec<Value>)>;

static NEXT_PLACE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
const WARM_UP: Duration = Duration::from_millis(300);
const REPORTS: usize = 6000;
const SECONDS: u64 = 4;
const IN_FLIGHT: [usize; 3] = [1, 64, 256];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let recorded = Arc::new(record().await);
        let bytes: usize = recorded.iter().flat_map(|(_, values)| values).map(size).sum();
        println!("one SubmitReport that opens an incident: {} statements, {bytes} bytes of parameters", recorded.len());
        // Made before, so that the making is not measured.
        let recorded = Arc::new((0..REPORTS).map(|_| fresh(&recorded)).collect::<Vec<_>>());
        println!("{:<44} {:>9} {:>11} {:>9}", "writer, in flight", "reports/s", "p99 ms", "ratio");
        for in_flight in IN_FLIGHT {
            let baseline = baseline(in_flight, &recorded).await;
            for (name, measured) in [
                ("thread of its own, one COMMIT a report", ours(Some(1), in_flight, &recorded).await),
                ("thread of its own, grouped, a savepoint each", ours(None, in_flight, &recorded).await),
            ] {
                print(name, in_flight, measured, baseline);
            }
            #[cfg(feature = "sqlx-sqlite")]
            print("sqlx worker, grouped, a savepoint each", in_flight, through_sqlx::grouped(in_flight, &recorded).await, baseline);
        }
    });
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(Some(text)) => text.len(),
        Value::Blob(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}

#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    p99: Duration,
}

fn print(name: &str, in_flight: usize, measured: Measured, baseline: Measured) {
    let ratio = measured.per_second / baseline.per_second;
    println!("{name:<40} {in_flight:>3} {:>9.0} {:>11.1} {ratio:>8.1}x", measured.per_second, measured.p99.as_secs_f64() * 1e3);
}

#[cfg(feature = "sqlx-sqlite")]
async fn baseline(in_flight: usize, recorded: &Arc<Vec<Statements>>) -> Measured {
    let measured = through_sqlx::one_each(in_flight, recorded).await;
    print("sqlx pool of 8, one COMMIT a report", in_flight, measured, measured);
    measured
}

/// Without sqlx's SQLite driver the ratio is to our own writer, ungrouped.
#[cfg(not(feature = "sqlx-sqlite"))]
async fn baseline(in_flight: usize, recorded: &Arc<Vec<Statements>>) -> Measured {
    ours(Some(1), in_flight, recorded).await
}

/// Takes one report through the service and keeps what its transaction sent.
async fn record() -> Statements {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut fittings = Fittings::default();
    fit(&mut fittings, "500000");
    let spaces = Spaces::open(Locations::Sqlite(dir.path().to_owned()), fittings).await.unwrap();
    let space = spaces.get(SpaceId::Real).unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Statements::new()));
    let keep = seen.clone();
    space.db().record_statements(Some(Arc::new(move |sql, values| keep.lock().unwrap().push((sql, values.to_vec())))));
    let grant = Grant { role: Role::DutyOfficer, jurisdiction: "500000".into(), start: jiff::Timestamp::UNIX_EPOCH, end: None };
    let caller = Caller {
        identity: format!("provinces/500000/people/{}", new_id()),
        display_name: "王敏".into(),
        post: "重庆市生态环境局 值班员".into(),
        grants: vec![grant],
        session_id: "bench".into(),
        space_id: Some(SpaceId::Real),
    };
    let mut request =
        tonic::Request::new(SubmitReportRequest { request_id: new_id().to_string(), report: Some(report()), ..Default::default() });
    request.extensions_mut().insert(caller);
    Service::new(spaces.clone(), "500000").submit_report(request).await.unwrap();
    space.db().record_statements(None);
    let all = std::mem::take(&mut *seen.lock().unwrap());
    spaces.stop().await;
    // The background looks share the writer; the report's own transaction runs from its request_id to keeping the answer.
    let from = all.iter().position(|(sql, _)| sql.starts_with("SELECT request_hash")).unwrap();
    let to = all.iter().position(|(sql, _)| sql.starts_with("INSERT INTO log_request")).unwrap();
    all[from..=to].to_vec()
}

fn report() -> Report {
    Report {
        origin: ReportOrigin::DistrictBureau.into(),
        reporter_name: "李某".into(),
        reporter_telephone: "13900000000".into(),
        reporting_body_code: "500237".into(),
        learn_time: Some(to_proto(wall::now())),
        title: "千丈岩水库水质异常,取水中断".into(),
        description: "早晨村民反映水有异味,水色发黑;已停止供水,正在排查来源。".into(),
        place: Some(Place { admin_code: "500237".into(), water_body: "千丈岩水库".into(), ..Default::default() }),
        substances: vec![Substance { name: "乙基黄原酸钠".into(), ..Default::default() }],
        facts: Some(Facts {
            confirmed_environmental: Tristate::Yes.into(),
            may_cross_province: Tristate::Yes.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The same statements about another report: every UUID in them is replaced by a fresh one.
fn fresh(recorded: &Statements) -> Statements {
    let text = |value: &Value| if let Value::Text(Some(text)) = value { Some(text.clone()) } else { None };
    let mut ids = BTreeSet::new();
    for found in recorded.iter().flat_map(|(_, values)| values.iter().filter_map(text)) {
        let bytes = found.as_bytes();
        for at in 0..bytes.len().saturating_sub(35) {
            if let Some(part) = found.get(at..at + 36).filter(|part| part.is_ascii() && uuid::Uuid::try_parse(part).is_ok()) {
                ids.insert(part.to_owned());
            }
        }
    }
    let mut renamed: Vec<(String, String)> = ids.into_iter().map(|id| (id, new_id().to_string())).collect();
    // Another place each time, or every report would match every other.
    let place = format!("5{:05}", NEXT_PLACE.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 100_000);
    renamed.push(("500237".into(), place));
    renamed.push(("千丈岩水库".into(), format!("水库{}", renamed[0].1)));
    let value = |value: &Value| match value {
        Value::Text(Some(text)) => Value::Text(Some(renamed.iter().fold(text.clone(), |text, (old, new)| text.replace(old, new)))),
        other => other.clone(),
    };
    recorded.iter().map(|(sql, values)| (*sql, values.iter().map(value).collect())).collect()
}

async fn ours(group_max: Option<usize>, in_flight: usize, recorded: &Arc<Vec<Statements>>) -> Measured {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    schema(&dir.path().join("db.sqlite3")).await;
    let db =
        Db::open_with(&Location::Sqlite(dir.path().join("db.sqlite3")), Arc::new(fenghuo_durable::Clock::real()), group_max).await.unwrap();
    let measured = run(in_flight, recorded, |statements| {
        let db = db.clone();
        async move {
            db.write(statements, |statements, tx| {
                Box::pin(async move {
                    for (sql, values) in statements {
                        if sql.starts_with("SELECT") {
                            tx.rows(sql, values).await.map(|_| ())?
                        } else {
                            tx.execute(sql, values).await.map(|_| ())?
                        }
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        }
    })
    .await;
    db.close().await;
    measured
}

async fn schema(path: &std::path::Path) {
    let db = Db::open(&Location::Sqlite(path.to_owned()), Arc::new(fenghuo_durable::Clock::real())).await.unwrap();
    for step in migrate::MECHANISMS.iter().chain(fenghuo_incident_intake::MIGRATIONS) {
        db.write(step.sqlite, |sql, tx| Box::pin(tx.script(sql))).await.unwrap();
    }
    db.close().await;
}

/// Keeps so many requests in flight for some seconds, after a short warming up.
async fn run<F, Fut>(in_flight: usize, recorded: &Arc<Vec<Statements>>, submit: F) -> Measured
where
    F: Fn(Statements) -> Fut,
    Fut: Future<Output = ()>,
{
    let begin = Instant::now();
    let (warm, end) = (begin + WARM_UP, begin + WARM_UP + Duration::from_secs(SECONDS));
    let mut ended = begin;
    let mut waits = futures::stream::iter(recorded.iter().cloned())
        .take_while(|_| std::future::ready(Instant::now() < end))
        .map(|statements| {
            let (sent, answer) = (Instant::now(), submit(statements));
            async move {
                answer.await;
                (sent, sent.elapsed())
            }
        })
        .buffer_unordered(in_flight)
        .inspect(|_| ended = Instant::now())
        .filter_map(|(sent, wait)| std::future::ready((sent >= warm).then_some(wait)))
        .collect::<Vec<_>>()
        .await;
    waits.sort_unstable();
    Measured { per_second: waits.len() as f64 / (ended - warm).as_secs_f64(), p99: waits[waits.len() * 99 / 100] }
}

#[cfg(feature = "sqlx-sqlite")]
mod through_sqlx {
    use std::str::FromStr;

    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
    use sqlx::{Connection, Executor, SqliteConnection};
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    async fn options(dir: &std::path::Path) -> SqliteConnectOptions {
        let path = dir.join("db.sqlite3");
        schema(&path).await;
        SqliteConnectOptions::from_str(&format!("sqlite://{}", path.display()))
            .unwrap()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
    }

    async fn replay(conn: &mut SqliteConnection, statements: Statements) {
        for (sql, values) in statements {
            let mut query = sqlx::query(sql);
            for value in values {
                query = match value {
                    Value::Int(v) => query.bind(v),
                    Value::Real(v) => query.bind(v),
                    Value::Text(v) => query.bind(v),
                    Value::Blob(v) => query.bind(v),
                };
            }
            if sql.starts_with("SELECT") {
                query.fetch_all(&mut *conn).await.map(|_| ()).unwrap()
            } else {
                query.execute(&mut *conn).await.map(|_| ()).unwrap()
            }
        }
    }

    pub(super) async fn one_each(in_flight: usize, recorded: &Arc<Vec<Statements>>) -> Measured {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options(dir.path()).await)
            .await
            .unwrap();
        run(in_flight, recorded, |statements| {
            let pool = pool.clone();
            async move {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
                replay(&mut tx, statements).await;
                tx.commit().await.unwrap();
            }
        })
        .await
    }

    pub(super) async fn grouped(in_flight: usize, recorded: &Arc<Vec<Statements>>) -> Measured {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut conn = SqliteConnection::connect_with(&options(dir.path()).await).await.unwrap();
        let (jobs, mut queue) = mpsc::unbounded_channel::<(Statements, oneshot::Sender<()>)>();
        let writer = tokio::spawn(async move {
            let mut group = Vec::new();
            while queue.recv_many(&mut group, 256).await > 0 {
                conn.execute("BEGIN IMMEDIATE").await.unwrap();
                let mut replies = Vec::new();
                for (statements, reply) in group.drain(..) {
                    conn.execute("SAVEPOINT member").await.unwrap();
                    replay(&mut conn, statements).await;
                    conn.execute("RELEASE member").await.unwrap();
                    replies.push(reply);
                }
                conn.execute("COMMIT").await.unwrap();
                replies.into_iter().for_each(|reply| reply.send(()).unwrap());
            }
        });
        let measured = run(in_flight, recorded, |statements| {
            let (reply, answer) = oneshot::channel();
            jobs.send((statements, reply)).unwrap();
            async move { answer.await.unwrap() }
        })
        .await;
        drop(jobs);
        writer.await.unwrap();
        measured
    }
}
