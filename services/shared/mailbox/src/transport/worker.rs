//! The worker of one space and one partner: it looks whenever something was logged, and every few seconds by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_durable::{Space, Tx};
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
const SILENCE: Duration = Duration::from_secs(15);

/// Two nodes that call each other and both fail do so no faster than this.
const SHORTEST: Duration = Duration::from_millis(100);

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
    let started = Instant::now();
    let post = mailbox.post(&space);
    loop {
        let status = mailbox.links().status(space.id(), partner);
        // Not by the wall clock: somebody may set it.
        let heard = mailbox.links().last_heard(space.id(), partner).unwrap_or(started);
        if heard.elapsed() > SILENCE {
            mailbox.set_link(&space, partner, LinkState::Down, "the partner has not called").await;
        } else if status.last_contact.is_some() && !matches!(status.state, LinkState::Up | LinkState::Diverged) {
            // Set once only: it counts as a contact.
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
    let caller = mailbox.links().caller(space.id(), &partner);
    loop {
        head.borrow_and_update();
        // From here on: the partner may call while our own exchange with it is failing.
        let called = caller.notified();
        match exchange.run().await {
            Ok(()) => {
                failures = 0;
                mailbox.set_link(&space, &partner, LinkState::Up, "").await;
                wait_for_work(&space, &partner, &mut head).await;
            }
            Err(failure) => {
                failures += 1;
                exchange.reset();
                match failure {
                    Failure::Diverged(text) => mailbox.set_link(&space, &partner, LinkState::Diverged, &text).await,
                    Failure::Ours(text) => tracing::error!(partner, why = text, "the streams cannot be read or written here; trying again"),
                    // One failure may be a connection that had grown old: the second try decides.
                    Failure::Other(_) if failures == 1 && was_up(&mailbox, &space, &partner) => {}
                    Failure::Other(text) => mailbox.set_link(&space, &partner, LinkState::Down, &text).await,
                }
                wait_to_try_again(called, back_off(failures)).await;
            }
        }
    }
}

/// Waits before the next try; a partner that has called since this one began is up, and is tried at once. Never at the same moment as
/// everybody else who waits for that partner.
async fn wait_to_try_again(called: impl Future<Output = ()>, about: Duration) {
    let longest = about.mul_f64(0.75 + fastrand::f64() / 2.0);
    let shortest = SHORTEST.min(longest);
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

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_partner_that_calls_is_tried_at_once() {
        // Alone it would wait for a minute.
        let (caller, long) = (Notify::new(), Duration::from_secs(60));
        let both = async { tokio::join!(wait_to_try_again(caller.notified(), long), async { caller.notify_waiters() }) };
        tokio::time::timeout(long / 2, both).await.expect("it called while we waited");
        let called = caller.notified();
        caller.notify_waiters();
        tokio::time::timeout(long / 2, wait_to_try_again(called, long)).await.expect("it called before we began to wait");
    }
}
