//! Storing what a partner sends: a batch in one transaction, and its receipts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Outcome, SignedEnvelope, SignedReceipt};
use fenghuo_durable::{Code, Error, Result};
use jiff::SignedDuration;

use super::post::diverged;
use super::{Direction, Ledger, Post, Store, Streams, signer};
use crate::envelope::{Opened, SpaceKeys, kind_of, open_receipt, sign_receipt};
use crate::inbox::{Inbox, Incoming, Judgement};
use crate::machine::{Arrival, Head, Offered, arrival};
use crate::telemetry::{Counted, taking_in};

/// How envelopes came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The partner delivered them.
    Pushed,
    /// We fetched them.
    Pulled,
}

/// Envelopes of one stream that were checked, and what is wrong with the one after them.
struct Part {
    opened: Vec<Opened>,
    fault: Option<Error>,
}

/// What came of a part.
struct Taken {
    receipts: Vec<SignedReceipt>,
    /// A signing key that the last one announced.
    new_key: Option<Vec<u8>>,
    /// Why the next one was not stored.
    fault: Option<Error>,
    /// The rest was left, because the caller waits for an answer.
    cut_short: bool,
}

/// A transaction takes no further envelope after so long: on a slow database part of a batch is answered before the caller gives up.
const LONGEST: SignedDuration = SignedDuration::from_secs(2);

/// What is to be done with one envelope.
enum Decision {
    Store,
    Receipt(SignedReceipt),
    Refuse(Error),
}

impl<S: Store> Post<S> {
    /// Stores envelopes of a partner in order and gives their receipts, until one is wrong. What is stored is answered; an error only if
    /// nothing was. FAILED_PRECONDITION with reason POSITION_GAP (metadata `expectedPosition`) or STREAM_DIVERGED, among others.
    pub(crate) async fn take_in(&self, partner: &str, envelopes: Vec<SignedEnvelope>, way: Way) -> Result<Vec<SignedReceipt>> {
        let mut rest = envelopes.into_iter();
        let mut receipts = Vec::new();
        loop {
            let part = self.next_part(partner, &mut rest).await;
            if part.opened.is_empty() && part.fault.is_none() {
                return Ok(receipts);
            }
            let mut fault = part.fault;
            let mut cut_short = false;
            if !part.opened.is_empty() {
                match self.take_part(partner, part.opened, way).await {
                    Ok(taken) => {
                        receipts.extend(taken.receipts);
                        if let Some(public_key) = &taken.new_key {
                            self.trust.add_signing_key(partner, public_key)?;
                        }
                        fault = taken.fault.or(fault);
                        cut_short = taken.cut_short;
                    }
                    Err(error) => fault = Some(error),
                }
            }
            match fault {
                Some(error) if receipts.is_empty() => return Err(error),
                // What is stored is answered; the sender repeats the rest and hears the error then.
                Some(_) => return Ok(receipts),
                None if cut_short => return Ok(receipts),
                None => {}
            }
        }
    }

    /// The next envelopes up to a key announcement: the key that it announces verifies what comes after it.
    async fn next_part(&self, partner: &str, rest: &mut std::vec::IntoIter<SignedEnvelope>) -> Part {
        let mut part = Part { opened: Vec::new(), fault: None };
        for signed in rest {
            let checked = self.check(partner, signed).await.and_then(|opened| {
                if opened.stream.space == self.space() {
                    return Ok(opened);
                }
                Err(Error::invalid("envelopes", "must all be of one stream"))
            });
            match checked {
                Ok(opened) => {
                    let announces = matches!(opened.envelope.content, Some(Content::KeyAnnouncement(_)));
                    part.opened.push(opened);
                    if announces {
                        return part;
                    }
                }
                Err(error) => {
                    part.fault = Some(error);
                    return part;
                }
            }
        }
        part
    }

    /// One transaction. If it breaks at an envelope, those before it are stored all the same.
    async fn take_part(&self, partner: &str, opened: Vec<Opened>, way: Way) -> Result<Taken> {
        let opened = Arc::new(opened);
        let reached = Arc::new(AtomicUsize::new(0));
        match self.try_part(partner, opened.clone(), opened.len(), reached.clone(), way).await {
            Err(error) => match reached.load(Ordering::Relaxed) {
                0 => Err(error),
                before => {
                    let mut taken = self.try_part(partner, opened, before, reached, way).await?;
                    taken.fault = taken.fault.or(Some(error));
                    Ok(taken)
                }
            },
            taken => taken,
        }
    }

    async fn try_part(&self, partner: &str, opened: Arc<Vec<Opened>>, most: usize, reached: Arc<AtomicUsize>, way: Way) -> Result<Taken> {
        let context = (self.signer.clone(), self.inbox.clone(), partner.to_owned(), opened, reached);
        let taken = self.store.write(context, move |(signer, inbox, partner, opened, reached), ledger: &mut S::Ledger| {
            Box::pin(async move {
                let mut taken = Taken { receipts: Vec::with_capacity(most), new_key: None, fault: None, cut_short: false };
                let started = ledger.wall();
                ledger.hold(partner, Direction::In).await?;
                let mut head = ledger.in_head(partner).await?;
                let receipt_key = receipt_key(ledger, signer, partner).await?;
                for (index, opened) in opened.iter().take(most).enumerate() {
                    if index > 0 && ledger.wall().duration_since(started) > LONGEST {
                        taken.cut_short = true;
                        break;
                    }
                    reached.store(index, Ordering::Relaxed);
                    match decide(ledger, partner, &head, opened, way).await? {
                        Decision::Receipt(receipt) => {
                            // Who stored it may not have come to believe the key yet, and our receipt says that we have it.
                            taken.new_key = announced_key(opened, &receipt)?;
                            taken.receipts.push(receipt);
                        }
                        Decision::Store => {
                            let (receipt, new_key) = store_in_trace(ledger, signer, &receipt_key, inbox.as_ref(), opened).await?;
                            taken.receipts.push(receipt);
                            taken.new_key = new_key;
                            let Offered { epoch, position, digest, .. } = opened.offered;
                            head = Head { epoch, position, digest };
                        }
                        Decision::Refuse(error) => {
                            if error.reason == "STREAM_DIVERGED" {
                                ledger.stop(partner, opened.offered.epoch, &error.message).await?;
                            }
                            taken.fault = Some(error);
                            break;
                        }
                    }
                }
                Ok(taken)
            })
        });
        taken.await
    }
}

/// The key that an envelope announces, if its receipt says that it was accepted.
fn announced_key(opened: &Opened, receipt: &SignedReceipt) -> Result<Option<Vec<u8>>> {
    let Some(Content::KeyAnnouncement(announced)) = opened.envelope.content.as_ref() else { return Ok(None) };
    let accepted = open_receipt(receipt)?.0.outcome() == Outcome::Accepted;
    Ok(announced.signing_key.as_ref().filter(|_| accepted).map(|key| key.public_key.clone()))
}

/// The key that signs our receipts for a partner.
async fn receipt_key<L: Ledger>(ledger: &mut L, keys: &SpaceKeys, partner: &str) -> Result<String> {
    let stream = ledger.out_stream(partner).await?;
    Ok(stream.receipt_key_id.or(stream.key_id).unwrap_or_else(|| keys.keys.present().key_id))
}

/// What is to be done with an envelope whose form and signature were checked, after `head`. Changes nothing.
async fn decide<L: Ledger>(ledger: &mut L, partner: &str, head: &Head, opened: &Opened, way: Way) -> Result<Decision> {
    let offered = &opened.offered;
    let stored_there = ledger.digest_at(partner, Direction::In, offered.epoch, offered.position).await?;
    match arrival(head, stored_there, offered) {
        Arrival::Duplicate => {
            tracing::debug!(partner, "an envelope came again and gets the receipt given first");
            let receipt = ledger.receipt_at(partner, offered.epoch, offered.position).await?;
            receipt.map(Decision::Receipt).ok_or_else(|| Error::internal("a stored envelope has no receipt"))
        }
        Arrival::Gap { expected } => {
            let text = format!("position {} is beyond the next one; repeat from position {expected}", offered.position);
            let error = Error::new(Code::FailedPrecondition, "POSITION_GAP", text).with("expectedPosition", expected.to_string());
            Ok(Decision::Refuse(error))
        }
        Arrival::Diverged(divergence) => Ok(Decision::Refuse(diverged(&divergence.text()))),
        Arrival::Refused { reason, what } => Ok(Decision::Refuse(Error::new(Code::FailedPrecondition, reason, what))),
        Arrival::Store => {
            if let Some(why) = ledger.stopped(partner, offered.epoch).await? {
                let text = format!("{why}; a person decides, and the stream goes on in a new epoch");
                return Ok(Decision::Refuse(diverged(&text)));
            }
            if offered.epoch > head.epoch.max(1) {
                if way == Way::Pushed && ledger.out_stream(partner).await?.quarantined {
                    // What we lost of the epochs before could not be added any more.
                    let text = "this node was restored from a backup and is still fetching what it lost of earlier epochs; repeat later";
                    return Ok(Decision::Refuse(Error::precondition("RECOVERING", text)));
                }
                if head.epoch > 0 {
                    tracing::warn!(partner, epoch = offered.epoch, "the partner has begun a new epoch: it was restored from a backup");
                }
            }
            let wrong = signer::wrong_signer(ledger, partner, offered, &opened.signed.key_id).await?;
            Ok(wrong.map_or(Decision::Store, Decision::Refuse))
        }
    }
}

/// As [`store`], as work in the trace that the envelope belongs to.
async fn store_in_trace<L: Ledger>(
    ledger: &mut L,
    keys: &SpaceKeys,
    receipt_key: &str,
    inbox: &dyn Inbox<L>,
    opened: &Opened,
) -> Result<(SignedReceipt, Option<Vec<u8>>)> {
    let before = ledger.trace();
    let work = taking_in(opened, &before);
    ledger.set_trace(work.context().clone());
    let stored = store(ledger, keys, receipt_key, inbox, opened).await;
    ledger.set_trace(before);
    stored.inspect_err(|error| work.fail(error.reason, error.message.clone()))
}

/// Takes an envelope up and makes its receipt; a signing key that it announced.
async fn store<L: Ledger>(
    ledger: &mut L,
    keys: &SpaceKeys,
    receipt_key: &str,
    inbox: &dyn Inbox<L>,
    opened: &Opened,
) -> Result<(SignedReceipt, Option<Vec<u8>>)> {
    let (partner, offered) = (opened.stream.sender.as_str(), &opened.offered);
    let mut new_key = None;
    let judgement = match opened.envelope.content.as_ref() {
        None => Judgement::NotUnderstood,
        Some(Content::KeyAnnouncement(announced)) => {
            let judgement = signer::announced(ledger, partner, announced, offered).await?;
            if judgement == Judgement::Accepted {
                new_key = announced.signing_key.as_ref().map(|key| key.public_key.clone());
            }
            judgement
        }
        Some(Content::ChainHead(head)) => signer::chain_head(ledger, partner, head, offered).await?,
        Some(_) => {
            let incoming =
                Incoming { partner: partner.to_owned(), envelope: opened.envelope.clone(), epoch: offered.epoch, digest: offered.digest };
            inbox.take(ledger, &incoming).await?
        }
    };
    let receipt = sign_receipt(keys.keys.as_ref(), receipt_key, opened, &judgement, ledger.wall())?;
    ledger.store(opened, &receipt, &judgement).await?;
    ledger.count(Counted::Received, partner, kind_of(opened.envelope.content.as_ref()), judgement.outcome().0);
    let head = Head { epoch: offered.epoch, position: offered.position, digest: offered.digest };
    ledger.save_in_head(partner, &head).await?;
    Ok((receipt, new_key))
}
