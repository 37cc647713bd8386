//! How many calls a person or a partner makes in a second, and how many streams are open.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use fenghuo_durable::{Code, Error, Result};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use prost::Message;

use crate::auth::Caller;
use crate::held::Held;
use crate::partner_listener::PartnerPeer;
use crate::status::to_status;
use crate::telemetry::Via;

/// Streams of a listener, over all callers: each costs a task and a place in a subscriber's queue.
const STREAMS: u32 = 8192;
/// When to come back for a stream: as one ends, and nobody knows when that is.
const STREAM_RETRY: Duration = Duration::from_secs(5);

/// The calls and streams of one listener.
pub(crate) struct CallLimits {
    rate: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
    streams: Arc<Streams>,
}

struct Streams {
    each: u32,
    open: Mutex<HashMap<String, u32>>,
}

/// An open stream; ends its count when dropped.
pub(crate) struct OpenStream {
    of: Arc<Streams>,
    who: String,
}

impl CallLimits {
    /// So many calls a second lastingly, twice as many at once; so many streams.
    pub(crate) fn new(calls_per_second: u32, streams_each: u32) -> Arc<Self> {
        let calls = NonZeroU32::new(calls_per_second).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(calls).allow_burst(calls.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Arc::new(Self { rate: RateLimiter::hashmap(quota), streams: Arc::new(Streams { each: streams_each, open: Mutex::default() }) })
    }

    fn admit(&self, who: &Who, path: &str) -> Result<Option<OpenStream>> {
        // Only names that were proved: strangers could fill the memory with names.
        if let Who::Known(name) = who {
            self.rate.check_key(name).map_err(|until| too_many_calls(until.wait_time_from(DefaultClock::default().now())))?;
        }
        if !STREAMING.contains(path) {
            return Ok(None);
        }
        let (Who::Known(name) | Who::Stranger(name)) = who;
        self.streams.open(name).map(Some)
    }
}

impl Streams {
    fn open(self: &Arc<Self>, who: &str) -> Result<OpenStream> {
        let mut open = self.open.lock();
        let (own, all) = (open.get(who).copied().unwrap_or_default(), open.values().sum::<u32>());
        if own >= self.each || all >= STREAMS {
            let text = format!("too many streams are open ({own} of yours, {all} in all); close one, or try again later");
            return Err(later("TOO_MANY_STREAMS", text, STREAM_RETRY));
        }
        open.insert(who.to_owned(), own + 1);
        Ok(OpenStream { of: self.clone(), who: who.to_owned() })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.of.open.lock();
        if let Some(own) = open.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.who);
            }
        }
    }
}

fn too_many_calls(wait: Duration) -> Error {
    later("TOO_MANY_CALLS", "too many calls in a short time; slow down and repeat this one with the same request_id".to_owned(), wait)
}

fn later(reason: &'static str, text: String, wait: Duration) -> Error {
    // Rounded up: a caller that comes back on time must be on time.
    let ms = wait.as_nanos().div_ceil(1_000_000);
    Error::new(Code::ResourceExhausted, reason, text).with("retryAfterMs", ms.to_string())
}

/// Whose calls are counted together.
enum Who {
    Known(String),
    Stranger(String),
}

fn who(request: &Request) -> Who {
    let extensions = request.extensions();
    if let Some(caller) = extensions.get::<Caller>() {
        return Who::Known(caller.identity.clone());
    }
    if let Some(peer) = extensions.get::<PartnerPeer>() {
        return Who::Known(peer.province_code.clone());
    }
    Who::Stranger(extensions.get::<Via>().map_or_else(String::new, |via| via.there.ip().to_string()))
}

/// The layer behind the one that knows the caller.
pub(crate) async fn within_limits(State(limits): State<Arc<CallLimits>>, request: Request, next: Next) -> Response {
    match limits.admit(&who(&request), request.uri().path()) {
        Err(error) => to_status(error).into_http(),
        Ok(None) => next.run(request).await,
        Ok(Some(open)) => next.run(request).await.map(|inner| Body::new(Held::new(inner, open))),
    }
}

/// Paths of the methods that answer with a stream.
static STREAMING: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let of_every_node = ["/grpc.health.v1.Health/Watch", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"];
    let mut paths: HashSet<String> = of_every_node.map(str::to_owned).into();
    let contracts = prost_types::FileDescriptorSet::decode(fenghuo_api::FILE_DESCRIPTOR_SET).unwrap_or_default();
    for file in &contracts.file {
        for service in &file.service {
            let streaming = service.method.iter().filter(|method| method.server_streaming());
            paths.extend(streaming.map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())));
        }
    }
    paths
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watching_methods_are_the_streams() {
        let mut watching: Vec<&str> = STREAMING.iter().map(String::as_str).filter(|path| path.starts_with("/fenghuo.")).collect();
        watching.sort_unstable();
        assert!(watching.len() >= 4 && watching.iter().all(|path| path.contains("/Watch")), "{watching:?}");
    }

    #[test]
    fn calls_and_streams_are_counted_by_name() {
        let limits = CallLimits::new(2, 1);
        let (one, other) = (Who::Known("1".into()), Who::Known("2".into()));
        for _ in 0..4 {
            limits.admit(&one, "/x").unwrap();
        }
        let refused = limits.admit(&one, "/x").err().unwrap();
        assert_eq!((refused.code, refused.reason), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
        let open = limits.admit(&other, "/grpc.health.v1.Health/Watch").unwrap().unwrap();
        let refused = limits.admit(&other, "/grpc.health.v1.Health/Watch").err().unwrap();
        assert_eq!(refused.reason, "TOO_MANY_STREAMS");
        drop(open);
        assert!(limits.streams.open.lock().is_empty());
        assert!(limits.admit(&Who::Stranger("10.0.0.1".into()), "/grpc.health.v1.Health/Watch").unwrap().is_some());
    }
}
