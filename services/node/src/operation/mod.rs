//! How the node itself is: the quarantine after a restore, and what is wrong now.
//!
//! One task ([`Service::watch_over`]) looks once a second at what can only be asked (databases, consumers, timers, the disk) and takes in what
//! others know ([`OperationParts::sources`]). It tells the node's [`Conditions`]; the calls read from there and touch no database, so that they
//! can tell of its loss.

mod databases;
mod disk;
pub mod quarantine;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::{Hold, Result, Space};
use fenghuo_edge::{Condition, Conditions};
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::Quarantine;
use crate::service::Service;

/// How often everything is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longer than that nobody waits for a database that does not answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A partner, for texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerName {
    /// Six-digit code.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Which partners have not given back what they had, in the real space.
pub type NotGivenBack = Arc<dyn Fn(Arc<Space>) -> BoxFuture<'static, Result<Vec<PartnerName>>> + Send + Sync>;

/// What somebody else knows to be wrong now, whole, in memory.
pub type Source = Arc<dyn Fn() -> Vec<Condition> + Send + Sync>;

/// What this needs of the others. The default knows of nobody: for tests.
#[derive(Clone)]
pub struct OperationParts {
    /// Where everybody reports.
    pub conditions: Arc<Conditions>,
    /// Stops the timers of every space; set before they are opened.
    pub hold: Hold,
    /// Looked at for room; `None` looks at no disk.
    pub data_dir: Option<PathBuf>,
    /// Partners that a restored node waits for.
    pub not_given_back: NotGivenBack,
    /// Further sources, each under a name of its own.
    pub sources: Vec<(&'static str, Source)>,
    /// Rises when the state of a link changes.
    pub links: watch::Receiver<u64>,
}

impl Default for OperationParts {
    fn default() -> Self {
        Self {
            conditions: Conditions::new(),
            hold: Hold::default(),
            data_dir: None,
            not_given_back: Arc::new(|_| Box::pin(async { Ok(Vec::new()) })),
            sources: Vec::new(),
            links: watch::channel(0).1,
        }
    }
}

/// What is known of the quarantine, without asking the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) quarantine: Option<Quarantine>,
    pub(crate) waiting: Vec<PartnerName>,
}

impl Service {
    /// Watches over the node until `stop`.
    pub fn watch_over(&self, stop: CancellationToken) -> JoinHandle<()> {
        let service = self.clone();
        tokio::spawn(async move {
            let mut links = service.operation().links.clone();
            let mut linked = true;
            loop {
                service.look().await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    // A link that goes down is told at once.
                    changed = links.changed(), if linked => linked = changed.is_ok(),
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
        })
    }

    async fn look(&self) {
        let parts = self.operation();
        let conditions = &parts.conditions;
        for (name, source) in &parts.sources {
            conditions.report(name, source());
        }
        if let Some(dir) = &parts.data_dir {
            conditions.report("disk", disk::look(dir, &self.spaces_and_node()));
        }
        let reachable = databases::look(self).await;
        conditions.report("databases", reachable.conditions);
        if reachable.all {
            conditions.report("work", work::look(&self.spaces().all()).await);
            conditions.report("quarantine", quarantine::look(self).await);
        }
    }

    /// The node's own database and every open space.
    fn spaces_and_node(&self) -> Vec<Arc<Space>> {
        let mut all = vec![self.parts().node.clone()];
        all.extend(self.spaces().all());
        all
    }
}
