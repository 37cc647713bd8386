//! The protocol as it runs, without I/O: production and the simulator execute this code.
//!
//! The cast: a [`Ledger`] is one transaction on what a space has stored, and a [`Store`] runs transactions. A [`Line`] is the way to one
//! partner. [`OwnKeys`] sign, [`Trust`] verifies. A [`Post`] joins them for one space; [`serve`] answers a partner's five calls with it, and an
//! [`Exchange`] makes them. Time and identifiers come from the ledger.

mod ahead;
pub mod enqueue;
pub mod epoch;
pub mod exchange;
pub mod keys;
pub mod ledger;
pub mod line;
pub mod post;
mod receipts;
mod receive;
mod recover;
pub mod rotate;
pub mod serve;
mod signer;

pub use exchange::Exchange;
pub use keys::{OwnKeys, Trust};
pub use ledger::{Announced, Direction, Ledger, OutStream, Outbox, Store, Stored, Streams, Written};
pub use line::{Failure, Line};
pub use post::Post;
pub(crate) use post::shown;
pub(crate) use receipts::decode;
pub use recover::quarantine;
