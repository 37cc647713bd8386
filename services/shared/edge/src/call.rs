//! What surrounds every call: a span and a duration, a line in the log, and an end to its stream when the node stops.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use fenghuo_durable::Error;
use fenghuo_durable::trace::FutureExt as _;
use http::HeaderMap;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::CancellationToken;

use crate::ending::Ending;
use crate::partner_listener::PartnerPeer;
use crate::status::code_name;
use crate::telemetry::ServerCall;

/// Runs a call, writes one line about it when it has ended (method, code, time; never its content or metadata), and ends a stream
/// that waits for its next message when `stop` falls.
pub(crate) async fn accompany(request: Request, next: Next, stop: CancellationToken) -> Response {
    let peer = request.extensions().get::<PartnerPeer>().map(|peer| peer.province_code.clone());
    let call = ServerCall::begin(&request, peer.as_deref());
    let context = call.context().clone();
    let mut line = Line { method: request.uri().path().to_owned(), peer, started: Instant::now(), written: false, call };
    let response = next.run(request).with_context(context).await;
    if let Some(code) = code_in(response.headers()) {
        // An error before any message: the answer has no body to wait for.
        line.write(code);
        return response;
    }
    let stopped = Box::pin(async move {
        stop.cancelled().await;
        Error::unavailable("NODE_STOPPING", "this node is stopping; call again soon")
    });
    response.map(|inner| Body::new(Answer { inner: Ending::new(inner, stopped), line }))
}

/// The line of one call.
struct Line {
    method: String,
    peer: Option<String>,
    started: Instant,
    written: bool,
    call: ServerCall,
}

impl Line {
    fn write(&mut self, code: tonic::Code) {
        self.written = true;
        self.call.end(code);
        let _in_trace = self.call.context().clone().attach();
        let (method, code_text) = (self.method.as_str(), code_name(code));
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let peer = self.peer.as_deref().unwrap_or("-");
        match code {
            tonic::Code::Internal | tonic::Code::Unknown | tonic::Code::DataLoss => {
                tracing::warn!(target: "fenghuo::call", method, code = code_text, elapsed_ms, peer, "call");
            }
            _ if method.starts_with("/grpc.") => {
                tracing::debug!(target: "fenghuo::call", method, code = code_text, elapsed_ms, peer, "call");
            }
            _ => tracing::info!(target: "fenghuo::call", method, code = code_text, elapsed_ms, peer, "call"),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.written {
            // The caller went away, or a stream was given up by its reader.
            self.write(tonic::Code::Cancelled);
        }
    }
}

fn code_in(headers: &HeaderMap) -> Option<tonic::Code> {
    headers.get("grpc-status").map(|value| tonic::Code::from_bytes(value.as_bytes()))
}

struct Answer {
    inner: Ending,
    line: Line,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(code) = frame.trailers_ref().and_then(code_in)
        {
            this.line.write(code);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
