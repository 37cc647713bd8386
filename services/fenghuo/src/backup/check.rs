//! Recomputing what the logs of a backup prove, without a node.

use std::path::Path;
use std::sync::Arc;

use fenghuo_durable::{Clock, Db, Error, Location, Migration, RecordQuery, Result, Verification, verify};
use fenghuo_incident_intake as intake;
use fenghuo_mailbox as mailbox;
use fenghuo_node as node;
use fenghuo_notification as notification;

use super::manifest::{DatabasePart, Manifest};
use crate::node::{node_fittings, space_fittings};
use crate::served::Served;

/// Every step of schema that this program knows: of the node's own database, and of a space.
pub fn known_schema(province_code: &str) -> (Vec<Migration>, Vec<Migration>) {
    let all = |lists: Vec<&'static [Migration]>| {
        let steps = fenghuo_durable::migrate::MECHANISMS.iter().chain(lists.into_iter().flatten());
        steps.copied().collect()
    };
    (all(node_fittings().migrations), all(space_fittings(province_code, &Served::all()).migrations))
}

/// Refuses what this program must not restore: another province's, another kind of database, a schema that it does not know.
pub fn manifest(manifest: &Manifest, province_code: &str, on_postgres: bool) -> Result<()> {
    if manifest.province_code != province_code {
        let text = format!("the backup is of province {}, and the configuration says {province_code}", manifest.province_code);
        return Err(Error::precondition("WRONG_PROVINCE", text));
    }
    let (here, needs) = if on_postgres { ("postgres", "leave out") } else { ("sqlite", "give") };
    if manifest.databases != here {
        let text = format!("the backup holds databases of {}; {needs} --database-url", manifest.databases);
        return Err(Error::precondition("OTHER_DATABASES", text));
    }
    let (node, space) = known_schema(province_code);
    manifest.check_schema(&node, &space)
}

/// Recomputes the chain of one database, and the digests of its records where its schema is this program's; compares the head with the
/// manifest. Faults are in the answer.
pub async fn database(location: &Location, part: &DatabasePart, province_code: &str) -> Result<Verification> {
    let (node, space) = known_schema(province_code);
    let known = if part.name == "node" { node.len() } else { space.len() };
    // An older schema may lack a table that a query names; its chain is checked all the same.
    let records = if part.schema.len() == known { records(&part.name) } else { Vec::new() };
    let db = Db::open(location, Arc::new(Clock::real())).await?;
    let found = verify(&db, records).await;
    let head = db.read((), |(), tx| Box::pin(tx.log_head())).await;
    db.close().await;
    let (mut found, (sequence, _)) = (found?, head?);
    if sequence != part.sequence || hex::encode(&found.head_hash) != part.chain_hash {
        found.fault(format!("the log ends at {sequence}, and the manifest says {} with another hash or number", part.sequence));
    }
    Ok(found)
}

fn records(name: &str) -> Vec<RecordQuery> {
    match name {
        "node" => [node::RECORDS, notification::NODE_RECORDS].concat(),
        _ => [intake::RECORDS, notification::RECORDS, mailbox::RECORDS].concat(),
    }
}

/// Checks every SQLite database of a backup that was read into a folder; the counts of all, and every fault with the part's name.
pub async fn folder(dir: &Path, manifest: &Manifest) -> Result<Verification> {
    let mut all = Verification::default();
    for (part, of) in manifest.databases() {
        let found = database(&Location::Sqlite(dir.join(&part.name)), of, &manifest.province_code).await?;
        add(&mut all, found, &part.name);
    }
    Ok(all)
}

/// Adds the counts and faults of one part.
pub fn add(all: &mut Verification, found: Verification, name: &str) {
    all.events += found.events;
    all.records += found.records;
    for fault in found.faults {
        all.fault(format!("{name}: {fault}"));
    }
}
