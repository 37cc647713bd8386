//! The way to a partner: HTTP/2 over mutual TLS to exactly the province that is meant.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use fenghuo_durable::{Error, Result};
use futures::future::BoxFuture;
use http::{HeaderMap, Uri};
use http_body_util::BodyExt;
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::Service;

use crate::bundle::{STANDARD, check_endpoint};
use crate::keys::ProvinceKeys;
use crate::telemetry::ClientCall;
use crate::tls;
use crate::trust::{PartnerTrust, not_enrolled};

/// To connect, TLS included, takes no longer.
const CONNECT: Duration = Duration::from_secs(10);
/// A call takes no longer, whatever its own deadline.
const CALL: Duration = Duration::from_secs(30);

/// A connection on which nothing came for so long is asked, and is dead when it does not answer for as long again: a delivery that is cut
/// off in the middle fails, and shows, within seconds.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// A channel to a partner; cheap to clone. For `PartnerServiceClient::new`.
#[derive(Debug, Clone)]
pub struct PartnerChannel {
    channel: Channel,
    uri: Uri,
}

impl Service<http::Request<Body>> for PartnerChannel {
    type Response = http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, std::result::Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let uri = request.uri().clone();
        let mut call = ClientCall::begin(&self.uri, uri.path(), request.headers_mut());
        let answer = self.channel.call(request);
        Box::pin(async move {
            let mut answer = answer.await.inspect_err(|_| call.end(tonic::Code::Unavailable))?;
            call.see(answer.headers());
            drop_unreadable_details(answer.headers_mut());
            Ok(answer.map(|body| Body::new(body.map_frame(move |frame| with_readable_details(frame, &mut call)))))
        })
    }
}

/// tonic 0.14 panics at error details that are not base64; a partner must not be able to stop our task by them.
pub(crate) fn drop_unreadable_details(headers: &mut HeaderMap) {
    const DETAILS: &str = "grpc-status-details-bin";
    if headers.get(DETAILS).is_some_and(|details| STANDARD.decode(details.as_bytes()).is_err()) {
        headers.remove(DETAILS);
        tracing::warn!("a partner's error carried details that are not base64; they were dropped");
    }
}

fn with_readable_details(frame: Frame<bytes::Bytes>, call: &mut ClientCall) -> Frame<bytes::Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            call.see(&trailers);
            drop_unreadable_details(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// A channel to a partner at "https://host:port". It connects at the first call and again whenever it must; what is pinned of the partner
/// is looked up at each handshake. FAILED_PRECONDITION if the partner is not enrolled, INVALID_ARGUMENT if the endpoint is no https URL.
pub fn partner_channel(keys: Arc<ProvinceKeys>, trust: Arc<PartnerTrust>, partner_code: &str, endpoint: &str) -> Result<PartnerChannel> {
    if trust.pinned(partner_code).is_none() {
        return Err(not_enrolled(partner_code));
    }
    channel(tls::partner_client_config(keys, trust, partner_code)?, endpoint)
}

pub(crate) fn channel(config: Arc<ClientConfig>, endpoint: &str) -> Result<PartnerChannel> {
    let uri = check_endpoint(endpoint).map_err(|what| Error::invalid("endpoint", what))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(443);
    let name = ServerName::try_from(host.clone()).map_err(|e| Error::invalid("endpoint", format!("host \"{host}\": {e}")))?;
    let connector = tower::service_fn(move |_: Uri| connect(host.clone(), port, name.clone(), config.clone()));
    // To tonic the connection is plain: the TLS is the connector's, with our own check.
    let plain = format!("http://{}", uri.authority().map(http::uri::Authority::as_str).unwrap_or_default());
    let endpoint = Endpoint::from_shared(plain)
        .map_err(|e| Error::invalid("endpoint", e.to_string()))?
        .origin(uri.clone())
        .connect_timeout(CONNECT)
        .timeout(CALL)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .keep_alive_while_idle(true);
    Ok(PartnerChannel { channel: endpoint.connect_with_connector_lazy(connector), uri })
}

async fn connect(
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
) -> std::io::Result<TokioIo<TlsStream<TcpStream>>> {
    let connected = async {
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        TlsConnector::from(config).connect(name, stream).await
    };
    let stream = tokio::time::timeout(CONNECT, connected).await.map_err(|_| {
        std::io::Error::new(std::io::ErrorKind::TimedOut, format!("{host}:{port} did not answer in {} s", CONNECT.as_secs()))
    })??;
    Ok(TokioIo::new(stream))
}
