//! One exchange with a partner: handshake, push, pull. It fails as a whole; the worker repeats it.

use std::sync::Arc;
use std::time::Duration;

use fenghuo_api::partner::v1::partner_service_client::PartnerServiceClient;
use fenghuo_api::partner::v1::*;
use fenghuo_api::time::from_proto;
use fenghuo_durable::trace::FutureExt as _;
use fenghuo_durable::{Error, Space, Tx, wall};
use fenghuo_edge::{MAX_PARTNER_MESSAGE_BYTES, PartnerChannel, RemoteError, from_status, partner_channel};

use super::server::{head_in, head_out};
use super::{Mailbox, PartnerRoute};
use crate::machine::{Digest, Head, compare};
use crate::store::inbox::{self, diverged};
use crate::store::outbox;
use crate::store::stream::{self, Direction};
use crate::telemetry::Sending;

/// A handshake that takes longer has failed: the desk sees a cut within seconds.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The two sides do not agree: stop.
    Diverged(String),
    /// Anything else: try again.
    Other(String),
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        if error.reason == "STREAM_DIVERGED" { Self::Diverged(error.message) } else { Self::Other(error.to_string()) }
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        from_status(&status).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.reason == "STREAM_DIVERGED" { Self::Diverged(error.message) } else { Self::Other(error.message) }
    }
}

/// The way to one partner in one space.
pub(crate) struct Client {
    pub(crate) mailbox: Mailbox,
    pub(crate) space: Arc<Space>,
    pub(crate) route: PartnerRoute,
    calls: Option<PartnerServiceClient<PartnerChannel>>,
    /// On this connection the partner was given every receipt that it lacked.
    receipts_returned: bool,
}

/// What we know of both streams before a handshake.
struct Ours {
    sent: Head,
    stored: Head,
}

impl Client {
    pub(crate) fn new(mailbox: Mailbox, space: Arc<Space>, route: PartnerRoute) -> Self {
        Self { mailbox, space, route, calls: None, receipts_returned: false }
    }

    /// Connects anew at the next call.
    pub(crate) fn reset(&mut self) {
        self.calls = None;
        self.receipts_returned = false;
    }

    pub(crate) fn calls(&mut self) -> Result<PartnerServiceClient<PartnerChannel>, Failure> {
        if let Some(calls) = &self.calls {
            return Ok(calls.clone());
        }
        let parts = &self.mailbox.parts;
        let channel = partner_channel(parts.keys.clone(), parts.trust.clone(), &self.route.province_code, &self.route.endpoint)?;
        let calls = PartnerServiceClient::new(channel).max_decoding_message_size(2 * MAX_PARTNER_MESSAGE_BYTES);
        Ok(self.calls.insert(calls).clone())
    }

    /// States both positions and compares them with the partner's. `true` if the partner has envelopes for us.
    pub(crate) async fn handshake(&mut self) -> Result<bool, Failure> {
        let ours = self.ours().await?;
        let request = OpenStreamRequest {
            sender: self.mailbox.parts.keys.province_code().to_owned(),
            space: self.space.id().to_string(),
            epoch: ours.sent.epoch.max(1),
            sent: Some(head_out(&ours.sent)),
            stored: Some(head_out(&ours.stored)),
            stored_epoch: ours.stored.epoch,
        };
        let asked = wall::now();
        let answer = tokio::time::timeout(HANDSHAKE, self.calls()?.open_stream(request))
            .await
            .map_err(|_| Failure::Other(format!("no answer within {} s", HANDSHAKE.as_secs())))??
            .into_inner();
        let answered = wall::now();
        if let Some(theirs) = answer.wall_time.as_ref().and_then(from_proto) {
            let halfway = asked.checked_add(answered.duration_since(asked) / 2).unwrap_or(asked);
            self.mailbox.parts.links.clock(self.space.id(), &self.route.province_code, theirs.duration_since(halfway));
        }
        let stored = head_in("stored", ours.sent.epoch.max(1), answer.stored.as_ref())?;
        let sent = head_in("sent", answer.epoch, answer.sent.as_ref())?;
        let written_there = self.digest_at(Direction::Out, &stored).await?;
        let stored_there = self.digest_at(Direction::In, &sent).await?;
        compare(&ours.sent, &stored, written_there).map_err(|divergence| diverged(&divergence.text()))?;
        compare(&sent, &ours.stored, None).map_err(|divergence| diverged(&divergence.text()))?;
        if stored_there.is_some_and(|digest| digest != sent.digest) {
            return Err(diverged("the partner's last envelope is stored here with another digest").into());
        }
        Ok((sent.epoch, sent.position) > (ours.stored.epoch, ours.stored.position) && sent.position > 0)
    }

    async fn ours(&self) -> Result<Ours, Failure> {
        let partner = self.route.province_code.clone();
        let ours = self.space.db().read(partner, |partner, tx: &mut Tx| {
            Box::pin(async move {
                let sent = outbox::sending_head(tx, partner).await?;
                let stored = stream::head(tx, partner, Direction::In).await?;
                Ok(Ours { sent, stored })
            })
        });
        Ok(ours.await?)
    }

    async fn digest_at(&self, direction: Direction, head: &Head) -> Result<Option<Digest>, Failure> {
        let context = (self.route.province_code.clone(), direction, *head);
        let found = self.space.db().read(context, |(partner, direction, head), tx: &mut Tx| {
            Box::pin(stream::digest_at(tx, partner, *direction, head.epoch, head.position))
        });
        Ok(found.await?)
    }

    /// Delivers what waits, in order, until nothing waits; how many receipts were stored.
    pub(crate) async fn push(&mut self) -> Result<usize, Failure> {
        let mut delivered = 0;
        loop {
            let partner = self.route.province_code.clone();
            let envelopes = self.space.db().read(partner, |partner, tx: &mut Tx| Box::pin(outbox::waiting(tx, partner))).await?;
            if envelopes.is_empty() {
                return Ok(delivered);
            }
            let sending = Sending::begin(&self.route.province_code, &envelopes);
            let call = self.calls()?.deliver_envelopes(DeliverEnvelopesRequest { envelopes }).with_context(sending.context()).await;
            let answer = call.inspect_err(|status| sending.failed(status.message()))?.into_inner();
            if answer.receipts.is_empty() {
                return Err(Failure::Other("the partner answered a delivery without any receipt".to_owned()));
            }
            delivered += answer.receipts.len();
            self.mailbox.take_receipts(&self.space, &self.route.province_code, answer.receipts).await?;
        }
    }

    /// Gives the partner the receipts that were lost on their way back: what was stored is not fetched again, so nobody else would. Once for
    /// each connection; the partner answers up to which position it holds receipts.
    pub(crate) async fn return_receipts(&mut self) -> Result<(), Failure> {
        let stored = self.ours().await?.stored;
        if self.receipts_returned || stored.position == 0 {
            self.receipts_returned = true;
            return Ok(());
        }
        // The last one again, to be told how far the partner is.
        let mut after = stored.position - 1;
        loop {
            let receipts = self.receipts_after(stored.epoch, after).await?;
            if receipts.is_empty() {
                return Err(Failure::Other("the partner says that it holds more receipts than were ever given".to_owned()));
            }
            let held = self.calls()?.return_receipts(ReturnReceiptsRequest { receipts }).await?.into_inner().receipted_position;
            if held >= stored.position {
                self.receipts_returned = true;
                return Ok(());
            }
            if held <= after && after != stored.position - 1 {
                return Err(Failure::Other(format!("the partner does not take the receipts after position {held}")));
            }
            after = held;
        }
    }

    async fn receipts_after(&self, epoch: u64, position: u64) -> Result<Vec<SignedReceipt>, Failure> {
        let context = (self.route.province_code.clone(), epoch, position);
        let found = self
            .space
            .db()
            .read(context, |(partner, epoch, position), tx: &mut Tx| Box::pin(inbox::receipts_after(tx, partner, *epoch, *position)));
        Ok(found.await?)
    }

    /// Fetches what the partner has for us after what we have stored, and returns the receipts.
    pub(crate) async fn pull(&mut self) -> Result<(), Failure> {
        loop {
            let stored = self.ours().await?.stored;
            let envelopes = self.fetch(&stored).await?;
            if envelopes.is_empty() {
                return Ok(());
            }
            let mut receipts = Vec::with_capacity(envelopes.len());
            for signed in envelopes {
                let opened = self.mailbox.check(&self.route.province_code, signed)?;
                if opened.stream.space != self.space.id().to_string() {
                    return Err(Failure::Other("the partner answered a fetch with an envelope of another space".to_owned()));
                }
                receipts.push(self.mailbox.take_in(&self.space, opened).await?);
            }
            self.calls()?.return_receipts(ReturnReceiptsRequest { receipts }).await?;
        }
    }

    /// The next envelopes after what we have stored: of that epoch, or from the start of the partner's current one.
    async fn fetch(&mut self, stored: &Head) -> Result<Vec<SignedEnvelope>, Failure> {
        let space = self.space.id().to_string();
        let ask = |epoch, after_position| FetchEnvelopesRequest { space: space.clone(), epoch, after_position, max_envelopes: 0 };
        if stored.epoch > 0 {
            let same = self.calls()?.fetch_envelopes(ask(stored.epoch, stored.position)).await?.into_inner();
            if !same.envelopes.is_empty() {
                return Ok(same.envelopes);
            }
        }
        let current = self.calls()?.fetch_envelopes(ask(0, 0)).await?.into_inner().envelopes;
        // Of the epoch that we know, there was nothing further; only a later one is new.
        let later = |signed: &SignedEnvelope| crate::envelope::open(signed.clone()).is_ok_and(|opened| opened.offered.epoch > stored.epoch);
        Ok(current.into_iter().filter(later).collect())
    }
}
