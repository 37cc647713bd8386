//! Gives up a request whose body trickles.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use fenghuo_durable::Error;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Patience;
use crate::status::to_status;

/// A request's body that must come piece by piece in time, and as a whole.
pub(crate) struct InTime {
    inner: Incoming,
    patience: Patience,
    /// When the whole must be there.
    end: Instant,
    /// Until when to wait; made at the first wait, because most bodies are there at once.
    wait: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl InTime {
    /// This body, from now on.
    pub(crate) fn new(inner: Incoming, patience: Patience) -> Self {
        Self { inner, patience, end: Instant::now() + patience.body, wait: None, waiting: false }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let until = self.end.min(Instant::now() + self.patience.next_piece);
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if !self.waiting {
            self.waiting = true;
            wait.as_mut().reset(until);
        }
        wait.as_mut().poll(cx).is_ready()
    }
}

impl HttpBody for InTime {
    type Data = Bytes;
    type Error = tonic::codegen::StdError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.waiting = false;
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending if this.is_over(cx) => {
                let text = "the request did not arrive in time; send it again over a better line";
                Poll::Ready(Some(Err(Box::new(to_status(Error::unavailable("REQUEST_TOO_SLOW", text))))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
