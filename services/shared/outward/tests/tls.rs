//! Over TLS, with an authority of its own: the right one is believed, another is not.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{Code, SpaceId};
use fenghuo_outward::testing::NatsServer;
use fenghuo_outward::{Reader, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_server_of_the_named_authority_gets_the_log() {
    let test = Test::new(On::Sqlite).await;
    let dir = test.dir();
    let (ours, other) = (authority("ours"), authority("other"));
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &ours).unwrap();
    let file = |name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (cert, key) = (file("cert.pem", leaf.pem()), file("key.pem", key.serialize_pem()));
    let (ours, other) = (file("ours.pem", ours.as_ref().pem()), file("other.pem", other.as_ref().pem()));
    let mut nats = NatsServer::idle(&dir.join("nats")).with(&format!("tls {{ cert_file: {cert:?}, key_file: {key:?} }}"));
    nats.resume().await;
    let url = nats.url().replace("nats://", "tls://");
    let server = |ca: &std::path::Path| Server { url: url.clone(), ca_file: Some(ca.to_owned()), ..Server::default() };

    test.write(20).await;
    let refused = test.export_to(server(&other));
    until("the status says why", || async { refused.status().borrow().last_error.contains("UnknownIssuer").then_some(()) }).await;
    until("the server has seen it", || async { nats.log().contains("TLS handshake error").then_some(()) }).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!refused.status().borrow().connected);
    refused.stop().await;
    let export = test.export_to(server(&ours));
    export.caught_up(20).await;
    export.stop().await;

    assert_eq!(Reader::connect(&server(&other), "500000", SpaceId::Real, None).await.err().unwrap().code, Code::Unavailable);
    let mut reader = Reader::connect(&server(&ours), "500000", SpaceId::Real, None).await.unwrap();
    assert_eq!(reader.last().await.unwrap(), 20);
    for seq in 0..20 {
        assert_eq!(reader.next(seq).await.unwrap().unwrap().event.seq, seq + 1);
    }
    assert_eq!(Reader::connect(&server(&ours), "420000", SpaceId::Real, None).await.err().unwrap().code, Code::NotFound);
    test.stop().await;
}
