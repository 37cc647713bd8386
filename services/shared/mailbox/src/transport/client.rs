//! The line to a partner over gRPC.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_api::partner::v1::partner_service_client::PartnerServiceClient;
use fenghuo_api::partner::v1::*;
use fenghuo_api::time::from_proto;
use fenghuo_durable::trace::FutureExt as _;
use fenghuo_durable::{Space, wall};
use fenghuo_edge::{MAX_PARTNER_MESSAGE_BYTES, PartnerChannel, RemoteError, from_status, partner_channel};
use jiff::SignedDuration;
use tonic::{Response, Status};

use super::{Mailbox, PartnerRoute};
use crate::core::{Failure, Line};
use crate::telemetry::Sending;

/// A handshake that takes longer has failed: the desk sees a cut within seconds.
const HANDSHAKE: Duration = Duration::from_secs(5);

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        if error.reason == "STREAM_DIVERGED" { Self::Diverged(error.message) } else { Self::Other(error.to_string()) }
    }
}

/// A delivery that takes longer has failed, and is repeated: the receiver takes no more than it can store in two seconds.
const DELIVERY: Duration = Duration::from_secs(15);

/// The way to one partner in one space.
pub(crate) struct GrpcLine {
    mailbox: Mailbox,
    space: Arc<Space>,
    route: PartnerRoute,
    calls: Option<PartnerServiceClient<PartnerChannel>>,
}

impl GrpcLine {
    pub(crate) fn new(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute) -> Self {
        Self { mailbox, space, route, calls: None }
    }

    fn calls(&mut self) -> Result<&mut PartnerServiceClient<PartnerChannel>, Failure> {
        let calls = match self.calls.take() {
            Some(calls) => calls,
            None => {
                let parts = &self.mailbox.parts;
                let channel = partner_channel(parts.keys.clone(), parts.trust.clone(), &self.route.province_code, &self.route.endpoint)?;
                PartnerServiceClient::new(channel).max_decoding_message_size(2 * MAX_PARTNER_MESSAGE_BYTES)
            }
        };
        Ok(self.calls.insert(calls))
    }
}

fn told<T>(answer: Result<Response<T>, Status>) -> Result<T, Failure> {
    answer.map(Response::into_inner).map_err(|status| from_status(&status).into())
}

impl Line for GrpcLine {
    fn reset(&mut self) {
        self.calls = None;
    }

    async fn open_stream(&mut self, request: OpenStreamRequest) -> Result<OpenStreamResponse, Failure> {
        let asked = Instant::now();
        let answer = tokio::time::timeout(HANDSHAKE, self.calls()?.open_stream(request))
            .await
            .map_err(|_| Failure::Other(format!("no answer within {} s", HANDSHAKE.as_secs())))?;
        let answer = told(answer)?;
        // The way there and back by the monotonic clock: somebody may set the other in between.
        let back = SignedDuration::try_from(asked.elapsed() / 2).unwrap_or_default();
        if let Some(theirs) = answer.wall_time.as_ref().and_then(from_proto) {
            let now = wall::now();
            let halfway = now.checked_sub(back).unwrap_or(now);
            self.mailbox.parts.links.clock(self.space.id(), &self.route.province_code, theirs.duration_since(halfway));
        }
        Ok(answer)
    }

    async fn deliver_envelopes(&mut self, request: DeliverEnvelopesRequest) -> Result<DeliverEnvelopesResponse, Failure> {
        let sending = Sending::begin(&self.route.province_code, &request.envelopes);
        let delivered = self.calls()?.deliver_envelopes(request).with_context(sending.context());
        let answer = tokio::time::timeout(DELIVERY, delivered)
            .await
            .map_err(|_| Failure::Other(format!("no receipt within {} s", DELIVERY.as_secs())))?;
        told(answer.inspect_err(|status| sending.failed(status.message())))
    }

    async fn fetch_envelopes(&mut self, request: FetchEnvelopesRequest) -> Result<FetchEnvelopesResponse, Failure> {
        told(self.calls()?.fetch_envelopes(request).await)
    }

    async fn return_receipts(&mut self, request: ReturnReceiptsRequest) -> Result<ReturnReceiptsResponse, Failure> {
        told(self.calls()?.return_receipts(request).await)
    }

    async fn fetch_own_envelopes(&mut self, request: FetchOwnEnvelopesRequest) -> Result<FetchOwnEnvelopesResponse, Failure> {
        told(self.calls()?.fetch_own_envelopes(request).await)
    }
}
