//! The worker of one space and one partner: it looks whenever something was logged, and every few seconds by itself.

use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::{Space, Tx, wall};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Failure};
use super::{Mailbox, PartnerRoute};
use crate::links::LinkState;
use crate::machine::back_off;
use crate::store::undelivered;

/// An idle link is tried this often, so that a cut shows within seconds.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// A partner that only pulls is cut off when it has not called for so long.
const SILENCE: SignedDuration = SignedDuration::from_secs(15);

/// Runs until the token is cancelled or the space stops.
pub(crate) async fn run(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute, stop: CancellationToken) {
    let mut stopping = space.stopping();
    let work = async { if route.endpoint.is_empty() { listen(mailbox, space, route).await } else { send(mailbox, space, route).await } };
    tokio::select! {
        () = stop.cancelled() => {}
        _ = stopping.wait_for(|stop| *stop) => {}
        () = work => {}
    }
}

/// A partner that calls us and cannot be called: only its silence is watched.
async fn listen(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute) {
    let partner = route.province_code.as_str();
    let started = wall::now();
    loop {
        let status = mailbox.links().status(space.id(), partner);
        let silent = wall::now().duration_since(status.last_contact.unwrap_or(started)) > SILENCE;
        if silent {
            mailbox.set_link(&space, partner, LinkState::Down, "the partner has not called").await;
        } else if status.last_contact.is_some() && status.state != LinkState::Diverged {
            mailbox.set_link(&space, partner, LinkState::Up, "").await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn send(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute) {
    let partner = route.province_code.clone();
    let mut client = Client::new(mailbox.clone(), space.clone(), route.clone());
    let mut head = space.head();
    let mut failures = 0_u32;
    loop {
        head.borrow_and_update();
        match exchange(&mut client, &route).await {
            Ok(()) => {
                failures = 0;
                mailbox.set_link(&space, &partner, LinkState::Up, "").await;
                wait_for_work(&space, &partner, &mut head).await;
            }
            Err(failure) => {
                failures += 1;
                client.reset();
                match failure {
                    Failure::Diverged(text) => mailbox.set_link(&space, &partner, LinkState::Diverged, &text).await,
                    // One failure may be a connection that had grown old: the second try decides.
                    Failure::Other(_) if failures == 1 && was_up(&mailbox, &space, &partner) => {}
                    Failure::Other(text) => mailbox.set_link(&space, &partner, LinkState::Down, &text).await,
                }
                tokio::time::sleep(back_off(failures)).await;
            }
        }
    }
}

fn was_up(mailbox: &Mailbox, space: &Arc<Space>, partner: &str) -> bool {
    mailbox.links().status(space.id(), partner).state == LinkState::Up
}

async fn exchange(client: &mut Client, route: &PartnerRoute) -> Result<(), Failure> {
    if client.quarantined().await? {
        let recovered = client.recover().await?;
        tracing::warn!(
            partner = route.province_code,
            envelopes = recovered.own,
            epoch = recovered.epoch,
            "restored: fetched back from the partner what this node had sent; a new epoch begins"
        );
    }
    let more = client.handshake().await?;
    client.push().await?;
    if route.pull {
        client.return_receipts().await?;
        if more {
            client.pull().await?;
        }
    }
    Ok(())
}

/// Until an envelope waits, or the heartbeat is due.
async fn wait_for_work(space: &Arc<Space>, partner: &str, head: &mut tokio::sync::watch::Receiver<u64>) {
    let heartbeat = tokio::time::sleep(HEARTBEAT);
    tokio::pin!(heartbeat);
    loop {
        let waiting = space.db().read(partner.to_owned(), |partner, tx: &mut Tx| Box::pin(undelivered(tx, partner))).await;
        if !matches!(waiting, Ok(0)) {
            return;
        }
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = &mut heartbeat => return,
        }
    }
}
