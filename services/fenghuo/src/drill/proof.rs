//! Checks what a receipt proves, from the public contract alone: the bytes as sent, and the keys of the enrolment bundles.
//! It shares no code with the nodes on purpose: what they sign wrongly they would check wrongly.

use fenghuo_api::notification::v1::DeliveryProof;
use fenghuo_api::partner::v1::{EnrolmentBundle, Envelope, Receipt};
use prost::Message;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Serialize;

/// What was found of a proof that holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proven {
    /// Position in the stream.
    pub position: u64,
    /// Epoch of the stream.
    pub epoch: u64,
    /// SHA-256 of the envelope, hexadecimal.
    pub envelope_digest: String,
    /// Key that signed the envelope.
    pub envelope_key_id: String,
    /// Signature of the receipt, hexadecimal.
    pub receipt_signature: String,
    /// Key that signed the receipt.
    pub receipt_key_id: String,
    /// Outcome in the receipt.
    pub outcome: String,
    /// When the receiver stored it, in its wall time.
    pub stored_at: String,
}

/// Checks a delivery: signatures, digests, stream, position, and that both speak of this notification.
pub fn verify(
    proof: &DeliveryProof,
    notification: &str,
    space: &str,
    sender: &EnrolmentBundle,
    recipient: &EnrolmentBundle,
) -> Result<Proven, String> {
    let envelope = proof.signed_envelope.as_ref().ok_or("there is no signed envelope")?;
    let receipt = proof.signed_receipt.as_ref().ok_or("there is no signed receipt")?;
    let envelope_digest = sha256(&envelope.envelope);
    signed("envelope", b"fenghuo.envelope.v1\n", &envelope_digest, &envelope.key_id, &envelope.signature, sender)?;
    signed("receipt", b"fenghuo.receipt.v1\n", &sha256(&receipt.receipt), &receipt.key_id, &receipt.signature, recipient)?;
    let opened = Envelope::decode(envelope.envelope.as_slice()).map_err(|error| format!("the envelope cannot be read: {error}"))?;
    let stated = Receipt::decode(receipt.receipt.as_slice()).map_err(|error| format!("the receipt cannot be read: {error}"))?;
    let stream = opened.stream.clone().unwrap_or_default();
    if stated.envelope_digest != envelope_digest {
        return Err("the receipt is of other bytes than this envelope".to_owned());
    }
    if stated.stream != opened.stream || stated.position != opened.position {
        return Err("the receipt names another stream or position than the envelope".to_owned());
    }
    if (stream.sender.as_str(), stream.recipient.as_str(), stream.space.as_str())
        != (&sender.province_code, &recipient.province_code, space)
    {
        return Err(format!("the stream runs from {} to {} in {}", stream.sender, stream.recipient, stream.space));
    }
    match &opened.content {
        Some(fenghuo_api::partner::v1::envelope::Content::Notification(content)) if content.name == notification => {}
        _ => return Err(format!("the envelope does not carry {notification}")),
    }
    Ok(Proven {
        position: opened.position,
        epoch: stream.epoch,
        envelope_digest: hex::encode(&envelope_digest),
        envelope_key_id: envelope.key_id.clone(),
        receipt_signature: hex::encode(&receipt.signature),
        receipt_key_id: receipt.key_id.clone(),
        outcome: stated.outcome().as_str_name().trim_start_matches("OUTCOME_").to_owned(),
        stored_at: stated.store_time.as_ref().and_then(fenghuo_api::time::from_proto).map(|time| time.to_string()).unwrap_or_default(),
    })
}

/// The fingerprint that two officers compare by telephone, computed from the bundle as the contract says.
pub fn fingerprint(bundle: &EnrolmentBundle) -> String {
    let key = bundle.signing_key.as_ref().map(|key| key.public_key.as_slice()).unwrap_or_default();
    let bytes = [b"fenghuo.fingerprint.v1\n", bundle.province_code.as_bytes(), &bundle.ca_certificate_der, key].concat();
    let digits = hex::encode(&sha256(&bytes)[..16]);
    (0..8).map(|group| digits[group * 4..group * 4 + 4].to_owned()).collect::<Vec<_>>().join(" ")
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn signed(what: &str, domain: &[u8], digest: &[u8], key_id: &str, signature: &[u8], by: &EnrolmentBundle) -> Result<(), String> {
    let key = by.signing_key.as_ref().ok_or_else(|| format!("the bundle of {} has no key", by.province_code))?;
    if key.key_id != key_id {
        return Err(format!("the {what} names key {key_id}; the bundle of {} has {}", by.province_code, key.key_id));
    }
    UnparsedPublicKey::new(&ED25519, &key.public_key)
        .verify(&[domain, digest].concat(), signature)
        .map_err(|_| format!("the {what}'s signature does not hold with key {key_id}"))
}

#[cfg(test)]
mod tests {
    use fenghuo_api::partner::v1 as pb;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const SPACE: &str = "exercises/0198b000-0000-7000-8000-000000000000";
    const NAME: &str = "provinces/420000/notifications/1";

    fn province(code: &str, seed: u8) -> (Ed25519KeyPair, EnrolmentBundle) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public_key = pair.public_key().as_ref().to_vec();
        let mut key_id = hex::encode(sha256(&public_key));
        key_id.truncate(16);
        let bundle = EnrolmentBundle {
            province_code: code.into(),
            signing_key: Some(pb::SigningKey { key_id, public_key }),
            ca_certificate_der: vec![1, 2, 3],
            ..EnrolmentBundle::default()
        };
        (pair, bundle)
    }

    fn sign(pair: &Ed25519KeyPair, domain: &[u8], bytes: &[u8]) -> Vec<u8> {
        pair.sign(&[domain, &sha256(bytes)].concat()).as_ref().to_vec()
    }

    struct Case {
        proof: DeliveryProof,
        hubei: EnrolmentBundle,
        chongqing: EnrolmentBundle,
        chongqing_key: Ed25519KeyPair,
    }

    fn case() -> Case {
        let (hubei_key, hubei) = province("420000", 1);
        let (chongqing_key, chongqing) = province("500000", 2);
        let stream = pb::StreamId { sender: "420000".into(), recipient: "500000".into(), space: SPACE.into(), epoch: 1 };
        let content = pb::Notification { name: NAME.into(), ..pb::Notification::default() };
        let envelope = Envelope {
            stream: Some(stream.clone()),
            position: 1,
            content: Some(pb::envelope::Content::Notification(content)),
            ..Envelope::default()
        }
        .encode_to_vec();
        let receipt = Receipt {
            stream: Some(stream),
            position: 1,
            envelope_digest: sha256(&envelope),
            outcome: pb::Outcome::Accepted.into(),
            ..Receipt::default()
        };
        let key_id = |bundle: &EnrolmentBundle| bundle.signing_key.clone().unwrap().key_id;
        let proof = DeliveryProof {
            signed_envelope: Some(pb::SignedEnvelope {
                key_id: key_id(&hubei),
                signature: sign(&hubei_key, b"fenghuo.envelope.v1\n", &envelope),
                envelope,
            }),
            signed_receipt: Some(signed_receipt(&receipt, &chongqing_key, key_id(&chongqing))),
            ..DeliveryProof::default()
        };
        Case { proof, hubei, chongqing, chongqing_key }
    }

    fn signed_receipt(receipt: &Receipt, pair: &Ed25519KeyPair, key_id: String) -> pb::SignedReceipt {
        let receipt = receipt.encode_to_vec();
        pb::SignedReceipt { key_id, signature: sign(pair, b"fenghuo.receipt.v1\n", &receipt), receipt }
    }

    fn fault(case: &Case) -> String {
        verify(&case.proof, NAME, SPACE, &case.hubei, &case.chongqing).unwrap_err()
    }

    #[test]
    fn a_true_receipt_holds() {
        let case = case();
        let proven = verify(&case.proof, NAME, SPACE, &case.hubei, &case.chongqing).unwrap();
        assert_eq!((proven.position, proven.epoch, proven.outcome.as_str()), (1, 1, "ACCEPTED"));
    }

    #[test]
    fn an_altered_envelope_or_receipt_does_not() {
        let mut altered = case();
        altered.proof.signed_envelope.as_mut().unwrap().envelope.push(0);
        assert!(fault(&altered).contains("envelope's signature does not hold"));
        let mut altered = case();
        altered.proof.signed_receipt.as_mut().unwrap().receipt[2] ^= 1;
        assert!(fault(&altered).contains("receipt's signature does not hold"));
    }

    #[test]
    fn a_receipt_of_another_envelope_position_or_signer_does_not() {
        let mut other = case();
        let key_id = other.chongqing.signing_key.clone().unwrap().key_id;
        let mut receipt = Receipt::decode(other.proof.signed_receipt.as_ref().unwrap().receipt.as_slice()).unwrap();
        receipt.position = 2;
        other.proof.signed_receipt = Some(signed_receipt(&receipt, &other.chongqing_key, key_id.clone()));
        assert!(fault(&other).contains("another stream or position"));
        receipt.position = 1;
        receipt.envelope_digest = vec![0; 32];
        other.proof.signed_receipt = Some(signed_receipt(&receipt, &other.chongqing_key, key_id));
        assert!(fault(&other).contains("other bytes"));

        let mut stranger = case();
        stranger.chongqing = province("500000", 3).1;
        assert!(fault(&stranger).contains("names key"));
        let mut none = case();
        none.proof.signed_receipt = None;
        assert_eq!(fault(&none), "there is no signed receipt");
    }

    #[test]
    fn a_receipt_of_another_space_or_notification_does_not() {
        let case = case();
        assert!(verify(&case.proof, NAME, "real", &case.hubei, &case.chongqing).unwrap_err().contains("the stream runs"));
        assert!(verify(&case.proof, "other", SPACE, &case.hubei, &case.chongqing).unwrap_err().contains("does not carry other"));
    }

    #[test]
    fn the_fingerprint_has_eight_groups_and_depends_on_each_part() {
        let (_, bundle) = province("420000", 1);
        let shown = fingerprint(&bundle);
        assert_eq!(shown.split(' ').map(str::len).collect::<Vec<_>>(), [4; 8]);
        assert_ne!(shown, fingerprint(&EnrolmentBundle { province_code: "500000".into(), ..bundle.clone() }));
        assert_ne!(shown, fingerprint(&EnrolmentBundle { ca_certificate_der: vec![1, 2], ..bundle }));
    }
}
