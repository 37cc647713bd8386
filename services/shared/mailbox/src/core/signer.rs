//! Which key signs: of a partner's envelopes, by what its stream announced.

use fenghuo_api::partner::v1::{ChainHead, KeyAnnouncement};
use fenghuo_durable::{Error, Result};
use fenghuo_edge::signing::key_id;

use super::Ledger;
use crate::inbox::Judgement;
use crate::machine::Offered;

/// Why an envelope is refused that comes after an announcement and is signed by another key than the announced one; `None` if it is right.
///
/// In a later epoch a key may sign that was enrolled anew, by hand; never one that had announced its successor.
pub(super) async fn wrong_signer<L: Ledger>(ledger: &mut L, partner: &str, at: &Offered, signed_by: &str) -> Result<Option<Error>> {
    let in_force = ledger.key_announced_before(partner, at.epoch, at.position).await?;
    if in_force.as_ref().is_none_or(|(_, announced)| announced == signed_by) {
        return Ok(None);
    }
    let ended = ledger.key_retired(partner, signed_by).await?;
    Ok(wrong_key(in_force, at.epoch, signed_by, ended))
}

/// The rule of [`wrong_signer`]. `in_force`: the key last announced, with the epoch of its announcement; `ended`: the signing key has announced
/// another one.
pub(super) fn wrong_key(in_force: Option<(u64, String)>, epoch: u64, signed_by: &str, ended: bool) -> Option<Error> {
    let (since, announced) = in_force?;
    if announced == signed_by || (since < epoch && !ended) {
        return None;
    }
    let text = format!("this position must be signed by key {announced}, which the stream announced");
    Some(Error::precondition("SIGNING_KEY_RETIRED", text))
}

/// Remembers a new signing key of a partner. The envelope that announces it was signed by an older one.
pub(super) async fn announced<L: Ledger>(ledger: &mut L, partner: &str, announced: &KeyAnnouncement, at: &Offered) -> Result<Judgement> {
    let Some(key) = &announced.signing_key else { return Ok(Judgement::Refused("KEY_MISSING")) };
    if key.public_key.len() != 32 || key.key_id != key_id(&key.public_key) {
        return Ok(Judgement::Refused("KEY_INVALID"));
    }
    ledger.add_key(partner, key, at).await?;
    Ok(Judgement::Accepted)
}

/// Remembers the head of a partner's event chain.
pub(super) async fn chain_head<L: Ledger>(ledger: &mut L, partner: &str, head: &ChainHead, at: &Offered) -> Result<Judgement> {
    if head.hash.len() != 32 || head.sequence > i64::MAX as u64 {
        return Ok(Judgement::Refused("CHAIN_HEAD_INVALID"));
    }
    // History was rewritten over there. A later epoch says openly that the partner was restored: its chain goes on from the backup.
    if ledger.chain_head_contradicted(partner, at.epoch, head).await? {
        tracing::error!(partner, sequence = head.sequence, "ALARM: the partner's event chain contradicts the head that it told before");
        return Ok(Judgement::Refused("CHAIN_REWRITTEN"));
    }
    ledger.add_chain_head(partner, head, at).await?;
    Ok(Judgement::Accepted)
}
