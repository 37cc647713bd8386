//! A signed envelope as `DeliverEnvelopes` and `FetchEnvelopes` carry it: decoded, opened, its signature and its content checked.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Acknowledgement, ChainHead, Envelope, KeyAnnouncement, SignedEnvelope, StreamId};
use fenghuo_api::time::to_proto;
use fenghuo_durable::sha256;
use fenghuo_edge::signing;
use fenghuo_mailbox::envelope::kind_of;
use fenghuo_mailbox::inspect;
use fenghuo_mailbox::machine::{MAX_ENVELOPE_BYTES, NOTHING};
use prost::Message;

use crate::{Seed, fixture, notification, refused};

/// Accepted: the form holds, whatever the signature.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(signed) = SignedEnvelope::decode(bytes) else { return false };
    let (envelope, offered) = match inspect::envelope(signed.clone()) {
        Ok(opened) => opened,
        Err(error) => return refused(error),
    };
    assert!(signed.envelope.len() <= MAX_ENVELOPE_BYTES);
    assert_eq!(offered.digest, sha256(&signed.envelope));
    assert!((1..=i64::MAX as u64).contains(&offered.epoch) && (1..=i64::MAX as u64).contains(&offered.position));
    assert!(uuid::Uuid::try_parse(&envelope.envelope_id).is_ok());
    // By its bytes: a number that is none equals nothing.
    let written = envelope.encode_to_vec();
    assert_eq!(Envelope::decode(written.as_slice()).unwrap().encode_to_vec(), written);
    if let Err(error) = signing::verify_envelope(&fixture::keys().signing_public_key(), &offered.digest, &signed.signature) {
        assert_eq!(error.reason, "SIGNATURE_INVALID");
        refused(error);
    }
    assert!(!kind_of(envelope.content.as_ref()).is_empty());
    match &envelope.content {
        Some(Content::Notification(content)) => drop(notification::check(content)),
        Some(Content::Acknowledgement(given)) => drop(notification::check_given(given)),
        _ => {}
    }
    true
}

/// One of each kind.
pub fn seeds() -> Vec<Seed> {
    let given = Acknowledgement {
        notification: "provinces/500000/notifications/0198f0a0-0000-7000-8000-000000000002".into(),
        person: "李静".into(),
        post: "湖北省生态环境厅 值班员".into(),
        acknowledge_time: Some(to_proto(fixture::now())),
        remark: "已派员核查".into(),
    };
    let announced = KeyAnnouncement { signing_key: Some(fixture::keys().signing_key()) };
    vec![
        ("notification", sealed(Some(Content::Notification(notification::sample())))),
        ("acknowledgement", sealed(Some(Content::Acknowledgement(given)))),
        ("key_announcement", sealed(Some(Content::KeyAnnouncement(announced)))),
        ("chain_head", sealed(Some(Content::ChainHead(ChainHead { sequence: 7, hash: vec![7; 32] })))),
        ("unknown_kind", sealed(None)),
        ("cut_short", sealed(Some(Content::Notification(notification::sample())))[..200].to_vec()),
    ]
}

/// The stream of the samples.
pub(crate) fn stream() -> StreamId {
    StreamId { sender: fixture::PARTNER.into(), recipient: fixture::HOME.into(), space: "real".into(), epoch: 1 }
}

fn sealed(content: Option<Content>) -> Vec<u8> {
    let envelope = Envelope {
        stream: Some(stream()),
        position: 1,
        previous_digest: NOTHING.to_vec(),
        envelope_id: "0198f0a0-0000-7000-8000-000000000001".into(),
        space_time: Some(to_proto(fixture::now())),
        clock_setting: 0,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        content,
    };
    let (bytes, keys) = (envelope.encode_to_vec(), fixture::keys());
    let signature = keys.sign_envelope(&sha256(&bytes)).to_vec();
    SignedEnvelope { envelope: bytes, key_id: keys.key_id(), signature }.encode_to_vec()
}
