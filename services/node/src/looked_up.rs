//! Sessions that were looked up: a read less for each call.
//!
//! They hold until the log of the node's database moves: whatever ends a session or changes a person is an event there, committed and
//! told before its caller is answered. That is so on SQLite, where this process writes alone. On PostgreSQL another replica may have
//! ended a session a moment ago: there every call looks.

use std::collections::HashMap;

use fenghuo_durable::{Db, Dialect};
use parking_lot::Mutex;

use crate::store::session::Session;

/// More sessions than a province has desks.
const MOST: usize = 4096;

/// Sessions by the digest of their token, all seen at one head of the log.
#[derive(Default)]
pub(crate) struct LookedUp(Mutex<(u64, HashMap<[u8; 32], Session>)>);

impl LookedUp {
    /// The session of this token, if it was looked up and nothing has happened since.
    pub(crate) fn get(&self, db: &Db, digest: &[u8; 32]) -> Option<Session> {
        let seen = self.0.lock();
        (seen.0 == db.head()).then(|| seen.1.get(digest).cloned()).flatten()
    }

    /// Keeps what was looked up after the head was asked for.
    pub(crate) fn keep(&self, db: &Db, head: u64, digest: [u8; 32], session: &Session) {
        if db.dialect() != Dialect::Sqlite {
            return;
        }
        let mut seen = self.0.lock();
        if seen.0 != head || seen.1.len() >= MOST {
            *seen = (head, HashMap::new());
        }
        seen.1.insert(digest, session.clone());
    }
}
