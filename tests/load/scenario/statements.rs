//! How many statements one report costs: the service in this process, each statement seen.

use std::sync::Arc;

use fenghuo_api::incident::v1::incident_service_server::IncidentService as _;
use fenghuo_durable::{Fittings, Locations, SpaceId, Spaces, Value, new_id};
use fenghuo_edge::{Caller, Grant, Role};
use fenghuo_incident_intake::{Service, fit};
use fenghuo_tests::reports::{report, submit};
use parking_lot::Mutex;

use crate::args::Args;
use crate::figure::Report;
use crate::load_node::{PROVINCE, Postgres};

/// Counts on both databases.
pub async fn run(args: &Args, report: &mut Report) {
    let dir = args.folder();
    count(report, "SQLite", Locations::Sqlite(dir.path().to_owned())).await;
    if let Some(server) = &args.postgres {
        let database = Postgres::new(server).await;
        count(report, "PostgreSQL", Locations::Postgres(database.url())).await;
        database.drop().await;
    }
}

async fn count(figures: &mut Report, what: &str, locations: Locations) {
    let mut fittings = Fittings::default();
    fit(&mut fittings, PROVINCE);
    let spaces = Spaces::open(locations, fittings).await.unwrap();
    let service = Service::new(spaces.clone(), PROVINCE);
    // The first one pays for what is made once.
    service.submit_report(request()).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::<(&'static str, usize)>::new()));
    let keep = seen.clone();
    let db = spaces.get(SpaceId::Real).unwrap().db().clone();
    db.record_statements(Some(Arc::new(move |sql, values| keep.lock().push((sql, values.iter().map(size).sum())))));
    service.submit_report(request()).await.unwrap();
    db.record_statements(None);
    spaces.stop().await;
    let all = std::mem::take(&mut *seen.lock());
    // Background looks share the writer; the report's own transaction runs from its request_id to the keeping of the answer.
    let from = all.iter().position(|(sql, _)| sql.starts_with("SELECT request_hash")).unwrap();
    let to = all.iter().position(|(sql, _)| sql.starts_with("INSERT INTO log_request")).unwrap();
    for (sql, bytes) in &all[from..=to] {
        println!("    {bytes:>7} bytes of parameters: {}", sql.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
    }
    figures.plain(&format!("{what}: statements between BEGIN and COMMIT"), "", vec![(to - from + 1) as f64]);
    figures.plain(&format!("{what}: bytes of parameters"), "", vec![all[from..=to].iter().map(|(_, bytes)| *bytes as f64).sum()]);
}

fn request() -> tonic::Request<fenghuo_api::incident::v1::SubmitReportRequest> {
    let grant = Grant { role: Role::DutyOfficer, jurisdiction: PROVINCE.into(), start: jiff::Timestamp::UNIX_EPOCH, end: None };
    let caller = Caller {
        identity: format!("provinces/{PROVINCE}/people/{}", new_id()),
        display_name: "值班员".into(),
        post: String::new(),
        grants: vec![grant],
        session_id: "load".into(),
        space_id: Some(SpaceId::Real),
    };
    let mut request = tonic::Request::new(submit(report("422822")));
    request.extensions_mut().insert(caller);
    request
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(Some(text)) => text.len(),
        Value::Blob(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}
