//! `WatchNotifications`: what still moves, then every change, from the event log.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::notification::v1::{WatchNotificationsRequest, WatchNotificationsResponse};
use fenghuo_durable::{Result, Space};
use fenghuo_edge::{Caller, to_status};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::domain::Notification;
use crate::service::Service;
use crate::store::notification::{self, Filter};
use crate::wire::record_with_proof;

pub(super) type Stream = Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchNotificationsResponse, Status>> + Send>>;
type Sender = mpsc::Sender<Result<WatchNotificationsResponse, Status>>;

const BUFFER: usize = 64;
const BATCH: i64 = 200;
/// Notifications sent at the beginning: the newest.
const FIRST: i64 = 200;

pub(super) async fn handle(service: &Service, caller: &Caller, request: WatchNotificationsRequest) -> Result<Stream> {
    service.check_parent(&request.parent)?;
    let space = service.space(caller)?;
    let (sender, receiver) = mpsc::channel(BUFFER);
    let (service, caller) = (service.clone(), caller.clone());
    tokio::spawn(async move {
        if let Err(error) = watch(&service, &space, &caller, &sender).await {
            let _ = sender.send(Err(to_status(error))).await;
        }
    });
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

async fn watch(service: &Service, space: &Arc<Space>, caller: &Caller, sender: &Sender) -> Result<()> {
    let (mut head, mut stop) = (space.head(), space.stopping());
    let (mut seq, first) = space
        .db()
        .read((), |(), tx| {
            Box::pin(async move {
                let seq = tx.log_head().await?.0;
                Ok((seq, notification::page(tx, &Filter::default(), (i64::MAX, String::new()), FIRST).await?))
            })
        })
        .await?;
    for (_, found) in first {
        if !send(service, space, caller, sender, found).await? {
            return Ok(());
        }
    }
    if sender.send(Ok(WatchNotificationsResponse { notification: None, caught_up: true })).await.is_err() {
        return Ok(());
    }
    loop {
        let (last, changed) = changes(space, seq).await?;
        seq = last;
        for found in changed {
            if !send(service, space, caller, sender, found).await? {
                return Ok(());
            }
        }
        tokio::select! {
            () = sender.closed() => return Ok(()),
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            _ = head.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

/// Notifications that changed after this event, each once, as they are now.
async fn changes(space: &Arc<Space>, after: u64) -> Result<(u64, Vec<Notification>)> {
    space
        .db()
        .read(after, |after, tx| {
            Box::pin(async move {
                let events = tx.events_after(*after, BATCH).await?;
                let last = events.last().map_or(*after, |event| event.seq);
                let mut names: Vec<String> =
                    events.into_iter().filter(|event| event.kind.starts_with("notification.")).map(|event| event.subject).collect();
                names.sort_unstable();
                names.dedup();
                let mut changed = Vec::new();
                for name in names {
                    changed.extend(notification::get(tx, &name).await?);
                }
                Ok((last, changed))
            })
        })
        .await
}

/// `false` once nobody listens any more.
async fn send(service: &Service, space: &Arc<Space>, caller: &Caller, sender: &Sender, found: Notification) -> Result<bool> {
    if !caller.can_read(&found.admin_code) {
        return Ok(true);
    }
    let context = (found, service.province_code().to_owned(), space.id());
    let whole = space.db().read(context, |(found, own, space), tx| Box::pin(record_with_proof(tx, found, own, *space))).await?;
    Ok(sender.send(Ok(WatchNotificationsResponse { notification: Some(whole), caught_up: false })).await.is_ok())
}
