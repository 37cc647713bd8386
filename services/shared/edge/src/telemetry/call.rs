//! Spans and durations of calls, in and out, by the semantic conventions for gRPC.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use fenghuo_durable::measure::{Histogram, KeyValue, seconds};
use fenghuo_durable::trace::{self, Context, Span, SpanKind};
use http::{HeaderMap, HeaderValue};
use prost::Message as _;

use crate::status::code_name;

/// The header that carries the context of a trace.
pub(crate) const TRACEPARENT: &str = "traceparent";

static SERVER_DURATION: LazyLock<Histogram<f64>> =
    LazyLock::new(|| seconds("rpc.server.call.duration", "Time from the start of a call to the end of its answer"));
static CLIENT_DURATION: LazyLock<Histogram<f64>> =
    LazyLock::new(|| seconds("rpc.client.call.duration", "Time from the start of a call to the end of its answer"));

/// Every method of the contracts, and what every node serves beside them. The path of a call is the caller's text, and no attribute may
/// take as many values as a caller likes.
static METHODS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut methods: BTreeSet<String> = ["grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch"].map(str::to_owned).into();
    methods.insert("grpc.reflection.v1.ServerReflection/ServerReflectionInfo".to_owned());
    let contracts = prost_types::FileDescriptorSet::decode(fenghuo_api::FILE_DESCRIPTOR_SET).unwrap_or_default();
    for file in &contracts.file {
        for service in &file.service {
            methods.extend(service.method.iter().map(|method| format!("{}.{}/{}", file.package(), service.name(), method.name())));
        }
    }
    methods
});

fn method_of(path: &str) -> &'static str {
    METHODS.get(path.trim_start_matches('/')).map_or("_OTHER", String::as_str)
}

/// Between which addresses a connection runs, as its listener saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Via {
    pub(crate) here: SocketAddr,
    pub(crate) there: SocketAddr,
}

/// A call that came in. Its span and its duration end with [`ServerCall::end`].
#[derive(Debug)]
pub(crate) struct ServerCall {
    span: Span,
    method: &'static str,
    started: Instant,
}

impl ServerCall {
    /// The call begins; `partner` is the province that makes it, on the partner listener. A person's call begins a trace unless it brings
    /// one; what machines ask every few seconds does not.
    pub(crate) fn begin(request: &axum::extract::Request, partner: Option<&str>) -> Self {
        let method = method_of(request.uri().path());
        let parent = parent_of(request.headers());
        let attributes = || {
            let mut all = vec![KeyValue::new("rpc.system.name", "grpc"), KeyValue::new("rpc.method", method)];
            if method == "_OTHER" {
                all.push(KeyValue::new("rpc.method_original", request.uri().path().chars().take(200).collect::<String>()));
            }
            if let Some(via) = request.extensions().get::<Via>() {
                all.extend(addresses(via));
            }
            all.extend(partner.map(|code| KeyValue::new("fenghuo.partner.code", code.to_owned())));
            all
        };
        let quiet = partner.is_some() || method.starts_with("grpc.") || method == "_OTHER";
        let span = if quiet {
            Span::child(SpanKind::Server, method, &parent, attributes)
        } else {
            Span::child_or_root(SpanKind::Server, method, &parent, attributes)
        };
        Self { span, method, started: Instant::now() }
    }

    /// For the work inside it.
    pub(crate) fn context(&self) -> &Context {
        self.span.context()
    }

    /// The answer has ended with this code.
    pub(crate) fn end(&self, code: tonic::Code) {
        use tonic::Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
        // What the caller did wrong is no failure of the server.
        let failed = matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss);
        finish(&self.span, self.method, self.started, code, failed, &SERVER_DURATION);
    }
}

fn addresses(via: &Via) -> [KeyValue; 5] {
    [
        KeyValue::new("server.address", via.here.ip().to_string()),
        KeyValue::new("server.port", i64::from(via.here.port())),
        KeyValue::new("network.peer.address", via.there.ip().to_string()),
        KeyValue::new("network.peer.port", i64::from(via.there.port())),
        KeyValue::new("network.transport", "tcp"),
    ]
}

/// The trace that the caller says it is in; none if it says so twice or badly.
fn parent_of(headers: &HeaderMap) -> Context {
    let mut told = headers.get_all(TRACEPARENT).iter();
    let first = told.next().filter(|_| told.next().is_none());
    first.and_then(|value| value.to_str().ok()).and_then(trace::parse).unwrap_or_default()
}

fn finish(span: &Span, method: &'static str, started: Instant, code: tonic::Code, failed: bool, durations: &Histogram<f64>) {
    let name = code_name(code);
    span.set("rpc.response.status_code", name);
    if failed {
        span.fail(name, "");
    }
    let mut attributes = vec![
        KeyValue::new("rpc.system.name", "grpc"),
        KeyValue::new("rpc.method", method),
        KeyValue::new("rpc.response.status_code", name),
    ];
    if failed {
        attributes.push(KeyValue::new("error.type", name));
    }
    durations.record(started.elapsed().as_secs_f64(), &attributes);
}

/// A call that goes out to a partner, in the trace of whoever makes it. Dropped without an end, it was given up.
#[derive(Debug)]
pub(crate) struct ClientCall {
    span: Span,
    method: &'static str,
    started: Instant,
    ended: bool,
}

impl ClientCall {
    /// The call to this partner begins; its headers are told the context.
    pub(crate) fn begin(uri: &http::Uri, path: &str, headers: &mut HeaderMap) -> Self {
        let method = method_of(path);
        let span = Context::map_current(|parent| {
            Span::child(SpanKind::Client, method, parent, || {
                vec![
                    KeyValue::new("rpc.system.name", "grpc"),
                    KeyValue::new("rpc.method", method),
                    KeyValue::new("server.address", uri.host().unwrap_or_default().to_owned()),
                    KeyValue::new("server.port", i64::from(uri.port_u16().unwrap_or(443))),
                    KeyValue::new("network.transport", "tcp"),
                ]
            })
        });
        if let Ok(value) = HeaderValue::from_str(&trace::traceparent(span.context()))
            && !value.is_empty()
        {
            headers.insert(TRACEPARENT, value);
        }
        Self { span, method, started: Instant::now(), ended: false }
    }

    /// If these headers or trailers carry the code, the call has ended with it.
    pub(crate) fn see(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get("grpc-status") {
            self.end(tonic::Code::from_bytes(code.as_bytes()));
        }
    }

    /// The call has ended with this code.
    pub(crate) fn end(&mut self, code: tonic::Code) {
        if !std::mem::replace(&mut self.ended, true) {
            finish(&self.span, self.method, self.started, code, code != tonic::Code::Ok, &CLIENT_DURATION);
        }
    }
}

impl Drop for ClientCall {
    fn drop(&mut self) {
        self.end(tonic::Code::Cancelled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_that_there_are_name_themselves() {
        assert_eq!(method_of("/fenghuo.incident.v1.IncidentService/SubmitReport"), "fenghuo.incident.v1.IncidentService/SubmitReport");
        assert_eq!(method_of("/fenghuo.partner.v1.PartnerService/DeliverEnvelopes"), "fenghuo.partner.v1.PartnerService/DeliverEnvelopes");
        assert_eq!(method_of("/grpc.health.v1.Health/Check"), "grpc.health.v1.Health/Check");
        assert_eq!(method_of("/whatever/comes"), "_OTHER");
        assert_eq!(method_of(""), "_OTHER");
    }

    #[test]
    fn a_trace_that_is_told_twice_is_none() {
        let told = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let mut headers = HeaderMap::new();
        assert!(!trace::in_trace(&parent_of(&headers)));
        headers.append(TRACEPARENT, told.clone());
        assert!(trace::in_trace(&parent_of(&headers)));
        headers.append(TRACEPARENT, told);
        assert!(!trace::in_trace(&parent_of(&headers)));
    }
}
