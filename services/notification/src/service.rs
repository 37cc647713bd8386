//! What the calls share, and how the service plugs into a node.

use std::sync::Arc;

use fenghuo_durable::{Code, Error, Fittings, Migration, RecordQuery, Result, Space, Spaces};
use fenghuo_edge::{Caller, ProvinceKeys};
use fenghuo_mailbox::{Links, Mailbox, SpaceKeys};

use crate::directory::Directory;
use crate::domain::Notification;
use crate::reactions::acknowledge_due::AcknowledgeDue;
use crate::reactions::incidents::Incidents;

/// The schema in every space.
pub const MIGRATIONS: &[Migration] = &[Migration {
    service: "notification",
    version: 1,
    name: "notifications",
    sqlite: include_str!("../migrations/sqlite/0001_notifications.sql"),
    postgres: include_str!("../migrations/postgres/0001_notifications.sql"),
}];

/// The schema in the node's own database.
pub const NODE_MIGRATIONS: &[Migration] = &[Migration {
    service: "notification",
    version: 1,
    name: "partners",
    sqlite: include_str!("../migrations/node/0001_partners.sql"),
    postgres: include_str!("../migrations/node/0001_partners.sql"),
}];

/// Every record of a space, for the audit.
pub const RECORDS: &[RecordQuery] = &["SELECT name, body FROM notification_notification ORDER BY name"];

/// Every record of the node's own database, for the audit.
pub const NODE_RECORDS: &[RecordQuery] = &["SELECT name, body FROM notification_partner ORDER BY name"];

/// Adds what notification has in every space.
pub fn fit(fittings: &mut Fittings) {
    fittings.migrations.push(MIGRATIONS);
    fittings.consumers.push(Arc::new(Incidents));
    fittings.timers.push(Arc::new(AcknowledgeDue));
}

/// Adds what notification has in the node's own database.
pub fn fit_node(fittings: &mut Fittings) {
    fittings.migrations.push(NODE_MIGRATIONS);
}

/// What the service needs.
#[derive(Clone)]
pub struct Needs {
    /// The open spaces.
    pub spaces: Arc<Spaces>,
    /// The node's own database.
    pub node: Arc<Space>,
    /// Our keys: they sign what is approved.
    pub keys: Arc<ProvinceKeys>,
    /// The partners.
    pub directory: Arc<Directory>,
    /// The streams to the partners.
    pub mailbox: Mailbox,
    /// How the links stand.
    pub links: Arc<Links>,
    /// Name of our province in Chinese.
    pub display_name: String,
    /// Where partners reach us; empty if they cannot.
    pub endpoint: String,
    /// Our telephone that is answered at all hours.
    pub duty_telephone: String,
    /// Within which a person should acknowledge, in seconds: configuration, no figure in the law.
    pub acknowledge_within_s: u32,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Needs>);

impl Service {
    /// The service of a province.
    pub fn new(needs: Needs) -> Self {
        Self(Arc::new(needs))
    }

    /// Our province.
    pub(crate) fn province_code(&self) -> &str {
        self.0.keys.province_code()
    }

    /// The space of a call.
    pub(crate) fn space(&self, caller: &Caller) -> Result<Arc<Space>> {
        self.0.spaces.get(caller.space()?)
    }

    /// Who signs in the space of a call.
    pub(crate) fn signer(&self, caller: &Caller) -> Result<SpaceKeys> {
        Ok(SpaceKeys { keys: self.0.keys.clone(), space: caller.space()? })
    }

    /// Has the caller any grant in our province? The directory is for everybody who works here, in whatever district.
    pub(crate) fn has_grant_here(&self, caller: &Caller) -> bool {
        let province = self.province_code().get(..2).unwrap_or_default();
        caller.scope().iter().any(|prefix| prefix.starts_with(province))
    }

    /// Checks `parent`: only our own province has notifications here.
    pub(crate) fn check_parent(&self, parent: &str) -> Result<()> {
        let ours = format!("provinces/{}", self.province_code());
        if parent == ours { Ok(()) } else { Err(Error::invalid("parent", format!("must be \"{ours}\""))) }
    }
}

/// Compares the etag that a caller saw; an empty one means whatever it is now.
pub(crate) fn check_etag(etag: &str, found: &Notification) -> Result<()> {
    if etag.is_empty() || etag == found.revision.to_string() {
        return Ok(());
    }
    Err(Error::new(Code::Aborted, "ETAG_STALE", "the notification has changed since you read it; look at it again and decide again"))
}
