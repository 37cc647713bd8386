//! The five calls of `PartnerService`, answered for a partner whose certificate was proved, in the space that it named.

use fenghuo_api::partner::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Code, Error, Result};

use super::post::diverged;
use super::receive::Way;
use super::{Direction, Outbox, Post, Store, Stored, Streams, Written};
use crate::envelope::{check_size, open_receipt};
use crate::machine::{Head, MAX_BATCH, MAX_BATCH_BYTES, Waiting, batch_len, compare};

/// `OpenStream`.
pub async fn open_stream<S: Store>(post: &Post<S>, partner: &str, request: OpenStreamRequest) -> Result<OpenStreamResponse> {
    let theirs = head_in("sent", request.epoch, request.sent.as_ref())?;
    let stored = head_in("stored", request.stored_epoch, request.stored.as_ref())?;
    let read = post.store.read((partner.to_owned(), stored), |(partner, stored), ledger: &mut S::Ledger| {
        Box::pin(async move {
            let our_stored = ledger.in_head(partner).await?;
            let our_sent = ledger.out_stream(partner).await?.head;
            let there = ledger.digest_at(partner, Direction::Out, stored.epoch, stored.position).await?;
            Ok((our_stored, our_sent, there))
        })
    });
    let (our_stored, our_sent, written_there) = read.await?;
    compare(&theirs, &our_stored, None)
        .and_then(|()| compare(&our_sent, &stored, written_there))
        .map_err(|divergence| diverged(&divergence.text()))?;
    // A later epoch begins at 0: what we stored of an earlier one says nothing about it.
    let told = if our_stored.epoch == theirs.epoch { our_stored } else { Head::start_of(theirs.epoch) };
    Ok(OpenStreamResponse {
        stored: Some(head_out(&told)),
        epoch: our_sent.epoch,
        sent: Some(head_out(&our_sent)),
        wall_time: Some(to_proto(post.store.wall())),
        last_stored_epoch: our_stored.epoch,
        last_stored: Some(head_out(&our_stored)),
    })
}

/// `DeliverEnvelopes`.
pub async fn deliver_envelopes<S: Store>(
    post: &Post<S>,
    partner: &str,
    request: DeliverEnvelopesRequest,
) -> Result<DeliverEnvelopesResponse> {
    check_batch(&request.envelopes)?;
    let receipts = post.take_in(partner, request.envelopes, Way::Pushed).await?;
    Ok(DeliverEnvelopesResponse { receipts })
}

/// `FetchEnvelopes`.
pub async fn fetch_envelopes<S: Store>(post: &Post<S>, partner: &str, request: FetchEnvelopesRequest) -> Result<FetchEnvelopesResponse> {
    let context = (partner.to_owned(), countable(request.epoch), countable(request.after_position), most(request.max_envelopes));
    let read = post.store.read(context, |(partner, epoch, after, most), ledger: &mut S::Ledger| {
        Box::pin(async move {
            let epoch = if *epoch == 0 { ledger.out_stream(partner).await?.head.epoch } else { *epoch };
            let envelopes = batch(ledger.written_after(partner, epoch, *after, *most).await?);
            let last_position = ledger.last_written(partner, epoch).await?.position;
            let next_epoch = ledger.next_epoch_written(partner, epoch).await?.unwrap_or(0);
            let envelopes = envelopes.into_iter().map(|written| written.signed).collect();
            Ok(FetchEnvelopesResponse { envelopes, last_position, next_epoch })
        })
    });
    read.await
}

/// `ReturnReceipts`.
pub async fn return_receipts<S: Store>(post: &Post<S>, partner: &str, request: ReturnReceiptsRequest) -> Result<ReturnReceiptsResponse> {
    let Some(first) = request.receipts.first() else {
        return Err(Error::invalid("receipts", "must not be empty"));
    };
    if request.receipts.len() > MAX_BATCH {
        return Err(too_many(request.receipts.len()));
    }
    let (_, id) = open_receipt(first)?;
    post.take_receipts(partner, request.receipts).await?;
    let read = post.store.read((partner.to_owned(), id.epoch), |(partner, epoch), ledger: &mut S::Ledger| {
        Box::pin(async move {
            Ok(match ledger.first_unreceipted(partner, *epoch).await? {
                Some(position) => position.saturating_sub(1),
                None => ledger.last_written(partner, *epoch).await?.position,
            })
        })
    });
    Ok(ReturnReceiptsResponse { receipted_position: read.await? })
}

/// `FetchOwnEnvelopes`.
pub async fn fetch_own_envelopes<S: Store>(
    post: &Post<S>,
    partner: &str,
    request: FetchOwnEnvelopesRequest,
) -> Result<FetchOwnEnvelopesResponse> {
    let context = (partner.to_owned(), countable(request.epoch), countable(request.after_position), most(request.max_envelopes));
    let read = post.store.read(context, |(partner, epoch, after, most), ledger: &mut S::Ledger| {
        Box::pin(async move {
            let last_epoch = ledger.in_head(partner).await?.epoch;
            let epoch = if *epoch == 0 { last_epoch } else { *epoch };
            let envelopes = within_bytes(ledger.stored_after(partner, epoch, *after, *most).await?);
            let epochs = ledger.last_of_each_epoch(partner).await?;
            let next_epoch = epochs.into_iter().map(|(one, _)| one).find(|one| *one > epoch).unwrap_or(0);
            Ok(FetchOwnEnvelopesResponse { envelopes, last_epoch, next_epoch })
        })
    });
    read.await
}

/// From the wire; absent is position 0.
pub(super) fn head_in(field: &str, epoch: u64, position: Option<&StreamPosition>) -> Result<Head> {
    let Some(position) = position.filter(|position| position.position > 0) else { return Ok(Head::start_of(epoch)) };
    let digest = position.digest.as_slice().try_into().map_err(|_| Error::invalid(format!("{field}.digest"), "must have 32 bytes"))?;
    if epoch == 0 || epoch > i64::MAX as u64 || position.position > i64::MAX as u64 {
        return Err(Error::invalid(format!("{field}.position"), "epochs and positions start at 1"));
    }
    Ok(Head { epoch, position: position.position, digest })
}

pub(super) fn head_out(head: &Head) -> StreamPosition {
    StreamPosition { position: head.position, digest: head.digest.to_vec() }
}

/// What the store cannot count, nobody can have sent.
fn countable(number: u64) -> u64 {
    number.min(i64::MAX as u64)
}

fn most(asked: u32) -> usize {
    if asked == 0 { MAX_BATCH } else { usize::try_from(asked).unwrap_or(MAX_BATCH).min(MAX_BATCH) }
}

/// The first of these that go into one batch.
pub(super) fn batch(mut written: Vec<Written>) -> Vec<Written> {
    let size = |one: &Written| Waiting { epoch: one.epoch, position: one.position, bytes: one.signed.envelope.len() };
    let sizes: Vec<Waiting> = written.iter().map(size).collect();
    written.truncate(batch_len(&sizes));
    written
}

fn within_bytes(mut given: Vec<OwnEnvelope>) -> Vec<OwnEnvelope> {
    let mut bytes = 0;
    let fits = given.iter().take_while(|one| {
        bytes += one.signed_envelope.as_ref().map_or(0, |signed| signed.envelope.len());
        bytes <= MAX_BATCH_BYTES
    });
    let count = fits.count().max(1);
    given.truncate(count);
    given
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
