//! Tests of the edge as its users see it: real sockets, real TLS, real gRPC.

mod auth;
mod bundle;
mod config;
mod console;
mod hostile;
mod keys;
mod limits;
mod provinces;
mod status;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use fenghuo_api::audit::v1::audit_service_server::{AuditService, AuditServiceServer};
use fenghuo_api::audit::v1::{
    ListEventsRequest, ListEventsResponse, VerifyLogRequest, VerifyLogResponse, WatchEventsRequest, WatchEventsResponse,
};
use fenghuo_durable::{Code, Error, Result, wall};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::{Authenticate, Console, ConsoleListener, Grant, Limits, ProvinceKeys, Role, SignedIn, caller, to_status};

pub(super) fn keys(province_code: &str) -> (Arc<ProvinceKeys>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let keys = ProvinceKeys::load_or_create(&dir.path().join("keys"), province_code, &[], wall::now()).unwrap();
    (Arc::new(keys), dir)
}

pub(super) fn grant(role: Role, jurisdiction: &str) -> Grant {
    Grant { role, jurisdiction: jurisdiction.to_owned(), start: Timestamp::UNIX_EPOCH, end: None }
}

/// Sessions by token.
#[derive(Default)]
pub(super) struct Sessions(pub(super) parking_lot::RwLock<HashMap<&'static str, Vec<Grant>>>);

impl Authenticate for Sessions {
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<SignedIn>> {
        Box::pin(async move {
            let grants =
                self.0.read().get(token).cloned().ok_or_else(|| Error::new(Code::Unauthenticated, "SESSION_UNKNOWN", "sign in again"))?;
            Ok(SignedIn {
                identity: format!("provinces/420000/people/{token}"),
                display_name: "李静".to_owned(),
                post: "值班员".to_owned(),
                grants,
                session_id: "1".to_owned(),
            })
        })
    }
}

/// A service that tells who called, in which space, and about what.
pub(super) struct Echo;

#[tonic::async_trait]
impl AuditService for Echo {
    type WatchEventsStream = BoxStream<'static, Result<WatchEventsResponse, Status>>;

    async fn list_events(&self, request: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        let caller = caller(&request).map_err(to_status)?;
        let space = caller.space().map_err(to_status)?;
        Ok(Response::new(ListEventsResponse {
            events: vec![],
            next_page_token: format!("{} in {space}{}", caller.identity, request.get_ref().subject),
        }))
    }

    async fn watch_events(&self, _: Request<WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let first = futures::stream::iter([Ok(WatchEventsResponse::default())]);
        Ok(Response::new(Box::pin(futures::StreamExt::chain(first, futures::stream::pending()))))
    }

    async fn verify_log(&self, request: Request<VerifyLogRequest>) -> Result<Response<VerifyLogResponse>, Status> {
        caller(&request).map_err(to_status)?;
        Ok(Response::new(VerifyLogResponse { holds: true, ..Default::default() }))
    }
}

/// A running console listener.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) url: String,
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
    pub(super) keys: Arc<ProvinceKeys>,
    pub(super) sessions: Arc<Sessions>,
    _dir: tempfile::TempDir,
}

pub(super) async fn console() -> Running {
    console_at("127.0.0.1:0").await
}

pub(super) async fn console_at(address: &str) -> Running {
    console_with(address, Limits::default()).await
}

pub(super) async fn console_with(address: &str, limits: Limits) -> Running {
    let (keys, dir) = keys("420000");
    let listener = ConsoleListener::bind(address.parse().unwrap()).await.unwrap().with_limits(limits);
    let (address, url, stop) = (listener.local_address(), listener.url(), CancellationToken::new());
    let past = Grant { end: Some(wall::now()), ..grant(Role::Commander, "420000") };
    let sessions = Arc::new(Sessions(parking_lot::RwLock::new(HashMap::from([
        ("viewer", vec![grant(Role::Viewer, "420000")]),
        ("commander", vec![grant(Role::Commander, "422800")]),
        ("retired", vec![past]),
    ]))));
    let static_files = axum::Router::new().route("/", axum::routing::get(|| async { "烽火" }));
    let console =
        Console { routes: Routes::new(AuditServiceServer::new(Echo)), static_files, sessions: sessions.clone(), keys: keys.clone() };
    let stopped = stop.clone();
    let task = tokio::spawn(async move { listener.serve(console, stopped).await.unwrap() });
    Running { address, url, stop, task, keys, sessions, _dir: dir }
}

/// Takes log lines into memory.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<parking_lot::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Everything that this thread logs until the guard is dropped.
    pub(super) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).json().with_writer(move || writer.clone()).finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}
