//! For tests, here and in other crates: a partner that cheats, and the readers of what comes from outside.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use fenghuo_durable::{Result, SpaceId};
use http::HeaderMap;
use http_body_util::BodyExt;
use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use crate::certificate::{self, Leaf};
use crate::keys::ProvinceKeys;
use crate::message_limit::limit_messages;
use crate::trust::PartnerTrust;
use crate::{PartnerChannel, RemoteError, auth, from_status, partner_channel, tls};

/// A leaf signed by the authority of `keys` that states another province.
pub fn forge_leaf(keys: &ProvinceKeys, stated_province: &str, now: Timestamp) -> Result<Leaf> {
    certificate::issue_leaf(&keys.issuer, stated_province, &["127.0.0.1".to_owned()], now)
}

/// A channel to a partner on which the caller presents this leaf, or none at all.
pub fn channel_presenting(leaf: Option<Leaf>, trust: Arc<PartnerTrust>, partner_code: &str, endpoint: &str) -> Result<PartnerChannel> {
    let presented = Presented(leaf.map(tls::certified).transpose()?);
    partner_channel::channel(tls::client_config(Arc::new(presented), trust, partner_code)?, endpoint)
}

#[derive(Debug)]
struct Presented(Option<Arc<CertifiedKey>>);

impl rustls::client::ResolvesClientCert for Presented {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// The session token and the space in a call's metadata, as the console listener reads them.
pub fn read_metadata(headers: &HeaderMap) -> (Result<&str>, Result<Option<SpaceId>>) {
    (auth::bearer_token(headers), auth::space_of(headers))
}

/// Bytes that pass the watcher of message lengths, piece by piece; what it answers when a message is too long.
pub async fn pass_messages(pieces: Vec<Bytes>, limit: usize) -> std::result::Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let body = Body::from_stream(futures::stream::iter(pieces.into_iter().map(Ok::<_, std::convert::Infallible>)));
    let mut watched = limit_messages(http::Request::new(body), limit).into_body();
    let mut passed = 0;
    while let Some(frame) = watched.frame().await {
        passed += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(passed)
}

/// The error in the headers or trailers of a partner's answer; `None` if they carry no status.
pub fn read_error(mut headers: HeaderMap) -> Option<RemoteError> {
    partner_channel::drop_unreadable_details(&mut headers);
    tonic::Status::from_header_map(&headers).map(|status| from_status(&status))
}
