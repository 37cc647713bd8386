//! Snapshots in the data of events, as a board gets them from a stream that others may write to.

use fenghuo_api::incident::v1::Incident;
use fenghuo_api::notification::v1::NotificationRecord;
use fenghuo_api::snapshot::{from_payload, from_text, to_bytes, to_text};
use prost::Message;

use crate::Seed;

/// Accepted: a snapshot of an incident or a notification.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let in_payload = from_payload::<Incident>(text, "incident").is_ok();
    in_payload | kept::<Incident>(text) | kept::<NotificationRecord>(text)
}

/// What is accepted survives being written and read again, as text without a slash.
fn kept<M: Message + Default + PartialEq>(text: &str) -> bool {
    let Ok(message) = from_text::<M>(text) else { return false };
    let again = to_text(&message);
    assert!(!again.contains('/'));
    assert_eq!(to_bytes(&again).unwrap(), message.encode_to_vec());
    from_text::<M>(&again).unwrap();
    true
}

/// Both forms, a payload, and a length that is a lie.
pub fn seeds() -> Vec<Seed> {
    let incident =
        Incident { name: "provinces/500000/incidents/1".into(), title: "江面漂油 江面漂油".into(), ..Incident::default() };
    let text = to_text(&incident);
    let hex = incident.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    vec![
        ("payload", fenghuo_api::snapshot::to_payload("incident", &incident).into_bytes()),
        ("packed", text.into_bytes()),
        ("hex", hex.into_bytes()),
        ("huge", b"lz4:_____xAA".to_vec()),
    ]
}
