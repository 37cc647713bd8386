//! The baseline: tonic, the real request there and back, nothing in between.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};

use fenghuo_api::incident::v1::SubmitReportRequest;
use fenghuo_edge::console_channel;
use fenghuo_tests::reports::{report, submit};
use futures::future::BoxFuture;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::args::Args;
use crate::drive::{CONNECTIONS, closed, open};
use crate::figure::{Baseline, Report};

/// Name of the figure that others are divided by.
pub const ECHO: &str = "tonic echo";
const PATH: &str = "/load.Echo/Echo";
type Codec = ProstCodec<SubmitReportRequest, SubmitReportRequest>;

/// What the others are divided by: the echo with so many in flight.
pub fn baseline(in_flight: usize) -> Option<Baseline<'static>> {
    Some(Baseline { what: ECHO, in_flight })
}

/// Measures the echo.
pub async fn run(args: &Args, report: &mut Report) {
    let server = Process::start();
    let channels: Arc<Vec<Channel>> = Arc::new((0..CONNECTIONS).map(|_| console_channel(&server.url, None).unwrap()).collect());
    let echo = move |connection: usize| call(channels[connection].clone());
    for in_flight in &args.in_flight {
        report.rate(ECHO, *in_flight, &closed(args, *in_flight, echo.clone()).await, None);
    }
    let half = report.highest(ECHO).unwrap_or(0.0) / 2.0;
    report.rate("tonic echo, open loop at half the highest", 0, &open(args, half, echo).await, None);
}

async fn call(channel: Channel) -> Result<(), String> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(|error| error.to_string())?;
    let path = http::uri::PathAndQuery::from_static(PATH);
    grpc.unary(Request::new(submit(report_of_echo())), path, Codec::default()).await.map(|_| ()).map_err(|status| status.to_string())
}

fn report_of_echo() -> fenghuo_api::incident::v1::Report {
    report("422822")
}

/// The server, a process of its own: this program once more.
struct Process {
    url: String,
    child: Child,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap()).arg("--echo-server").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { url: line.trim().to_owned(), child }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the echo until it is killed; prints its address.
pub async fn serve() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().add_service(Echo).serve_with_incoming(incoming).await.unwrap();
}

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "load.Echo";
}

impl tonic::server::UnaryService<SubmitReportRequest> for Echo {
    type Response = SubmitReportRequest;
    type Future = std::future::Ready<Result<Response<SubmitReportRequest>, Status>>;

    fn call(&mut self, request: Request<SubmitReportRequest>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}

impl tonic::codegen::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Codec::default()).unary(Echo, request).await) })
    }
}
