//! The partner protocol: ordered, durable streams of signed envelopes between provinces, each answered by a signed receipt.
//!
//! Three layers. [`machine`] holds the rules without I/O. [`store`] keeps envelopes and receipts byte for byte, in the transactions of
//! the services that write them: [`enqueue`] signs and stores an envelope beside the change that it tells of. [`transport`] moves them:
//! [`Mailbox`] serves `PartnerService` and runs one worker for each space and partner, which repeats until the receipt is stored.
//! What the contents mean is the business of the [`Inbox`], implemented by notification.
//!
//! The contract, with the obligations of both sides, is `proto/fenghuo/partner/v1/partner.proto`. It must not know: incidents, people,
//! what a notification says.

pub mod envelope;
pub mod inbox;
pub mod links;
pub mod machine;
pub mod queues;
pub mod store;
mod telemetry;
pub mod transport;
pub mod verify;

use fenghuo_durable::{Fittings, Migration, RecordQuery};

pub use envelope::{Outgoing, SpaceKeys};
pub use inbox::{Inbox, Incoming, Judgement};
pub use links::{LinkStatus, Links};
pub use store::outbox::{Position, enqueue};
pub use store::{Proof, proof, undelivered};
pub use transport::recover::restored_flag;
pub use transport::{Mailbox, PartnerRoute, Parts};
pub use verify::verify;

/// The schema in every space.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        service: "mailbox",
        version: 1,
        name: "streams",
        sqlite: include_str!("../migrations/sqlite/0001_mailbox.sql"),
        postgres: include_str!("../migrations/postgres/0001_mailbox.sql"),
    },
    Migration {
        service: "mailbox",
        version: 2,
        name: "quarantine",
        sqlite: include_str!("../migrations/0002_quarantine.sql"),
        postgres: include_str!("../migrations/0002_quarantine.sql"),
    },
];

/// Every record, for the audit.
pub const RECORDS: &[RecordQuery] = &["SELECT name, body FROM mailbox_link ORDER BY name"];

/// Adds what the mailbox has in every space.
pub fn fit(fittings: &mut Fittings) {
    fittings.migrations.push(MIGRATIONS);
}
