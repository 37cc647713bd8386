//! notification: who must be told, what they are told, and the proof that they were (Order 17, Art. 8).
//!
//! A [`domain::Notification`] is drafted from an incident as its newest event tells it (`store::incident`), approved by an officer and
//! then stands, signed, in the mailbox's stream to the partner before the answer comes. The partner's receipt makes it delivered; a
//! person's acknowledgement, an envelope in the opposite stream, makes it acknowledged. Each silence ends in an event:
//! `reactions::acknowledge_due`. A partner without a node gets a numbered letter, and its acknowledgement is entered by hand. What comes
//! from partners is taken up by [`Mail`] in the transaction that stores the envelope, and becomes a report in incident-intake by its event.
//!
//! Partners belong to the node: the [`Directory`] keeps them in the node's database and in the edge's trust.
//!
//! Events: `notification.*` with a snapshot of the notification. It must not know: how a grade is found, what a clock obliges to.

mod directory;
pub mod domain;
pub mod reactions;
mod rpc;
mod service;
pub mod store;
pub mod wire;

pub use directory::Directory;
pub use reactions::inbox::Mail;
pub use service::{MIGRATIONS, NODE_MIGRATIONS, NODE_RECORDS, Needs, RECORDS, Service, fit, fit_node};
