//! The event log, carried outward: every space's log to NATS JetStream as CloudEvents, for other departments and big read sides, and a
//! read-only board that is rebuilt from there.
//!
//! The cast: [`Outward`] publishes each open space of a node to a stream of its own ([`Names`]); [`CloudEvent`] is one event on its way;
//! [`Board`] is what a subscriber rebuilds, [`Reader`] feeds it. **Message n of the stream is event n of the log.** So the stream itself
//! says how far we are, every message is published on the condition that the one before it is the last (`Nats-Expected-Last-Sequence`), and
//! two exporters can neither interleave nor repeat. After the loss of either side the last message is held against the event of the same
//! number; its chain hash stands for all before it. If it is not ours, nothing is published, and a person decides.
//!
//! No promise of the node rests on this: it only reads the log, and while NATS is away it waits.
//!
//! Names of persons do not go out: see [`withhold`](withhold::withhold). It must not know how incidents are graded or partners are told.

pub mod board;
pub mod cloud_event;
pub mod exporter;
mod header_text;
mod log;
pub mod names;
mod publish;
pub mod reader;
pub mod server;
mod standing;
pub mod status;
#[cfg(feature = "testing")]
#[allow(clippy::expect_used, missing_docs)]
pub mod testing;
pub mod withhold;

pub use board::{Board, Broken};
pub use cloud_event::CloudEvent;
pub use exporter::{Outward, Parts, StreamLimits};
pub use names::Names;
pub use reader::Reader;
pub use server::Server;
pub use status::{OutwardStatus, SpaceStatus};
