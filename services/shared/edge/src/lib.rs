//! The edge of a node: everything between a socket and a service, and nothing of the store.
//!
//! A node has two listeners. The [`ConsoleListener`] serves people: the browser program's files, gRPC-web and gRPC, each call with a
//! session token and a space, each method with a row in [`rules`]; what may be done with which record the handler asks the [`Caller`].
//! The [`PartnerListener`] serves provinces over mutual TLS: [`ProvinceKeys`] are ours, [`PartnerTrust`] is what we believe of theirs, a
//! [`bundle`] is how one becomes the other, and a [`partner_channel()`] is the way out. A leaf certificate is believed if it chains to the
//! authority pinned for exactly the province that it states.
//!
//! On the way in, outermost first: TLS, host name (loopback), gRPC-web, log line and end of streams (`call`), rule and session ([`auth`]),
//! calls and streams of that person (`call_limits`), message length (`message_limit`), service. On the way out, `fenghuo_durable::Error` becomes a `google.rpc.Status` ([`status`]).

mod addresses;
pub mod auth;
pub mod bundle;
mod call;
mod call_limits;
pub mod certificate;
pub mod client;
pub mod conditions;
pub mod config;
mod connections;
mod console_listener;
mod ending;
mod held;
pub mod keys;
pub mod limits;
mod message_limit;
pub mod nats_config;
mod partner_channel;
mod partner_listener;
pub mod province_code;
pub mod rules;
pub mod signing;
mod signing_keys;
mod slow_reader;
mod slow_request;
pub mod status;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod trust;

pub use auth::{Authenticate, Caller, Grant, Role, SignedIn, caller};
pub use client::{ClientSession, console_channel};
pub use conditions::{Condition, Conditions};
pub use config::{LogFormat, NodeConfig};
pub use connections::Sharing;
pub use console_listener::{Console, ConsoleListener, MAX_CONSOLE_MESSAGE_BYTES};
pub use keys::ProvinceKeys;
pub use limits::Limits;
pub use nats_config::NatsConfig;
pub use partner_channel::{PartnerChannel, partner_channel};
pub use partner_listener::{MAX_PARTNER_MESSAGE_BYTES, PartnerListener, PartnerPeer, peer};
pub use status::{RemoteError, from_status, to_status};
pub use trust::PartnerTrust;
