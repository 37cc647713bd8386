//! Between records and the contract's messages.

use fenghuo_api::notification::v1 as pb;
use fenghuo_api::partner::v1::StreamId;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{Error, Result, SpaceId, Tx};
use fenghuo_edge::signing::key_id;
use fenghuo_mailbox::links::LinkState;
use fenghuo_mailbox::{LinkStatus, proof};

use crate::domain::{Direction, Mode, Notification, Partner, State};

/// Messages of the contract inside JSON, so that what was approved is kept byte for byte.
pub mod packed {
    use fenghuo_api::snapshot;
    use prost::Message;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    /// To JSON.
    pub fn serialize<M: Message, S: Serializer>(message: &M, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&snapshot::to_text(message))
    }

    /// From JSON.
    pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(from: D) -> Result<M, D::Error> {
        snapshot::from_text(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    /// The same for what may be absent.
    pub mod option {
        use fenghuo_api::snapshot;
        use prost::Message;
        use serde::de::Error as _;
        use serde::{Deserialize, Deserializer, Serializer};

        /// To JSON.
        pub fn serialize<M: Message, S: Serializer>(message: &Option<M>, to: S) -> Result<S::Ok, S::Error> {
            match message {
                Some(message) => to.serialize_some(&snapshot::to_text(message)),
                None => to.serialize_none(),
            }
        }

        /// From JSON.
        pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(from: D) -> Result<Option<M>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| snapshot::from_text(&text)).transpose().map_err(D::Error::custom)
        }
    }
}

/// A notification without its proof: what events carry.
pub fn notification_out(found: &Notification) -> pb::NotificationRecord {
    let direction = match found.direction {
        Direction::Outgoing => pb::Direction::Outgoing,
        Direction::Incoming => pb::Direction::Incoming,
    };
    let delivery = found.place.as_ref().map(|place| pb::DeliveryProof {
        position: place.position,
        envelope_digest: place.digest.clone(),
        ..pb::DeliveryProof::default()
    });
    pb::NotificationRecord {
        name: found.name.clone(),
        etag: found.revision.to_string(),
        direction: direction.into(),
        partner_code: found.partner_code.clone(),
        incident: found.incident.clone(),
        state: state_out(found.state).into(),
        content: Some(found.content.clone()),
        create_time: Some(to_proto(found.create_time)),
        drafted_by: found.drafted_by.clone(),
        approved_by: found.approved_by.clone(),
        approve_time: found.approve_time.map(to_proto),
        delivery,
        acknowledgement: found.acknowledgement.clone(),
        acknowledged_by_hand: found.acknowledged_by_hand,
        acknowledge_due_time: found.acknowledge_due.filter(|_| found.acknowledgement.is_none()).map(to_proto),
        acknowledgement_overdue: found.acknowledgement_overdue,
        letter_number: found.letter_number.clone(),
        letter_text: found.letter_text.clone(),
        why_zh: found.why_zh.clone(),
        why_en: found.why_en.clone(),
    }
}

/// A notification with its envelope and its receipt, byte for byte.
pub async fn record_with_proof(tx: &mut Tx, found: &Notification, us: &str, space: SpaceId) -> Result<pb::NotificationRecord> {
    let mut whole = notification_out(found);
    let (Some(place), Some(delivery)) = (&found.place, &mut whole.delivery) else { return Ok(whole) };
    let outgoing = found.direction == Direction::Outgoing;
    let (sender, recipient) = if outgoing { (us, found.partner_code.as_str()) } else { (found.partner_code.as_str(), us) };
    delivery.stream =
        Some(StreamId { sender: sender.to_owned(), recipient: recipient.to_owned(), space: space.to_string(), epoch: place.epoch });
    if let Some(proof) = proof(tx, outgoing, &found.partner_code, place.epoch, place.position).await? {
        delivery.signed_envelope = Some(proof.kept.envelope);
        delivery.signed_receipt = proof.kept.receipt;
        delivery.receipt = proof.receipt;
        delivery.receipt_time = proof.receipt_time.map(to_proto);
    }
    Ok(whole)
}

fn state_out(state: State) -> pb::NotificationState {
    match state {
        State::Draft => pb::NotificationState::Draft,
        State::Approved => pb::NotificationState::Approved,
        State::Delivered => pb::NotificationState::Delivered,
        State::Acknowledged => pb::NotificationState::Acknowledged,
        State::Refused => pb::NotificationState::Refused,
        State::Discarded => pb::NotificationState::Discarded,
    }
}

/// A partner with the state of its link.
pub fn partner_out(partner: &Partner, link: &LinkStatus, undelivered: u64) -> pb::Partner {
    let mode = match partner.mode {
        Mode::Push => pb::PartnerMode::Push,
        Mode::Pull => pb::PartnerMode::Pull,
        Mode::Letter => pb::PartnerMode::Letter,
    };
    let link_state = match (partner.mode, link.state) {
        (Mode::Letter, _) => pb::LinkState::None,
        (_, LinkState::Unknown) => pb::LinkState::Unspecified,
        (_, LinkState::Up) => pb::LinkState::Up,
        (_, LinkState::Down) => pb::LinkState::Down,
        (_, LinkState::Diverged) => pb::LinkState::Diverged,
    };
    let present = partner.signing_keys_hex.first().and_then(|key| hex::decode(key).ok());
    pb::Partner {
        name: partner.name.clone(),
        province_code: partner.province_code.clone(),
        display_name: partner.display_name.clone(),
        mode: mode.into(),
        endpoint: partner.endpoint.clone(),
        fingerprint: partner.fingerprint.clone(),
        duty_telephone: partner.duty_telephone.clone(),
        link_state: link_state.into(),
        link_since_time: link.since.map(to_proto),
        last_contact_time: link.last_contact.map(to_proto),
        last_error: link.last_error.clone(),
        undelivered_count: u32::try_from(undelivered).unwrap_or(u32::MAX),
        key_id: present.map(|key| key_id(&key)).unwrap_or_default(),
        clock_difference_ms: link.clock_difference_ms,
    }
}

/// Reads the JSON of a record.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::internal("a stored record cannot be read").caused_by(error))
}

/// Writes the JSON of a record.
pub(crate) fn write_json<T: serde::Serialize>(record: &T) -> Result<String> {
    serde_json::to_string(record).map_err(|error| Error::internal("a record cannot be stored").caused_by(error))
}
