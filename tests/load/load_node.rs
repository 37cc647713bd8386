//! A node under load: its connections, the calls that are made over them, and the rows counted afterwards.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_durable::{Clock, Db, Location, SpaceId, create_postgres_database, drop_postgres_databases, new_id};
use fenghuo_rules::divisions::Divisions;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::{Province, Signed, signed};
use fenghuo_tests::reports::{report, submit};
use parking_lot::Mutex;

use crate::drive::CONNECTIONS;

/// The province whose node is measured.
pub const PROVINCE: &str = "420000";

/// A database of its own for one node of a measurement on PostgreSQL; dropped at the end.
pub struct Postgres {
    server: String,
    base: String,
}

impl Postgres {
    /// Makes it on this server.
    pub async fn new(server: &str) -> Self {
        let base = format!("load_{}", &new_id().simple().to_string()[..20]);
        create_postgres_database(server, &base).await.unwrap();
        Self { server: server.to_owned(), base }
    }

    /// The URL for the node.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server.rsplit_once('/').unwrap().0, self.base)
    }

    /// Drops what the node made.
    pub async fn drop(self) {
        drop_postgres_databases(&self.server, &self.base).await.unwrap();
    }
}

/// Reports go in over several connections; each acknowledged name is kept.
#[derive(Clone)]
pub struct Desk {
    clients: Arc<Vec<IncidentServiceClient<Signed>>>,
    counties: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
    acknowledged: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    /// A desk of this province's officer, on connections of its own.
    pub fn of(province: &Province) -> Self {
        let client = |_| IncidentServiceClient::new(signed(province.new_channel(), &province.officer, SpaceId::Real));
        Self {
            clients: Arc::new((0..CONNECTIONS).map(client).collect()),
            counties: Arc::new(counties(province.code())),
            next: Arc::new(AtomicUsize::new(0)),
            acknowledged: Arc::default(),
        }
    }

    /// One `SubmitReport` as the desk sends it: a report from the next county that opens an incident of its own.
    pub async fn submit(&self, connection: usize) -> Result<(), String> {
        let county = &self.counties[self.next.fetch_add(1, Ordering::Relaxed) % self.counties.len()];
        let request = submit(report(county));
        let answer = self.clients[connection].clone().submit_report(request).await.map_err(|status| status.to_string())?.into_inner();
        assert!(answer.opened, "a report that is to open an incident was matched: {:?}", answer.match_reasons_en);
        self.acknowledged.lock().push(answer.report.unwrap_or_default().name);
        Ok(())
    }

    /// How many reports were acknowledged until now.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.lock().len()
    }

    /// Panics unless the database, whose node has stopped, has every acknowledged report once, with its incident and its events, in a
    /// log without gaps. `sure`: no call failed, so nothing else may be there.
    pub async fn count_afterwards(&self, location: &Location, sure: bool) {
        let stored = Stored::read(location).await;
        let acknowledged: BTreeSet<String> = self.acknowledged.lock().iter().cloned().collect();
        let missing = acknowledged.iter().filter(|name| !stored.reports.contains(*name)).count();
        assert_eq!(missing, 0, "of {} acknowledged reports so many are missing", acknowledged.len());
        assert_eq!(acknowledged.len(), self.acknowledged(), "one name was acknowledged twice");
        let reports = stored.reports.len() as i64;
        assert!(!sure || stored.reports.len() == acknowledged.len(), "{reports} reports stored, {} acknowledged", acknowledged.len());
        assert_eq!((stored.incidents, stored.opened, stored.taken), (reports, reports, reports), "incidents, and events of both");
        assert_eq!(stored.last, stored.events, "the sequence has a gap");
        println!("  counted afterwards: {reports} reports, all {} acknowledged among them; {} events", acknowledged.len(), stored.events);
    }
}

/// What stands in a database.
struct Stored {
    reports: BTreeSet<String>,
    incidents: i64,
    opened: i64,
    taken: i64,
    events: i64,
    last: i64,
}

impl Stored {
    async fn read(location: &Location) -> Self {
        let db = Db::open(location, Arc::new(Clock::real())).await.unwrap();
        let stored = db.read((), |(), tx| {
            Box::pin(async move {
                let rows = tx.rows("SELECT name FROM intake_report", &[]).await?;
                Ok(Self {
                    reports: rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?,
                    incidents: tx.number("SELECT COUNT(*) FROM intake_incident", &[]).await?,
                    opened: tx.number("SELECT COUNT(DISTINCT subject) FROM log_event WHERE kind = 'incident.opened'", &[]).await?,
                    taken: tx.number("SELECT COUNT(*) FROM log_event WHERE kind = 'report.taken'", &[]).await?,
                    events: tx.number("SELECT COUNT(*) FROM log_event", &[]).await?,
                    last: tx.number("SELECT COALESCE(MAX(seq), 0) FROM log_event", &[]).await?,
                })
            })
        });
        let stored = stored.await.unwrap();
        db.close().await;
        stored
    }
}

/// Every county of a province.
fn counties(province_code: &str) -> Vec<String> {
    let of_province = |code: &&str| code.starts_with(&province_code[..2]) && !code.ends_with("00");
    Divisions::builtin().all().map(|division| division.code.as_str()).filter(of_province).map(str::to_owned).collect()
}

/// Where a node keeps the real space.
pub async fn real_space(spec: &Spec) -> Location {
    match &spec.database_url {
        None => Location::Sqlite(real_file(&spec.dir)),
        Some(url) => Location::Postgres(format!("{url}_real")),
    }
}

fn real_file(dir: &Path) -> std::path::PathBuf {
    dir.join("data/spaces/real.sqlite3")
}
