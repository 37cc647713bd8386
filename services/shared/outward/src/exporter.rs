//! The export of a node: one connection, a task for each space.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::{ConnectOptions, Event};
use fenghuo_durable::{Result, Space, SpaceId, Spaces, wall};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::names::Names;
use crate::publish::SpaceExport;
use crate::server::Server;
use crate::status::OutwardStatus;

/// How long a server may take to confirm.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait between two attempts to connect.
const RECONNECT_MAX: Duration = Duration::from_secs(2);

/// What a new stream is given. One that is there keeps what its operator set.
#[derive(Debug, Clone)]
pub struct StreamLimits {
    /// Bytes after which the stream drops its oldest events; none: it keeps all, which a reader needs to rebuild a whole board.
    pub max_bytes: Option<u64>,
    /// How long the server remembers message ids. Nothing here depends on it: the expected sequence refuses repetitions of any age.
    pub duplicate_window: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { max_bytes: None, duplicate_window: Duration::from_secs(120) }
    }
}

/// What the export is made of.
#[derive(Clone)]
pub struct Parts {
    /// All spaces of the node.
    pub spaces: Arc<Spaces>,
    /// Six-digit code of the province.
    pub province_code: String,
    /// The server.
    pub server: Server,
    /// Generation of the streams, from 1; see [`crate::Names`].
    pub generation: u32,
    /// For new streams.
    pub limits: StreamLimits,
}

/// The export; started once, it goes on until it is told to stop.
pub struct Outward {
    parts: Parts,
    options: ConnectOptions,
    status: watch::Sender<OutwardStatus>,
}

impl Outward {
    /// Checks the files that the settings name. Opens no connection.
    pub fn new(parts: Parts) -> Result<Self> {
        let options = parts.server.options(&name(&parts))?;
        let status = watch::Sender::new(OutwardStatus { server: parts.server.url.clone(), ..OutwardStatus::default() });
        Ok(Self { parts, options, status })
    }

    /// How it stands; wakes at every change.
    pub fn status(&self) -> watch::Receiver<OutwardStatus> {
        self.status.subscribe()
    }

    /// Starts it. A server that is away slows nothing and stops nothing; it is tried again for ever.
    pub fn start(self, stop: CancellationToken) -> JoinHandle<()> {
        tokio::spawn(async move {
            let connect = async {
                look(&self.parts, &self.status).await;
                connect(self.options, &self.parts.server.url, &self.status).await
            };
            if let Some(Some(context)) = stop.run_until_cancelled(connect).await {
                follow_spaces(&self.parts, &context, &self.status, &stop).await;
            }
        })
    }
}

/// Tries once by itself: the client that tries for ever does not say why it fails, a wrong certificate for example.
async fn look(parts: &Parts, status: &watch::Sender<OutwardStatus>) {
    let Err(error) = parts.server.connect(&name(parts)).await else { return };
    let text = chain(&error);
    tracing::warn!("the log waits for NATS: {text}");
    status.send_modify(|status| status.last_error = text);
}

/// An error with all its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn name(parts: &Parts) -> String {
    format!("fenghuo {}", parts.province_code)
}

async fn connect(options: ConnectOptions, url: &str, status: &watch::Sender<OutwardStatus>) -> Option<Context> {
    let heard = status.clone();
    let options = options
        .retry_on_initial_connect()
        .reconnect_delay_callback(|attempt| RECONNECT_MAX.min(Duration::from_millis(100 * u64::try_from(attempt).unwrap_or(20).min(20))))
        .event_callback(move |event| {
            hear(&heard, &event);
            std::future::ready(())
        });
    match options.connect(url).await {
        Ok(client) => Some(ContextBuilder::new().timeout(ANSWER_WITHIN).build(client)),
        // With retries only what can never succeed comes here.
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the log is not published: the address of NATS cannot be used");
            status.send_modify(|status| status.last_error = error.to_string());
            None
        }
    }
}

/// Keeps what the connection tells of itself.
fn hear(status: &watch::Sender<OutwardStatus>, event: &Event) {
    let connected = match event {
        Event::Connected => true,
        Event::Disconnected | Event::Closed => false,
        other => {
            tracing::debug!("NATS: {other}");
            status.send_modify(|status| {
                if !status.connected && status.last_error.is_empty() {
                    status.last_error = other.to_string();
                }
            });
            return;
        }
    };
    tracing::info!("NATS: {event}");
    status.send_modify(|status| {
        status.connected = connected;
        status.since = Some(wall::now());
        status.last_error = if connected { String::new() } else { event.to_string() };
    });
}

/// A task for each space that is open or over; new ones as they come.
async fn follow_spaces(parts: &Parts, context: &Context, status: &watch::Sender<OutwardStatus>, stop: &CancellationToken) {
    let mut changes = parts.spaces.changes();
    let (mut known, mut tasks) = (HashMap::<SpaceId, Arc<Space>>::new(), JoinSet::new());
    loop {
        changes.borrow_and_update();
        for space in parts.spaces.all().into_iter().chain(parts.spaces.ended()) {
            // One that was closed and opened again is another, under the same name.
            let before = known.insert(space.id(), space.clone());
            if before.is_none_or(|before| !Arc::ptr_eq(&before, &space)) {
                tasks.spawn(export(parts, context, status, stop, space).run());
            }
        }
        let ended = stop.run_until_cancelled(changes.changed()).await;
        if !matches!(ended, Some(Ok(()))) {
            break;
        }
    }
    while tasks.join_next().await.is_some() {}
}

fn export(
    parts: &Parts,
    context: &Context,
    status: &watch::Sender<OutwardStatus>,
    stop: &CancellationToken,
    space: Arc<Space>,
) -> SpaceExport {
    let names = Names { province_code: parts.province_code.clone(), space: space.id(), generation: parts.generation };
    SpaceExport { space, context: context.clone(), names, limits: parts.limits.clone(), status: status.clone(), stop: stop.clone() }
}
