//! `WatchEvents`: the log after a number, then each new event, with a heartbeat.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::audit::v1::{WatchEventsRequest, WatchEventsResponse};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Error, Event, Result, Space};
use fenghuo_edge::{Caller, to_status};
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::service::Service;
use crate::wire::event::event_out;

pub(super) type Stream = Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchEventsResponse, Status>> + Send>>;
type Sender = mpsc::Sender<Result<WatchEventsResponse, Status>>;

/// Messages waiting for a slow reader.
const BUFFER: usize = 64;
/// Events read at a time.
const BATCH: i64 = 256;
/// How often the space's time is told, and the session looked at again.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// A reader that takes nothing for so long is let go; it comes again with its last number.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn handle(service: &Service, caller: &Caller, request: WatchEventsRequest) -> Result<Stream> {
    let space = service.space(caller)?;
    let (head, _) = space.db().read((), |(), tx| Box::pin(tx.log_head())).await?;
    let after = match request.after_sequence {
        u64::MAX => head,
        after if after > head => {
            return Err(
                Error::invalid("after_sequence", format!("the log ends at {head}; begin again from 0")).with("head", head.to_string())
            );
        }
        after => after,
    };
    let (sender, receiver) = mpsc::channel(BUFFER);
    let watch = Watch { service: service.clone(), space, caller: caller.clone(), sender, seq: after };
    tokio::spawn(watch.run());
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

struct Watch {
    service: Service,
    space: Arc<Space>,
    caller: Caller,
    sender: Sender,
    seq: u64,
}

/// Nobody listens any more, or the space is over: no fault of anybody.
struct Over;

impl Watch {
    async fn run(mut self) {
        if let Err(error) = self.go_on().await {
            // Not waiting: a reader that is gone does not hear why.
            let _ = self.sender.try_send(Err(to_status(error)));
        }
    }

    async fn go_on(&mut self) -> Result<()> {
        let (mut head, mut stop) = (self.space.head(), self.space.stopping());
        // An exercise that was over before is read, and nothing new comes; one that ends meanwhile ends its watchers.
        let over = *stop.borrow();
        let mut beat = tokio::time::interval_at(Instant::now(), HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Before reading, so that what comes during it wakes us again.
            head.borrow_and_update();
            let stopped = *stop.borrow_and_update() && !over;
            if let Some(Over) = self.send_new(&mut beat).await? {
                return Ok(());
            }
            if stopped {
                return Ok(());
            }
            let due = tokio::select! {
                () = self.sender.closed() => return Ok(()),
                _ = stop.changed() => false,
                changed = head.changed() => changed.is_err(),
                _ = beat.tick() => true,
            };
            if due && let Some(Over) = self.beat().await? {
                return Ok(());
            }
        }
    }

    /// Everything after the last number, in batches.
    async fn send_new(&mut self, beat: &mut tokio::time::Interval) -> Result<Option<Over>> {
        loop {
            let events = self.space.db().read(self.seq, |seq, tx| Box::pin(tx.events_after(*seq, BATCH))).await?;
            if events.is_empty() {
                return Ok(None);
            }
            for event in events {
                // A long backlog may outlast the session.
                if beat.tick().now_or_never().is_some() && self.beat().await?.is_some() {
                    return Ok(Some(Over));
                }
                self.seq = event.seq;
                if self.caller.can_read(&event.admin_code)
                    && let Some(Over) = self.send(Some(event)).await?
                {
                    return Ok(Some(Over));
                }
            }
        }
    }

    /// The grants as they are now, and the time.
    async fn beat(&mut self) -> Result<Option<Over>> {
        self.caller = self.service.look_again(&self.caller).await?;
        if self.caller.scope().is_empty() {
            return Err(Error::new(Code::PermissionDenied, "ROLE_REQUIRED", "your last grant has ended"));
        }
        self.send(None).await
    }

    async fn send(&self, event: Option<Event>) -> Result<Option<Over>> {
        let message = WatchEventsResponse { event: event.map(event_out), space_time: Some(to_proto(self.space.clock().now())) };
        match tokio::time::timeout(PATIENCE, self.sender.send(Ok(message))).await {
            Ok(Ok(())) => Ok(None),
            Ok(Err(_)) => Ok(Some(Over)),
            Err(_) => Err(Error::unavailable("READER_TOO_SLOW", "the reader takes nothing; watch again after the last number that came")),
        }
    }
}
