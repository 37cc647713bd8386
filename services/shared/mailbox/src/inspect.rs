//! Reading what a partner sent without storing it: the same decoders and the same checks of form.

use fenghuo_api::partner::v1::{Envelope, Receipt, SignedEnvelope, SignedReceipt, StreamId};
use fenghuo_durable::Result;

use crate::envelope;
use crate::machine::Offered;

/// An envelope whose form holds, with what it says of its place in the stream. Its signature is not checked here.
pub fn envelope(signed: SignedEnvelope) -> Result<(Envelope, Offered)> {
    envelope::open(signed).map(|opened| (opened.envelope, opened.offered))
}

/// A receipt whose form holds, with its stream. Its signature is not checked here.
pub fn receipt(signed: &SignedReceipt) -> Result<(Receipt, StreamId)> {
    envelope::open_receipt(signed)
}
