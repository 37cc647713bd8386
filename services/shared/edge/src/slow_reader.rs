//! Watches one connection: whether a request ever comes, and whether its answers are read.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

use crate::limits::Patience;

/// An answer goes out in pieces of at most so many bytes, and the next only when the one before found room: so much of it at most lies in
/// the connection's own buffers, where nobody sees that it is not read.
const PIECE: usize = 16 * 1024;
/// In place of a time: nothing is waiting to be read.
const NOTHING: u64 = u64::MAX;

/// What is known of a connection.
pub(crate) struct Watch {
    began: Instant,
    asked: AtomicBool,
    number: AtomicU64,
    /// For each open answer: since when its last piece waits to be read, in milliseconds since the beginning.
    answers: Mutex<HashMap<u64, Arc<AtomicU64>>>,
}

impl Watch {
    /// A new connection.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), asked: AtomicBool::new(false), number: AtomicU64::new(0), answers: Mutex::default() })
    }

    /// A request came.
    pub(crate) fn asked(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Waits until there is a reason to give the connection up, and says it.
    pub(crate) async fn given_up(&self, patience: Patience) -> &'static str {
        let often = patience.head.min(patience.unread) / 4;
        loop {
            tokio::time::sleep(often).await;
            if !self.asked.load(Ordering::Relaxed) && self.began.elapsed() > patience.head {
                return "no request came";
            }
            if self.longest_unread() > patience.unread {
                return "an answer was not read";
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NOTHING)
    }

    fn longest_unread(&self) -> Duration {
        let now = self.now_ms();
        let answers = self.answers.lock();
        let longest = answers.values().map(|since| now.saturating_sub(since.load(Ordering::Relaxed))).max();
        Duration::from_millis(longest.unwrap_or_default())
    }
}

/// An answer that goes out piece by piece under the eyes of its connection's watch.
pub(crate) struct Watched {
    inner: Body,
    rest: Bytes,
    watch: Arc<Watch>,
    number: u64,
    since: Arc<AtomicU64>,
}

impl Watched {
    /// This answer.
    pub(crate) fn new(inner: Body, watch: Arc<Watch>) -> Self {
        let (number, since) = (watch.number.fetch_add(1, Ordering::Relaxed), Arc::new(AtomicU64::new(NOTHING)));
        watch.answers.lock().insert(number, since.clone());
        Self { inner, rest: Bytes::new(), watch, number, since }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return other,
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.answers.lock().remove(&self.number);
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = this.next(cx);
        // Whoever asks for the next piece has found room for the last.
        let since = if matches!(polled, Poll::Ready(Some(_))) { this.watch.now_ms() } else { NOTHING };
        this.since.store(since, Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (SizeHint::new(), self.rest.len() as u64);
        let inner = self.inner.size_hint();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
