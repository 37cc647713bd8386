//! The line to a partner as a future that waits for the scheduler's answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use fenghuo_api::partner::v1::*;
use fenghuo_durable::SpaceId;
use fenghuo_mailbox::core::{Failure, Line};

use crate::shared::{Begun, Hub};

#[derive(Debug, Clone)]
pub enum Request {
    Open(OpenStreamRequest),
    Deliver(DeliverEnvelopesRequest),
    Fetch(FetchEnvelopesRequest),
    Return(ReturnReceiptsRequest),
    FetchOwn(FetchOwnEnvelopesRequest),
}

#[derive(Debug, Clone)]
pub enum Response {
    Open(OpenStreamResponse),
    Deliver(DeliverEnvelopesResponse),
    Fetch(FetchEnvelopesResponse),
    Return(ReturnReceiptsResponse),
    FetchOwn(FetchOwnEnvelopesResponse),
}

pub type Answer = Result<Response, Failure>;

impl Request {
    pub fn text(&self) -> String {
        match self {
            Self::Open(request) => {
                let at = |place: &Option<StreamPosition>| place.as_ref().map_or(0, |place| place.position);
                format!("open sent {}.{} stored {}.{}", request.epoch, at(&request.sent), request.stored_epoch, at(&request.stored))
            }
            Self::Deliver(request) => format!("deliver {}", request.envelopes.len()),
            Self::Fetch(request) => format!("fetch after {}.{}", request.epoch, request.after_position),
            Self::Return(request) => format!("return {}", request.receipts.len()),
            Self::FetchOwn(request) => format!("fetch own after {}.{}", request.epoch, request.after_position),
        }
    }
}

pub fn answer_text(answer: &Answer) -> String {
    match answer {
        Ok(Response::Open(open)) => {
            let at = |place: &Option<StreamPosition>| place.as_ref().map_or(0, |place| place.position);
            format!("stored {} sent {}.{}", at(&open.stored), open.epoch, at(&open.sent))
        }
        Ok(Response::Deliver(deliver)) => format!("{} receipts", deliver.receipts.len()),
        Ok(Response::Fetch(fetch)) => format!("{} envelopes, next epoch {}", fetch.envelopes.len(), fetch.next_epoch),
        Ok(Response::Return(back)) => format!("receipted {}", back.receipted_position),
        Ok(Response::FetchOwn(own)) => format!("{} own, last epoch {}", own.envelopes.len(), own.last_epoch),
        Err(failure) => format!("{failure:?}"),
    }
}

/// The line from one node to another in one space.
pub struct SimLine {
    pub hub: Hub,
    pub from: usize,
    pub to: usize,
    pub space: SpaceId,
}

struct Call {
    hub: Hub,
    begun: Option<Begun>,
    call: u64,
}

impl Future for Call {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        let hub = self.hub.clone();
        let mut shared = hub.lock();
        if let Some(mut begun) = self.begun.take() {
            shared.next_call += 1;
            begun.call = shared.next_call;
            self.call = begun.call;
            shared.begun.push(begun);
            return Poll::Pending;
        }
        shared.answers.remove(&self.call).map_or(Poll::Pending, Poll::Ready)
    }
}

impl SimLine {
    fn call(&self, request: Request) -> Call {
        let begun = Begun { call: 0, from: self.from, to: self.to, space: self.space, request };
        Call { hub: self.hub.clone(), begun: Some(begun), call: 0 }
    }
}

fn wrong<T>() -> Result<T, Failure> {
    Err(Failure::Other("an answer to another call".to_owned()))
}

impl Line for SimLine {
    fn reset(&mut self) {}

    async fn open_stream(&mut self, request: OpenStreamRequest) -> Result<OpenStreamResponse, Failure> {
        match self.call(Request::Open(request)).await? {
            Response::Open(answer) => Ok(answer),
            _ => wrong(),
        }
    }

    async fn deliver_envelopes(&mut self, request: DeliverEnvelopesRequest) -> Result<DeliverEnvelopesResponse, Failure> {
        match self.call(Request::Deliver(request)).await? {
            Response::Deliver(answer) => Ok(answer),
            _ => wrong(),
        }
    }

    async fn fetch_envelopes(&mut self, request: FetchEnvelopesRequest) -> Result<FetchEnvelopesResponse, Failure> {
        match self.call(Request::Fetch(request)).await? {
            Response::Fetch(answer) => Ok(answer),
            _ => wrong(),
        }
    }

    async fn return_receipts(&mut self, request: ReturnReceiptsRequest) -> Result<ReturnReceiptsResponse, Failure> {
        match self.call(Request::Return(request)).await? {
            Response::Return(answer) => Ok(answer),
            _ => wrong(),
        }
    }

    async fn fetch_own_envelopes(&mut self, request: FetchOwnEnvelopesRequest) -> Result<FetchOwnEnvelopesResponse, Failure> {
        match self.call(Request::FetchOwn(request)).await? {
            Response::FetchOwn(answer) => Ok(answer),
            _ => wrong(),
        }
    }
}
