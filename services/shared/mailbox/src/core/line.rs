//! What the protocol knows of the network: five calls to one partner.

use fenghuo_api::partner::v1::*;
use fenghuo_durable::{Code, Error};

/// Why an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The two sides do not agree: stop.
    Diverged(String),
    /// Our own store could not be read or written: it says nothing about the partner.
    Ours(String),
    /// Anything else: try again.
    Other(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.code {
            _ if error.reason == "STREAM_DIVERGED" => Self::Diverged(error.message),
            Code::Unavailable | Code::Internal => Self::Ours(error.message),
            _ => Self::Other(error.message),
        }
    }
}

/// The way to one partner. A call that fails may have been executed all the same.
pub trait Line: Send {
    /// Forgets the connection; the next call connects anew.
    fn reset(&mut self);
    /// `OpenStream`.
    fn open_stream(&mut self, request: OpenStreamRequest) -> impl Future<Output = Result<OpenStreamResponse, Failure>> + Send;
    /// `DeliverEnvelopes`.
    fn deliver_envelopes(
        &mut self,
        request: DeliverEnvelopesRequest,
    ) -> impl Future<Output = Result<DeliverEnvelopesResponse, Failure>> + Send;
    /// `FetchEnvelopes`.
    fn fetch_envelopes(&mut self, request: FetchEnvelopesRequest) -> impl Future<Output = Result<FetchEnvelopesResponse, Failure>> + Send;
    /// `ReturnReceipts`.
    fn return_receipts(&mut self, request: ReturnReceiptsRequest) -> impl Future<Output = Result<ReturnReceiptsResponse, Failure>> + Send;
    /// `FetchOwnEnvelopes`.
    fn fetch_own_envelopes(
        &mut self,
        request: FetchOwnEnvelopesRequest,
    ) -> impl Future<Output = Result<FetchOwnEnvelopesResponse, Failure>> + Send;
}
