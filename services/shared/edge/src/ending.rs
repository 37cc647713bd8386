//! Ending a stream from outside: when the node stops, or when the caller's session does.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use fenghuo_durable::Error;
use futures::future::BoxFuture;
use http::HeaderMap;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::status::to_status;

/// A body that goes on until its own end, or, while it waits for its next message, until an error comes from outside. A single answer
/// is complete as soon as it begins, so only streams are ended so.
pub(crate) struct Ending {
    inner: Body,
    until: BoxFuture<'static, Error>,
    over: bool,
}

impl Ending {
    /// This body until that error.
    pub(crate) fn new(inner: Body, until: BoxFuture<'static, Error>) -> Self {
        Self { inner, until, over: false }
    }
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        if polled.is_pending()
            && let Poll::Ready(error) = this.until.as_mut().poll(cx)
        {
            this.over = true;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers(error)))));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // It may end sooner: what the inner body says is no promise.
        SizeHint::default()
    }
}

fn trailers(error: Error) -> HeaderMap {
    let status = to_status(error);
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", http::HeaderValue::from(status.code() as i32));
    }
    trailers
}
