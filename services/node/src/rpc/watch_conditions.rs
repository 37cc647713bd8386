//! `WatchConditions`: what is wrong now, whenever it changes. It reads no database, so that it can tell of its loss.

use std::pin::Pin;
use std::time::Duration;

use fenghuo_api::operation::v1::{WatchConditionsRequest, WatchConditionsResponse};
use fenghuo_durable::Result;
use fenghuo_edge::Caller;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::list_conditions::sees_whole;
use crate::service::Service;
use crate::wire::operation::{condition_out, quarantine_out};

pub(super) type Stream = Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchConditionsResponse, Status>> + Send>>;

/// A message comes at least so often.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// A burst of changes is one message.
const GATHER: Duration = Duration::from_millis(50);

pub(super) async fn handle(service: &Service, caller: &Caller, _request: WatchConditionsRequest) -> Result<Stream> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(watch(service.clone(), caller.clone(), sender));
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

async fn watch(service: Service, caller: Caller, sender: mpsc::Sender<Result<WatchConditionsResponse, Status>>) {
    let parts = service.operation();
    let (mut changes, mut known, mut links) = (parts.conditions.changes(), service.known().subscribe(), parts.links.clone());
    let mut linked = true;
    loop {
        // Before reading, so that what comes meanwhile wakes us again.
        changes.borrow_and_update();
        let links_number = *links.borrow_and_update();
        let whole = sees_whole(&service, &caller);
        let quarantine = quarantine_out(&known.borrow_and_update(), whole);
        let conditions = parts.conditions.now().into_iter().map(|one| condition_out(one, whole)).collect();
        if sender.send(Ok(WatchConditionsResponse { conditions, quarantine, links_number })).await.is_err() {
            return;
        }
        tokio::select! {
            () = sender.closed() => return,
            _ = changes.changed() => {}
            _ = known.changed() => {}
            changed = links.changed(), if linked => linked = changed.is_ok(),
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        tokio::time::sleep(GATHER).await;
    }
}
