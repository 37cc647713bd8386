//! Messages as text, inside the JSON of events and records: `lz4:` and base64 (the URL's alphabet: no slash) of an LZ4 block after its length
//! (four bytes, little-endian). The texts of an incident repeat themselves: a snapshot of 7 kB takes 4 kB so, and 14 kB as hexadecimal digits,
//! which is how earlier events have it.

use data_encoding::{BASE64URL, HEXLOWER_PERMISSIVE};
use lz4_flex::block;
use prost::Message;

const PACKED: &str = "lz4:";
/// No message that we write is larger: what claims to be is not unpacked.
const MOST_BYTES: usize = 16 << 20;

/// A text that is no snapshot of the message asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no snapshot of this message: neither hexadecimal digits nor lz4: and base64")
    }
}

impl std::error::Error for Unreadable {}

/// The message as text. It has no slash: whoever finds one under the same key has a resource name.
pub fn to_text(message: &impl Message) -> String {
    let packed = block::compress_prepend_size(&message.encode_to_vec());
    let mut text = String::with_capacity(PACKED.len() + BASE64URL.encode_len(packed.len()));
    text.push_str(PACKED);
    BASE64URL.encode_append(&packed, &mut text);
    text
}

/// The message in a text, of either form.
pub fn from_text<M: Message + Default>(text: &str) -> Result<M, Unreadable> {
    M::decode(to_bytes(text)?.as_slice()).map_err(|_| Unreadable)
}

/// The payload of an event that carries the message under this key.
pub fn to_payload(key: &str, message: &impl Message) -> String {
    serde_json::json!({ key: to_text(message) }).to_string()
}

/// The message under this key of an event's payload.
pub fn from_payload<M: Message + Default>(payload: &str, key: &str) -> Result<M, Unreadable> {
    let payload: serde_json::Value = serde_json::from_str(payload).map_err(|_| Unreadable)?;
    let text = payload.get(key).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
    from_text(text.ok_or(Unreadable)?)
}

/// The serialised message in a text, of either form.
pub fn to_bytes(text: &str) -> Result<Vec<u8>, Unreadable> {
    match text.strip_prefix(PACKED) {
        Some(packed) => unpacked(&BASE64URL.decode(packed.as_bytes()).map_err(|_| Unreadable)?),
        None => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| Unreadable),
    }
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let (size, block) = block::uncompressed_size(packed).map_err(|_| Unreadable)?;
    if size > MOST_BYTES {
        return Err(Unreadable);
    }
    block::decompress(block, size).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::v1::Figure;

    #[test]
    fn both_forms_are_read() {
        let figure = Figure { value: Some(4.2), source: "江面 江面 江面 江面 江面 江面 江面".into(), ..Figure::default() };
        let text = to_text(&figure);
        assert!(!text.contains('/') && text.len() < 2 * figure.encoded_len(), "{text}");
        assert_eq!(from_text(&text), Ok(figure.clone()));
        assert_eq!(from_payload(&to_payload("figure", &figure), "figure"), Ok(figure.clone()));
        assert_eq!(from_text(&data_encoding::HEXLOWER.encode(&figure.encode_to_vec())), Ok(figure));
    }

    #[test]
    fn what_is_broken_or_claims_to_be_huge_is_refused() {
        let huge = [&u32::MAX.to_le_bytes()[..], &[0x10, 0x00]].concat();
        for text in ["lz4:", "lz4:====", "xyz", "abc", "lz4:AAAA", &format!("lz4:{}", BASE64URL.encode(&huge))] {
            assert_eq!(from_text::<Figure>(text), Err(Unreadable), "{text}");
        }
        for payload in ["", "[]", "{}", r#"{"figure":""}"#, r#"{"figure":1}"#] {
            assert_eq!(from_payload::<Figure>(payload, "figure"), Err(Unreadable), "{payload}");
        }
    }
}
