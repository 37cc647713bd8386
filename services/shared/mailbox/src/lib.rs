//! The partner protocol: ordered, durable streams of signed envelopes between provinces, each answered by a signed receipt.
//!
//! Four layers. [`machine`] decides, as pure functions. [`core`] is the protocol as it runs, over a ledger, a line and keys that it is given: the
//! simulator in `tests/simulation` runs this same code. [`store`] is the ledger on the tables of a space; envelopes and receipts are kept byte
//! for byte, in the transactions of the services that write them: [`enqueue`] signs and stores an envelope beside the change that it tells of.
//! [`transport`] is the line over gRPC: [`Mailbox`] serves `PartnerService` and runs one worker for each space and partner, which repeats until
//! the receipt is stored. What the contents mean is the business of the [`Inbox`], implemented by notification.
//!
//! The contract, with the obligations of both sides, is `proto/fenghuo/partner/v1/partner.proto`. It must not know: incidents, people,
//! what a notification says.

pub mod core;
pub mod envelope;
pub mod inbox;
pub mod inspect;
pub mod links;
pub mod machine;
pub mod queues;
pub mod store;
pub mod telemetry;
pub mod transport;
pub mod verify;

use fenghuo_durable::{Fittings, Migration, RecordQuery};

pub use core::enqueue::{Position, enqueue};
pub use envelope::{Outgoing, SpaceKeys};
pub use inbox::{Inbox, Incoming, Judgement};
pub use links::{LinkStatus, Links};
pub use store::{Proof, proof, undelivered};
pub use transport::restore::restored_flag;
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
    Migration {
        service: "mailbox",
        version: 3,
        name: "signing_keys",
        sqlite: include_str!("../migrations/0003_signing_keys.sql"),
        postgres: include_str!("../migrations/0003_signing_keys.sql"),
    },
    Migration {
        service: "mailbox",
        version: 4,
        name: "contacts",
        sqlite: include_str!("../migrations/0004_contacts.sql"),
        postgres: include_str!("../migrations/0004_contacts.sql"),
    },
];

/// Every record, for the audit.
pub const RECORDS: &[RecordQuery] = &["SELECT name, body FROM mailbox_link ORDER BY name"];

/// Adds what the mailbox has in every space.
pub fn fit(fittings: &mut Fittings) {
    fittings.migrations.push(MIGRATIONS);
}
