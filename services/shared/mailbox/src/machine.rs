//! The rules of a stream, without I/O: what an arriving envelope is, what a handshake means, what to send next.
//!
//! A stream is named (sender, recipient, space, epoch); its positions start at 1 without gaps and each envelope names the digest of
//! the one before. Nothing here asks for the time, the store or the network, so that a simulator can drive both ends.

use std::time::Duration;

/// SHA-256.
pub type Digest = [u8; 32];

/// The digest at position 0.
pub const NOTHING: Digest = [0; 32];
/// An envelope has at most so many bytes.
pub const MAX_ENVELOPE_BYTES: usize = 256 * 1024;
/// A batch has at most so many envelopes.
pub const MAX_BATCH: usize = 64;
/// The envelopes of a batch have at most so many bytes together.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// How far a stream is: its epoch, its last position, the digest there. Epoch 0: nothing was ever written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// From 1; rises when a sender begins anew.
    pub epoch: u64,
    /// Last position, from 1; 0 is nothing.
    pub position: u64,
    /// Digest at that position.
    pub digest: Digest,
}

impl Head {
    /// Nothing was ever written.
    pub const NEVER: Head = Head { epoch: 0, position: 0, digest: NOTHING };

    /// The beginning of an epoch.
    pub const fn start_of(epoch: u64) -> Self {
        Self { epoch, position: 0, digest: NOTHING }
    }
}

/// What an arriving envelope says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Epoch of its stream.
    pub epoch: u64,
    /// Its position.
    pub position: u64,
    /// The digest that it names for the position before.
    pub previous: Digest,
    /// Its own digest.
    pub digest: Digest,
}

/// What an arriving envelope is to a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// The next one: store it, then sign a receipt.
    Store,
    /// Stored before with the same digest: give the receipt of then.
    Duplicate,
    /// Beyond the next one: refuse; the sender repeats from here.
    Gap {
        /// The position that is wanted.
        expected: u64,
    },
    /// Not the stream that we know: stop and raise an alarm.
    Diverged(Divergence),
    /// Cannot be.
    Refused {
        /// Stable, upper case.
        reason: &'static str,
        /// In words.
        what: &'static str,
    },
}

/// How two sides disagree. Never a duplicate, never repaired by a program alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divergence {
    /// The receiver has stored more than the sender has written: the sender was restored from an older copy.
    SenderBehind {
        /// Epoch and position that the sender knows.
        sent: (u64, u64),
        /// Epoch and position that the receiver has.
        stored: (u64, u64),
    },
    /// Both have this position, with different digests.
    DigestDiffers {
        /// Epoch and position.
        at: (u64, u64),
    },
}

impl Divergence {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::SenderBehind { sent, stored } => format!(
                "the sender has written up to epoch {} position {}, and the receiver has stored up to epoch {} position {}: the sender was restored from an older copy and must recover and open a new epoch",
                sent.0, sent.1, stored.0, stored.1
            ),
            Self::DigestDiffers { at } => {
                format!("both sides have an envelope at epoch {} position {}, and they are not the same", at.0, at.1)
            }
        }
    }
}

/// What an arriving envelope is, given how far we have stored and the digest stored at its own (epoch, position), if any.
pub fn arrival(head: &Head, stored_there: Option<Digest>, offered: &Offered) -> Arrival {
    if offered.epoch == 0 || offered.position == 0 {
        return Arrival::Refused { reason: "POSITION_INVALID", what: "epochs and positions start at 1" };
    }
    match stored_there {
        Some(digest) if digest == offered.digest => return Arrival::Duplicate,
        Some(_) => return Arrival::Diverged(Divergence::DigestDiffers { at: (offered.epoch, offered.position) }),
        None => {}
    }
    if offered.epoch < head.epoch {
        return Arrival::Refused { reason: "EPOCH_OVER", what: "the sender has begun a later epoch; nothing is added to an earlier one" };
    }
    let (expected, previous) = if offered.epoch == head.epoch { (head.position + 1, head.digest) } else { (1, NOTHING) };
    if offered.position > expected {
        return Arrival::Gap { expected };
    }
    if offered.position < expected {
        // Not stored, and yet before the head: our own store has a hole. Stop rather than guess.
        return Arrival::Diverged(Divergence::DigestDiffers { at: (offered.epoch, offered.position) });
    }
    if offered.previous == previous {
        return Arrival::Store;
    }
    if offered.position == 1 {
        return Arrival::Refused { reason: "PREVIOUS_DIGEST_INVALID", what: "position 1 names 32 zero bytes as the digest before it" };
    }
    Arrival::Diverged(Divergence::DigestDiffers { at: (offered.epoch, offered.position - 1) })
}

/// Compares what a sender has written with what its receiver has stored. `written_there` is the digest that the sender wrote at the
/// receiver's (epoch, position), where the one who compares knows it: the sender itself.
pub fn compare(sent: &Head, stored: &Head, written_there: Option<Digest>) -> Result<(), Divergence> {
    if stored.position == 0 || stored.epoch < sent.epoch {
        return Ok(());
    }
    if (stored.epoch, stored.position) > (sent.epoch, sent.position) {
        return Err(Divergence::SenderBehind { sent: (sent.epoch, sent.position), stored: (stored.epoch, stored.position) });
    }
    let written = if stored.position == sent.position { Some(sent.digest) } else { written_there };
    match written {
        Some(digest) if digest != stored.digest => Err(Divergence::DigestDiffers { at: (stored.epoch, stored.position) }),
        _ => Ok(()),
    }
}

/// An envelope that waits for its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Epoch of its stream.
    pub epoch: u64,
    /// Its position.
    pub position: u64,
    /// Its size.
    pub bytes: usize,
}

/// How many of these, in order of (epoch, position), go into the next batch: one stream, and within the limits. At least one, if
/// there is one.
pub fn batch_len(waiting: &[Waiting]) -> usize {
    let Some(first) = waiting.first() else { return 0 };
    let mut bytes = 0;
    waiting
        .iter()
        .take(MAX_BATCH)
        .take_while(|next| {
            bytes += next.bytes;
            next.epoch == first.epoch && bytes <= MAX_BATCH_BYTES
        })
        .count()
        .max(1)
}

/// What a receipt means to the sender of the envelope that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptMeaning {
    /// The first receipt: the envelope was delivered.
    First,
    /// There is a receipt already; that one stays.
    Again,
    /// It speaks of another envelope than the one that was written there: it proves nothing, and the streams have diverged.
    OfAnother,
}

/// Judges a receipt by the digest that was written at its position and whether a receipt is stored already.
pub fn receipt(written: &Digest, receipted: bool, named: &[u8]) -> ReceiptMeaning {
    match (named == written, receipted) {
        (false, _) => ReceiptMeaning::OfAnother,
        (true, true) => ReceiptMeaning::Again,
        (true, false) => ReceiptMeaning::First,
    }
}

/// Wait before the next try after so many failures in a row. Short at its longest: neighbours in need.
pub fn back_off(failures: u32) -> Duration {
    Duration::from_millis(200).saturating_mul(1 << failures.saturating_sub(1).min(8)).min(Duration::from_secs(2))
}

#[cfg(test)]
mod tests;
