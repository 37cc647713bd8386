//! Migrations: expand first, contract a release later. A node refuses a schema that it does not know.

use crate::clock::wall;
use crate::db::{Db, Isolation};
use crate::error::{Error, Result};
use crate::params;
use crate::tx::Dialect;

/// One step of one service's schema, as a script for each database. Published steps never change.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The service whose tables it makes; also the prefix of their names.
    pub service: &'static str,
    /// From 1, without gaps.
    pub version: i64,
    /// What it does.
    pub name: &'static str,
    /// Script for SQLite.
    pub sqlite: &'static str,
    /// Script for PostgreSQL.
    pub postgres: &'static str,
}

/// The tables of the six mechanisms themselves.
pub const MECHANISMS: &[Migration] = &[
    Migration {
        service: "durable",
        version: 1,
        name: "mechanisms",
        sqlite: include_str!("../migrations/sqlite/0001_mechanisms.sql"),
        postgres: include_str!("../migrations/postgres/0001_mechanisms.sql"),
    },
    Migration {
        service: "durable",
        version: 2,
        name: "ended exercises",
        sqlite: include_str!("../migrations/0002_ended.sql"),
        postgres: include_str!("../migrations/0002_ended.sql"),
    },
];

const BOOKS: &str = "CREATE TABLE IF NOT EXISTS durable_migration (
    service TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, applied_us BIGINT NOT NULL, PRIMARY KEY (service, version))";

/// Brings the schema up to what this program knows; refuses one that is ahead of it.
pub(crate) async fn migrate(db: &Db, migrations: &[&'static [Migration]]) -> Result<()> {
    let known: Vec<Migration> = MECHANISMS.iter().chain(migrations.iter().flat_map(|list| list.iter())).copied().collect();
    // Two replicas may start at once; `IF NOT EXISTS` alone can still collide on PostgreSQL.
    for attempt in 0.. {
        match db.script(BOOKS).await {
            Ok(()) => break,
            Err(error) if attempt >= 5 => return Err(error),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    refuse_unknown(db, &known).await?;
    for step in known {
        // Not SERIALIZABLE: its picture would be older than the lock, and would not show what another replica has just done.
        db.write_isolated(Isolation::ReadCommitted, step, |step, tx| {
            Box::pin(async move {
                tx.lock("durable.migrate").await?;
                let done = "SELECT COUNT(*) FROM durable_migration WHERE service = $1 AND version = $2";
                if tx.number(done, params![step.service, step.version]).await? > 0 {
                    return Ok(());
                }
                let script = match tx.dialect() {
                    Dialect::Sqlite => step.sqlite,
                    Dialect::Postgres => step.postgres,
                };
                tx.script(script).await?;
                let note = "INSERT INTO durable_migration (service, version, name, applied_us) VALUES ($1, $2, $3, $4)";
                tx.execute_one(note, params![step.service, step.version, step.name, wall::now()]).await
            })
        })
        .await?;
    }
    Ok(())
}

async fn refuse_unknown(db: &Db, known: &[Migration]) -> Result<()> {
    let found = db
        .read((), |(), tx| {
            Box::pin(async move { tx.rows("SELECT service, version FROM durable_migration ORDER BY service, version", &[]).await })
        })
        .await?;
    for row in found {
        let (service, version) = (row.text(0)?, row.int(1)?);
        if !known.iter().any(|step| step.service == service && step.version == version) {
            return Err(Error::precondition(
                "SCHEMA_UNKNOWN",
                format!("the database has step {version} of {service}, which this program does not know; start a newer program"),
            ));
        }
    }
    Ok(())
}
