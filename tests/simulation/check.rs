//! The promises, as checks: some at every commit, the rest at the end.

use std::collections::BTreeSet;

use fenghuo_api::partner::v1::Receipt;
use fenghuo_durable::{SpaceId, sha256};
use fenghuo_mailbox::core::{Failure, Trust};
use fenghuo_mailbox::machine::Digest;
use prost::Message;

use crate::ledger::{Key, MemLedger, Tables};
use crate::shared::{Hub, Place};
use crate::world::World;

/// What must hold of every transaction that is committed.
pub fn at_commit(hub: &Hub, code: &str, space: SpaceId, ledger: &MemLedger) {
    let mut shared = hub.lock();
    let tables = &ledger.tables;
    shared.counts.epochs += u64::from(ledger.new_epoch);
    for (partner, epoch, position) in &ledger.new_out {
        let place: Place = (space, code.to_owned(), partner.clone(), *epoch, *position);
        let digest = tables.outbox[&(partner.clone(), *epoch, *position)].digest;
        shared.truth.written.entry(place).or_default().insert(digest);
        shared.counts.envelopes += 1;
        if *position > 1 && !tables.outbox.contains_key(&(partner.clone(), *epoch, position - 1)) {
            shared.violation(format!("{code} wrote {epoch}.{position} to {partner} and has nothing before it"));
        }
    }
    for (partner, epoch, position) in &ledger.new_in {
        let place: Place = (space, partner.clone(), code.to_owned(), *epoch, *position);
        let digest = tables.inbox[&(partner.clone(), *epoch, *position)].digest;
        if !shared.truth.written.get(&place).is_some_and(|written| written.contains(&digest)) {
            shared.violation(format!("{code} stored {epoch}.{position} of {partner}, which nobody wrote"));
        }
        if *position > 1 && !tables.inbox.contains_key(&(partner.clone(), *epoch, position - 1)) {
            shared.violation(format!("{code} stored {epoch}.{position} of {partner} and has nothing before it"));
        }
        shared.truth.stored.entry(place).or_default().insert(digest);
    }
    for key in &ledger.new_receipts {
        if let Err(what) = receipt_is_true(&shared.truth.stored, code, space, tables, key) {
            shared.violation(format!("{code} has a receipt of {} for {}.{}: {what}", key.0, key.1, key.2));
        }
    }
}

fn receipt_is_true(
    stored: &std::collections::BTreeMap<Place, BTreeSet<Digest>>,
    code: &str,
    space: SpaceId,
    tables: &Tables,
    key: &Key,
) -> Result<(), String> {
    let out = &tables.outbox[key];
    let receipt = out.receipt.as_ref().ok_or("it is not there")?;
    let receipt = Receipt::decode(receipt.receipt.as_slice()).map_err(|error| error.to_string())?;
    let place: Place = (space, code.to_owned(), key.0.clone(), key.1, key.2);
    if receipt.envelope_digest != out.digest || receipt.position != key.2 {
        return Err("it is for another envelope".to_owned());
    }
    if !stored.get(&place).is_some_and(|digests| digests.contains(&out.digest)) {
        return Err("the partner never stored it".to_owned());
    }
    Ok(())
}

/// Where nothing was restored, no key is ever used that the other side does not have.
pub fn at_failure(world: &World, failure: &Failure) {
    let (Failure::Diverged(text) | Failure::Ours(text) | Failure::Other(text)) = failure;
    let restored = world.hub.lock().counts.restores > 0;
    let one_space = world.plan.spaces.len() == 1;
    if !restored && one_space && (text.contains("SIGNING_KEY") || text.contains("must be signed by key")) {
        world.hub.lock().violation(format!("a key was used that the other side does not have: {text}"));
    }
    if !restored && matches!(failure, Failure::Diverged(_)) {
        world.hub.lock().violation(format!("streams diverged, and nothing was ever restored: {text}"));
    }
}

fn tables(world: &World, node: usize, space: SpaceId) -> std::sync::Arc<Tables> {
    let disk = world.nodes[node].disk.lock();
    disk.unwritten.get(&space).or(disk.spaces.get(&space)).cloned().unwrap_or_default()
}

/// After a restore: what neither end holds any more was lost by design.
pub fn note_lost(world: &World) {
    for space in &world.plan.spaces {
        for (from, to) in streams(world) {
            let (out, stored) = (tables(world, from, *space), tables(world, to, *space));
            let (sender, recipient) = (world.nodes[from].code.clone(), world.nodes[to].code.clone());
            let mut shared = world.hub.lock();
            let range = (*space, sender.clone(), recipient.clone(), 0, 0)..=(*space, sender.clone(), recipient.clone(), u64::MAX, u64::MAX);
            let written: Vec<(Place, Vec<Digest>)> =
                shared.truth.written.range(range).map(|(place, digests)| (place.clone(), digests.iter().copied().collect())).collect();
            for (place, digests) in written {
                let held_out = out.outbox.get(&(recipient.clone(), place.3, place.4)).map(|row| row.digest);
                let held_in = stored.inbox.get(&(sender.clone(), place.3, place.4)).map(|row| row.digest);
                for digest in digests.into_iter().filter(|digest| held_out != Some(*digest) && held_in != Some(*digest)) {
                    shared.truth.lost.insert((place.clone(), digest));
                }
            }
        }
    }
}

fn streams(world: &World) -> Vec<(usize, usize)> {
    world.plan.pairs.iter().flat_map(|(one, other, _)| [(*one, *other), (*other, *one)]).collect()
}

/// Is everything delivered and receipted? In words, what is not.
pub fn delivered(world: &World) -> Result<(), String> {
    for (index, node) in world.nodes.iter().enumerate() {
        if !node.is_serving() {
            return Err(format!("{index} does not serve"));
        }
    }
    for space in &world.plan.spaces {
        for (from, to) in streams(world) {
            let (out, stored) = (tables(world, from, *space), tables(world, to, *space));
            let (sender, recipient) = (&world.nodes[from].code, &world.nodes[to].code);
            if quarantined(world, from, to, *space) {
                return Err(format!("{from} -> {to} {space}: still in quarantine"));
            }
            let excused = excused(world, from, to, *space);
            for ((partner, epoch, position), row) in out.outbox.iter().filter(|(key, row)| key.0 == *recipient && !row.superseded) {
                let there = stored.inbox.get(&(sender.clone(), *epoch, *position)).map(|row| row.digest);
                if there != Some(row.digest) && !excused {
                    return Err(format!("{from} -> {to} {space}: {epoch}.{position} to {partner} is not stored there"));
                }
                if row.receipt.is_none() {
                    return Err(format!("{from} -> {to} {space}: {epoch}.{position} has no receipt"));
                }
            }
        }
    }
    Ok(())
}

/// Is the stream still in quarantine?
pub fn quarantined(world: &World, from: usize, to: usize, space: SpaceId) -> bool {
    let out = tables(world, from, space);
    out.out_streams.get(&world.nodes[to].code).is_some_and(|stream| stream.quarantined)
}

/// Where a person put an older copy back without a word, or began a stream anew, the two sides need not hold the same.
fn excused(world: &World, from: usize, to: usize, space: SpaceId) -> bool {
    world.unmarked.contains(&from) || world.unmarked.contains(&to) || world.decided.contains(&(from, to, space))
}

/// The promises, when the network has been whole for long enough.
pub fn at_end(world: &World) {
    if let Err(what) = delivered(world) {
        world.hub.lock().violation(format!("not delivered after the network healed: {what}"));
        return;
    }
    for space in &world.plan.spaces {
        for (from, to) in streams(world) {
            if let Err(what) = stream_holds(world, *space, from, to) {
                world.hub.lock().violation(format!("{from} -> {to} {space}: {what}"));
            }
        }
    }
}

fn stream_holds(world: &World, space: SpaceId, from: usize, to: usize) -> Result<(), String> {
    let (out, stored) = (tables(world, from, space), tables(world, to, space));
    let (sender, recipient) = (world.nodes[from].code.clone(), world.nodes[to].code.clone());
    if excused(world, from, to, space) {
        effects_are_once_and_in_order(&stored, &sender)?;
        return signatures_hold(world, from, to, &out, &stored);
    }
    if let Some(why) = stored.stops.iter().find(|((partner, _), _)| *partner == sender) {
        return Err(format!("stopped: {why:?}"));
    }
    nothing_is_missing(world, space, &sender, &recipient, &out)?;
    both_hold_the_same(&out, &stored, &sender, &recipient)?;
    if stored.refused.iter().any(|refused| refused.0 == sender) {
        return Err("a content came twice".to_owned());
    }
    effects_are_once_and_in_order(&stored, &sender)?;
    effects_of_the_sender_follow(&out, &recipient)?;
    signatures_hold(world, from, to, &out, &stored)
}

fn nothing_is_missing(world: &World, space: SpaceId, sender: &str, recipient: &str, out: &Tables) -> Result<(), String> {
    let shared = world.hub.lock();
    let stream = |place: &Place| place.0 == space && place.1 == sender && place.2 == recipient;
    for (place, digests) in shared.truth.written.iter().filter(|(place, _)| stream(place)) {
        let here = out.outbox.get(&(recipient.to_owned(), place.3, place.4)).map(|row| row.digest);
        for digest in digests {
            if here != Some(*digest) && !shared.truth.lost.contains(&(place.clone(), *digest)) {
                return Err(format!("{}.{} was committed, and is gone", place.3, place.4));
            }
        }
    }
    Ok(())
}

fn both_hold_the_same(out: &Tables, stored: &Tables, sender: &str, recipient: &str) -> Result<(), String> {
    let written: Vec<(u64, u64, Digest)> =
        out.outbox.iter().filter(|(key, row)| key.0 == recipient && !row.superseded).map(|(key, row)| (key.1, key.2, row.digest)).collect();
    let there: Vec<(u64, u64, Digest)> =
        stored.inbox.iter().filter(|(key, _)| key.0 == sender).map(|(key, row)| (key.1, key.2, row.digest)).collect();
    if written != there {
        return Err(format!("one side has {} envelopes and the other {}", written.len(), there.len()));
    }
    let mut before = (0, 0);
    for (epoch, position, _) in there {
        let wanted = if epoch == before.0 { before.1 + 1 } else { 1 };
        if position != wanted {
            return Err(format!("{epoch}.{position} follows {}.{}", before.0, before.1));
        }
        before = (epoch, position);
    }
    Ok(())
}

fn effects_are_once_and_in_order(stored: &Tables, sender: &str) -> Result<(), String> {
    let taken: Vec<_> = stored.taken.iter().filter(|taken| taken.0 == sender).collect();
    let names: BTreeSet<&str> = taken.iter().map(|taken| taken.3.as_str()).collect();
    if names.len() != taken.len() {
        return Err(format!("{} effects of {} contents: one took effect twice", taken.len(), names.len()));
    }
    if !taken.is_sorted_by(|one, next| (one.1, one.2) < (next.1, next.2)) {
        return Err("effects out of order".to_owned());
    }
    let effective = |kind: &str| matches!(kind, "notification" | "acknowledgement");
    let wanted = stored.inbox.iter().filter(|(key, row)| key.0 == sender && effective(row.kind)).count();
    let refused = stored.refused.iter().filter(|refused| refused.0 == sender).count();
    if wanted != taken.len() + refused {
        return Err(format!("{wanted} envelopes with an effect, {} effects, and {refused} refused", taken.len()));
    }
    Ok(())
}

/// Every notification that stands in our stream is known to our own desk, with its receipt: after a restore it was made anew.
fn effects_of_the_sender_follow(out: &Tables, recipient: &str) -> Result<(), String> {
    use fenghuo_api::partner::v1::{Envelope, envelope::Content};
    for ((_, epoch, position), row) in out.outbox.iter().filter(|(key, _)| key.0 == recipient) {
        let envelope = Envelope::decode(row.signed.envelope.as_slice()).map_err(|error| error.to_string())?;
        let follows = match envelope.content {
            Some(Content::Notification(one)) => out.sent.get(&one.name) == Some(&true),
            Some(Content::Acknowledgement(one)) => out.answered.contains(&one.notification),
            _ => true,
        };
        if !follows {
            return Err(format!("{epoch}.{position} was delivered, and the sender's own record does not say so"));
        }
    }
    Ok(())
}

/// Every signature holds with the key of its position, and every receipt with a key that its receiver had.
fn signatures_hold(world: &World, from: usize, to: usize, out: &Tables, stored: &Tables) -> Result<(), String> {
    use fenghuo_api::partner::v1::{Envelope, envelope::Content};
    let (sender, recipient) = (world.nodes[from].code.as_str(), world.nodes[to].code.as_str());
    // Each node has in its tables what it needs to verify what it keeps, even if it read none of it since it started.
    for (node, tables) in [(from, out), (to, stored)] {
        tables.keys.iter().for_each(|(partner, key, ..)| world.nodes[node].trust.believe(partner, key.public_key.clone()));
    }
    let mut in_force: Option<String> = None;
    for ((_, epoch, position), row) in stored.inbox.iter().filter(|(key, _)| key.0 == sender) {
        let signed = &row.signed;
        let checked = world.nodes[to].trust.verify_envelope(sender, &signed.key_id, &row.digest, &signed.signature);
        checked.map_err(|error| format!("{epoch}.{position}: {error}"))?;
        if in_force.as_ref().is_some_and(|key| *key != signed.key_id) {
            return Err(format!("{epoch}.{position} is not signed by the key of its position"));
        }
        in_force = Some(signed.key_id.clone());
        let envelope = Envelope::decode(signed.envelope.as_slice()).map_err(|error| error.to_string())?;
        if let Some(Content::KeyAnnouncement(announced)) = envelope.content {
            in_force = announced.signing_key.map(|key| key.key_id);
        }
    }
    for ((_, epoch, position), row) in out.outbox.iter().filter(|(key, _)| key.0 == recipient) {
        let Some(receipt) = &row.receipt else { continue };
        let digest = sha256(&receipt.receipt);
        let checked = world.nodes[from].trust.verify_receipt(recipient, &receipt.key_id, &digest, &receipt.signature);
        checked.map_err(|error| format!("receipt of {epoch}.{position}: {error}"))?;
    }
    Ok(())
}
