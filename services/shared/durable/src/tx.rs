//! An open transaction on either database, behind one face.

use rusqlite::types::{ToSqlOutput, ValueRef};
use sqlx::{Column, Row as _, TypeInfo};

use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::log::Chain;
use crate::trace::{self, Context};
use crate::value::{Row, Value};
use std::sync::Arc;

/// Which database a statement runs on, for the few statements that may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

pub(crate) enum Backend {
    Sqlite(rusqlite::Connection),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// An open transaction. Whoever gets one awaits nothing but its methods: on SQLite the futures never wait.
pub struct Tx {
    pub(crate) backend: Backend,
    pub(crate) clock: Arc<Clock>,
    pub(crate) recorder: Option<Recorder>,
    /// The trace that what is written here belongs to.
    pub(crate) trace: Context,
    /// Run once this has been committed.
    pub(crate) after_commit: Vec<AfterCommit>,
    /// The exercise is over.
    pub(crate) over: bool,
    /// On SQLite, once this transaction has written an event.
    pub(crate) chain: Option<Chain>,
    /// Scripts run by now: what they change is not counted in rows.
    pub(crate) scripts: u64,
}

/// What is done when a transaction has been committed.
pub(crate) type AfterCommit = Box<dyn FnOnce() + Send>;

/// Sees each statement with its parameters; for benchmarks that replay a real request.
pub type Recorder = Arc<dyn Fn(&'static str, &[Value]) + Send + Sync>;

impl Tx {
    pub(crate) fn new(backend: Backend, clock: Arc<Clock>) -> Self {
        Self { backend, clock, recorder: None, trace: Context::new(), after_commit: Vec::new(), over: false, chain: None, scripts: 0 }
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The space's time now.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// The clock of the space.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The `traceparent` of what is written here, for an event or an envelope; empty if it belongs to no trace.
    pub fn traceparent(&self) -> String {
        trace::traceparent(&self.trace)
    }

    /// The trace that what is written here belongs to.
    pub fn trace(&self) -> &Context {
        &self.trace
    }

    /// What is written from here on goes on with another trace, that of a message or an event; gives back the one before.
    pub fn set_trace(&mut self, next: Context) -> Context {
        std::mem::replace(&mut self.trace, next)
    }

    /// Runs a statement; the number of rows that it changed.
    pub async fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.note(sql, params);
        match &mut self.backend {
            Backend::Sqlite(conn) => sqlite_execute(conn, sql, params).map_err(|error| sqlite_error(sql, error)),
            Backend::Postgres(tx) => {
                let done = bind(sql, params).execute(&mut **tx).await.map_err(|error| postgres_error(sql, error))?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs a statement that must change exactly one row.
    pub async fn execute_one(&mut self, sql: &'static str, params: &[Value]) -> Result<()> {
        match self.execute(sql, params).await? {
            1 => Ok(()),
            rows => Err(Error::internal(format!("a statement should change one row and changed {rows}: {sql}"))),
        }
    }

    /// All rows of a query.
    pub async fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        self.note(sql, params);
        match &mut self.backend {
            Backend::Sqlite(conn) => sqlite_rows(conn, sql, params).map_err(|error| sqlite_error(sql, error)),
            Backend::Postgres(tx) => {
                let rows = bind(sql, params).fetch_all(&mut **tx).await.map_err(|error| postgres_error(sql, error))?;
                rows.iter().map(|row| postgres_row(row).map_err(|error| postgres_error(sql, error))).collect()
            }
        }
    }

    /// The first row of a query, if there is one.
    pub async fn row(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// The first number of the first row; an error if there is none.
    pub async fn number(&mut self, sql: &'static str, params: &[Value]) -> Result<i64> {
        self.row(sql, params).await?.ok_or_else(|| Error::internal(format!("no row: {sql}")))?.int(0)
    }

    /// Holds this name against every other transaction that asks for it, until the end of this one. On SQLite the only writer
    /// holds everything anyway.
    pub async fn lock(&mut self, name: &str) -> Result<()> {
        if self.dialect() == Dialect::Postgres {
            self.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", crate::params![name]).await?;
        }
        Ok(())
    }

    /// Runs a script of statements without parameters (migrations).
    pub async fn script(&mut self, sql: &'static str) -> Result<()> {
        self.scripts += 1;
        match &mut self.backend {
            Backend::Sqlite(conn) => conn.execute_batch(sql).map_err(|error| sqlite_error(sql, error)),
            Backend::Postgres(tx) => {
                sqlx::raw_sql(sql).execute(&mut **tx).await.map_err(|error| postgres_error(sql, error))?;
                Ok(())
            }
        }
    }

    fn note(&mut self, sql: &'static str, params: &[Value]) {
        if let Some(recorder) = &self.recorder {
            recorder(sql, params);
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(v)) => ValueRef::Integer(*v),
            Self::Real(Some(v)) => ValueRef::Real(*v),
            Self::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
            Self::Blob(Some(v)) => ValueRef::Blob(v),
            Self::Int(None) | Self::Real(None) | Self::Text(None) | Self::Blob(None) => ValueRef::Null,
        }))
    }
}

/// SQLite numbers `$1` by first appearance, PostgreSQL by its digits; binding by name makes them mean the same.
fn sqlite_bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    for index in 1..=statement.parameter_count() {
        let number =
            statement.parameter_name(index).and_then(|name| name.strip_prefix('$')).and_then(|digits| digits.parse::<usize>().ok());
        let value = number.and_then(|number| params.get(number - 1)).ok_or(rusqlite::Error::InvalidParameterCount(params.len(), index))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

fn sqlite_execute(conn: &mut rusqlite::Connection, sql: &'static str, params: &[Value]) -> rusqlite::Result<u64> {
    let mut statement = conn.prepare_cached(sql)?;
    sqlite_bind(&mut statement, params)?;
    Ok(statement.raw_execute()? as u64)
}

fn sqlite_rows(conn: &mut rusqlite::Connection, sql: &'static str, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = conn.prepare_cached(sql)?;
    sqlite_bind(&mut statement, params)?;
    let columns = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(match row.get_ref(column)? {
                ValueRef::Null => Value::Int(None),
                ValueRef::Integer(v) => Value::Int(Some(v)),
                ValueRef::Real(v) => Value::Real(Some(v)),
                ValueRef::Text(v) => Value::Text(Some(String::from_utf8_lossy(v).into_owned())),
                ValueRef::Blob(v) => Value::Blob(Some(v.to_vec())),
            });
        }
        found.push(Row(values));
    }
    Ok(found)
}

fn bind<'q>(sql: &'static str, params: &[Value]) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let mut query = sqlx::query(sql);
    for value in params {
        query = match value.clone() {
            Value::Int(v) => query.bind(v),
            Value::Real(v) => query.bind(v),
            Value::Text(v) => query.bind(v),
            Value::Blob(v) => query.bind(v),
        };
    }
    query
}

fn postgres_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<Row> {
    let values = row.columns().iter().enumerate().map(|(at, column)| {
        Ok(match column.type_info().name() {
            "INT8" => Value::Int(row.try_get(at)?),
            "INT4" => Value::Int(row.try_get::<Option<i32>, _>(at)?.map(i64::from)),
            "BOOL" => Value::Int(row.try_get::<Option<bool>, _>(at)?.map(i64::from)),
            "FLOAT8" => Value::Real(row.try_get(at)?),
            "BYTEA" => Value::Blob(row.try_get(at)?),
            "VOID" => Value::Int(None),
            _ => Value::Text(row.try_get(at)?),
        })
    });
    values.collect::<sqlx::Result<Vec<_>>>().map(Row)
}

/// Says that there is no space, in one of SQLite's two ways: for the index of the WAL it has an I/O error of its own.
fn disk_full(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) || extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

pub(crate) fn sqlite_error(sql: &str, error: rusqlite::Error) -> Error {
    let full = disk_full(&error);
    let mut mapped = match error.sqlite_error_code() {
        _ if full => Error::unavailable("DISK_FULL", "the disk is full; nothing was changed; free some space and repeat the call"),
        Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Error::new(Code::Aborted, "CONSTRAINT", "another change came first; read again and repeat")
        }
        _ => Error::internal(format!("the database refused: {sql}")),
    };
    mapped.rerun = full;
    mapped.caused_by(error)
}

fn unreachable_database() -> Error {
    Error::unavailable("DATABASE_UNREACHABLE", "the database cannot be reached; repeat the call with the same request_id")
}

pub(crate) fn postgres_error(sql: &str, error: sqlx::Error) -> Error {
    let state = error.as_database_error().and_then(|db| db.code()).unwrap_or_default().into_owned();
    let mut mapped = match state.as_str() {
        "40001" | "40P01" => Error::race_lost(),
        "23505" | "23503" | "23514" => Error::new(Code::Aborted, "CONSTRAINT", "another change came first; read again and repeat"),
        "53100" => Error::unavailable("DISK_FULL", "the database's disk is full; nothing was changed; free some space and repeat the call"),
        "" => unreachable_database(),
        // Shut down, crashed, starting up, out of patience, or this one connection was ended: PostgreSQL's own words for an end that we did
        // not ask for.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => unreachable_database(),
        state if state.starts_with("08") => unreachable_database(),
        _ => Error::internal(format!("the database refused: {sql}")),
    };
    // A lost race and a duplicate key both come right when the transaction looks again.
    mapped.rerun = matches!(state.as_str(), "40001" | "40P01" | "23505");
    mapped.caused_by(error)
}
