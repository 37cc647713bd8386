//! `WatchIncidents`: what is there, then every change, from the event log.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::incident::v1::{WatchIncidentsRequest, WatchIncidentsResponse};
use fenghuo_durable::{Result, Space};
use fenghuo_edge::{Caller, to_status};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::domain::Incident;
use crate::service::Service;
use crate::store;
use crate::wire::incident::incident_out;

pub(super) type Stream = Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchIncidentsResponse, Status>> + Send>>;
type Sender = mpsc::Sender<Result<WatchIncidentsResponse, Status>>;

/// Messages waiting for a slow reader; then the stream waits, and reads the newest state when it goes on.
const BUFFER: usize = 64;
const BATCH: i64 = 200;

pub(super) async fn handle(service: &Service, caller: &Caller, request: WatchIncidentsRequest) -> Result<Stream> {
    service.check_parent(&request.parent)?;
    let space = service.space(caller)?;
    let (sender, receiver) = mpsc::channel(BUFFER);
    let caller = caller.clone();
    tokio::spawn(async move {
        if let Err(error) = watch(&space, &caller, &sender).await {
            let _ = sender.send(Err(to_status(error))).await;
        }
    });
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

async fn watch(space: &Arc<Space>, caller: &Caller, sender: &Sender) -> Result<()> {
    let (mut head, mut stop) = (space.head(), space.stopping());
    let (mut seq, open) =
        space.db().read((), |(), tx| Box::pin(async move { Ok((tx.log_head().await?.0, store::incident::open(tx).await?)) })).await?;
    for incident in open {
        if !send(caller, sender, &incident, seq).await {
            return Ok(());
        }
    }
    let caught_up = WatchIncidentsResponse { incident: None, caught_up: true, sequence: seq };
    if sender.send(Ok(caught_up)).await.is_err() {
        return Ok(());
    }
    loop {
        let (last, changed) = changes(space, seq).await?;
        seq = last;
        for incident in changed {
            if !send(caller, sender, &incident, seq).await {
                return Ok(());
            }
        }
        tokio::select! {
            _ = sender.closed() => return Ok(()),
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            _ = head.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

/// Incidents that changed after this event, each once, as they are now.
async fn changes(space: &Arc<Space>, after: u64) -> Result<(u64, Vec<Incident>)> {
    space
        .db()
        .read(after, |after, tx| {
            Box::pin(async move {
                let events = tx.events_after(*after, BATCH).await?;
                let last = events.last().map_or(*after, |event| event.seq);
                let mut names: Vec<String> =
                    events.into_iter().filter(|event| event.kind.starts_with("incident.")).map(|event| event.subject).collect();
                names.sort_unstable();
                names.dedup();
                let mut changed = Vec::new();
                for name in names {
                    changed.extend(store::incident::get(tx, &name).await?);
                }
                Ok((last, changed))
            })
        })
        .await
}

/// `false` once nobody listens any more.
async fn send(caller: &Caller, sender: &Sender, incident: &Incident, sequence: u64) -> bool {
    if !caller.can_read(&incident.place.admin_code) {
        return true;
    }
    sender.send(Ok(WatchIncidentsResponse { incident: Some(incident_out(incident)), caught_up: false, sequence })).await.is_ok()
}
