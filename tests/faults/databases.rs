//! Where the nodes of a run keep their data: SQLite files, or databases of a PostgreSQL server that go when the run is over.

use fenghuo_durable::{create_postgres_database, drop_postgres_databases, new_id};
use fenghuo_tests::node::Spec;

/// Databases for the nodes of one run.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    server: Option<String>,
    run: String,
}

impl Databases {
    /// On the server of this URL; on SQLite without one.
    pub(crate) fn of(server: Option<String>) -> Self {
        Self { server, run: new_id().simple().to_string()[16..].to_owned() }
    }

    /// "SQLite" or "PostgreSQL".
    pub(crate) fn kind(&self) -> &'static str {
        if self.server.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    fn base(&self, code: &str) -> String {
        format!("fault_{}_{}", self.run, &code[..2])
    }

    /// The node with a database of its own.
    pub(crate) async fn place(&self, spec: Spec) -> Spec {
        let Some(server) = &self.server else { return spec };
        let base = self.base(&spec.code);
        create_postgres_database(server, &base).await.unwrap();
        let (host, _) = server.rsplit_once('/').expect("a URL ending in /database");
        spec.on_postgres(&format!("{host}/{base}"))
    }

    /// Takes the databases of these nodes away.
    pub(crate) async fn remove(&self, codes: &[&str]) {
        let Some(server) = &self.server else { return };
        for code in codes {
            drop_postgres_databases(server, &self.base(code)).await.unwrap();
        }
    }
}
