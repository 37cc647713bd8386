//! Sessions: who a token belongs to, and how a session starts.

use fenghuo_durable::{Code, Error, Result, new_id, wall};
use fenghuo_edge::{Authenticate, Caller, SignedIn};
use futures::future::BoxFuture;
use jiff::SignedDuration;

use crate::service::Service;
use crate::store;
use crate::store::session::{NewSession, Session};
use crate::tokens::{digest_of, new_token};

/// A session lasts so long, whatever happens in it: a shift and its hand-over.
pub(crate) const SESSION_LASTS: SignedDuration = SignedDuration::from_hours(12);

impl Authenticate for Service {
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<SignedIn>> {
        Box::pin(async move {
            let digest = digest_of(token).ok_or_else(session_over)?;
            if self.operation().conditions.has("DATABASE_UNREACHABLE") {
                // Not after the ten seconds for which a connection is waited for: the page that asks has something to say.
                return Err(Error::unavailable(
                    "DATABASE_UNREACHABLE",
                    "the database cannot be reached; repeat the call with the same request_id",
                ));
            }
            let Session { id, person, .. } = in_force(self.look_up(digest).await?)?;
            let grants = person.edge_grants();
            Ok(SignedIn { identity: person.name, display_name: person.display_name, post: person.post, grants, session_id: id })
        })
    }
}

impl Service {
    async fn look_up(&self, digest: [u8; 32]) -> Result<Option<Session>> {
        let db = self.db();
        if let Some(session) = self.looked_up().get(db, &digest) {
            return Ok(Some(session));
        }
        let head = db.head();
        let found = db.read(digest, |digest, tx| Box::pin(store::session::by_token(tx, *digest))).await?;
        if let Some(session) = &found {
            self.looked_up().keep(db, head, digest, session);
        }
        Ok(found)
    }

    /// The session of a caller as it is now; UNAUTHENTICATED once it is over.
    pub(crate) async fn session_of(&self, caller: &Caller) -> Result<Session> {
        let found = self.db().read(caller.session_id.clone(), |id, tx| Box::pin(store::session::get(tx, id))).await?;
        in_force(found)
    }

    /// The caller with the grants that he has by now: for streams, which outlast the look at the door.
    pub(crate) async fn look_again(&self, caller: &Caller) -> Result<Caller> {
        let session = self.session_of(caller).await?;
        Ok(Caller { grants: session.person.edge_grants(), ..caller.clone() })
    }
}

fn in_force(found: Option<Session>) -> Result<Session> {
    found.filter(|session| session.expire_at > wall::now() && session.person.active).ok_or_else(session_over)
}

fn session_over() -> Error {
    Error::new(Code::Unauthenticated, "SESSION_UNKNOWN", "there is no such session, or it is over; sign in again")
}

/// A token and what is kept of its session.
pub(crate) fn new_session() -> Result<(String, NewSession)> {
    let token = new_token()?;
    let token_digest = digest_of(&token).ok_or_else(|| Error::internal("a new token has not the form of one"))?;
    let start_at = wall::now();
    let expire_at = start_at.checked_add(SESSION_LASTS).unwrap_or(start_at);
    Ok((token, NewSession { id: new_id().to_string(), token_digest, start_at, expire_at }))
}
