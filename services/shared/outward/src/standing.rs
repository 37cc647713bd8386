//! Where a stream stands in our log. The stream is asked, nothing is remembered: it is the only one who knows what it has on disk.
//!
//! | the stream | we |
//! |---|---|
//! | is not there, or is empty | make it, begin with event 1 |
//! | ends with event n, and ours of that number has the same chain hash | go on with n + 1 |
//! | has dropped everything up to n (its limits) | go on with n + 1 |
//! | ends with an event that we do not have, or another than ours | publish nothing: our database was restored from an older backup, or another node publishes there |
//!
//! The last row is for a person: find out which of the two it is, then raise `nats_generation`. A new stream begins; the old one stays as
//! it is, and readers go over to the new one.

use async_nats::jetstream::context::Context;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, StorageType, Stream};
use fenghuo_durable::{Db, Event};

use crate::cloud_event::CloudEvent;
use crate::exporter::StreamLimits;
use crate::log;
use crate::names::Names;
use crate::publish::Fault;

/// Asks the stream for its end, makes it if it is not there, and holds the end against our log; the last event that it has.
pub(crate) async fn standing(context: &Context, db: &Db, names: &Names, limits: &StreamLimits) -> Result<u64, Fault> {
    let stream = context.get_or_create_stream(config(names, limits)).await.map_err(Fault::nats)?;
    let state = &stream.cached_info().state;
    let (first, last) = (state.first_sequence, state.last_sequence);
    if last == 0 {
        return Ok(0);
    }
    let theirs = if first > last { None } else { last_event(&stream, last).await? };
    // Ours is read after theirs: what the stream has, the log had before.
    let ours = log::after(db, last - 1, 1).await?.into_iter().next().map(|(event, _)| event);
    compare(&names.stream(), last, theirs, ours.as_ref())?;
    Ok(last)
}

fn config(names: &Names, limits: &StreamLimits) -> Config {
    Config {
        name: names.stream(),
        description: Some(format!("Event log of {}, as CloudEvents; message n is event n", names.source())),
        subjects: vec![names.subjects()],
        storage: StorageType::File,
        max_bytes: limits.max_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        duplicate_window: limits.duplicate_window,
        num_replicas: 1,
        allow_direct: true,
        // Message n is event n: nobody takes one out by accident.
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    }
}

/// The last message; `None` if the limits have dropped it.
async fn last_event(stream: &Stream, last: u64) -> Result<Option<Result<CloudEvent, String>>, Fault> {
    match stream.get_raw_message(last).await {
        Ok(message) => Ok(Some(CloudEvent::from_message(Some(&message.headers), &message.payload).map_err(|error| error.to_string()))),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(Fault::nats(error)),
    }
}

fn compare(stream: &str, last: u64, theirs: Option<Result<CloudEvent, String>>, ours: Option<&Event>) -> Result<(), Fault> {
    let what = match (theirs, ours) {
        (_, None) => format!("it ends with {last}, and our log does not go so far"),
        (None, Some(_)) => return Ok(()),
        (Some(Err(error)), _) => format!("its message {last} {error}"),
        (Some(Ok(theirs)), Some(ours)) => {
            let same = (theirs.event.seq, &theirs.event.event_id, &theirs.event.chain_hash) == (last, &ours.event_id, &ours.chain_hash);
            if same {
                return Ok(());
            }
            format!("its event {last} is {}, ours is {}", theirs.event.event_id, ours.event_id)
        }
    };
    Err(Fault::Diverged(format!(
        "stream {stream}: {what}. Nothing is published. Either this database was restored from an older backup, or another node of this province publishes there; when you know that it is the first, raise nats_generation by one and start again"
    )))
}
