//! Writing to a partner: the next envelope of a stream, in the transaction of what it tells of.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Envelope, StreamId};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Error, Result, trace};

use super::{Direction, Ledger, OutStream};
use crate::envelope::{SpaceKeys, kind_of, seal};
use crate::machine::{Digest, Head};

/// Where an envelope stands in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Epoch of the stream.
    pub epoch: u64,
    /// Position in it.
    pub position: u64,
    /// SHA-256 of the envelope.
    pub digest: Digest,
}

/// Signs a content as the next envelope to a partner and stores it, in the caller's transaction: what it tells of and the envelope
/// commit together, and the worker sends it when they have. FAILED_PRECONDITION, reason RESTORED, while a restored node has not fetched back
/// what it had sent to this partner.
pub async fn enqueue<L: Ledger>(ledger: &mut L, signer: &SpaceKeys, partner: &str, content: Content) -> Result<Position> {
    ledger.hold(partner, Direction::Out).await?;
    let stream = ledger.out_stream(partner).await?;
    if stream.quarantined {
        let text = format!(
            "this node was restored from a backup and has not yet fetched back what it had sent to {partner}; telephone, and repeat later"
        );
        return Err(Error::precondition("RESTORED", text));
    }
    append(ledger, signer, partner, stream, content).await
}

/// Writes the next envelope of a stream that is held and open.
pub(super) async fn append<L: Ledger>(
    ledger: &mut L,
    signer: &SpaceKeys,
    partner: &str,
    mut stream: OutStream,
    content: Content,
) -> Result<Position> {
    if stream.head == Head::NEVER {
        stream.head = Head::start_of(1);
    }
    let kind = kind_of(Some(&content));
    let envelope = Envelope {
        stream: Some(StreamId {
            sender: signer.keys.province_code().to_owned(),
            recipient: partner.to_owned(),
            space: signer.space.to_string(),
            epoch: stream.head.epoch,
        }),
        position: stream.head.position + 1,
        previous_digest: stream.head.digest.to_vec(),
        envelope_id: ledger.new_id().to_string(),
        space_time: Some(to_proto(ledger.now())),
        clock_setting: ledger.clock_setting(),
        traceparent: trace::traceparent(&ledger.trace()),
        content: Some(content),
    };
    let key_id = stream.key_id.clone().unwrap_or_else(|| signer.keys.present().key_id);
    let (signed, digest) = seal(signer.keys.as_ref(), &key_id, &envelope)?;
    stream.head = Head { epoch: stream.head.epoch, position: envelope.position, digest };
    stream.key_id = Some(key_id);
    ledger.write(partner, &stream.head, kind, &signed).await?;
    ledger.save_out_stream(partner, &stream).await?;
    Ok(Position { epoch: stream.head.epoch, position: stream.head.position, digest })
}
