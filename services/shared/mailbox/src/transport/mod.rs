//! Moving envelopes: the server of `PartnerService` and the workers that send.

mod client;
pub mod restore;
mod rotate;
mod server;
mod sharing;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::partner::v1::partner_service_server::PartnerServiceServer;
use fenghuo_durable::{Db, Result, Space, SpaceId, Spaces, Tx};
use fenghuo_edge::{MAX_PARTNER_MESSAGE_BYTES, PartnerTrust, ProvinceKeys};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::core::Post;
use crate::envelope::SpaceKeys;
use crate::inbox::Inbox;
use crate::links::{LinkState, Links};
use crate::store::{key, link, outbox};

/// How to reach a partner that has a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRoute {
    /// Six-digit code.
    pub province_code: String,
    /// "https://host:port"; empty if the partner cannot be called and only pulls from us.
    pub endpoint: String,
    /// Fetch as well: only we can open connections.
    pub pull: bool,
}

/// What a mailbox is made of.
#[derive(Clone)]
pub struct Parts {
    /// The open spaces.
    pub spaces: Arc<Spaces>,
    /// Our keys.
    pub keys: Arc<ProvinceKeys>,
    /// Whom we trust.
    pub trust: Arc<PartnerTrust>,
    /// Who takes up what comes.
    pub inbox: Arc<dyn Inbox>,
    /// Where the states of the links are told.
    pub links: Arc<Links>,
    /// The partners with a node, as they are enrolled.
    pub routes: watch::Receiver<Vec<PartnerRoute>>,
}

/// The mailbox of a node. Cheap to clone.
#[derive(Clone)]
pub struct Mailbox {
    pub(crate) parts: Parts,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("province", &self.parts.keys.province_code()).finish_non_exhaustive()
    }
}

impl Mailbox {
    /// A mailbox of these parts; nothing runs yet.
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Adds `PartnerService` to the partner listener.
    pub fn add_routes(&self, routes: &mut RoutesBuilder) {
        let server = PartnerServiceServer::new(self.clone())
            .max_decoding_message_size(MAX_PARTNER_MESSAGE_BYTES)
            .max_encoding_message_size(2 * MAX_PARTNER_MESSAGE_BYTES);
        routes.add_service(server);
    }

    /// Sends until `stop`: one worker for each open space and partner with a node, as spaces open and close and partners are enrolled. Of
    /// several replicas one sends in each space.
    pub fn start(&self, stop: CancellationToken) -> JoinHandle<()> {
        tokio::spawn(tell_heads_hourly(self.clone(), stop.clone()));
        tokio::spawn(sharing::share_links(self.clone(), stop.clone()));
        self.finish_rotation();
        tokio::spawn(reconcile(self.clone(), stop))
    }

    /// Tells every partner the head of our real space's event chain, so that history rewritten later shows. A head that a partner has been
    /// told already is not told again. Done hourly by [`Mailbox::start`].
    pub async fn tell_chain_heads(&self) -> Result<()> {
        let space = self.parts.spaces.get(SpaceId::Real)?;
        let routes = self.parts.routes.borrow().clone();
        for route in routes {
            let context = (self.signer(SpaceId::Real), route.province_code);
            space.db().write(context, |(signer, partner), tx: &mut Tx| Box::pin(outbox::tell_chain_head(tx, signer, partner))).await?;
        }
        Ok(())
    }

    /// How the links stand.
    pub fn links(&self) -> &Arc<Links> {
        &self.parts.links
    }

    /// What a writer of envelopes needs in this space.
    pub fn signer(&self, space: SpaceId) -> SpaceKeys {
        SpaceKeys { keys: self.parts.keys.clone(), space }
    }

    /// The mailbox of one space.
    pub(crate) fn post(&self, space: &Arc<Space>) -> Post<Arc<Db>> {
        Post {
            store: space.db().clone(),
            signer: self.signer(space.id()),
            trust: self.parts.trust.clone(),
            inbox: self.parts.inbox.clone(),
        }
    }

    /// Sets the state of a link; a change is also an event of the space.
    pub(crate) async fn set_link(&self, space: &Arc<Space>, partner: &str, state: LinkState, error: &str) {
        let Some(status) = self.parts.links.set(space.id(), partner, state, error) else { return };
        match state {
            LinkState::Diverged => {
                tracing::error!(partner, space.id = %space.id(), why = error, "ALARM: a stream has diverged and is stopped")
            }
            LinkState::Down => tracing::warn!(partner, space.id = %space.id(), why = error, "a partner is cut off; trying again"),
            _ => tracing::info!(partner, space.id = %space.id(), "a partner is reached"),
        }
        let context = (self.parts.keys.province_code().to_owned(), partner.to_owned(), status);
        let saved = space.db().write(context, |(us, partner, status), tx: &mut Tx| Box::pin(link::save(tx, us, partner, status))).await;
        if let Err(error) = saved {
            tracing::warn!(partner, error = &error as &dyn std::error::Error, "the state of a link could not be logged");
        }
    }

    /// Trusts the signing keys that partners announced in this space before.
    async fn trust_announced(&self, space: &Arc<Space>) {
        match space.db().read((), |(), tx| Box::pin(key::all(tx))).await {
            Ok(keys) => {
                for (partner, public_key) in keys {
                    if let Err(error) = self.parts.trust.add_signing_key(&partner, &public_key) {
                        tracing::debug!(partner, error = &error as &dyn std::error::Error, "an announced key is not used");
                    }
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "announced keys could not be read"),
        }
    }
}

/// The heads of the chain travel this often.
const HEADS_EVERY: Duration = Duration::from_secs(3600);

async fn tell_heads_hourly(mailbox: Mailbox, stop: CancellationToken) {
    let lease = mailbox.parts.spaces.get(SpaceId::Real).map(|space| sharing::sender_lease(&space));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HEADS_EVERY) => {}
        }
        if lease.as_ref().is_ok_and(|lease| !lease.is_held()) {
            continue;
        }
        if let Err(error) = mailbox.tell_chain_heads().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the head of the chain could not be told; again in an hour");
        }
    }
}

/// Keeps one worker for each open space and partner, and no other.
async fn reconcile(mailbox: Mailbox, stop: CancellationToken) {
    let mut spaces = mailbox.parts.spaces.changes();
    let mut routes = mailbox.parts.routes.clone();
    let mut running: HashMap<(SpaceId, String), (PartnerRoute, CancellationToken, JoinHandle<()>)> = HashMap::new();
    let mut trusted: Vec<SpaceId> = Vec::new();
    loop {
        spaces.borrow_and_update();
        let wanted = routes.borrow_and_update().clone();
        let open = mailbox.parts.spaces.all();
        trusted.retain(|id| open.iter().any(|space| space.id() == *id));
        let kept = |space: SpaceId, partner: &str, route: &PartnerRoute| {
            open.iter().any(|one| one.id() == space) && wanted.iter().any(|one| one.province_code == partner && one == route)
        };
        let gone: Vec<_> = running
            .iter()
            .filter(|((space, partner), (route, _, task))| !kept(*space, partner, route) || task.is_finished())
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            if let Some((_, token, task)) = running.remove(&key) {
                token.cancel();
                let _ = task.await;
            }
        }
        for space in &open {
            if !trusted.contains(&space.id()) && !wanted.is_empty() {
                mailbox.trust_announced(space).await;
                trusted.push(space.id());
            }
            for route in &wanted {
                running.entry((space.id(), route.province_code.clone())).or_insert_with(|| {
                    let token = stop.child_token();
                    let task = tokio::spawn(worker::run(mailbox.clone(), space.clone(), route.clone(), token.clone()));
                    (route.clone(), token, task)
                });
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = spaces.changed() => if changed.is_err() { break },
            changed = routes.changed() => if changed.is_err() {
                // Nobody enrols any more; spaces still come and go.
                tokio::select! {
                    () = stop.cancelled() => break,
                    changed = spaces.changed() => if changed.is_err() { break },
                }
            },
        }
    }
    for (_, (_, token, task)) in running {
        token.cancel();
        let _ = task.await;
    }
}
