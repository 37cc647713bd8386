//! Reading a space's stream: event by event from a number on, over connections that break and servers that come back.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::jetstream::stream::Stream;
use fenghuo_durable::{Error, Result, SpaceId};
use futures::StreamExt;

use crate::cloud_event::CloudEvent;
use crate::names::Names;
use crate::server::Server;

/// How long the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a silent stream is believed before it is asked for its end.
const SILENCE: Duration = Duration::from_secs(5);

/// A reader of one stream.
pub struct Reader {
    _client: Client,
    context: Context,
    stream: Stream,
    names: Names,
    messages: Option<Ordered>,
}

impl Reader {
    /// Connects and finds the newest stream of the space, or that of a generation. UNAVAILABLE if NATS cannot be reached, NOT_FOUND if
    /// nothing of the space was ever published there.
    pub async fn connect(server: &Server, province_code: &str, space: SpaceId, generation: Option<u32>) -> Result<Self> {
        let client = server.connect("fenghuo board").await?;
        let context = ContextBuilder::new().timeout(ANSWER_WITHIN).build(client.clone());
        let mut names = Names { province_code: province_code.to_owned(), space, generation: generation.unwrap_or(1) };
        if generation.is_none() {
            names.generation = newest(&context, &names).await?.ok_or_else(|| not_there(&names))?;
        }
        let stream = context.get_stream(names.stream()).await.map_err(|error| {
            if let async_nats::jetstream::context::GetStreamErrorKind::JetStream(_) = error.kind() {
                return not_there(&names);
            }
            unanswered(error)
        })?;
        Ok(Self { _client: client, context, stream, names, messages: None })
    }

    /// Name of the stream.
    pub fn stream(&self) -> String {
        self.names.stream()
    }

    /// The last event of the stream.
    pub async fn last(&self) -> Result<u64> {
        Ok(self.stream.get_info().await.map_err(unanswered)?.state.last_sequence)
    }

    /// Is there a newer generation of the stream?
    pub async fn renewed(&self) -> Result<bool> {
        Ok(newest(&self.context, &self.names).await?.is_some_and(|newest| newest > self.names.generation))
    }

    /// The event of the stream with this number, if it is there.
    pub async fn event(&self, seq: u64) -> Result<Option<CloudEvent>> {
        use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
        match self.stream.get_raw_message(seq).await {
            Ok(message) => {
                CloudEvent::from_message(Some(&message.headers), &message.payload).map(Some).map_err(|error| not_ours(seq, &error))
            }
            Err(error) if error.kind() == NoMessageFound => Ok(None),
            Err(error) => Err(unanswered(error)),
        }
    }

    /// The next event after a number; `None` if there was none for some seconds. After an error the next call begins anew. The caller
    /// holds the number against its own: that no event is left out is for [`crate::Board`] to check.
    pub async fn next(&mut self, after: u64) -> Result<Option<CloudEvent>> {
        let mut messages = match self.messages.take() {
            Some(messages) => messages,
            None => self.consume(after + 1).await?,
        };
        match tokio::time::timeout(SILENCE, messages.next()).await {
            // Silent although there is more: the server has lost the consumer, and the next call makes a new one.
            Err(_) => {
                self.messages = (self.last().await? <= after).then_some(messages);
                Ok(None)
            }
            Ok(Some(Ok(message))) => {
                self.messages = Some(messages);
                CloudEvent::from_message(message.headers.as_ref(), &message.payload).map(Some).map_err(|error| not_ours(after + 1, &error))
            }
            Ok(Some(Err(error))) => Err(unanswered(error)),
            Ok(None) => Ok(None),
        }
    }

    /// A new consumer that begins with this number.
    async fn consume(&self, start_sequence: u64) -> Result<Ordered> {
        let config = OrderedConfig { deliver_policy: DeliverPolicy::ByStartSequence { start_sequence }, ..OrderedConfig::default() };
        let consumer = self.stream.create_consumer(config).await.map_err(unanswered)?;
        consumer.messages().await.map_err(unanswered)
    }
}

async fn newest(context: &Context, names: &Names) -> Result<Option<u32>> {
    let (mut found, prefix) = (context.stream_names(), names.stream_prefix());
    let mut newest = None;
    while let Some(name) = found.next().await {
        let name = name.map_err(unanswered)?;
        newest = newest.max(name.strip_prefix(&prefix).and_then(|generation| generation.parse().ok()));
    }
    Ok(newest)
}

fn not_there(names: &Names) -> Error {
    let text = format!("there is no stream {}; has the province published this space to this server?", names.stream());
    Error::new(fenghuo_durable::Code::NotFound, "STREAM_NOT_FOUND", text)
}

fn not_ours(seq: u64, error: &crate::cloud_event::NotOurs) -> Error {
    Error::precondition("EVENT_UNREADABLE", format!("message {seq} {error}"))
}

fn unanswered(error: impl std::fmt::Display) -> Error {
    Error::unavailable("NATS_UNREACHABLE", format!("NATS does not answer: {error}"))
}
