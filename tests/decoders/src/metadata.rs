//! The metadata of a console call: session token and space.

use fenghuo_edge::auth::SPACE_HEADER;
use fenghuo_edge::testing::read_metadata;
use http::HeaderMap;

use crate::{Seed, refused};

/// Accepted: a token and no wrong space.
pub fn decode(bytes: &[u8]) -> bool {
    let headers = headers_of(bytes);
    let (token, space) = read_metadata(&headers);
    let token_ok = match token {
        Ok(token) => {
            assert_eq!(headers.get_all("authorization").iter().count(), 1);
            assert!(!token.is_empty() && token.len() <= 512 && token.trim() == token);
            true
        }
        Err(error) => refused(error),
    };
    let space_ok = match space {
        Ok(Some(space)) => {
            assert_eq!(headers[SPACE_HEADER].to_str().unwrap(), space.to_string());
            true
        }
        Ok(None) => {
            assert!(!headers.contains_key(SPACE_HEADER));
            true
        }
        Err(error) => refused(error),
    };
    token_ok && space_ok
}

/// Lines "name: value" as header fields; what cannot be one is left out, as HTTP itself would.
pub(crate) fn headers_of(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        let read = (http::HeaderName::from_bytes(&line[..colon]), http::HeaderValue::from_bytes(value));
        if let (Ok(name), Ok(value)) = read {
            headers.append(name, value);
        }
    }
    headers
}

/// Signed in, in an exercise, without a token, with two.
pub fn seeds() -> Vec<Seed> {
    let token = "8f".repeat(32);
    let of = |text: String| text.into_bytes();
    vec![
        ("real", of(format!("authorization: Bearer {token}\nfenghuo-space: real"))),
        ("exercise", of(format!("authorization: bearer {token}\nfenghuo-space: exercises/0198f0a0-0000-7000-8000-000000000001"))),
        ("nobody", of("fenghuo-space: real".into())),
        ("twice", of(format!("authorization: Bearer {token}\nauthorization: Bearer {token}"))),
        ("no_space", of(format!("authorization: Bearer {token}\nfenghuo-space: Real"))),
    ]
}
