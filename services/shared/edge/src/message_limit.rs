//! Refuses a message that is too long when its length prefix arrives, before any of it is kept.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use fenghuo_durable::{Code, Error};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::status::to_status;

/// The body of a gRPC call whose messages are watched.
struct Watched {
    inner: Body,
    limit: usize,
    /// The five bytes before each message: a flag and the length, big-endian.
    prefix: [u8; 5],
    prefix_len: usize,
    /// Bytes of the message that are still to come.
    left: usize,
}

/// Watches the messages of a request.
pub(crate) fn limit_messages(request: Request, limit: usize) -> Request {
    request.map(|inner| Body::new(Watched { inner, limit, prefix: [0; 5], prefix_len: 0, left: 0 }))
}

impl Watched {
    fn check(&mut self, mut data: &[u8]) -> Result<(), Box<tonic::Status>> {
        while !data.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(data.len());
                self.left -= taken;
                data = &data[taken..];
                continue;
            }
            self.prefix[self.prefix_len] = data[0];
            self.prefix_len += 1;
            data = &data[1..];
            if self.prefix_len == self.prefix.len() {
                self.prefix_len = 0;
                let [_, a, b, c, d] = self.prefix;
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                if self.left > self.limit {
                    return Err(Box::new(to_status(too_long(self.left, self.limit))));
                }
            }
        }
        Ok(())
    }
}

fn too_long(length: usize, limit: usize) -> Error {
    Error::new(Code::ResourceExhausted, "MESSAGE_TOO_LONG", format!("the message is {length} bytes long; at most {limit} are taken"))
        .with("length", length.to_string())
        .with("limit", limit.to_string())
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = tonic::codegen::StdError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        if let Some(Err(status)) = frame.data_ref().map(|data| this.check(data)) {
            return Poll::Ready(Some(Err(status)));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
