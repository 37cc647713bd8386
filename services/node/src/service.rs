//! What the calls share, and what the composition root needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fenghuo_durable::{Db, Error, Fittings, Migration, RecordQuery, Result, Space, Spaces, Verification};
use fenghuo_edge::Caller;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::looked_up::LookedUp;
use crate::operation::{Known, OperationParts};
use crate::passwords::Passwords;
use crate::store;
use crate::tokens::{digest_of, new_token};

/// The schema, in the node's own database.
pub const MIGRATIONS: &[Migration] = &[Migration {
    service: "node",
    version: 1,
    name: "people and exercises",
    sqlite: include_str!("../migrations/sqlite/0001_node.sql"),
    postgres: include_str!("../migrations/postgres/0001_node.sql"),
}];

/// The schema of the node's operation, in the same database.
pub const OPERATION_MIGRATIONS: &[Migration] = &[Migration {
    service: "operation",
    version: 1,
    name: "quarantine",
    sqlite: include_str!("../migrations/operation_0001_quarantine.sql"),
    postgres: include_str!("../migrations/operation_0001_quarantine.sql"),
}];

/// Every record of the node's own database, for the audit.
pub const RECORDS: &[RecordQuery] = &[
    "SELECT name, body FROM node_person ORDER BY name",
    "SELECT name, body FROM node_exercise ORDER BY name",
    "SELECT name, body FROM operation_quarantine ORDER BY name",
];

/// Adds what this service has in the node's own database.
pub fn fit_node(fittings: &mut Fittings) {
    fittings.migrations.push(MIGRATIONS);
    fittings.migrations.push(OPERATION_MIGRATIONS);
}

/// Says what a space still has to do that the space itself does not know of, in words: envelopes for partners that can be reached.
pub type Pending = Arc<dyn Fn(Arc<Space>) -> BoxFuture<'static, Result<Vec<String>>> + Send + Sync>;

/// Checks what else a space proves: the receipts. Its counts and faults are added to those of the log.
pub type Verifier = Arc<dyn Fn(Arc<Space>) -> BoxFuture<'static, Result<Verification>> + Send + Sync>;

/// What the service is made of.
#[derive(Clone)]
pub struct Parts {
    /// The node's own database, opened with [`fit_node`].
    pub node: Arc<Space>,
    /// The spaces.
    pub spaces: Arc<Spaces>,
    /// Six-digit code of the province.
    pub province_code: String,
    /// Its name in Chinese.
    pub display_name: String,
    /// Its name in English.
    pub display_name_en: String,
    /// The records of every service in a space.
    pub records: Vec<RecordQuery>,
    /// The records of every service in the node's own database, without [`RECORDS`].
    pub node_records: Vec<RecordQuery>,
    /// What else may be left to do.
    pub pending: Vec<Pending>,
    /// What else is verified.
    pub verifiers: Vec<Verifier>,
    /// What the look at the node itself needs of the others.
    pub operation: OperationParts,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    parts: Arc<Parts>,
    passwords: Passwords,
    /// Held while an exercise is opened, set or ended: a space must not be opened twice.
    exercises: Arc<tokio::sync::Mutex<()>>,
    /// Held while a log is verified: one at a time is enough work.
    verifying: Arc<tokio::sync::Mutex<()>>,
    /// One sign-in of a name at a time, so that guesses cannot overtake their counting. Names share places.
    sign_in_turns: Arc<[tokio::sync::Mutex<()>]>,
    /// What is known of the quarantine without asking the database.
    known: Arc<watch::Sender<Known>>,
    /// Somebody can sign in: what was so once stays so.
    set_up: Arc<AtomicBool>,
    looked_up: Arc<LookedUp>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("province", &self.parts.province_code).finish_non_exhaustive()
    }
}

/// Places for sign-ins at the same time.
const SIGN_IN_PLACES: usize = 256;

impl Service {
    /// The service of these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            passwords: Passwords::default(),
            exercises: Arc::default(),
            verifying: Arc::default(),
            sign_in_turns: (0..SIGN_IN_PLACES).map(|_| tokio::sync::Mutex::default()).collect(),
            known: Arc::default(),
            set_up: Arc::default(),
            looked_up: Arc::default(),
        }
    }

    /// Call at each start. While nobody can sign in, gives the token of a new one-time link and makes the one before void; `None` once
    /// the administrator's password is set. The token is kept nowhere: print it.
    pub async fn ensure_setup(&self) -> Result<Option<String>> {
        let token = new_token()?;
        let digest = digest_of(&token).ok_or_else(|| Error::internal("a new token has not the form of one"))?;
        let issued = self.db().write(digest, |digest, tx| {
            Box::pin(async move {
                if store::person::any(tx).await? {
                    return Ok(false);
                }
                store::setup::issue(tx, *digest).await.map(|()| true)
            })
        });
        let issued = issued.await?;
        self.set_up().store(!issued, Ordering::Relaxed);
        Ok(issued.then_some(token))
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) fn operation(&self) -> &OperationParts {
        &self.parts.operation
    }

    pub(crate) fn known(&self) -> &watch::Sender<Known> {
        &self.known
    }

    pub(crate) fn looked_up(&self) -> &LookedUp {
        &self.looked_up
    }

    pub(crate) fn set_up(&self) -> &AtomicBool {
        &self.set_up
    }

    pub(crate) fn db(&self) -> &Arc<Db> {
        self.parts.node.db()
    }

    pub(crate) fn spaces(&self) -> &Arc<Spaces> {
        &self.parts.spaces
    }

    pub(crate) fn province_code(&self) -> &str {
        &self.parts.province_code
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    pub(crate) async fn hold_exercises(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.exercises.lock().await
    }

    pub(crate) async fn hold_verifying(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.verifying.lock().await
    }

    pub(crate) async fn sign_in_turn(&self, user_name: &str) -> tokio::sync::MutexGuard<'_, ()> {
        let digest = fenghuo_durable::sha256(user_name.as_bytes());
        // One byte is a place: there are 256.
        self.sign_in_turns[usize::from(digest[0]) % SIGN_IN_PLACES].lock().await
    }

    /// The space of a call.
    pub(crate) fn space(&self, caller: &Caller) -> Result<Arc<Space>> {
        self.spaces().get(caller.space()?)
    }

    /// Refuses a call of this method on what belongs to the whole province, such as its people.
    pub(crate) fn require(&self, caller: &Caller, method: &'static str, name: &str) -> Result<()> {
        caller.require_for(method, self.province_code(), name)
    }
}
