//! The partners of this node: kept in its database, held here for every call, and told to the edge's trust and to the mailbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::{Error, Result, Space, wall};
use fenghuo_edge::PartnerTrust;
use fenghuo_mailbox::PartnerRoute;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::domain::{Mode, Partner};
use crate::store;

/// The partner directory.
pub struct Directory {
    node: Arc<Space>,
    trust: Arc<PartnerTrust>,
    partners: RwLock<BTreeMap<String, Partner>>,
    routes: watch::Sender<Vec<PartnerRoute>>,
    changed: watch::Sender<u64>,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.partners.read().keys()).finish()
    }
}

impl Directory {
    /// Reads the partners of the node's database, trusts those with a node, and follows later changes (by another replica too).
    pub async fn load(node: &Arc<Space>, trust: Arc<PartnerTrust>) -> Result<Arc<Self>> {
        let directory = Arc::new(Self {
            node: node.clone(),
            trust,
            partners: RwLock::default(),
            routes: watch::Sender::new(Vec::new()),
            changed: watch::Sender::new(0),
        });
        directory.reload().await?;
        tokio::spawn(follow(Arc::downgrade(&directory), directory.node.head(), directory.node.stopping()));
        Ok(directory)
    }

    /// A partner, if it is in the directory.
    pub fn get(&self, code: &str) -> Option<Partner> {
        self.partners.read().get(code).cloned()
    }

    /// A partner; FAILED_PRECONDITION, reason PARTNER_NOT_ENROLLED, if there is none.
    pub fn existing(&self, code: &str) -> Result<Partner> {
        self.get(code).ok_or_else(|| {
            let text = format!(
                "province {} is not in the directory; an administrator enrols it or adds it for letters",
                code.chars().take(12).collect::<String>()
            );
            Error::precondition("PARTNER_NOT_ENROLLED", text)
        })
    }

    /// The same, and if it is not known here the database is asked: another replica may have entered it just now.
    pub(crate) async fn found(&self, code: &str) -> Result<Partner> {
        if self.get(code).is_none() {
            self.reload().await?;
        }
        self.existing(code)
    }

    /// Every partner by code.
    pub fn all(&self) -> Vec<Partner> {
        self.partners.read().values().cloned().collect()
    }

    /// The partners with a node, for the mailbox.
    pub fn routes(&self) -> watch::Receiver<Vec<PartnerRoute>> {
        self.routes.subscribe()
    }

    /// Wakes when a partner is entered or changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Reads the database again and trusts what stands there.
    pub(crate) async fn reload(&self) -> Result<()> {
        let partners = self.node.db().read((), |(), tx| Box::pin(store::partner::all(tx))).await?;
        let before = self.partners.read().clone();
        let now: BTreeMap<String, Partner> = partners.into_iter().map(|partner| (partner.province_code.clone(), partner)).collect();
        if now == before {
            return Ok(());
        }
        for partner in now.values().filter(|partner| partner.mode != Mode::Letter && before.get(&partner.province_code) != Some(partner)) {
            if let Err(error) = self.pin(partner) {
                tracing::error!(partner = partner.province_code, %error, "a partner of the directory cannot be trusted");
            }
        }
        let routes = now.values().filter(|partner| partner.mode != Mode::Letter).map(|partner| PartnerRoute {
            province_code: partner.province_code.clone(),
            endpoint: partner.endpoint.clone(),
            pull: partner.mode == Mode::Pull,
        });
        let routes: Vec<PartnerRoute> = routes.collect();
        *self.partners.write() = now;
        self.routes.send_if_modified(|known| std::mem::replace(known, routes.clone()) != routes);
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    fn pin(&self, partner: &Partner) -> Result<()> {
        let unhex = |text: &String| hex::decode(text).map_err(|error| Error::internal("a stored key is not hexadecimal").caused_by(error));
        let keys = partner.signing_keys_hex.iter().map(unhex).collect::<Result<Vec<_>>>()?;
        self.trust.enrol(&partner.province_code, &unhex(&partner.ca_certificate_hex)?, &keys, wall::now())
    }
}

async fn follow(directory: std::sync::Weak<Directory>, mut head: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let Some(directory) = directory.upgrade() else { return };
        if let Err(error) = directory.reload().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the partner directory could not be read; trying again");
        }
    }
}
