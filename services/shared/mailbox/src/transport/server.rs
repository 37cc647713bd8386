//! `PartnerService`, for partners whose certificate the edge has proved.

use std::sync::Arc;

use fenghuo_api::partner::v1::partner_service_server::PartnerService;
use fenghuo_api::partner::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Error, Result, Space, SpaceId, Tx, wall};
use fenghuo_edge::{peer, to_status};
use tonic::{Request, Response, Status};

use super::{Mailbox, shown};
use crate::envelope::check_size;
use crate::links::LinkState;
use crate::machine::{Head, MAX_BATCH, MAX_BATCH_BYTES, compare};
use crate::store::inbox::{self, diverged};
use crate::store::stream::{self, Direction};
use crate::store::{link, outbox};

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

/// From the wire; absent is position 0.
pub(crate) fn head_in(field: &str, epoch: u64, position: Option<&StreamPosition>) -> Result<Head> {
    let Some(position) = position.filter(|position| position.position > 0) else { return Ok(Head::start_of(epoch)) };
    let digest = position.digest.as_slice().try_into().map_err(|_| Error::invalid(format!("{field}.digest"), "must have 32 bytes"))?;
    if epoch == 0 || epoch > i64::MAX as u64 || position.position > i64::MAX as u64 {
        return Err(Error::invalid(format!("{field}.position"), "epochs and positions start at 1"));
    }
    Ok(Head { epoch, position: position.position, digest })
}

pub(crate) fn head_out(head: &Head) -> StreamPosition {
    StreamPosition { position: head.position, digest: head.digest.to_vec() }
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

    async fn open_stream_of(&self, partner: &str, request: OpenStreamRequest) -> Result<OpenStreamResponse> {
        if request.sender != partner {
            let text = format!("the call says that it comes from province {}, and its certificate says {partner}", shown(&request.sender));
            return Err(Error::new(Code::PermissionDenied, "SENDER_NOT_CALLER", text));
        }
        let space = self.space_of(&request.space)?;
        let theirs = head_in("sent", request.epoch, request.sent.as_ref())?;
        let stored = head_in("stored", request.stored_epoch, request.stored.as_ref())?;
        let context = (partner.to_owned(), stored);
        let (our_stored, our_sent, written_there) = space
            .db()
            .read(context, |(partner, stored), tx: &mut Tx| {
                Box::pin(async move {
                    let our_stored = stream::head(tx, partner, Direction::In).await?;
                    let our_sent = stream::head(tx, partner, Direction::Out).await?;
                    let there = stream::digest_at(tx, partner, Direction::Out, stored.epoch, stored.position).await?;
                    Ok((our_stored, our_sent, there))
                })
            })
            .await?;
        let compared = compare(&theirs, &our_stored, None).and_then(|()| compare(&our_sent, &stored, written_there));
        if let Err(divergence) = compared {
            let text = divergence.text();
            self.set_link(&space, partner, LinkState::Diverged, &text).await;
            return Err(diverged(&text));
        }
        self.parts.links.contact(space.id(), partner);
        // A later epoch begins at 0: what we stored of an earlier one says nothing about it.
        let told = if our_stored.epoch == theirs.epoch { our_stored } else { Head::start_of(theirs.epoch) };
        Ok(OpenStreamResponse {
            stored: Some(head_out(&told)),
            epoch: our_sent.epoch,
            sent: Some(head_out(&our_sent)),
            wall_time: Some(to_proto(wall::now())),
        })
    }

    async fn deliver_of(&self, partner: &str, request: DeliverEnvelopesRequest) -> Result<DeliverEnvelopesResponse> {
        check_batch(&request.envelopes)?;
        let mut receipts = Vec::with_capacity(request.envelopes.len());
        for signed in request.envelopes {
            // One by one: a key that one announces signs the next.
            match self.deliver_one(partner, signed).await {
                Ok(receipt) => receipts.push(receipt),
                Err(error) if receipts.is_empty() => return Err(error),
                // What is stored is answered; the sender repeats the rest and hears the error then.
                Err(_) => break,
            }
        }
        Ok(DeliverEnvelopesResponse { receipts })
    }

    async fn deliver_one(&self, partner: &str, signed: SignedEnvelope) -> Result<SignedReceipt> {
        let opened = self.check(partner, signed)?;
        let space = self.space_of(&opened.stream.space)?;
        let epoch = opened.offered.epoch;
        let receipt = self.take_in(&space, opened).await;
        match &receipt {
            Ok(_) => self.parts.links.contact(space.id(), partner),
            Err(error) if error.reason == "STREAM_DIVERGED" => {
                let context = (partner.to_owned(), epoch, error.message.clone());
                let stopping =
                    space.db().write(context, |(partner, epoch, why), tx: &mut Tx| Box::pin(link::stop(tx, partner, *epoch, why)));
                stopping.await?;
                self.set_link(&space, partner, LinkState::Diverged, &error.message).await;
            }
            Err(_) => {}
        }
        receipt
    }

    async fn fetch_of(&self, partner: &str, request: FetchEnvelopesRequest) -> Result<FetchEnvelopesResponse> {
        let space = self.space_of(&request.space)?;
        let most = match request.max_envelopes {
            0 => MAX_BATCH,
            most => usize::try_from(most).unwrap_or(MAX_BATCH),
        };
        let after = request.after_position.min(i64::MAX as u64);
        let context = (partner.to_owned(), request.epoch.min(i64::MAX as u64), after, most);
        let (envelopes, last_position) = space
            .db()
            .read(context, |(partner, epoch, after, most), tx: &mut Tx| {
                Box::pin(async move {
                    let head = stream::head(tx, partner, Direction::Out).await?;
                    let epoch = if *epoch == 0 { head.epoch } else { *epoch };
                    let envelopes = outbox::after(tx, partner, epoch, *after, *most).await?;
                    let last = outbox::last_position(tx, partner, epoch).await?;
                    Ok((envelopes, last))
                })
            })
            .await?;
        self.parts.links.contact(space.id(), partner);
        Ok(FetchEnvelopesResponse { envelopes, last_position })
    }

    async fn give_back_to(&self, partner: &str, request: FetchOwnEnvelopesRequest) -> Result<FetchOwnEnvelopesResponse> {
        let space = self.space_of(&request.space)?;
        let most = if request.max_envelopes == 0 { MAX_BATCH } else { usize::try_from(request.max_envelopes).unwrap_or(MAX_BATCH) };
        let limit = i64::MAX as u64;
        let context = (partner.to_owned(), request.epoch.min(limit), request.after_position.min(limit), most);
        let (envelopes, last_epoch) = space
            .db()
            .read(context, |(partner, epoch, after, most), tx: &mut Tx| {
                Box::pin(async move {
                    let head = stream::head(tx, partner, Direction::In).await?;
                    let epoch = if *epoch == 0 { head.epoch } else { *epoch };
                    Ok((inbox::given_back(tx, partner, epoch, *after, *most).await?, head.epoch))
                })
            })
            .await?;
        self.parts.links.contact(space.id(), partner);
        Ok(FetchOwnEnvelopesResponse { envelopes, last_epoch })
    }

    async fn return_of(&self, partner: &str, request: ReturnReceiptsRequest) -> Result<ReturnReceiptsResponse> {
        let Some(first) = request.receipts.first() else {
            return Err(Error::invalid("receipts", "must not be empty"));
        };
        if request.receipts.len() > MAX_BATCH {
            return Err(too_many(request.receipts.len()));
        }
        let (_, id) = crate::envelope::open_receipt(first)?;
        let space = self.space_of(&id.space)?;
        self.take_receipts(&space, partner, request.receipts).await?;
        self.parts.links.contact(space.id(), partner);
        let context = (partner.to_owned(), id.epoch);
        let receipted_position =
            space.db().read(context, |(partner, epoch), tx: &mut Tx| Box::pin(outbox::receipted_position(tx, partner, *epoch))).await?;
        Ok(ReturnReceiptsResponse { receipted_position })
    }
}

fn check_batch(envelopes: &[SignedEnvelope]) -> Result<()> {
    if envelopes.is_empty() {
        return Err(Error::invalid("envelopes", "must not be empty"));
    }
    if envelopes.len() > MAX_BATCH {
        return Err(too_many(envelopes.len()));
    }
    envelopes.iter().try_for_each(|signed| check_size(signed.envelope.len()))?;
    let bytes: usize = envelopes.iter().map(|signed| signed.envelope.len()).sum();
    if bytes > MAX_BATCH_BYTES {
        let text = format!("a batch has at most {MAX_BATCH_BYTES} bytes of envelopes, and this one has {bytes}");
        return Err(Error::new(Code::ResourceExhausted, "BATCH_TOO_LARGE", text));
    }
    Ok(())
}

fn too_many(count: usize) -> Error {
    Error::new(Code::ResourceExhausted, "BATCH_TOO_LARGE", format!("a batch has at most {MAX_BATCH} entries, and this one has {count}"))
}
