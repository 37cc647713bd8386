//! `WatchPartners`: the partners now, then each again whenever its link changes.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::notification::v1::{Partner as WirePartner, WatchPartnersRequest, WatchPartnersResponse};
use fenghuo_durable::{Result, Space};
use fenghuo_edge::{Caller, to_status};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::list_partners::with_link;
use crate::service::Service;

pub(super) type Stream = Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchPartnersResponse, Status>> + Send>>;
type Sender = mpsc::Sender<Result<WatchPartnersResponse, Status>>;

const LOOK_EVERY: Duration = Duration::from_secs(2);

pub(super) async fn handle(service: &Service, caller: &Caller, _request: WatchPartnersRequest) -> Result<Stream> {
    let space = service.space(caller)?;
    let (sender, receiver) = mpsc::channel(16);
    let (service, sees) = (service.clone(), service.has_grant_here(caller));
    tokio::spawn(async move {
        if let Err(error) = watch(&service, &space, sees, &sender).await {
            let _ = sender.send(Err(to_status(error))).await;
        }
    });
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

async fn watch(service: &Service, space: &Arc<Space>, sees: bool, sender: &Sender) -> Result<()> {
    let (mut links, mut directory) = (service.0.links.changes(), service.0.directory.changes());
    let (mut head, mut stop) = (space.head(), space.stopping());
    let mut sent: HashMap<String, WirePartner> = HashMap::new();
    let mut first = true;
    loop {
        for partner in service.0.directory.all().into_iter().filter(|_| sees) {
            let mut now = with_link(service, space, partner).await?;
            // Each exchange moves the time of the last contact; that alone is no news.
            let contact = now.last_contact_time.take();
            let difference = now.clock_difference_ms.take();
            if sent.get(&now.province_code) == Some(&now) {
                continue;
            }
            sent.insert(now.province_code.clone(), now.clone());
            (now.last_contact_time, now.clock_difference_ms) = (contact, difference);
            if sender.send(Ok(WatchPartnersResponse { partner: Some(now), caught_up: false })).await.is_err() {
                return Ok(());
            }
        }
        if std::mem::take(&mut first) && sender.send(Ok(WatchPartnersResponse { partner: None, caught_up: true })).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            () = sender.closed() => return Ok(()),
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            _ = links.changed() => {}
            _ = directory.changed() => {}
            _ = head.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
