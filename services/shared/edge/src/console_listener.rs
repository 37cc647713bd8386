//! The listener for people and their programs: the browser program's files, gRPC-web and gRPC on one port.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use fenghuo_durable::{Error, Result};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tonic_web::GrpcWebLayer;
use tower::ServiceExt;

use crate::auth::{Authenticate, authorise};
use crate::call::accompany;
use crate::call_limits::{CallLimits, within_limits};
use crate::connections::{self, Sharing, Site};
use crate::keys::ProvinceKeys;
use crate::limits::Limits;
use crate::message_limit::limit_messages;
use crate::tls;

/// A message of a console call is at most this big.
pub const MAX_CONSOLE_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// A browser tab with its streams, or a command line.
const MAX_CALLS: u32 = 256;
const MAX_CONNECTIONS: usize = 2048;

/// What the browser may do with our files: no script, style sheet or connection from elsewhere. Map workers are blobs; MapLibre writes
/// styles into elements.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; \
     style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the console listener serves.
pub struct Console {
    /// The services; each method needs its row in `rules::RULES`.
    pub routes: Routes,
    /// The files of the browser program.
    pub static_files: Router,
    /// Who knows the sessions.
    pub sessions: Arc<dyn Authenticate>,
    /// For TLS, which is used whenever the address is not loopback.
    pub keys: Arc<ProvinceKeys>,
}

/// The bound console listener, not serving yet.
#[derive(Debug)]
pub struct ConsoleListener {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

impl ConsoleListener {
    /// Binds; port 0 takes a free one. FAILED_PRECONDITION if the port is taken.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        Self::bind_among(address, Sharing::Alone)
    }

    /// The same, perhaps among replicas of this node.
    pub fn bind_among(address: SocketAddr, sharing: Sharing) -> Result<Self> {
        let listener = connections::bind("console_listen", address, sharing)?;
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

    /// "http://127.0.0.1:8420", or https if the address is not loopback.
    pub fn url(&self) -> String {
        let scheme = if self.address.ip().is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop`; then health says NOT_SERVING, streams end, and what runs has ten seconds.
    pub async fn serve(self, console: Console, stop: CancellationToken) -> Result<()> {
        let loopback = self.address.ip().is_loopback();
        let tls = if loopback { None } else { Some(tls::console_server_config(console.keys.clone())?) };
        let (health, app) = app(console, &self.limits, loopback, stop.clone())?;
        let site = Site {
            name: "console",
            app,
            tls,
            trust: None,
            http2_only: false,
            max_streams: MAX_CALLS,
            max_connections: MAX_CONNECTIONS,
            limits: self.limits,
        };
        let say_stopping = async {
            stop.cancelled().await;
            health.set_service_status("", ServingStatus::NotServing).await;
        };
        tokio::join!(connections::serve(self.listener, site, stop.clone()), say_stopping);
        Ok(())
    }
}

fn app(console: Console, limits: &Limits, loopback: bool, stop: CancellationToken) -> Result<(HealthReporter, Router)> {
    let (health, health_service) = health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(fenghuo_api::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|e| Error::internal("the contracts cannot be reflected").caused_by(e))?;
    let call_limits = CallLimits::new(limits.calls_per_second_per_person, limits.streams_per_person);
    let calls = console
        .routes
        .add_service(health_service)
        .add_service(reflection)
        .into_axum_router()
        .fallback(not_served)
        .layer(from_fn(|request: Request, next: Next| next.run(limit_messages(request, MAX_CONSOLE_MESSAGE_BYTES))))
        .layer(from_fn_with_state(call_limits, within_limits))
        .layer(from_fn_with_state(console.sessions, authorise))
        .layer(from_fn(move |request: Request, next: Next| accompany(request, next, stop.clone())))
        .layer(GrpcWebLayer::new());
    let files = console.static_files.layer(axum::middleware::map_response(with_security_headers));
    let mut app = Router::new().fallback_service(tower::service_fn(move |request: Request| {
        let site = if is_grpc(request.headers()) { calls.clone() } else { files.clone() };
        site.oneshot(request)
    }));
    if loopback {
        app = app.layer(from_fn(own_host_only));
    }
    Ok((health, app))
}

/// A method of the contracts, which the layer before has found, and no service here has it.
async fn not_served(request: Request) -> Response {
    let service = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    tonic::Status::unimplemented(format!("this process does not serve {service}; call the process of this node that does")).into_http()
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

async fn with_security_headers(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A page of a stranger can make a browser call 127.0.0.1 under a name of its own (DNS rebinding); it cannot change the name. So on
/// loopback only loopback's names are answered.
async fn own_host_only(request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let host = request.uri().authority().map(http::uri::Authority::as_str).or(named).unwrap_or_default();
    if is_loopback_name(host) && named.is_none_or(is_loopback_name) {
        return next.run(request).await;
    }
    tracing::warn!(host = %host.chars().take(100).collect::<String>(), "a request under a foreign host name was refused");
    (StatusCode::MISDIRECTED_REQUEST, "This listener answers only under localhost, 127.0.0.1 and [::1].\n").into_response()
}

fn is_loopback_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let own = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| authority.host().eq_ignore_ascii_case(name));
    own && !host.contains('@')
}
