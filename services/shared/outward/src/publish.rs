//! Publishing one space: from where the stream stands to the end of the log, and on as it grows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{Context, PublishAckFuture, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use fenghuo_durable::{Space, wall};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cloud_event::CloudEvent;
use crate::exporter::StreamLimits;
use crate::log;
use crate::names::Names;
use crate::standing::standing;
use crate::status::{OutwardStatus, SpaceStatus};

/// Messages that may wait for their confirmation at a time.
const WINDOW: usize = 256;
/// Events read at a time.
const BATCH: i64 = 128;
/// How often the log is looked at without a hint.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After how long without events the stream is asked again where it stands: somebody may have deleted it.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Shortest and longest wait after a failure.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// Why publishing stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Log(#[from] fenghuo_durable::Error),
    /// The server or the way to it.
    #[error("{0}")]
    Nats(String),
    /// Somebody else published in between: ask the stream again where it stands.
    #[error("another exporter is publishing; reading again where the stream stands")]
    Overtaken,
    /// The stream is not of this log.
    #[error("{0}")]
    Diverged(String),
}

impl Fault {
    pub(crate) fn nats(error: impl std::fmt::Display) -> Self {
        Self::Nats(error.to_string())
    }
}

/// Why publishing ended without a fault.
enum Pause {
    /// The space is over and everything is out.
    Over,
    /// It is time to ask the stream where it stands.
    AskAgain,
}

/// One space on its way out.
pub(crate) struct SpaceExport {
    pub(crate) space: Arc<Space>,
    pub(crate) context: Context,
    pub(crate) names: Names,
    pub(crate) limits: StreamLimits,
    pub(crate) status: watch::Sender<OutwardStatus>,
    pub(crate) stop: CancellationToken,
}

/// A message that waits for its confirmation.
struct InFlight {
    seq: u64,
    ack: PublishAckFuture,
}

impl SpaceExport {
    /// Publishes until the stop, or until everything of an exercise that is over has gone out.
    pub(crate) async fn run(self) {
        self.tell(|status| status.stream = self.names.stream());
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.try_for_ever()).await;
    }

    async fn try_for_ever(&self) {
        // Correct with any number of exporters; of several replicas one is enough.
        let mut turn = self.space.db().lease("outward");
        let mut wait = RETRY.0;
        loop {
            self.tell(|status| status.elsewhere = !turn.is_held());
            turn.held().await;
            self.tell(|status| status.elsewhere = false);
            let before = self.published();
            let published = tokio::select! {
                published = self.publish() => published,
                () = turn.lost() => continue,
            };
            let fault = match published {
                Ok(Pause::Over) => return,
                Ok(Pause::AskAgain) => continue,
                Err(fault) => fault,
            };
            if self.space_is_closed(&fault) {
                return;
            }
            wait = if self.published() > before { RETRY.0 } else { (wait * 2).min(RETRY.1) };
            self.note(&fault).await;
            tokio::time::sleep(wait).await;
        }
    }

    /// A closed space cannot be read; an exercise that is over can.
    fn space_is_closed(&self, fault: &Fault) -> bool {
        matches!(fault, Fault::Log(_)) && *self.space.stopping().borrow() && !self.space.db().is_frozen()
    }

    /// Says what failed, and how far behind that leaves us.
    async fn note(&self, fault: &Fault) {
        let head = log::head(self.space.db()).await.unwrap_or_default();
        let (diverged, text) = (matches!(fault, Fault::Diverged(_)), fault.to_string());
        let known = self.status.borrow().spaces.get(&self.space.id()).is_some_and(|status| status.last_error == text);
        // Said once, not at every try.
        match (known, fault) {
            (true, _) => {}
            (false, Fault::Diverged(_)) => tracing::error!(space.id = %self.space.id(), "the log cannot be published: {text}"),
            (false, Fault::Overtaken) => tracing::info!(space.id = %self.space.id(), "publishing the log: {text}"),
            (false, _) => tracing::warn!(space.id = %self.space.id(), "publishing the log failed, trying again: {text}"),
        }
        self.tell(|status| {
            status.head = status.head.max(head);
            status.diverged = diverged;
            status.last_error = text;
        });
    }

    /// Publishes from where the stream stands. A server that comes back may have lost what it had: a new connection is asked again.
    async fn publish(&self) -> Result<Pause, Fault> {
        let connection = self.connection();
        let mut last_event = Instant::now();
        let mut sent = standing(&self.context, self.space.db(), &self.names, &self.limits).await?;
        let mut in_flight: VecDeque<InFlight> = VecDeque::new();
        let head = log::head(self.space.db()).await?;
        self.tell(|status| {
            *status = SpaceStatus { published: sent, head, last_error: String::new(), diverged: false, ..std::mem::take(status) };
        });
        let mut log_head = self.space.head();
        loop {
            // Asked before reading: what is frozen gets no more events.
            let over = self.space.db().is_frozen();
            let events = log::after(self.space.db(), sent, BATCH).await?;
            let idle = events.is_empty();
            for (event, traceparent) in events {
                while in_flight.len() >= WINDOW {
                    self.settle(in_flight.pop_front()).await?;
                }
                sent = event.seq;
                let ack = self.send(CloudEvent::outgoing(event, traceparent, &self.names)).await?;
                in_flight.push_back(InFlight { seq: sent, ack });
                self.tell(|status| status.head = status.head.max(sent));
            }
            if !idle {
                last_event = Instant::now();
                continue;
            }
            while !in_flight.is_empty() {
                self.settle(in_flight.pop_front()).await?;
            }
            if over {
                return Ok(Pause::Over);
            }
            if self.connection() != connection || last_event.elapsed() > ASK_AGAIN_AFTER {
                return Ok(Pause::AskAgain);
            }
            let _ = tokio::time::timeout(LOOK_EVERY, log_head.changed()).await;
        }
    }

    /// Sends an event on the condition that the one before it is the last of the stream.
    async fn send(&self, event: CloudEvent) -> Result<PublishAckFuture, Fault> {
        let mut event = event;
        for smaller in [Some(false), Some(true), None] {
            let (headers, data) = event.to_message();
            let message = PublishMessage::build()
                .payload(data)
                .headers(headers)
                .message_id(&event.event.event_id)
                .expected_stream(self.names.stream())
                .expected_last_sequence(event.event.seq - 1);
            let sent = self.context.send_publish(self.names.subject(&event.event.kind), message).await;
            match (sent, smaller) {
                (Ok(ack), _) => return Ok(ack),
                // One event must not hold up all that come after it.
                (Err(error), Some(bare)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    tracing::warn!(space.id = %self.space.id(), seq = event.event.seq, "an event is larger than NATS takes (max_payload); it goes out without its data");
                    self.tell(|status| status.too_large += u64::from(!bare));
                    event = event.without_data(bare);
                }
                (Err(error), _) => return Err(Fault::nats(error)),
            }
        }
        Err(Fault::Nats("not even the attributes of an event fit into a message; raise max_payload of the server".to_owned()))
    }

    /// Waits for a confirmation and checks that it names our number.
    async fn settle(&self, message: Option<InFlight>) -> Result<(), Fault> {
        let Some(InFlight { seq, ack }) = message else { return Ok(()) };
        match ack.await {
            Ok(ack) if ack.sequence == seq => {
                self.tell(|status| {
                    status.published = seq;
                    status.published_at = Some(wall::now());
                });
                Ok(())
            }
            Ok(_) => Err(Fault::Overtaken),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Err(Fault::Overtaken),
            Err(error) => Err(Fault::nats(error)),
        }
    }

    /// How many connections there have been.
    fn connection(&self) -> u64 {
        self.context.client().statistics().connects.load(Ordering::Relaxed)
    }

    fn published(&self) -> u64 {
        self.status.borrow().spaces.get(&self.space.id()).map_or(0, |status| status.published)
    }

    fn tell(&self, change: impl FnOnce(&mut SpaceStatus)) {
        self.status.send_modify(|status| change(status.spaces.entry(self.space.id()).or_default()));
    }
}
