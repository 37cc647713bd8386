//! What all futures of one simulation share: the dice, the clock, the calls under way, and the truth about what was ever committed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use fenghuo_durable::SpaceId;
use fenghuo_mailbox::machine::Digest;
use parking_lot::Mutex;

use crate::net::{Answer, Request};

/// A fault put into the store, the keys or the network on purpose: the checks must find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    /// A write is answered before it is on disk, and lost in a crash.
    AnsweredBeforeStored,
    /// The quarantine of a restored node is forgotten.
    QuarantineForgotten,
    /// Who has all of an epoch is not told that a later one follows, and goes on with the last.
    NextEpochForgotten,
    /// Receipts are signed by a new key before the partner has it.
    ReceiptKeyTooEarly,
    /// The old key goes on signing after it has announced the new one.
    OldKeySignsOn,
    /// A partner's announced key is not kept.
    AnnouncedKeyForgotten,
    /// Announced keys that are stored are not read again.
    AnnouncedKeysUnread,
    /// What is read after a position begins one too late.
    PositionOffByOne,
    /// A partner's receipt is not kept.
    ReceiptForgotten,
    /// A repeated envelope is not recognised, and taken for the next one.
    RepeatTakenUp,
    /// The effect of an envelope stays although its transaction was undone.
    EffectOutsideTransaction,
}

impl Mutation {
    #[cfg(test)]
    pub const ALL: [Mutation; 11] = [
        Self::AnsweredBeforeStored,
        Self::QuarantineForgotten,
        Self::NextEpochForgotten,
        Self::ReceiptKeyTooEarly,
        Self::OldKeySignsOn,
        Self::AnnouncedKeyForgotten,
        Self::AnnouncedKeysUnread,
        Self::PositionOffByOne,
        Self::ReceiptForgotten,
        Self::RepeatTakenUp,
        Self::EffectOutsideTransaction,
    ];
}

/// A place in a stream: space, sender, recipient, epoch, position.
pub type Place = (SpaceId, String, String, u64, u64);

/// What was ever committed anywhere.
#[derive(Debug, Default)]
pub struct Truth {
    pub written: BTreeMap<Place, BTreeSet<Digest>>,
    pub stored: BTreeMap<Place, BTreeSet<Digest>>,
    /// Held by neither end after a restore: gone by design.
    pub lost: BTreeSet<(Place, Digest)>,
}

/// Counted over one run.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub envelopes: u64,
    pub messages: u64,
    pub lost: u64,
    pub repeated: u64,
    pub crashes: u64,
    pub restores: u64,
    pub rotations: u64,
    /// Begun after a restore.
    pub epochs: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.envelopes += other.envelopes;
        self.messages += other.messages;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.crashes += other.crashes;
        self.restores += other.restores;
        self.rotations += other.rotations;
        self.epochs += other.epochs;
    }
}

/// How likely the faults are, out of 10,000.
#[derive(Debug, Clone, Copy, Default)]
pub struct Odds {
    pub loss: u32,
    pub repeat: u32,
    pub late: u32,
    pub crash: u32,
    pub rerun: u32,
    pub store_error: u32,
}

/// A call that a future has begun.
pub struct Begun {
    pub call: u64,
    pub from: usize,
    pub to: usize,
    pub space: SpaceId,
    pub request: Request,
}

pub struct Shared {
    pub rng: fastrand::Rng,
    pub now_ms: u64,
    pub odds: Odds,
    pub mutation: Option<Mutation>,
    /// A future is not done and waits for no answer: poll it again.
    pub yielded: bool,
    /// The node that was polled has crashed inside a transaction.
    pub crashed: bool,
    pub begun: Vec<Begun>,
    pub answers: HashMap<u64, Answer>,
    pub next_call: u64,
    pub next_id: u128,
    pub truth: Truth,
    pub counts: Counts,
    pub violations: Vec<String>,
    pub trace: Option<Vec<String>>,
}

pub type Hub = Arc<Mutex<Shared>>;

impl Shared {
    pub fn roll(&mut self, odds: u32) -> bool {
        odds > 0 && self.rng.u32(0..10_000) < odds
    }

    pub fn trace(&mut self, line: impl FnOnce() -> String) {
        let now = self.now_ms;
        if let Some(lines) = &mut self.trace {
            lines.push(format!("{now:>7} ms  {}", line()));
        }
    }

    pub fn violation(&mut self, text: String) {
        self.trace(|| format!("VIOLATION {text}"));
        if self.violations.len() < 20 {
            self.violations.push(text);
        }
    }
}

/// Lets the others run, and the node crash, at this point.
pub struct Pause(pub Hub, pub bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.1 {
            return Poll::Ready(());
        }
        self.1 = true;
        self.0.lock().yielded = true;
        Poll::Pending
    }
}
