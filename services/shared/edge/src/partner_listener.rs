//! The listener for partner provinces: mutual TLS always, `PartnerService` alone.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use fenghuo_durable::{Code, Error, Result};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::call::accompany;
use crate::call_limits::{CallLimits, within_limits};
use crate::certificate;
use crate::connections::{self, Sharing, Site};
use crate::keys::ProvinceKeys;
use crate::limits::Limits;
use crate::message_limit::limit_messages;
use crate::status::to_status;
use crate::tls;
use crate::trust::PartnerTrust;

/// A message between provinces is at most this big: a batch of 1 MiB with room for its wrapping. Enforced here; services should set their
/// `max_decoding_message_size` to the same.
pub const MAX_PARTNER_MESSAGE_BYTES: usize = 2 * 1024 * 1024;
/// Calls at a time on one connection of a partner.
const MAX_CALLS: u32 = 64;
const MAX_CONNECTIONS: usize = 512;
/// A partner needs one, each of its replicas another.
const MAX_CONNECTIONS_PER_ADDRESS: u32 = 128;

/// The province on the other side of a connection, proved by its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerPeer {
    /// Six-digit code.
    pub province_code: String,
    /// Where it called from.
    pub from: SocketAddr,
    /// SHA-256 of the authority that was pinned for it at the handshake.
    ca_digest: [u8; 32],
}

impl PartnerPeer {
    /// Whom the leaf of a finished handshake proves; `None` if the partner was removed since.
    pub(crate) fn of(leaf: &CertificateDer<'_>, from: SocketAddr, trust: &PartnerTrust) -> Option<Self> {
        let province_code = certificate::stated_province(leaf).ok()?;
        let ca_digest = trust.ca_digest(&province_code)?;
        Some(Self { province_code, from, ca_digest })
    }

    /// A peer for tests of services, without a connection.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(province_code: &str) -> Self {
        Self { province_code: province_code.to_owned(), from: SocketAddr::from(([127, 0, 0, 1], 0)), ca_digest: [0; 32] }
    }
}

/// The partner that makes a call. INTERNAL if the call did not come over the partner listener.
pub fn peer<T>(request: &tonic::Request<T>) -> Result<PartnerPeer> {
    request.extensions().get::<PartnerPeer>().cloned().ok_or_else(|| Error::internal("the call carries no partner"))
}

/// The bound partner listener, not serving yet.
#[derive(Debug)]
pub struct PartnerListener {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

impl PartnerListener {
    /// Binds; port 0 takes a free one. FAILED_PRECONDITION if the port is taken.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        Self::bind_among(address, Sharing::Alone)
    }

    /// The same, perhaps among replicas of this node.
    pub fn bind_among(address: SocketAddr, sharing: Sharing) -> Result<Self> {
        let listener = connections::bind("partner_listen", address, sharing)?;
        let address = connections::local_address(&listener)?;
        Ok(Self { listener, address, limits: Limits::default() })
    }

    /// With these limits instead of the defaults.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The address that was bound.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves these services to enrolled provinces until `stop`, then drains for at most ten seconds.
    pub async fn serve(self, routes: Routes, keys: Arc<ProvinceKeys>, trust: Arc<PartnerTrust>, stop: CancellationToken) -> Result<()> {
        let tls = Some(tls::partner_server_config(keys, trust.clone())?);
        let stopping = stop.clone();
        let call_limits = CallLimits::new(self.limits.calls_per_second_per_partner, self.limits.streams_per_person);
        let app = routes
            .into_axum_router()
            .layer(from_fn(|request: Request, next: Next| next.run(limit_messages(request, MAX_PARTNER_MESSAGE_BYTES))))
            .layer(from_fn_with_state(call_limits, within_limits))
            .layer(from_fn_with_state(trust.clone(), still_trusted))
            .layer(from_fn(move |request: Request, next: Next| accompany(request, next, stopping.clone())));
        let site = Site {
            name: "partner",
            app,
            tls,
            trust: Some(trust),
            http2_only: true,
            max_streams: MAX_CALLS,
            max_connections: MAX_CONNECTIONS,
            limits: Limits { connections_per_address: self.limits.connections_per_address.min(MAX_CONNECTIONS_PER_ADDRESS), ..self.limits },
        };
        connections::serve(self.listener, site, stop).await;
        Ok(())
    }
}

/// A connection outlives its handshake: what was pinned then must still be pinned at each call.
async fn still_trusted(State(trust): State<Arc<PartnerTrust>>, request: Request, next: Next) -> Response {
    let pinned = |peer: &PartnerPeer| trust.ca_digest(&peer.province_code) == Some(peer.ca_digest);
    if request.extensions().get::<PartnerPeer>().is_some_and(pinned) {
        return next.run(request).await;
    }
    let text = "your certificate is not that of a province enrolled here now; connect anew or exchange bundles";
    to_status(Error::new(Code::Unauthenticated, "PARTNER_NOT_ENROLLED", text)).into_http()
}
