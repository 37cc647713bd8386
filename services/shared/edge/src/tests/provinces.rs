use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fenghuo_api::partner::v1::partner_service_client::PartnerServiceClient;
use fenghuo_api::partner::v1::partner_service_server::{PartnerService, PartnerServiceServer};
use fenghuo_api::partner::v1::{
    DeliverEnvelopesRequest, DeliverEnvelopesResponse, FetchEnvelopesRequest, FetchEnvelopesResponse, FetchOwnEnvelopesRequest,
    FetchOwnEnvelopesResponse, OpenStreamRequest, OpenStreamResponse, ReturnReceiptsRequest, ReturnReceiptsResponse, SignedEnvelope,
};
use fenghuo_durable::wall;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

use super::{Lines, keys};
use crate::testing::{channel_presenting, forge_leaf};
use crate::{PartnerChannel, PartnerListener, PartnerTrust, ProvinceKeys, RemoteError, from_status, partner_channel, peer, to_status};

/// Answers a fetch with the code of the caller.
struct Mailbox;

#[tonic::async_trait]
impl PartnerService for Mailbox {
    async fn fetch_own_envelopes(&self, _: Request<FetchOwnEnvelopesRequest>) -> Result<Response<FetchOwnEnvelopesResponse>, Status> {
        Ok(Response::new(FetchOwnEnvelopesResponse::default()))
    }
    async fn open_stream(&self, _: Request<OpenStreamRequest>) -> Result<Response<OpenStreamResponse>, Status> {
        Ok(Response::new(OpenStreamResponse::default()))
    }
    async fn deliver_envelopes(&self, _: Request<DeliverEnvelopesRequest>) -> Result<Response<DeliverEnvelopesResponse>, Status> {
        Ok(Response::new(DeliverEnvelopesResponse::default()))
    }
    async fn fetch_envelopes(&self, request: Request<FetchEnvelopesRequest>) -> Result<Response<FetchEnvelopesResponse>, Status> {
        let envelope = SignedEnvelope { key_id: peer(&request).map_err(to_status)?.province_code, ..Default::default() };
        Ok(Response::new(FetchEnvelopesResponse { envelopes: vec![envelope], ..Default::default() }))
    }
    async fn return_receipts(&self, _: Request<ReturnReceiptsRequest>) -> Result<Response<ReturnReceiptsResponse>, Status> {
        Ok(Response::new(ReturnReceiptsResponse::default()))
    }
}

struct Node {
    keys: Arc<ProvinceKeys>,
    trust: Arc<PartnerTrust>,
    address: SocketAddr,
    stop: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Node {
    async fn start(code: &str) -> Self {
        let (keys, dir) = keys(code);
        let (trust, stop) = (PartnerTrust::new(), CancellationToken::new());
        let listener = PartnerListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_address();
        let routes = Routes::new(PartnerServiceServer::new(Mailbox));
        tokio::spawn(listener.serve(routes, keys.clone(), trust.clone(), stop.clone()));
        Self { keys, trust, address, stop, _dir: dir }
    }

    fn enrol(&self, partner: &Node) {
        enrol(&self.trust, partner.keys.province_code(), &partner.keys);
    }

    fn endpoint(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Calls another node as the province we are, and tells as whom it saw us.
    async fn call(&self, partner: &Node) -> Result<String, RemoteError> {
        seen_as(partner_channel(self.keys.clone(), self.trust.clone(), partner.keys.province_code(), &partner.endpoint()).unwrap()).await
    }
}

fn enrol(trust: &PartnerTrust, code: &str, keys: &ProvinceKeys) {
    trust.enrol(code, keys.ca_certificate(), &[keys.signing_public_key().to_vec()], wall::now()).unwrap();
}

async fn seen_as(channel: PartnerChannel) -> Result<String, RemoteError> {
    let answer = PartnerServiceClient::new(channel).fetch_envelopes(FetchEnvelopesRequest::default()).await;
    answer.map(|answer| answer.into_inner().envelopes[0].key_id.clone()).map_err(|status| from_status(&status))
}

async fn hubei_and_chongqing() -> (Node, Node) {
    let (hubei, chongqing) = (Node::start("420000").await, Node::start("500000").await);
    hubei.enrol(&chongqing);
    chongqing.enrol(&hubei);
    (hubei, chongqing)
}

#[tokio::test]
async fn two_provinces_call_each_other() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    assert_eq!(hubei.call(&chongqing).await, Ok("420000".to_owned()));
    assert_eq!(chongqing.call(&hubei).await, Ok("500000".to_owned()));
}

#[tokio::test]
async fn a_stranger_is_refused_with_and_without_a_certificate() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let stranger = Node::start("430000").await;
    stranger.enrol(&chongqing);
    let refused = stranger.call(&chongqing).await.unwrap_err();
    assert!(refused.is_transient() && refused.reason.is_empty(), "{refused}");

    // A stranger that gives itself Hubei's code has another authority.
    let (false_hubei, _dir) = keys("420000");
    let leaf = forge_leaf(&false_hubei, "420000", wall::now()).unwrap();
    let channel = channel_presenting(Some(leaf), hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    seen_as(channel).await.unwrap_err();

    let channel = channel_presenting(None, hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    let refused = seen_as(channel).await.unwrap_err();
    assert!(refused.message.contains("CertificateRequired"), "{refused}");
}

#[tokio::test]
async fn an_enrolled_province_cannot_state_the_code_of_another() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let hunan = Node::start("430000").await;
    chongqing.enrol(&hunan);
    let honest = forge_leaf(&hubei.keys, "420000", wall::now()).unwrap();
    let channel = channel_presenting(Some(honest), hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    assert_eq!(seen_as(channel).await, Ok("420000".to_owned()), "the way is open for a leaf that is right");

    let (lines, _guard) = Lines::capture();
    let forged = forge_leaf(&hubei.keys, "430000", wall::now()).unwrap();
    let channel = channel_presenting(Some(forged), hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    seen_as(channel).await.unwrap_err();
    let text = lines.text();
    assert!(text.contains("a TLS handshake was refused") && text.contains("was signed by the authority of 420000"), "{text}");
}

#[tokio::test]
async fn the_refusing_side_says_precisely_why() {
    // The verifier's own words, as they stand in the log of the side that refuses.
    use rustls::server::danger::ClientCertVerifier;
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let hunan = Node::start("430000").await;
    chongqing.enrol(&hunan);
    let verifier = crate::tls::verifier_for_test(chongqing.trust.clone());
    let now = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(wall::now().as_second() as u64));
    let why = |keys: &ProvinceKeys, code: &str| {
        let leaf = forge_leaf(keys, code, wall::now()).unwrap();
        verifier.verify_client_cert(&leaf.certificate, &[], now).unwrap_err().to_string()
    };
    let text = why(&hubei.keys, "430000");
    assert!(text.contains("states province 430000, and was signed by the authority of 420000"), "{text}");
    let (stranger, _dir) = keys("440000");
    let text = why(&stranger, "440000");
    assert!(text.contains("states province 440000, which is not enrolled here"), "{text}");
    let text = why(&stranger, "420000");
    assert!(text.contains("does not chain to its pinned authority"), "{text}");
    // The CA certificate itself is no leaf, though it states the right code.
    let text = verifier.verify_client_cert(hubei.keys.ca_certificate(), &[], now).unwrap_err().to_string();
    assert!(text.contains("does not chain to its pinned authority"), "{text}");
}

#[tokio::test]
async fn a_server_with_another_identity_is_refused_by_the_client() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let hunan = Node::start("430000").await;
    hunan.enrol(&hubei);
    hubei.enrol(&hunan);
    // Chongqing is called where Hunan answers.
    let channel = partner_channel(hubei.keys.clone(), hubei.trust.clone(), "500000", &hunan.endpoint()).unwrap();
    let refused = seen_as(channel).await.unwrap_err();
    assert!(refused.message.contains("province 500000 was called, and the server's certificate states 430000"), "{refused}");
    // A false Chongqing with an authority of its own.
    let false_chongqing = Node::start("500000").await;
    let channel = partner_channel(hubei.keys.clone(), hubei.trust.clone(), "500000", &false_chongqing.endpoint()).unwrap();
    let refused = seen_as(channel).await.unwrap_err();
    assert!(refused.message.contains("does not chain to its pinned authority"), "{refused}");
    assert_eq!(hubei.call(&chongqing).await, Ok("420000".to_owned()));
}

#[tokio::test]
async fn trust_changes_while_connections_are_open() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let channel = partner_channel(hubei.keys.clone(), hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    assert_eq!(seen_as(channel.clone()).await, Ok("420000".to_owned()));
    chongqing.trust.remove("420000");
    let refused = seen_as(channel.clone()).await.unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Unauthenticated, "PARTNER_NOT_ENROLLED"));
    // Enrolled anew with another authority: the open connection was made under the old one.
    let (other, _dir) = keys("420000");
    enrol(&chongqing.trust, "420000", &other);
    assert_eq!(seen_as(channel).await.unwrap_err().reason, "PARTNER_NOT_ENROLLED");
    chongqing.enrol(&hubei);
    assert_eq!(hubei.call(&chongqing).await, Ok("420000".to_owned()));
}

#[tokio::test]
async fn a_channel_to_a_province_that_is_not_enrolled_is_not_made() {
    let (keys, _dir) = keys("420000");
    let error = partner_channel(keys, PartnerTrust::new(), "500000", "https://127.0.0.1:1").unwrap_err();
    assert_eq!(error.reason, "PARTNER_NOT_ENROLLED");
}

#[tokio::test]
async fn a_channel_connects_again_after_the_partner_was_away() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let channel = partner_channel(hubei.keys.clone(), hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    assert_eq!(seen_as(channel.clone()).await, Ok("420000".to_owned()));
    chongqing.stop.cancel();
    let away = loop {
        if let Err(error) = seen_as(channel.clone()).await {
            break error;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(away.is_transient(), "{away}");
    let again = loop {
        if let Ok(listener) = PartnerListener::bind(chongqing.address).await {
            break listener;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let routes = Routes::new(PartnerServiceServer::new(Mailbox));
    tokio::spawn(again.serve(routes, chongqing.keys.clone(), chongqing.trust.clone(), CancellationToken::new()));
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(error) = seen_as(channel.clone()).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(chongqing.address).await.unwrap());
    }
    let started = Instant::now();
    assert_eq!(hubei.call(&chongqing).await, Ok("420000".to_owned()));
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(silent.len(), 100);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_by_its_length() {
    let (hubei, chongqing) = hubei_and_chongqing().await;
    let channel = partner_channel(hubei.keys.clone(), hubei.trust.clone(), "500000", &chongqing.endpoint()).unwrap();
    let envelope = SignedEnvelope { envelope: vec![7; 100 * 1024 * 1024], ..Default::default() };
    let status = PartnerServiceClient::new(channel.clone())
        .deliver_envelopes(DeliverEnvelopesRequest { envelopes: vec![envelope] })
        .await
        .unwrap_err();
    let refused = from_status(&status);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LONG"), "{refused}");
    assert_eq!(refused.metadata["limit"], "2097152");
    assert_eq!(seen_as(channel).await, Ok("420000".to_owned()), "the connection stands");
}

#[tokio::test]
async fn a_hostile_error_does_not_stop_the_caller() {
    // Correctly enrolled, and answering with error details that are no base64: in the headers, and in the trailers.
    use axum::response::IntoResponse;
    let (hubei, chongqing) = hubei_and_chongqing().await;
    for in_trailers in [false, true] {
        let answer = move || async move {
            let mut error = http::HeaderMap::new();
            error.insert("grpc-status", "9".parse().unwrap());
            error.insert("grpc-status-details-bin", "***".parse().unwrap());
            let grpc = [("content-type", "application/grpc")];
            if in_trailers {
                let frames = futures::stream::iter([Ok::<_, std::io::Error>(hyper::body::Frame::<bytes::Bytes>::trailers(error))]);
                return (grpc, axum::body::Body::new(http_body_util::StreamBody::new(frames))).into_response();
            }
            (grpc, error, "").into_response()
        };
        let listener = PartnerListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let endpoint = format!("https://{}", listener.local_address());
        let routes = Routes::from(axum::Router::new().fallback(answer));
        tokio::spawn(listener.serve(routes, chongqing.keys.clone(), chongqing.trust.clone(), CancellationToken::new()));
        let refused = seen_as(partner_channel(hubei.keys.clone(), hubei.trust.clone(), "500000", &endpoint).unwrap()).await.unwrap_err();
        assert_eq!(refused.code, Code::FailedPrecondition, "{in_trailers}: {refused}");
    }
}
