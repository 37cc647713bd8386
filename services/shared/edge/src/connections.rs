//! Accepts connections, with TLS or without, and serves HTTP on them until told to stop; then drains.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use fenghuo_durable::{Error, Result};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::partner_listener::PartnerPeer;
use crate::status::chain;
use crate::telemetry::Via;
use crate::trust::PartnerTrust;

/// How long what runs may go on after the stop.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A silent connection is asked after this, and dropped when it does not answer in time.
const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);

/// What a listener serves and how.
#[derive(Clone)]
pub(crate) struct Site {
    /// For the log: "console" or "partner".
    pub(crate) name: &'static str,
    pub(crate) app: Router,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Whose certificates were checked in the handshake, where they were asked for.
    pub(crate) trust: Option<Arc<PartnerTrust>>,
    pub(crate) http2_only: bool,
    /// Calls at a time on one connection.
    pub(crate) max_streams: u32,
    /// Open connections, handshakes included; more are turned away.
    pub(crate) max_connections: usize,
}

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Who else may listen on an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody.
    Alone,
    /// Other replicas on this machine that say the same (SO_REUSEPORT): the kernel gives each connection to one of them.
    Replicas,
}

impl Sharing {
    /// Replicas, or alone.
    pub fn with_replicas(yes: bool) -> Self {
        if yes { Self::Replicas } else { Self::Alone }
    }
}

/// Binds; port 0 takes a free one.
pub(crate) fn bind(field: &str, address: SocketAddr, sharing: Sharing) -> Result<TcpListener> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A port that was closed just now may be taken again.
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(sharing == Sharing::Replicas)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|e: std::io::Error| {
        Error::precondition("PORT_NOT_AVAILABLE", format!("{field}: cannot listen on {address}: {e}")).caused_by(e)
    })
}

/// The address that was bound.
pub(crate) fn local_address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|e| Error::internal("a listener has no address").caused_by(e))
}

/// Serves until `stop`, then takes no more connections, lets what runs finish for [`DRAIN`], and cuts off the rest.
pub(crate) async fn serve(listener: TcpListener, site: Site, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((_, from)) if connections.len() >= site.max_connections => {
                tracing::warn!(listener = site.name, %from, "too many connections: one was turned away");
            }
            Ok((stream, from)) => {
                connections.spawn(serve_connection(stream, from, site.clone(), stop.clone()));
            }
            Err(error) => {
                // Out of file descriptors, as a rule: give the others time to end.
                tracing::warn!(listener = site.name, %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let drained = timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(listener = site.name, left = connections.len(), "connections were cut off: they did not end in time");
        connections.shutdown().await;
    }
}

async fn serve_connection(stream: TcpStream, from: SocketAddr, site: Site, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(listener = site.name, %from, %error, "a connection was gone before it began");
        return;
    }
    let via = Via { here: stream.local_addr().unwrap_or(from), there: from };
    let Some(tls) = site.tls.clone() else { return serve_http(stream, None, via, site, stop).await };
    let handshake = tokio::select! {
        () = stop.cancelled() => return,
        handshake = timeout(HANDSHAKE, TlsAcceptor::from(tls).accept(stream)) => handshake,
    };
    match handshake {
        Ok(Ok(stream)) => {
            let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let peer = site.trust.as_ref().zip(leaf).and_then(|(trust, leaf)| PartnerPeer::of(leaf, from, trust));
            serve_http(stream, peer, via, site, stop).await;
        }
        Ok(Err(error)) => tracing::warn!(listener = site.name, %from, reason = %chain(&error), "a TLS handshake was refused"),
        Err(_) => tracing::warn!(listener = site.name, %from, "a TLS handshake was not finished in {} s", HANDSHAKE.as_secs()),
    }
}

async fn serve_http<S>(stream: S, peer: Option<PartnerPeer>, via: Via, site: Site, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = site.app.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(via);
        if let Some(peer) = &peer {
            request.extensions_mut().insert(peer.clone());
        }
        request
    });
    let mut builder = Builder::new(TokioExecutor::new());
    if site.http2_only {
        builder = builder.http2_only();
    }
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30)).max_buf_size(128 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_ANSWER)
        .max_concurrent_streams(site.max_streams)
        .max_header_list_size(32 * 1024);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(listener = site.name, error = %chain(error.as_ref()), "a connection broke");
    }
}
