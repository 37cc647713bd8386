//! The worker of one space and one partner: it looks whenever something was logged, and every few seconds by itself.

use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::{Space, Tx, wall};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::client::GrpcLine;
use super::sharing::sender_lease;
use super::{Mailbox, PartnerRoute};
use crate::core::{Exchange, Failure, Outbox};
use crate::links::LinkState;
use crate::machine::back_off;

/// An idle link is tried this often, so that a cut shows within seconds.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// A partner that only pulls is cut off when it has not called for so long.
const SILENCE: SignedDuration = SignedDuration::from_secs(15);

/// Runs until the token is cancelled or the space stops.
pub(crate) async fn run(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute, stop: CancellationToken) {
    let mut stopping = space.stopping();
    if let Err(error) = mailbox.post(&space).begin(&route.province_code).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the stream to a partner could not be begun; its first envelope begins it"
        );
    }
    let mut lease = sender_lease(&space);
    let work = async {
        loop {
            lease.held().await;
            let (mailbox, space, route) = (mailbox.clone(), space.clone(), route.clone());
            let work = async {
                match route.endpoint.is_empty() {
                    true => listen(mailbox, space, route).await,
                    false => send(mailbox, space, route).await,
                }
            };
            // Lost, it is another replica's turn.
            tokio::select! {
                () = work => return,
                () = lease.lost() => {}
            }
        }
    };
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
    let post = mailbox.post(&space);
    loop {
        let status = mailbox.links().status(space.id(), partner);
        let silent = wall::now().duration_since(status.last_contact.unwrap_or(started)) > SILENCE;
        if silent {
            mailbox.set_link(&space, partner, LinkState::Down, "the partner has not called").await;
        } else if status.last_contact.is_some() && status.state != LinkState::Diverged {
            mailbox.set_link(&space, partner, LinkState::Up, "").await;
        }
        if let Err(error) = post.announce_successor(partner).await {
            tracing::debug!(
                partner,
                error = &error as &dyn std::error::Error,
                "a new signing key could not be announced; again in a second"
            );
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn send(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute) {
    let partner = route.province_code.clone();
    let line = GrpcLine::new(mailbox.clone(), space.clone(), route.clone());
    let mut exchange = Exchange::new(mailbox.post(&space), partner.clone(), route.pull, line);
    let mut head = space.head();
    let mut failures = 0_u32;
    loop {
        head.borrow_and_update();
        match exchange.run().await {
            Ok(()) => {
                failures = 0;
                mailbox.set_link(&space, &partner, LinkState::Up, "").await;
                wait_for_work(&space, &partner, &mut head).await;
            }
            Err(failure) => {
                failures += 1;
                exchange.reset();
                // A receipt may be signed by a key that another replica was told of.
                mailbox.trust_announced(&space).await;
                match failure {
                    Failure::Diverged(text) => mailbox.set_link(&space, &partner, LinkState::Diverged, &text).await,
                    // One failure may be a connection that had grown old: the second try decides.
                    Failure::Other(_) if failures == 1 && was_up(&mailbox, &space, &partner) => {}
                    Failure::Other(text) => mailbox.set_link(&space, &partner, LinkState::Down, &text).await,
                }
                wait_to_try_again(&mailbox, &space, &partner, back_off(failures)).await;
            }
        }
    }
}

/// Waits before the next try; a partner that calls us is back, and is tried at once.
async fn wait_to_try_again(mailbox: &Mailbox, space: &Arc<Space>, partner: &str, longest: Duration) {
    let caller = mailbox.links().caller(space.id(), partner);
    let called = caller.notified();
    let shortest = back_off(1).min(longest);
    tokio::time::sleep(shortest).await;
    tokio::select! {
        () = tokio::time::sleep(longest - shortest) => {}
        () = called => {}
    }
}

fn was_up(mailbox: &Mailbox, space: &Arc<Space>, partner: &str) -> bool {
    mailbox.links().status(space.id(), partner).state == LinkState::Up
}

/// Until an envelope waits, or the heartbeat is due.
async fn wait_for_work(space: &Arc<Space>, partner: &str, head: &mut tokio::sync::watch::Receiver<u64>) {
    let heartbeat = tokio::time::sleep(HEARTBEAT);
    tokio::pin!(heartbeat);
    loop {
        let waiting = space.db().read(partner.to_owned(), |partner, tx: &mut Tx| Box::pin(tx.first_waiting(partner))).await;
        if !matches!(waiting, Ok(None)) {
            return;
        }
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = &mut heartbeat => return,
        }
    }
}
