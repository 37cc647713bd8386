//! Page tokens as a caller gives them back.

use fenghuo_durable::page::{PageToken, page_size};

use crate::{Seed, refused};

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/ListIncidents";

/// Accepted: a token of this method.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(bytes) else { return false };
    // The size that is asked for comes from the same stranger.
    let asked = bytes.first_chunk().map_or(0, |four| i32::from_le_bytes(*four));
    match page_size(asked, 50, 1000) {
        Ok(size) => assert!((1..=1000).contains(&size)),
        Err(error) => drop(refused(error)),
    }
    let keys = match PageToken::decode(METHOD, token) {
        Ok(keys) => keys,
        Err(error) => return refused(error),
    };
    let again = PageToken::encode(METHOD, &keys.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(again, token.to_ascii_lowercase());
    assert!(PageToken::decode("/another.Method", token).is_err());
    true
}

/// A token of this method, one of another, and no token.
pub fn seeds() -> Vec<Seed> {
    let keys = ["1795564800000000", "provinces/500000/incidents/0198f0a0-0000-7000-8000-000000000004"];
    vec![
        ("own", PageToken::encode(METHOD, &keys).into_bytes()),
        ("of_another", PageToken::encode("/fenghuo.audit.v1.AuditService/ListEvents", &keys).into_bytes()),
        ("none", b"next".to_vec()),
    ]
}
