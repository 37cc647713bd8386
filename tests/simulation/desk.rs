//! The service behind the mailbox: it notes what it took up, what it sent, and what it acknowledged.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Acknowledgement, Notification, Receipt};
use fenghuo_durable::Result;
use fenghuo_mailbox::core::enqueue::enqueue;
use fenghuo_mailbox::{Inbox, Incoming, Judgement, Outgoing, SpaceKeys};
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::ledger::MemLedger;
use crate::shared::Mutation;

/// What a mutated service remembers outside its transactions.
#[derive(Debug, Default)]
pub struct Desk(pub Mutex<Vec<(String, u64, u64, String)>>);

fn name_of(content: Option<&Content>) -> String {
    match content {
        Some(Content::Notification(notification)) => notification.name.clone(),
        Some(Content::Acknowledgement(given)) => format!("acknowledged {}", given.notification),
        _ => String::new(),
    }
}

impl Inbox<MemLedger> for Desk {
    fn take<'t>(&'t self, ledger: &'t mut MemLedger, incoming: &'t Incoming) -> BoxFuture<'t, Result<Judgement>> {
        Box::pin(async move {
            let name = name_of(incoming.envelope.content.as_ref());
            let taken = (incoming.partner.clone(), incoming.epoch, incoming.envelope.position, name);
            if ledger.hub.lock().mutation.is_none() && ledger.tables.taken.iter().any(|one| one.0 == taken.0 && one.3 == taken.3) {
                // Only what was begun anew by decision may come twice.
                ledger.tables.refused.push(taken);
                return Ok(Judgement::Refused("NAME_REUSED"));
            }
            if ledger.hub.lock().mutation == Some(Mutation::EffectOutsideTransaction) {
                let mut remembered = self.0.lock();
                remembered.push(taken);
                let again = remembered.last().cloned();
                let times = remembered.iter().filter(|one| Some(*one) == again.as_ref()).count();
                ledger.tables.taken.extend(std::iter::repeat_n(again, times).flatten());
            } else {
                ledger.tables.taken.push(taken);
            }
            // Now and then something is refused: it is stored and receipted all the same.
            let refuse = incoming.envelope.position.is_multiple_of(7);
            Ok(if refuse { Judgement::Refused("CONTENT_INVALID") } else { Judgement::Accepted })
        })
    }

    fn receipted<'t>(&'t self, ledger: &'t mut MemLedger, outgoing: &'t Outgoing, _: &'t Receipt) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            if let Some(Content::Notification(notification)) = &outgoing.envelope.content
                && (outgoing.recovered || ledger.tables.sent.contains_key(&notification.name))
            {
                ledger.tables.sent.insert(notification.name.clone(), true);
            }
            Ok(())
        })
    }

    fn moved<'t>(&'t self, _: &'t mut MemLedger, _: &'t Outgoing) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    fn sent_before<'t>(&'t self, ledger: &'t mut MemLedger, outgoing: &'t Outgoing) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            if let Some(Content::Acknowledgement(given)) = &outgoing.envelope.content {
                ledger.tables.answered.insert(given.notification.clone());
            }
            Ok(())
        })
    }
}

/// An officer approves notifications to a partner, so many in one transaction.
pub async fn notify(ledger: &mut MemLedger, signer: &SpaceKeys, partner: &str, count: usize) -> Result<()> {
    for _ in 0..count {
        let id = fenghuo_mailbox::core::Ledger::new_id(ledger);
        let name = format!("provinces/{}/notifications/{id}", signer.keys.province_code());
        enqueue(ledger, signer, partner, Content::Notification(Notification { name: name.clone(), ..Default::default() })).await?;
        ledger.tables.sent.insert(name, false);
    }
    Ok(())
}

/// An officer acknowledges the last notification that came from a partner and has no answer.
pub async fn acknowledge(ledger: &mut MemLedger, signer: &SpaceKeys, partner: &str) -> Result<()> {
    let tables = &ledger.tables;
    let open = |(from, _, _, name): &&(String, u64, u64, String)| {
        from == partner && name.starts_with("provinces/") && !tables.answered.contains(name)
    };
    let Some(notification) = tables.taken.iter().rev().find(open).map(|taken| taken.3.clone()) else { return Ok(()) };
    let given = Acknowledgement { notification: notification.clone(), ..Default::default() };
    enqueue(ledger, signer, partner, Content::Acknowledgement(given)).await?;
    ledger.tables.answered.insert(notification);
    Ok(())
}
