//! A new epoch of our own stream, and what it takes over from the ones before it.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_durable::{Error, Result};

use super::enqueue::append;
use super::receipts::decode;
use super::{Direction, Ledger};
use crate::envelope::{Outgoing, SpaceKeys};
use crate::inbox::Inbox;
use crate::machine::Head;

/// Begins the next epoch. What waits in epochs before `deliverable`, and can be delivered there no more, is written again in the new one, in
/// order; the new epoch's number. So is what stands after it in its epoch, even with a receipt: a partner that lost it in a restore could not
/// take it there, where something before it is missing; one that has it refuses it by its name.
pub(super) async fn begin_next<L: Ledger>(
    ledger: &mut L,
    signer: &SpaceKeys,
    inbox: &dyn Inbox<L>,
    partner: &str,
    deliverable: u64,
) -> Result<u64> {
    let mut stream = ledger.out_stream(partner).await?;
    let epoch = stream.head.epoch + 1;
    (stream.quarantined, stream.head) = (false, Head::start_of(epoch));
    let given_up = ledger.waiting_before(partner, deliverable).await?;
    if !given_up.is_empty() && stream.receipt_key_id.is_some() {
        // A key whose announcement is given up is not known over there; it is announced again below, if it was one of them.
        stream.key_id = stream.receipt_key_id.clone();
    }
    ledger.save_out_stream(partner, &stream).await?;
    for written in given_up {
        ledger.supersede(partner, written.epoch, written.position).await?;
        let content = decode(&written.signed.envelope)?.content;
        if let Some(content) = content {
            write_again(ledger, signer, inbox, partner, content, written.receipted).await?;
        }
    }
    Ok(epoch)
}

/// `receipted`: the partner has given its receipt for it where it stood, and that place stays the proof of it.
async fn write_again<L: Ledger>(
    ledger: &mut L,
    signer: &SpaceKeys,
    inbox: &dyn Inbox<L>,
    partner: &str,
    content: Content,
    receipted: bool,
) -> Result<()> {
    let stream = ledger.out_stream(partner).await?;
    let announced = match &content {
        Content::KeyAnnouncement(announced) => announced.signing_key.as_ref().map(|key| key.key_id.clone()),
        _ => None,
    };
    // An older key has had its time: its successor is announced when the epoch has begun, unless it signs already.
    let outdated = |key_id: &String| stream.key_id.as_ref() == Some(key_id) || signer.keys.successor(key_id).is_some();
    if announced.as_ref().is_some_and(outdated) {
        return Ok(());
    }
    let at = append(ledger, signer, partner, stream, content).await?;
    if announced.is_some() {
        let mut stream = ledger.out_stream(partner).await?;
        stream.key_id = announced;
        ledger.save_out_stream(partner, &stream).await?;
    }
    if receipted {
        return Ok(());
    }
    let written = ledger.written(partner, at.epoch, at.position).await?;
    let written = written.ok_or_else(|| Error::internal("an envelope was written and is not there"))?;
    let envelope = decode(&written.signed.envelope)?;
    let outgoing = Outgoing { partner: partner.to_owned(), envelope, digest: at.digest, recovered: false };
    inbox.moved(ledger, &outgoing).await
}

/// Begins a new epoch of our stream to a partner by decision: the one before has diverged, and the partner takes no more of it. What has no
/// receipt is written again in the new epoch; what the partner had stored of it all the same, it refuses there by its name. The new
/// epoch's number.
///
/// It ends a quarantine as well: for a node that cannot call its partner, or whose stream differs from what the partner gives back. What
/// was not fetched back stays with the partner alone. If the partner knows the new epoch from before a restore, it says so: decide again.
///
/// Where `key_id` is not empty, that key of ours signs from the first envelope on: the partner has it by an announcement that we lost in a
/// restore (it says so: SIGNING_KEY_RETIRED), or by a bundle that it enrolled anew after our old key was lost. A later key is announced after it.
pub async fn begin_new_epoch<L: Ledger>(
    ledger: &mut L,
    signer: &SpaceKeys,
    inbox: &dyn Inbox<L>,
    partner: &str,
    key_id: &str,
) -> Result<u64> {
    ledger.hold(partner, Direction::Out).await?;
    let mut stream = ledger.out_stream(partner).await?;
    // Where the backup has nothing, the partner may have the first epoch all the same.
    stream.head.epoch = stream.head.epoch.max(1);
    if !key_id.is_empty() {
        if signer.keys.present().key_id != key_id && signer.keys.successor(key_id).is_none() {
            return Err(Error::invalid("signing_key_id", "names no key of this province; the partner's refusal names the one that it has"));
        }
        stream.key_id = Some(key_id.to_owned());
        stream.receipt_key_id = stream.key_id.clone();
    }
    ledger.save_out_stream(partner, &stream).await?;
    begin_next(ledger, signer, inbox, partner, stream.head.epoch + 1).await
}
