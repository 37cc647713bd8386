//! What the calls share.

use std::sync::Arc;

use fenghuo_durable::{Error, Fittings, Migration, RecordQuery, Result, Space, Spaces};
use fenghuo_edge::Caller;

use crate::domain::Incident;
use crate::reactions::clock_due::ClockDue;
use crate::reactions::neighbour::Neighbour;

/// The schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        service: "intake",
        version: 1,
        name: "incidents",
        sqlite: include_str!("../migrations/sqlite/0001_incidents.sql"),
        postgres: include_str!("../migrations/postgres/0001_incidents.sql"),
    },
    Migration {
        service: "intake",
        version: 2,
        name: "matter",
        sqlite: include_str!("../migrations/0002_matter.sql"),
        postgres: include_str!("../migrations/0002_matter.sql"),
    },
];

/// Every record, for the audit.
pub const RECORDS: &[RecordQuery] =
    &["SELECT name, body FROM intake_incident ORDER BY name", "SELECT name, body FROM intake_report ORDER BY name"];

/// Adds what incident-intake has in every space.
pub fn fit(fittings: &mut Fittings, province_code: &str) {
    fittings.migrations.push(MIGRATIONS);
    fittings.consumers.push(Arc::new(Neighbour { province_code: province_code.to_owned() }));
    fittings.timers.push(Arc::new(ClockDue));
}

/// The service.
#[derive(Clone)]
pub struct Service {
    spaces: Arc<Spaces>,
    province_code: String,
}

impl Service {
    /// The service of a province.
    pub fn new(spaces: Arc<Spaces>, province_code: &str) -> Self {
        Self { spaces, province_code: province_code.to_owned() }
    }

    /// Our province.
    pub(crate) fn province_code(&self) -> &str {
        &self.province_code
    }

    /// The space of a call.
    pub(crate) fn space(&self, caller: &Caller) -> Result<Arc<Space>> {
        self.spaces.get(caller.space()?)
    }

    /// Checks `parent`: only our own province has incidents here.
    pub(crate) fn check_parent(&self, parent: &str) -> Result<()> {
        let ours = format!("provinces/{}", self.province_code);
        if parent == ours { Ok(()) } else { Err(Error::invalid("parent", format!("must be \"{ours}\""))) }
    }
}

/// Compares the etag that a caller saw; an empty one means whatever it is now.
pub(crate) fn check_etag(etag: &str, incident: &Incident) -> Result<()> {
    if etag.is_empty() || etag == incident.revision.to_string() {
        return Ok(());
    }
    Err(Error::new(
        fenghuo_durable::Code::Aborted,
        "ETAG_STALE",
        "the incident has changed since you read it; look at it again and decide again",
    ))
}
