//! What the replicas of a node share of the mailbox: which of them sends, how the links stand, and the keys that partners announced.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::{Dialect, Lease, Result, Space, SpaceId, Tx};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::Mailbox;
use crate::links::LinkStatus;
use crate::store::contact;

/// How often the links are compared with the database.
const COMPARE_EVERY: Duration = Duration::from_secs(1);
/// A contact is told again when it is so much later than the one that was told.
const CONTACT_EVERY: SignedDuration = SignedDuration::from_secs(2);

/// The lease of the replica that sends in a space. Sending twice would do no harm, and no good.
pub(crate) fn sender_lease(space: &Space) -> Lease {
    space.db().lease("mailbox.sender")
}

/// Keeps the links of every open space as the other replicas see them, until `stop`. On SQLite there are none.
pub(crate) async fn share_links(mailbox: Mailbox, stop: CancellationToken) {
    let mut leases: HashMap<SpaceId, Lease> = HashMap::new();
    let mut told: HashMap<(SpaceId, String), LinkStatus> = HashMap::new();
    while stop.run_until_cancelled(tokio::time::sleep(COMPARE_EVERY)).await.is_some() {
        let open: Vec<_> = mailbox.parts.spaces.all().into_iter().filter(|space| space.db().dialect() == Dialect::Postgres).collect();
        leases.retain(|id, _| open.iter().any(|space| space.id() == *id));
        told.retain(|(id, _), _| leases.contains_key(id));
        for space in open {
            let sends = leases.entry(space.id()).or_insert_with(|| sender_lease(&space)).is_held();
            if let Err(error) = compare(&mailbox, &space, sends, &mut told).await {
                tracing::debug!(space.id = %space.id(), error = &error as &dyn std::error::Error, "the links could not be compared");
            }
        }
    }
}

async fn compare(mailbox: &Mailbox, space: &Arc<Space>, sends: bool, told: &mut HashMap<(SpaceId, String), LinkStatus>) -> Result<()> {
    let links = mailbox.links();
    let us = mailbox.parts.keys.province_code().to_owned();
    for (partner, shared) in space.db().read(us, |us, tx: &mut Tx| Box::pin(contact::shared(tx, us))).await? {
        links.learn(space.id(), &partner, shared, sends);
    }
    let routes = mailbox.parts.routes.borrow().clone();
    for route in routes {
        let (key, now) = ((space.id(), route.province_code.clone()), links.status(space.id(), &route.province_code));
        if !is_news(told.get(&key), &now, sends) {
            continue;
        }
        let context = (route.province_code, now.clone(), sends);
        space.db().write(context, |(partner, now, sends), tx: &mut Tx| Box::pin(contact::tell(tx, partner, now, *sends))).await?;
        told.insert(key, now);
    }
    Ok(())
}

/// Is there anything that the others should know?
fn is_news(told: Option<&LinkStatus>, now: &LinkStatus, sends: bool) -> bool {
    let before = told.cloned().unwrap_or_default();
    let later = match (before.last_contact, now.last_contact) {
        (Some(before), Some(now)) => now.duration_since(before) >= CONTACT_EVERY,
        (None, Some(_)) => true,
        (_, None) => false,
    };
    later || (sends && before.last_error != now.last_error)
}
