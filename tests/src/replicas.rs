//! A node as several processes on one PostgreSQL database, each at an address of its own, so that a test can choose which one it calls.

use std::path::Path;

use fenghuo_durable::testing::postgres_admin_url;
use fenghuo_durable::{create_postgres_database, new_id};
use tonic::Status;

use crate::node::Spec;
use crate::province::Province;

/// Databases of one test; they go with the throw-away server.
#[derive(Debug)]
pub struct Databases {
    base: String,
}

impl Databases {
    /// Names that nobody else has.
    pub fn new() -> Self {
        // The last digits of a UUID: the first ones are the time.
        Self { base: format!("r{}", &new_id().simple().to_string()[18..]) }
    }

    /// URL of a province's database, made if it is not there.
    pub async fn url(&self, code: &str) -> String {
        let admin = postgres_admin_url();
        let name = format!("{}_{code}", self.base);
        create_postgres_database(&admin, &name).await.unwrap();
        format!("{}/{name}", admin.rsplit_once('/').unwrap().0)
    }
}

impl Default for Databases {
    fn default() -> Self {
        Self::new()
    }
}

/// Two replicas of a fresh province, each at an address of its own.
pub async fn two(code: &str, dir: &Path, databases: &Databases) -> (Province, Province) {
    let spec = Spec::new(code, dir).replicated(&databases.url(code).await);
    let one = Province::start(&spec).await;
    let two = one.beside(&spec.replica("2"));
    (one, two)
}

/// The answer of the one call of two that took effect; panics unless the other was refused for one of these reasons.
pub fn one_of<T: std::fmt::Debug>(what: &str, calls: (Result<T, Status>, Result<T, Status>), reasons: &[&str]) -> T {
    let (won, lost) = match calls {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        (Ok(one), Ok(two)) => panic!("{what}: both took effect:\n{one:?}\n{two:?}"),
        (Err(one), Err(two)) => panic!("{what}: neither took effect:\n{one}\n{two}"),
    };
    let reason = fenghuo_edge::from_status(&lost).reason;
    assert!(reasons.contains(&reason.as_str()), "{what}: refused for {reason}: {lost}");
    won
}
