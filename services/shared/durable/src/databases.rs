//! Whole PostgreSQL databases of a node, for a restore: which are there, dropping them, and giving them their names together.

use sqlx::Connection as _;

use crate::error::{Error, Result};
use crate::tx::postgres_error;

/// Names of the server's databases that begin with this text.
pub async fn beginning_with(url: &str, start: &str) -> Result<Vec<String>> {
    let mut conn = sqlx::PgConnection::connect(url).await.map_err(|error| postgres_error("connect", error))?;
    let names = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname")
        .bind(start)
        .fetch_all(&mut conn)
        .await
        .map_err(|error| postgres_error("look for the databases", error));
    let _ = conn.close().await;
    names
}

/// Drops databases.
pub async fn drop_all(url: &str, names: &[String]) -> Result<()> {
    let mut conn = sqlx::PgConnection::connect(url).await.map_err(|error| postgres_error("connect", error))?;
    for name in names {
        let sql = sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", checked(name)?));
        sqlx::raw_sql(sql).execute(&mut conn).await.map_err(|error| postgres_error("DROP DATABASE", error))?;
    }
    let _ = conn.close().await;
    Ok(())
}

/// Renames databases from what stands first to what stands second: all, or none. Nobody may be connected to them.
pub async fn rename_all(url: &str, names: &[(String, String)]) -> Result<()> {
    let failed = |error| postgres_error("ALTER DATABASE", error);
    let mut conn = sqlx::PgConnection::connect(url).await.map_err(|error| postgres_error("connect", error))?;
    let mut tx = conn.begin().await.map_err(failed)?;
    for (from, to) in names {
        let sql = sqlx::AssertSqlSafe(format!("ALTER DATABASE {} RENAME TO {}", checked(from)?, checked(to)?));
        sqlx::raw_sql(sql).execute(&mut *tx).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    let _ = conn.close().await;
    Ok(())
}

/// An identifier cannot be a parameter.
fn checked(name: &str) -> Result<&str> {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain { Ok(name) } else { Err(Error::invalid("database_name", "may have lower-case letters, digits and underscores")) }
}
