//! What a partner may not send: each refused with its reason, and the database is as it was. Over real TLS, by a hand-made client.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod common;

use common::foreign::{Foreign, digest, sign_with};
use common::*;
use fenghuo_api::notification::v1::LinkState;
use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::*;
use fenghuo_durable::testing::On;
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_edge::testing::{channel_presenting, forge_leaf};
use fenghuo_edge::{PartnerTrust, ProvinceKeys, RemoteError, from_status};
use prost::Message;
use tonic::Code;

const REAL: SpaceId = SpaceId::Real;
const NOTHING: [u8; 32] = [0; 32];

async fn alone(on: On) -> (Node, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Home::new(on, "500000", dir.path()).await.start().await, dir)
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, RemoteError>) -> (Code, String) {
    let error = outcome.unwrap_err();
    (error.code, error.reason)
}

async fn wrong_envelopes_are_refused_and_change_nothing(on: On) {
    let (chongqing, _dir) = alone(on).await;
    let hunan = Foreign::enrolled_at(&chongqing).await;
    let first = hunan.warning(1, NOTHING);
    hunan.deliver_one(&first).await;
    chongqing.assert_holds(REAL).await;
    let good = || hunan.envelope(2, digest(&first), Some(Content::Notification(hunan.content())));
    let with = |change: &dyn Fn(&mut Envelope, &mut StreamId)| {
        let mut envelope = good();
        let mut stream = envelope.stream.take().unwrap();
        change(&mut envelope, &mut stream);
        envelope.stream = Some(stream);
        hunan.sign(&envelope)
    };
    let stranger_dir = tempfile::tempdir().unwrap();
    let stranger = ProvinceKeys::load_or_create(&stranger_dir.path().join("keys"), "430000", &[], wall::now()).unwrap();
    let altered = || {
        let mut signed = hunan.sign(&good());
        let last = signed.envelope.len() - 1;
        signed.envelope[last] ^= 1;
        signed
    };
    let big = || {
        let situation = "水".repeat(100_000);
        let content = Notification { situation, ..hunan.content() };
        hunan.sign(&hunan.envelope(2, digest(&first), Some(Content::Notification(content))))
    };
    let cases: Vec<(&str, SignedEnvelope, Code, &str)> = vec![
        ("altered", altered(), Code::InvalidArgument, "SIGNATURE_INVALID"),
        ("unknown key", sign_with(&stranger, good().encode_to_vec()), Code::InvalidArgument, "SIGNING_KEY_UNKNOWN"),
        (
            "the signature of another",
            SignedEnvelope { signature: first.signature.clone(), ..hunan.sign(&good()) },
            Code::InvalidArgument,
            "SIGNATURE_INVALID",
        ),
        ("another sender", with(&|_, stream| stream.sender = "420000".into()), Code::PermissionDenied, "SENDER_NOT_CALLER"),
        ("another recipient", with(&|_, stream| stream.recipient = "510000".into()), Code::InvalidArgument, "RECIPIENT_NOT_US"),
        ("no space", with(&|_, stream| stream.space = String::new()), Code::InvalidArgument, "INVALID_FIELD"),
        (
            "an exercise that nobody accepted",
            with(&|_, stream| stream.space = format!("exercises/{}", new_id())),
            Code::FailedPrecondition,
            "EXERCISE_NOT_ACCEPTED",
        ),
        ("over 256 KiB", big(), Code::ResourceExhausted, "ENVELOPE_TOO_LARGE"),
        ("beyond the next position", with(&|envelope, _| envelope.position = 4), Code::FailedPrecondition, "POSITION_GAP"),
        ("position 0", with(&|envelope, _| envelope.position = 0), Code::InvalidArgument, "INVALID_FIELD"),
        ("a short digest", with(&|envelope, _| envelope.previous_digest = vec![1; 31]), Code::InvalidArgument, "INVALID_FIELD"),
        ("no id", with(&|envelope, _| envelope.envelope_id = "7".into()), Code::InvalidArgument, "INVALID_FIELD"),
        ("no envelope at all", sign_with(&hunan.keys, vec![0xff; 40]), Code::InvalidArgument, "INVALID_FIELD"),
        ("a later epoch in its middle", with(&|_, stream| stream.epoch = 2), Code::FailedPrecondition, "POSITION_GAP"),
    ];
    let before = chongqing.dump(REAL).await;
    for (what, signed, code, wanted) in cases {
        assert_eq!(reason(hunan.deliver(vec![signed]).await), (code, wanted.to_owned()), "{what}");
        assert_eq!(chongqing.dump(REAL).await, before, "{what}: the database is as it was");
    }
    let many = vec![hunan.sign(&good()); 65];
    assert_eq!(reason(hunan.deliver(many).await), (Code::ResourceExhausted, "BATCH_TOO_LARGE".to_owned()));
    assert_eq!(reason(hunan.deliver(vec![]).await).0, Code::InvalidArgument);
    let huge = SignedEnvelope { envelope: vec![0; 100 * 1024 * 1024], ..Default::default() };
    let refused = hunan.deliver(vec![huge]).await.unwrap_err();
    assert!(matches!(refused.code, Code::ResourceExhausted | Code::OutOfRange), "a 100 MB message: {refused}");
    assert_eq!(reason(hunan.open_as("420000", 1, 0, NOTHING).await), (Code::PermissionDenied, "SENDER_NOT_CALLER".to_owned()));
    assert_eq!(chongqing.dump(REAL).await, before);
    // After all that the stream is where it was: the right envelope goes through.
    assert_eq!(hunan.deliver_one(&hunan.sign(&good())).await.outcome(), Outcome::Accepted);
    chongqing.stop().await;
}

async fn replayed_and_reordered_envelopes_get_the_first_receipt_and_no_second_effect(on: On) {
    let (chongqing, _dir) = alone(on).await;
    let hunan = Foreign::enrolled_at(&chongqing).await;
    let one = hunan.warning(1, NOTHING);
    let two = hunan.warning(2, digest(&one));
    let three = hunan.warning(3, digest(&two));
    assert_eq!(reason(hunan.deliver(vec![three.clone(), two.clone()]).await).1, "POSITION_GAP");
    let refused = hunan.deliver(vec![two.clone()]).await.unwrap_err();
    assert_eq!(refused.metadata["expectedPosition"], "1");
    // What comes before the gap is stored and receipted; the rest is asked for again.
    let receipts = hunan.deliver(vec![one.clone(), three.clone()]).await.unwrap();
    assert_eq!(receipts.len(), 1);
    let rest = hunan.deliver(vec![two.clone(), three.clone()]).await.unwrap();
    let all = [receipts, rest].concat();
    chongqing.assert_holds(REAL).await;
    let before = chongqing.dump(REAL).await;
    let again = hunan.deliver(vec![one.clone(), two.clone(), three.clone()]).await.unwrap();
    assert_eq!(again, all, "the receipts of then, byte for byte");
    let four = hunan.warning(4, digest(&three));
    assert_eq!(hunan.deliver(vec![three, one.clone(), two]).await.unwrap().len(), 3, "in any order");
    assert_eq!(chongqing.dump(REAL).await, before);

    // Another envelope at a stored position, rightly signed: never a duplicate, always an alarm.
    let other = hunan.warning(1, NOTHING);
    assert_eq!(reason(hunan.deliver(vec![other]).await), (Code::FailedPrecondition, "STREAM_DIVERGED".to_owned()));
    chongqing.until_link("430000", LinkState::Diverged).await;
    let rows = |dump: &[String]| dump.iter().filter(|line| !line.contains("link")).cloned().collect::<Vec<_>>();
    assert_eq!(rows(&chongqing.dump(REAL).await), rows(&before), "only the alarm was written");
    // The stream is stopped, not only that envelope refused; what was stored before still has its receipt.
    assert_eq!(reason(hunan.deliver(vec![four]).await), (Code::FailedPrecondition, "STREAM_DIVERGED".to_owned()));
    assert_eq!(hunan.deliver(vec![one.clone()]).await.unwrap(), all[..1]);
    assert_eq!(rows(&chongqing.dump(REAL).await), rows(&before), "nothing further is stored");
    // A sender that is behind what we have stored, and one with another digest.
    assert_eq!(reason(hunan.open(1, digest(&one)).await).1, "STREAM_DIVERGED");
    assert_eq!(reason(hunan.open(3, digest(&one)).await).1, "STREAM_DIVERGED");
    chongqing.stop().await;
}

async fn an_unknown_kind_is_stored_and_the_stream_moves_on(on: On) {
    let (chongqing, _dir) = alone(on).await;
    let hunan = Foreign::enrolled_at(&chongqing).await;
    // Field 99 of a later version of the contract.
    let mut bytes = hunan.envelope(1, NOTHING, None).encode_to_vec();
    bytes.extend([0x9a, 0x06, 0x02, 0x08, 0x01]);
    let unknown = sign_with(&hunan.keys, bytes);
    assert_eq!(hunan.deliver_one(&unknown).await.outcome(), Outcome::NotUnderstood);
    let known = hunan.warning(2, digest(&unknown));
    assert_eq!(hunan.deliver_one(&known).await.outcome(), Outcome::Accepted);
    // Content that is refused is stored too, with its reason.
    let mut previous = digest(&known);
    let stolen = Notification { name: format!("provinces/420000/notifications/{}", new_id()), ..hunan.content() };
    let unnamed = Notification { subject: String::new(), ..hunan.content() };
    let nul = Notification { situation: "\0".into(), ..hunan.content() };
    let foreign = Notification { incident: "provinces/500000/incidents/1".into(), ..hunan.content() };
    let acknowledged = Acknowledgement {
        notification: format!("provinces/500000/notifications/{}", new_id()),
        person: "王某".into(),
        acknowledge_time: Some(fenghuo_api::time::to_proto(wall::now())),
        ..Default::default()
    };
    for (position, (content, wanted)) in [
        (Content::Notification(stolen), "NAME_NOT_OF_SENDER"),
        (Content::Notification(unnamed), "CONTENT_INVALID"),
        (Content::Notification(nul), "CONTENT_INVALID"),
        (Content::Notification(foreign), "INCIDENT_NOT_OF_SENDER"),
        (Content::Notification(Notification { kind: 0, ..hunan.content() }), "KIND_UNKNOWN"),
        (Content::Acknowledgement(acknowledged), "NOTIFICATION_UNKNOWN"),
        (Content::ChainHead(ChainHead { sequence: 1, hash: vec![1] }), "CHAIN_HEAD_INVALID"),
    ]
    .into_iter()
    .enumerate()
    {
        let signed = hunan.sign(&hunan.envelope(position as u64 + 3, previous, Some(content)));
        let receipt = hunan.deliver_one(&signed).await;
        assert_eq!((receipt.outcome(), receipt.reason.as_str()), (Outcome::Refused, wanted));
        previous = digest(&signed);
    }
    assert_eq!(chongqing.assert_holds(REAL).await.envelopes, 9);
    chongqing.stop().await;
}

async fn an_announced_key_signs_what_comes_after_it_and_heads_of_chains_are_remembered(on: On) {
    let (chongqing, _dir) = alone(on).await;
    let hunan = Foreign::enrolled_at(&chongqing).await;
    let dir = tempfile::tempdir().unwrap();
    let new = ProvinceKeys::load_or_create(&dir.path().join("keys"), "430000", &[], wall::now()).unwrap();
    let head = |sequence, byte| Some(Content::ChainHead(ChainHead { sequence, hash: vec![byte; 32] }));
    let announcement = KeyAnnouncement { signing_key: Some(new.signing_key()) };
    let one = hunan.sign(&hunan.envelope(1, NOTHING, Some(Content::KeyAnnouncement(announcement))));
    let two = sign_with(&new, hunan.envelope(2, digest(&one), head(7, 1)).encode_to_vec());
    // Both in one batch: the key of the second is known once the first is stored.
    assert_eq!(hunan.deliver(vec![one, two.clone()]).await.unwrap().len(), 2);
    let old = hunan.sign(&hunan.envelope(3, digest(&two), head(8, 2)));
    assert_eq!(reason(hunan.deliver(vec![old]).await).1, "SIGNING_KEY_RETIRED");
    let rewritten = sign_with(&new, hunan.envelope(3, digest(&two), head(7, 9)).encode_to_vec());
    assert_eq!(hunan.deliver_one(&rewritten).await.reason, "CHAIN_REWRITTEN");
    // The announced key is still known after a restart, and the old one still verifies its position.
    let home = chongqing.stop().await;
    let chongqing = home.start().await;
    fenghuo_durable::testing::until("the announced key", || async { chongqing.trust.signing_key("430000", &new.key_id()) }).await;
    assert_eq!(chongqing.assert_holds(REAL).await.envelopes, 3);
    chongqing.stop().await;
}

async fn strangers_and_forged_codes_reach_nothing(on: On) {
    let two = pair(on).await;
    let (hubei, chongqing) = (&two.hubei, &two.chongqing);
    chongqing.assert_holds(REAL).await;
    let (before_hubei, before) = (hubei.dump(REAL).await, chongqing.dump(REAL).await);
    let endpoint = format!("https://{}", chongqing.home.address);
    let trust = PartnerTrust::new();
    trust.enrol("500000", chongqing.keys.ca_certificate(), &[], wall::now()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let stranger = ProvinceKeys::load_or_create(&dir.path().join("keys"), "430000", &[], wall::now()).unwrap();
    let leaves = [
        ("a stranger", Some(stranger.issue_leaf(&[], wall::now()).unwrap())),
        ("Hubei's authority with another code", Some(forge_leaf(&hubei.keys, "430000", wall::now()).unwrap())),
        ("a stranger with Hubei's code", Some(forge_leaf(&stranger, "420000", wall::now()).unwrap())),
        ("nobody", None),
    ];
    for (what, leaf) in leaves {
        let channel = channel_presenting(leaf, trust.clone(), "500000", &endpoint).unwrap();
        let mut calls = partner_service_client::PartnerServiceClient::new(channel);
        let refused = calls.fetch_envelopes(FetchEnvelopesRequest { space: "real".into(), ..Default::default() }).await.unwrap_err();
        assert!(from_status(&refused).is_transient(), "{what}: {refused:?}");
    }
    assert_eq!(chongqing.dump(REAL).await, before);
    assert_eq!(hubei.dump(REAL).await, before_hubei);
    two.stop().await;
}

fenghuo_durable::on_both!(
    wrong_envelopes_are_refused_and_change_nothing,
    replayed_and_reordered_envelopes_get_the_first_receipt_and_no_second_effect,
    an_unknown_kind_is_stored_and_the_stream_moves_on,
    an_announced_key_signs_what_comes_after_it_and_heads_of_chains_are_remembered,
    strangers_and_forged_codes_reach_nothing,
);
