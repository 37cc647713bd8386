//! The read-only board: what a desk shows, rebuilt from events alone. No I/O in here.

use std::collections::BTreeMap;

use fenghuo_api::incident::v1::{Incident, IncidentState};
use fenghuo_api::notification::v1::NotificationRecord;
use fenghuo_api::snapshot;
use fenghuo_durable::Event;
use jiff::Timestamp;
use prost::Message;
use serde_json::Value;

use crate::cloud_event::CloudEvent;

/// What stands on the board, true up to an event.
#[derive(Debug, Clone, Default)]
pub struct Board {
    first: u64,
    sequence: u64,
    head_hash: Vec<u8>,
    as_of: Option<Timestamp>,
    recomputed: u64,
    withheld: u64,
    incidents: BTreeMap<String, Incident>,
    notifications: BTreeMap<String, NotificationRecord>,
    links: BTreeMap<String, Link>,
    stale: BTreeMap<String, u64>,
}

/// The link to a partner as its last event told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Six-digit code of the partner.
    pub partner: String,
    /// For example `up`, `down`.
    pub state: String,
    /// When it became so, in the space's time.
    pub since: Timestamp,
}

/// What of the board an event changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The incident of this name.
    Incident(String),
    /// The notification of this name.
    Notification(String),
    /// The link to this partner.
    Link(String),
    /// Nothing that stands on the board.
    Nothing,
}

/// Why the events cannot be one log. The board is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An event is missing, or came twice.
    #[error("after event {before} comes event {found}: the sequence has a gap")]
    Gap {
        /// The last event on the board.
        before: u64,
        /// The one that came.
        found: u64,
    },
    /// The hash of an event is not what its fields and the hash before it give.
    #[error("event {0}: the chain does not hold")]
    Chain(u64),
    /// An event should carry a record and does not.
    #[error("event {0}: its data cannot be read")]
    Data(u64),
}

impl Board {
    /// Takes the next event. The first may have any number; every other must follow the one before it, and its chain hash is
    /// recomputed unless something of it was withheld.
    pub fn apply(&mut self, outward: &CloudEvent) -> Result<Change, Broken> {
        let event = &outward.event;
        if self.sequence > 0 && event.seq != self.sequence + 1 {
            return Err(Broken::Gap { before: self.sequence, found: event.seq });
        }
        let provable = outward.withheld.is_empty() && (self.sequence > 0 || event.seq == 1);
        let before = if event.seq == 1 { vec![0; 32] } else { self.head_hash.clone() };
        if provable && event.chain(&before, event.seq)[..] != event.chain_hash[..] {
            return Err(Broken::Chain(event.seq));
        }
        let change = self.take(event)?;
        self.first = if self.first == 0 { event.seq } else { self.first };
        self.recomputed += u64::from(provable);
        self.withheld += u64::from(!outward.withheld.is_empty());
        self.sequence = event.seq;
        self.head_hash.clone_from(&event.chain_hash);
        self.as_of = Some(event.space_time);
        Ok(change)
    }

    fn take(&mut self, event: &Event) -> Result<Change, Broken> {
        let context = event.kind.split('.').next().unwrap_or_default();
        if event.payload.is_empty() && matches!(context, "incident" | "notification") {
            self.stale.insert(event.subject.clone(), event.seq);
            return Ok(Change::Nothing);
        }
        let change = match context {
            "incident" => {
                let incident = message(event, "incident")?;
                self.incidents.insert(event.subject.clone(), incident);
                Change::Incident(event.subject.clone())
            }
            "notification" => {
                let notification = message(event, "notification")?;
                self.notifications.insert(event.subject.clone(), notification);
                Change::Notification(event.subject.clone())
            }
            "partner" if event.kind == "partner.link_changed" => {
                let link = link(event)?;
                let partner = link.partner.clone();
                self.links.insert(partner.clone(), link);
                Change::Link(partner)
            }
            _ => return Ok(Change::Nothing),
        };
        self.stale.remove(&event.subject);
        Ok(change)
    }

    /// The last event that it knows; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The chain hash of that event.
    pub fn head_hash(&self) -> &[u8] {
        &self.head_hash
    }

    /// The space's time of that event.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// Does it begin with the first event of the log? If not, what has not changed since is missing.
    pub fn is_whole(&self) -> bool {
        self.first <= 1
    }

    /// The first event that it was told; 0 before it.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Events whose chain hash was recomputed from their fields and the hash before them.
    pub fn recomputed(&self) -> u64 {
        self.recomputed
    }

    /// Events of which something was withheld (names of persons, data too large): their chain hash is taken as told. The event after it
    /// is recomputed from that hash, so it cannot be another one than the log's unless that one is changed as well.
    pub fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Records that changed by an event whose data was withheld, with its number: they show an older revision, or nothing.
    pub fn stale(&self) -> &BTreeMap<String, u64> {
        &self.stale
    }

    /// Incidents as the desk orders them: by the next due time, those without one last, then by name.
    pub fn incidents(&self, closed_too: bool) -> Vec<&Incident> {
        let shown = |incident: &&Incident| closed_too || incident.state() == IncidentState::Open;
        let mut incidents: Vec<&Incident> = self.incidents.values().filter(shown).collect();
        let due = |incident: &Incident| incident.next_due_time.as_ref().map(|time| (time.seconds, time.nanos));
        incidents.sort_by_key(|incident| (due(incident).is_none(), due(incident), incident.name.clone()));
        incidents
    }

    /// An incident.
    pub fn incident(&self, name: &str) -> Option<&Incident> {
        self.incidents.get(name)
    }

    /// Notifications, newest first.
    pub fn notifications(&self) -> Vec<&NotificationRecord> {
        let mut notifications: Vec<&NotificationRecord> = self.notifications.values().collect();
        let made = |record: &NotificationRecord| record.create_time.as_ref().map(|time| (time.seconds, time.nanos));
        notifications.sort_by_key(|record| std::cmp::Reverse((made(record), record.name.clone())));
        notifications
    }

    /// A notification.
    pub fn notification(&self, name: &str) -> Option<&NotificationRecord> {
        self.notifications.get(name)
    }

    /// Links, by partner.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }
}

fn payload(event: &Event) -> Result<Value, Broken> {
    serde_json::from_str(&event.payload).map_err(|_| Broken::Data(event.seq))
}

fn message<M: Message + Default>(event: &Event, key: &str) -> Result<M, Broken> {
    snapshot::from_payload(&event.payload, key).map_err(|_| Broken::Data(event.seq))
}

fn link(event: &Event) -> Result<Link, Broken> {
    let payload = payload(event)?;
    let text = |key: &str| payload.get(key).and_then(Value::as_str).map(str::to_owned).ok_or(Broken::Data(event.seq));
    Ok(Link { partner: text("partner")?, state: text("state")?, since: event.space_time })
}
