//! `PartnerService`, for partners whose certificate the edge has proved.

use std::sync::Arc;
use std::time::Instant;

use fenghuo_api::partner::v1::partner_service_server::PartnerService;
use fenghuo_api::partner::v1::*;
use fenghuo_durable::{Code, Error, Result, Space, SpaceId};
use fenghuo_edge::{peer, to_status};
use tonic::{Request, Response, Status};

use super::Mailbox;
use crate::core::{serve, shown};
use crate::envelope::{open, open_receipt};
use crate::links::LinkState;

#[tonic::async_trait]
impl PartnerService for Mailbox {
    async fn open_stream(&self, request: Request<OpenStreamRequest>) -> Result<Response<OpenStreamResponse>, Status> {
        let partner = peer(&request).map_err(to_status)?.province_code;
        answer(self.open_stream_of(&partner, request.into_inner()).await)
    }

    async fn deliver_envelopes(&self, request: Request<DeliverEnvelopesRequest>) -> Result<Response<DeliverEnvelopesResponse>, Status> {
        let partner = peer(&request).map_err(to_status)?.province_code;
        answer(self.deliver_of(&partner, request.into_inner()).await)
    }

    async fn fetch_envelopes(&self, request: Request<FetchEnvelopesRequest>) -> Result<Response<FetchEnvelopesResponse>, Status> {
        let partner = peer(&request).map_err(to_status)?.province_code;
        answer(self.fetch_of(&partner, request.into_inner()).await)
    }

    async fn return_receipts(&self, request: Request<ReturnReceiptsRequest>) -> Result<Response<ReturnReceiptsResponse>, Status> {
        let partner = peer(&request).map_err(to_status)?.province_code;
        answer(self.return_of(&partner, request.into_inner()).await)
    }

    async fn fetch_own_envelopes(&self, request: Request<FetchOwnEnvelopesRequest>) -> Result<Response<FetchOwnEnvelopesResponse>, Status> {
        let partner = peer(&request).map_err(to_status)?.province_code;
        answer(self.give_back_to(&partner, request.into_inner()).await)
    }
}

fn answer<T>(outcome: Result<T>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(to_status)
}

impl Mailbox {
    /// The space that a partner names: open here, or nothing of it is stored.
    fn space_of(&self, text: &str) -> Result<Arc<Space>> {
        let id: SpaceId = text.parse().map_err(|_| {
            Error::invalid("space", format!("{} names no space: it must be \"real\" or \"exercises/{{uuid}}\"", shown(text)))
        })?;
        self.parts.spaces.get(id).map_err(|_| {
            Error::precondition("EXERCISE_NOT_ACCEPTED", format!("no liaison of this province has accepted {id}; keep it and try again"))
                .with("space", id.to_string())
        })
    }

    /// What a call did shows in the state of the link.
    async fn noted<T>(&self, space: &Arc<Space>, partner: &str, outcome: Result<T>) -> Result<T> {
        match &outcome {
            Ok(_) => self.parts.links.contact(space.id(), partner),
            Err(error) if error.reason == "STREAM_DIVERGED" => {
                self.set_link(space, partner, LinkState::Diverged, &error.message).await;
            }
            // Our own store failed: the partner is not silent.
            Err(error) if matches!(error.code, Code::Unavailable | Code::Internal) => self.parts.links.heard(space.id(), partner),
            Err(_) => {}
        }
        outcome
    }

    async fn open_stream_of(&self, partner: &str, request: OpenStreamRequest) -> Result<OpenStreamResponse> {
        if request.sender != partner {
            let text = format!("the call says that it comes from province {}, and its certificate says {partner}", shown(&request.sender));
            return Err(Error::new(Code::PermissionDenied, "SENDER_NOT_CALLER", text));
        }
        let space = self.space_of(&request.space)?;
        let claim = request.sent.clone().map(|sent| (request.epoch, sent.position, sent.digest)).unwrap_or_default();
        let outcome = serve::open_stream(&self.post(&space), partner, request).await;
        if outcome.is_ok() {
            self.parts.links.called(space.id(), partner);
        }
        let diverged = matches!(&outcome, Err(error) if error.reason == "STREAM_DIVERGED");
        if diverged && !self.parts.links.claimed_again(space.id(), partner, claim, Instant::now()) {
            // It may have lain on a line that was cut, and come after newer ones. A sender that was restored says it again.
            return outcome;
        }
        self.noted(&space, partner, outcome).await
    }

    async fn deliver_of(&self, partner: &str, request: DeliverEnvelopesRequest) -> Result<DeliverEnvelopesResponse> {
        // The first names the stream of them all.
        let first = request.envelopes.first().cloned().ok_or_else(|| Error::invalid("envelopes", "must not be empty"))?;
        let space = self.space_of(&open(first)?.stream.space)?;
        let outcome = serve::deliver_envelopes(&self.post(&space), partner, request).await;
        self.noted(&space, partner, outcome).await
    }

    async fn fetch_of(&self, partner: &str, request: FetchEnvelopesRequest) -> Result<FetchEnvelopesResponse> {
        let space = self.space_of(&request.space)?;
        let outcome = serve::fetch_envelopes(&self.post(&space), partner, request).await;
        self.noted(&space, partner, outcome).await
    }

    async fn give_back_to(&self, partner: &str, request: FetchOwnEnvelopesRequest) -> Result<FetchOwnEnvelopesResponse> {
        let space = self.space_of(&request.space)?;
        let outcome = serve::fetch_own_envelopes(&self.post(&space), partner, request).await;
        self.noted(&space, partner, outcome).await
    }

    async fn return_of(&self, partner: &str, request: ReturnReceiptsRequest) -> Result<ReturnReceiptsResponse> {
        let first = request.receipts.first().ok_or_else(|| Error::invalid("receipts", "must not be empty"))?;
        let space = self.space_of(&open_receipt(first)?.1.space)?;
        let outcome = serve::return_receipts(&self.post(&space), partner, request).await;
        self.noted(&space, partner, outcome).await
    }
}
