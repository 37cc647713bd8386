//! What one caller may ask for: calls, streams, connections, and patience with those that do not come to the point.
//!
//! The defaults are far above what a desk under load needs and far below what would stop a node; the settings are for a node behind a
//! load balancer (one address for everybody) or with callers of its own.

use std::time::Duration;

use fenghuo_durable::Violation;

/// The limits of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Calls of one person in a second, lastingly; twice as many at once. Default 10,000.
    pub calls_per_second_per_person: u32,
    /// Calls of one partner in a second, lastingly; twice as many at once. A call carries up to 64 envelopes. Default 2,000.
    pub calls_per_second_per_partner: u32,
    /// Streams that one person has open, over all connections; for callers without a session, one address. Default 1,024.
    pub streams_per_person: u32,
    /// Connections to one listener from one address (IPv6: one /64 network). Default 1,024.
    pub connections_per_address: u32,
    /// How long to wait for what; not a setting.
    pub(crate) patience: Patience,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_second_per_person: 10_000,
            calls_per_second_per_partner: 2_000,
            streams_per_person: 1024,
            connections_per_address: 1024,
            patience: Patience::default(),
        }
    }
}

/// How long a listener waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For the end of a TLS handshake.
    pub(crate) handshake: Duration,
    /// For the first request on a connection, and for the head of each further one over HTTP/1.1.
    pub(crate) head: Duration,
    /// For the next piece of a request's body.
    pub(crate) next_piece: Duration,
    /// For the whole of a request's body.
    pub(crate) body: Duration,
    /// For a caller to read on in an answer that is ready.
    pub(crate) unread: Duration,
    /// Before a silent HTTP/2 connection is asked whether it still lives.
    pub(crate) silence: Duration,
    /// For the answer to that.
    pub(crate) pong: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            handshake: seconds(10),
            head: seconds(30),
            next_piece: seconds(20),
            body: seconds(120),
            unread: seconds(120),
            silence: seconds(20),
            pong: seconds(10),
        }
    }
}

/// The settings as they come.
pub(crate) struct LimitsTexts {
    pub(crate) calls_per_second_per_person: Option<String>,
    pub(crate) calls_per_second_per_partner: Option<String>,
    pub(crate) streams_per_person: Option<String>,
    pub(crate) connections_per_address: Option<String>,
}

impl LimitsTexts {
    /// The limits; notes each setting that is none.
    pub(crate) fn check(self, faults: &mut Vec<Violation>) -> Limits {
        let usual = Limits::default();
        let mut count = |field: &str, text: Option<String>, usual: u32| {
            let Some(text) = text else { return usual };
            text.parse().ok().filter(|count| (1..=1_000_000).contains(count)).unwrap_or_else(|| {
                let description = format!("\"{text}\" is not a whole number from 1 to 1000000");
                faults.push(Violation { field: field.to_owned(), description });
                usual
            })
        };
        Limits {
            calls_per_second_per_person: count(
                "calls_per_second_per_person",
                self.calls_per_second_per_person,
                usual.calls_per_second_per_person,
            ),
            calls_per_second_per_partner: count(
                "calls_per_second_per_partner",
                self.calls_per_second_per_partner,
                usual.calls_per_second_per_partner,
            ),
            streams_per_person: count("streams_per_person", self.streams_per_person, usual.streams_per_person),
            connections_per_address: count("connections_per_address", self.connections_per_address, usual.connections_per_address),
            patience: usual.patience,
        }
    }
}
