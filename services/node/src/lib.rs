//! node: what belongs to a node and not to a space. People and grants, sessions, exercises, and reading the event logs.
//!
//! People, sessions and exercises stand in the node's own database, whose log tells of every change of them; personal data stand beside
//! the events. A password is kept as an argon2id hash ([`passwords`]), a session token as its SHA-256 alone. The first start gives a
//! one-time link ([`Service::ensure_setup`]); whoever redeems it becomes the administrator. The last administrator cannot be lost.
//!
//! An exercise is a record here and a space of its own: the record says that it is open or over, the space has its clock and its data.
//! Reading the log ([`rpc`]: `ListEvents`, `WatchEvents`, `VerifyLog`) concerns the space of the call.
//!
//! It must not know: incidents, notifications, how partners are reached. What it needs of them comes in through [`Parts`].

pub mod domain;
mod follow;
mod looked_up;
pub mod operation;
pub mod passwords;
pub mod rpc;
mod service;
mod sessions;
pub mod store;
mod tokens;
pub mod wire;

pub use operation::{NotGivenBack, OperationParts, PartnerName, Source};
pub use service::{MIGRATIONS, OPERATION_MIGRATIONS, Parts, Pending, RECORDS, Service, Verifier, fit_node};
