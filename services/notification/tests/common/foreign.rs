//! A province whose client was built from the contract alone: it makes its envelopes by hand, right and wrong.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::partner_service_client::PartnerServiceClient;
use fenghuo_api::partner::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{new_id, sha256, wall};
use fenghuo_edge::{PartnerChannel, PartnerTrust, ProvinceKeys, RemoteError, bundle, from_status, partner_channel};
use prost::Message;

use super::{LinkState, Node, SpaceId};
use fenghuo_api::notification::v1::partner_directory_service_server::PartnerDirectoryService;
use fenghuo_api::notification::v1::{EnrolPartnerRequest, PartnerMode};

pub struct Foreign {
    pub code: &'static str,
    pub keys: ProvinceKeys,
    pub to: String,
    pub calls: PartnerServiceClient<PartnerChannel>,
    pub dir: tempfile::TempDir,
    pub tls: Arc<ProvinceKeys>,
}

impl Foreign {
    /// Hunan, enrolled at this node, and the link up.
    pub async fn enrolled_at(node: &Node) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let load = || ProvinceKeys::load_or_create(&dir.path().join("keys"), "430000", &[], wall::now()).unwrap();
        let (keys, tls) = (load(), Arc::new(load()));
        let own = bundle::own_bundle(&keys, "湖南省", "", "0731-12369", wall::now());
        let request = EnrolPartnerRequest {
            request_id: new_id().to_string(),
            bundle_json: bundle::to_json(&own).unwrap(),
            fingerprint: bundle::fingerprint(&own),
            mode: PartnerMode::Push.into(),
        };
        node.service.enrol_partner(node.ask(SpaceId::Real, request)).await.unwrap();
        let trust = PartnerTrust::new();
        trust.enrol(node.code(), node.keys.ca_certificate(), &[node.keys.signing_public_key().to_vec()], wall::now()).unwrap();
        let endpoint = format!("https://{}", node.home.address);
        let channel = partner_channel(tls.clone(), trust, node.code(), &endpoint).unwrap();
        let calls = PartnerServiceClient::new(channel).max_encoding_message_size(usize::MAX);
        let foreign = Self { code: "430000", keys, to: node.code().into(), calls, dir, tls };
        foreign.open(0, [0; 32]).await.unwrap();
        node.until_link("430000", LinkState::Up).await;
        foreign
    }

    pub async fn open(&self, position: u64, digest: [u8; 32]) -> Result<OpenStreamResponse, RemoteError> {
        self.open_as(self.code, 1, position, digest).await
    }

    pub async fn open_as(&self, sender: &str, epoch: u64, position: u64, digest: [u8; 32]) -> Result<OpenStreamResponse, RemoteError> {
        let request = OpenStreamRequest {
            sender: sender.into(),
            space: "real".into(),
            epoch,
            sent: Some(StreamPosition { position, digest: digest.to_vec() }),
            stored: None,
            stored_epoch: 0,
        };
        self.calls.clone().open_stream(request).await.map(|answer| answer.into_inner()).map_err(|status| from_status(&status))
    }

    pub fn envelope(&self, position: u64, previous: [u8; 32], content: Option<Content>) -> Envelope {
        Envelope {
            stream: Some(StreamId { sender: self.code.into(), recipient: self.to.clone(), space: "real".into(), epoch: 1 }),
            position,
            previous_digest: previous.to_vec(),
            envelope_id: new_id().to_string(),
            space_time: Some(to_proto(wall::now())),
            content,
            ..Default::default()
        }
    }

    /// A right envelope with a right warning in it.
    pub fn warning(&self, position: u64, previous: [u8; 32]) -> SignedEnvelope {
        self.sign(&self.envelope(position, previous, Some(Content::Notification(self.content()))))
    }

    pub fn content(&self) -> Notification {
        Notification {
            name: format!("provinces/{}/notifications/{}", self.code, new_id()),
            incident: format!("provinces/{}/incidents/{}", self.code, new_id()),
            kind: NotificationKind::Warning.into(),
            subject: "酉水上游尾矿渗漏".into(),
            ..Default::default()
        }
    }

    pub fn sign(&self, envelope: &Envelope) -> SignedEnvelope {
        sign_with(&self.keys, envelope.encode_to_vec())
    }

    pub async fn deliver(&self, envelopes: Vec<SignedEnvelope>) -> Result<Vec<SignedReceipt>, RemoteError> {
        let answer = self.calls.clone().deliver_envelopes(DeliverEnvelopesRequest { envelopes }).await;
        answer.map(|answer| answer.into_inner().receipts).map_err(|status| from_status(&status))
    }

    /// Delivers one envelope; its receipt, decoded.
    pub async fn deliver_one(&self, signed: &SignedEnvelope) -> Receipt {
        let receipts = self.deliver(vec![signed.clone()]).await.unwrap();
        assert_eq!(receipts.len(), 1);
        Receipt::decode(receipts[0].receipt.as_slice()).unwrap()
    }
}

pub fn sign_with(keys: &ProvinceKeys, bytes: Vec<u8>) -> SignedEnvelope {
    let signature = keys.sign_envelope(&sha256(&bytes)).to_vec();
    SignedEnvelope { envelope: bytes, key_id: keys.key_id(), signature }
}

pub fn digest(signed: &SignedEnvelope) -> [u8; 32] {
    sha256(&signed.envelope)
}
