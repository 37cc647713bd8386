//! For tests of every crate: one suite, run on SQLite and on PostgreSQL, a fresh database per test.

use std::path::PathBuf;

use crate::clock::new_id;
use crate::db::{Location, create_postgres_database};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// A file in a temporary folder.
    Sqlite,
    /// A new database of the server named by `FENGHUO_TEST_POSTGRES`.
    Postgres,
}

/// A fresh place for databases of one test; goes with it.
#[derive(Debug)]
pub struct Fresh {
    on: On,
    dir: tempfile::TempDir,
}

impl Fresh {
    /// A fresh place.
    pub fn new(on: On) -> Self {
        Self { on, dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The folder of this test.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// A new, empty database.
    pub async fn location(&self) -> Location {
        let name = format!("t_{}", new_id().simple());
        match self.on {
            On::Sqlite => Location::Sqlite(self.dir.path().join(format!("{name}.sqlite3"))),
            On::Postgres => {
                let admin = postgres_admin_url();
                create_postgres_database(&admin, &name).await.expect("a fresh database");
                let (server, _) = admin.rsplit_once('/').expect("a URL ending in /database");
                Location::Postgres(format!("{server}/{name}"))
            }
        }
    }
}

/// URL of the throw-away PostgreSQL server that `deploy/test` starts.
pub fn postgres_admin_url() -> String {
    std::env::var("FENGHUO_TEST_POSTGRES").expect("FENGHUO_TEST_POSTGRES names a throw-away PostgreSQL, for example postgres://postgres@127.0.0.1:5499/postgres; deploy/test starts one and sets it")
}

/// Makes a test of each of these `async fn name(on: On)`, once for each database.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name($crate::testing::On::Sqlite).await; })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name($crate::testing::On::Postgres).await; })+
        }
    };
}

/// Looks at a value until it is right, for at most 20 s.
pub async fn until<T, F, Fut>(what: &str, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(std::time::Instant::now() < end, "waited 20 s in vain for: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
