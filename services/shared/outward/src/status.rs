//! How the export stands, for the desk and for metrics.

use std::collections::BTreeMap;

use fenghuo_durable::SpaceId;
use jiff::Timestamp;

/// The export as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutwardStatus {
    /// Address of the server, without credentials.
    pub server: String,
    /// Is there a connection?
    pub connected: bool,
    /// Since when it has been so (wall time).
    pub since: Option<Timestamp>,
    /// What the connection last failed of; empty while it stands.
    pub last_error: String,
    /// Every space that is published.
    pub spaces: BTreeMap<SpaceId, SpaceStatus>,
}

/// The export of one space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceStatus {
    /// Name of the stream.
    pub stream: String,
    /// Last event that the server has confirmed.
    pub published: u64,
    /// Last event of the log.
    pub head: u64,
    /// When an event was last confirmed (wall time).
    pub published_at: Option<Timestamp>,
    /// What it last failed of; empty while it runs.
    pub last_error: String,
    /// Another replica of this node publishes it; the figures here are then not kept up.
    pub elsewhere: bool,
    /// The stream holds what is not of this log: nothing is published until a person has decided.
    pub diverged: bool,
    /// Events whose data was larger than the server takes, since the start; they went out without it.
    pub too_large: u64,
}

impl SpaceStatus {
    /// Events that the server has not confirmed yet.
    pub fn lag(&self) -> u64 {
        self.head.saturating_sub(self.published)
    }
}
