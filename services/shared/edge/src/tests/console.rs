use std::time::{Duration, Instant};

use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::audit::v1::{ListEventsRequest, ListEventsResponse, VerifyLogRequest, WatchEventsRequest};
use fenghuo_durable::SpaceId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Lines, Running, console, console_at};
use crate::{ClientSession, RemoteError, console_channel, from_status};

pub(super) type Client = AuditServiceClient<InterceptedService<Channel, ClientSession>>;

pub(super) fn client(running: &Running, token: Option<&str>, space: Option<SpaceId>) -> Client {
    let mut session = ClientSession::anonymous();
    if let Some(token) = token {
        session = session.with_token(token).unwrap();
    }
    if let Some(space) = space {
        session = session.in_space(space).unwrap();
    }
    AuditServiceClient::with_interceptor(console_channel(&running.url, None).unwrap(), session)
}

pub(super) fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> RemoteError {
    from_status(&answer.unwrap_err())
}

#[tokio::test]
async fn a_call_needs_a_session_a_space_and_a_role() {
    let running = console().await;
    let real = Some(SpaceId::Real);
    let list = ListEventsRequest::default;

    let missing = refusal(client(&running, None, real).list_events(list()).await);
    assert_eq!((missing.code, missing.reason.as_str()), (Code::Unauthenticated, "TOKEN_MISSING"));
    let unknown = refusal(client(&running, Some("guess"), real).list_events(list()).await);
    assert_eq!((unknown.code, unknown.reason.as_str()), (Code::Unauthenticated, "SESSION_UNKNOWN"));
    let nowhere = refusal(client(&running, Some("viewer"), None).list_events(list()).await);
    assert_eq!((nowhere.code, nowhere.violations[0].field.as_str()), (Code::InvalidArgument, "fenghuo-space"));
    let viewer = refusal(client(&running, Some("viewer"), real).verify_log(VerifyLogRequest {}).await);
    assert_eq!((viewer.code, viewer.reason.as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    assert_eq!(viewer.metadata["roles"], "administrator, commander");
    let retired = refusal(client(&running, Some("retired"), real).list_events(list()).await);
    assert_eq!(retired.code, Code::PermissionDenied);

    assert!(client(&running, Some("commander"), real).verify_log(VerifyLogRequest {}).await.unwrap().into_inner().holds);
    let exercise: SpaceId = "exercises/0198f0a0-0000-7000-8000-000000000001".parse().unwrap();
    let answer = client(&running, Some("viewer"), Some(exercise)).list_events(list()).await.unwrap().into_inner();
    assert_eq!(answer.next_page_token, "provinces/420000/people/viewer in exercises/0198f0a0-0000-7000-8000-000000000001");
}

#[tokio::test]
async fn malformed_metadata_is_refused() {
    let running = console().await;
    let mut plain = AuditServiceClient::new(console_channel(&running.url, None).unwrap());
    let mut ask = async |authorization: &[&str], spaces: &[&str]| {
        let mut request = tonic::Request::new(ListEventsRequest::default());
        for value in authorization {
            request.metadata_mut().append("authorization", value.parse().unwrap());
        }
        for value in spaces {
            request.metadata_mut().append("fenghuo-space", value.parse().unwrap());
        }
        refusal(plain.list_events(request).await)
    };
    for authorization in [&["viewer"][..], &["Basic viewer"], &["Bearer "], &["Bearer viewer", "Bearer commander"]] {
        assert_eq!(ask(authorization, &["real"]).await.reason, "TOKEN_MISSING", "{authorization:?}");
    }
    for spaces in [&["Real"][..], &["exercises/1"], &[""], &["real", "real"]] {
        let refused = ask(&["Bearer viewer"], spaces).await;
        assert_eq!((refused.code, refused.violations[0].field.as_str()), (Code::InvalidArgument, "fenghuo-space"), "{spaces:?}");
    }
}

#[tokio::test]
async fn methods_without_a_rule_are_not_there() {
    let running = console().await;
    let mut grpc = tonic::client::Grpc::new(console_channel(&running.url, None).unwrap());
    for path in ["/fenghuo.audit.v1.AuditService/NoSuchMethod", "/fenghuo.partner.v1.PartnerService/FetchEnvelopes", "/x.Y/Z"] {
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<ListEventsRequest, ListEventsResponse>::default();
        let answer = grpc.unary(tonic::Request::new(ListEventsRequest::default()), path.parse().unwrap(), codec).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unimplemented, "{path}");
    }
}

/// Sends one request by HTTP/1.1 and returns status line and headers, and the body.
pub(super) async fn http1(running: &Running, head: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase(), answer[end + 4..].to_vec())
}

pub(super) fn web_call(extra: &str) -> String {
    format!(
        "POST /fenghuo.audit.v1.AuditService/ListEvents HTTP/1.1\r\nhost: localhost:8420\r\ncontent-type: application/grpc-web+proto{extra}"
    )
}

pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    [&[0], (message.len() as u32).to_be_bytes().as_slice(), message].concat()
}

#[tokio::test]
async fn a_browser_calls_by_grpc_web() {
    let running = console().await;
    let (head, body) = http1(&running, &web_call("\r\nauthorization: Bearer viewer\r\nfenghuo-space: real"), &frame(b"")).await;
    assert!(head.starts_with("http/1.1 200") && head.contains("application/grpc-web+proto"), "{head}");
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("people/viewer in real") && body.contains("grpc-status:0"), "{body}");

    let (head, _) = http1(&running, &web_call(""), &frame(b"")).await;
    assert!(head.starts_with("http/1.1 200") && head.contains("grpc-status: 16") && head.contains("grpc-status-details-bin: "), "{head}");
    let (head, _) = http1(&running, &web_call("\r\nauthorization: Bearer viewer"), &frame(b"")).await;
    assert!(head.contains("grpc-status: 3") && head.contains("fenghuo-space"), "{head}");
    let verify = web_call("\r\nauthorization: Bearer viewer\r\nfenghuo-space: real").replace("ListEvents", "VerifyLog");
    let (head, _) = http1(&running, &verify, &frame(b"")).await;
    assert!(head.contains("grpc-status: 7"), "{head}");
    let foreign = web_call("\r\norigin: https://evil.example\r\nauthorization: Bearer viewer\r\nfenghuo-space: real");
    let (head, _) = http1(&running, &foreign, &frame(b"")).await;
    assert!(!head.contains("access-control"), "{head}");
}

#[tokio::test]
async fn only_names_of_loopback_are_answered_on_loopback() {
    let running = console().await;
    for host in ["localhost", "127.0.0.1:1", "[::1]:8420", "LOCALHOST:9"] {
        let (head, body) = http1(&running, &format!("GET / HTTP/1.1\r\nhost: {host}"), b"").await;
        assert!(head.starts_with("http/1.1 200") && !body.is_empty(), "{host}: {head}");
    }
    for host in ["evil.example", "evil.example:8420", "localhost.evil.example", "127.0.0.1.evil.example", "x@localhost", ""] {
        let (head, _) = http1(&running, &format!("GET / HTTP/1.1\r\nhost: {host}"), b"").await;
        assert!(head.starts_with("http/1.1 421"), "{host}: {head}");
    }
    let evil = web_call("\r\nauthorization: Bearer viewer\r\nfenghuo-space: real").replace("localhost:8420", "evil.example");
    let (head, _) = http1(&running, &evil, &frame(b"")).await;
    assert!(head.starts_with("http/1.1 421"), "{head}");
}

#[tokio::test]
async fn files_carry_the_security_headers() {
    let running = console().await;
    let (head, body) = http1(&running, "GET / HTTP/1.1\r\nhost: localhost", b"").await;
    assert_eq!(String::from_utf8(body).unwrap(), "烽火");
    for header in
        ["content-security-policy: default-src 'self'; worker-src 'self' blob:", "x-content-type-options: nosniff", "x-frame-options: deny"]
    {
        assert!(head.contains(header), "{header} in {head}");
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_by_their_length() {
    let running = console().await;
    let request = ListEventsRequest { subject: "x".repeat(100 * 1024 * 1024), ..Default::default() };
    let refused = refusal(client(&running, Some("viewer"), Some(SpaceId::Real)).list_events(request).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LONG"), "{refused}");
    assert_eq!(refused.metadata["limit"], "4194304");
    assert!(refused.metadata["length"].parse::<usize>().unwrap() > 100 * 1024 * 1024);
    let fits = ListEventsRequest { subject: "x".repeat(4 * 1024 * 1024 - 100), ..Default::default() };
    client(&running, Some("viewer"), Some(SpaceId::Real)).list_events(fits).await.unwrap();
}

pub(super) fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn a_flood_is_not_kept_in_memory() {
    let running = console().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let length: u32 = 100 * 1024 * 1024;
    let head = web_call("\r\nauthorization: Bearer viewer\r\nfenghuo-space: real");
    stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n", length + 5).as_bytes()).await.unwrap();
    stream.write_all(&[&[0], length.to_be_bytes().as_slice()].concat()).await.unwrap();
    let before = resident_bytes();
    let piece = vec![0; 64 * 1024];
    let mut sent = 0;
    while sent < length as usize && stream.write_all(&piece).await.is_ok() {
        sent += piece.len();
    }
    assert!(sent < 32 * 1024 * 1024, "{sent} bytes were taken");
    assert!(resident_bytes().saturating_sub(before) < 32 * 1024 * 1024);
}

#[tokio::test]
async fn health_and_reflection_answer_without_a_session() {
    let running = console().await;
    let mut health = HealthClient::new(console_channel(&running.url, None).unwrap());
    let answer = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_response::MessageResponse};
    let ask = ServerReflectionRequest { message_request: Some(MessageRequest::ListServices(String::new())), ..Default::default() };
    let mut reflection = ServerReflectionClient::new(console_channel(&running.url, None).unwrap());
    let mut answers = reflection.server_reflection_info(futures::stream::iter([ask])).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response else {
        panic!("not a list of services")
    };
    assert!(list.service.iter().any(|service| service.name == "fenghuo.incident.v1.IncidentService"));
}

#[tokio::test]
async fn a_stop_ends_streams_at_once_and_says_so() {
    let running = console().await;
    let mut health = HealthClient::new(console_channel(&running.url, None).unwrap());
    let mut watched = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let mut events =
        client(&running, Some("viewer"), Some(SpaceId::Real)).watch_events(WatchEventsRequest::default()).await.unwrap().into_inner();
    assert!(events.message().await.unwrap().is_some());
    let _silent = TcpStream::connect(running.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;

    let started = Instant::now();
    running.stop.cancel();
    let ended = from_status(&events.message().await.unwrap_err());
    assert_eq!((ended.code, ended.reason.as_str()), (Code::Unavailable, "NODE_STOPPING"));
    running.task.await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_its_grants() {
    let running = console().await;
    for (change, code, reason) in [
        (Some(vec![crate::tests::grant(crate::Role::Viewer, "422800")]), Code::Aborted, "GRANTS_CHANGED"),
        (None, Code::Unauthenticated, "SESSION_UNKNOWN"),
    ] {
        let mut events =
            client(&running, Some("viewer"), Some(SpaceId::Real)).watch_events(WatchEventsRequest::default()).await.unwrap().into_inner();
        assert!(events.message().await.unwrap().is_some());
        match change {
            Some(grants) => drop(running.sessions.0.write().insert("viewer", grants)),
            None => drop(running.sessions.0.write().remove("viewer")),
        }
        let ended = tokio::time::timeout(3 * crate::auth::LOOK_AGAIN, events.message()).await.unwrap();
        let ended = from_status(&ended.unwrap_err());
        assert_eq!((ended.code, ended.reason.as_str()), (code, reason));
    }
}

/// TLS to the console over this connection, trusting its authority.
pub(super) async fn tls_connect(running: &Running, stream: TcpStream) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(running.keys.ca_certificate().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(crate::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn beyond_loopback_the_console_speaks_tls_only() {
    let running = console_at("0.0.0.0:0").await;
    assert!(running.url.starts_with("https://"));
    let mut stream = TcpStream::connect(("127.0.0.1", running.address.port())).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "plain text was answered");

    let stream = TcpStream::connect(("127.0.0.1", running.address.port())).await.unwrap();
    let mut tls = tls_connect(&running, stream).await;
    tls.write_all(b"GET / HTTP/1.1\r\nhost: fenghuo.example\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));

    let url = format!("https://127.0.0.1:{}", running.address.port());
    assert!(console_channel(&url, None).unwrap_err().message.contains("ca-certificate.pem"));
    let mut health = HealthClient::new(console_channel(&url, Some(&running.keys.ca_certificate_pem())).unwrap());
    assert_eq!(health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status(), ServingStatus::Serving);
    let (stranger, _dir) = super::keys("420000");
    let mut health = HealthClient::new(console_channel(&url, Some(&stranger.ca_certificate_pem())).unwrap());
    health.check(HealthCheckRequest::default()).await.unwrap_err();
}

#[tokio::test]
async fn each_call_leaves_one_line_without_its_secrets() {
    let (lines, _guard) = Lines::capture();
    let running = console().await;
    client(&running, Some("commander"), Some(SpaceId::Real)).verify_log(VerifyLogRequest {}).await.unwrap();
    client(&running, Some("geheim-token"), Some(SpaceId::Real)).verify_log(VerifyLogRequest {}).await.unwrap_err();
    let text = lines.text();
    let calls: Vec<serde_json::Value> =
        text.lines().filter(|line| line.contains("fenghuo::call")).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(&str, &str)> =
        calls.iter().map(|line| (line["fields"]["method"].as_str().unwrap(), line["fields"]["code"].as_str().unwrap())).collect();
    let method = "/fenghuo.audit.v1.AuditService/VerifyLog";
    assert_eq!(told, [(method, "OK"), (method, "UNAUTHENTICATED")]);
    assert!(calls.iter().all(|line| line["fields"]["elapsed_ms"].is_u64()));
    assert!(!calls.iter().any(|line| line.to_string().contains("geheim-token")));
}
