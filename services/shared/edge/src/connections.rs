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
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::addresses::{Addresses, Place};
use crate::limits::{Limits, Patience};
use crate::partner_listener::PartnerPeer;
use crate::slow_reader::{Watch, Watched};
use crate::slow_request::InTime;
use crate::status::chain;
use crate::telemetry::Via;
use crate::trust::PartnerTrust;

/// How long what runs may go on after the stop.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);
/// TLS handshakes at a time from one address: those who never finish one must not keep others out.
const HANDSHAKES_PER_ADDRESS: u32 = 128;
/// What was sent must be acknowledged by the other machine within this; a machine that vanished does not say so.
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);
/// Streams that a caller opened and gave up again before we took them up; more end the connection ("rapid reset").
const GIVEN_UP_STREAMS: usize = 20;
/// Bytes of an answer that lie ready for one stream.
const SEND_BUFFER: usize = 64 * 1024;
/// Connections that were turned away are told in the log this often at most.
const TELL: Duration = Duration::from_secs(5);

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
    /// Of one address, and how long to wait for what.
    pub(crate) limits: Limits,
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
    let mut door = Door::new(&site);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, from)) => {
                if let Some(places) = door.let_in(from, connections.len()) {
                    connections.spawn(serve_connection(stream, from, places, site.clone(), stop.clone()));
                }
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

/// Who is let in, and how many were not.
struct Door {
    name: &'static str,
    most: usize,
    open: Arc<Addresses>,
    handshakes: Option<Arc<Addresses>>,
    turned_away: u64,
    told: Option<Instant>,
}

/// What a connection holds: its place, and until the end of its handshake a second one.
struct Places {
    _open: Place,
    handshake: Option<Place>,
}

impl Door {
    fn new(site: &Site) -> Self {
        let handshakes = site.tls.is_some().then(|| Addresses::new(HANDSHAKES_PER_ADDRESS));
        let open = Addresses::new(site.limits.connections_per_address);
        Self { name: site.name, most: site.max_connections, open, handshakes, turned_away: 0, told: None }
    }

    fn let_in(&mut self, from: SocketAddr, connections: usize) -> Option<Places> {
        let places = self.places(from, connections);
        if places.is_none() {
            self.turned_away += 1;
            if self.told.is_none_or(|told| told.elapsed() >= TELL) {
                tracing::warn!(listener = self.name, %from, turned_away = self.turned_away, "too many connections: some were turned away");
                (self.turned_away, self.told) = (0, Some(Instant::now()));
            }
        }
        places
    }

    fn places(&self, from: SocketAddr, connections: usize) -> Option<Places> {
        if connections >= self.most {
            return None;
        }
        let open = self.open.take(from.ip())?;
        let handshake = match &self.handshakes {
            Some(handshakes) => Some(handshakes.take(from.ip())?),
            None => None,
        };
        Some(Places { _open: open, handshake })
    }
}

/// No delay; and what the other machine does not acknowledge, or a connection without any traffic that it does not confirm, ends.
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let alive = TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10)).with_retries(3);
    socket.set_tcp_keepalive(&alive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

async fn serve_connection(stream: TcpStream, from: SocketAddr, mut places: Places, site: Site, stop: CancellationToken) {
    if let Err(error) = prepare(&stream) {
        tracing::debug!(listener = site.name, %from, %error, "a connection was gone before it began");
        return;
    }
    let via = Via { here: stream.local_addr().unwrap_or(from), there: from };
    let Some(tls) = site.tls.clone() else { return serve_http(stream, None, via, site, stop).await };
    let patience = site.limits.patience.handshake;
    let handshake = tokio::select! {
        () = stop.cancelled() => return,
        handshake = timeout(patience, TlsAcceptor::from(tls).accept(stream)) => handshake,
    };
    drop(places.handshake.take());
    match handshake {
        Ok(Ok(stream)) => {
            let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let peer = site.trust.as_ref().zip(leaf).and_then(|(trust, leaf)| PartnerPeer::of(leaf, from, trust));
            serve_http(stream, peer, via, site, stop).await;
        }
        Ok(Err(error)) => tracing::warn!(listener = site.name, %from, reason = %chain(&error), "a TLS handshake was refused"),
        Err(_) => tracing::warn!(listener = site.name, %from, "a TLS handshake was not finished in {} s", patience.as_secs()),
    }
}

async fn serve_http<S>(stream: S, peer: Option<PartnerPeer>, via: Via, site: Site, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (watch, patience) = (Watch::new(), site.limits.patience);
    let (asked, answered) = (watch.clone(), watch.clone());
    let app = site
        .app
        .clone()
        .map_request(move |mut request: http::Request<Incoming>| {
            asked.asked();
            request.extensions_mut().insert(via);
            if let Some(peer) = &peer {
                request.extensions_mut().insert(peer.clone());
            }
            request.map(|body| InTime::new(body, patience))
        })
        .map_response(move |response: axum::response::Response| response.map(|body| Watched::new(body, answered.clone())));
    let builder = http_builder(&site, patience);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        why = watch.given_up(patience) => {
            tracing::info!(listener = site.name, from = %via.there, why, "a connection was given up");
            return;
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(listener = site.name, error = %chain(error.as_ref()), "a connection broke");
    }
}

fn http_builder(site: &Site, patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    if site.http2_only {
        builder = builder.http2_only();
    }
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(128 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience.silence)
        .keep_alive_timeout(patience.pong)
        .max_concurrent_streams(site.max_streams)
        .max_pending_accept_reset_streams(GIVEN_UP_STREAMS)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(32 * 1024);
    builder
}
