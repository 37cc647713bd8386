//! Page tokens: opaque, bound to their method, without rights in them (AIP-158).

use crate::error::{Error, Result};

const SEPARATOR: char = '\u{1f}';

/// The keyset position after which a page begins.
#[derive(Debug)]
pub struct PageToken;

impl PageToken {
    /// A token of this method for the last row's keys.
    pub fn encode(method: &str, keys: &[&str]) -> String {
        let text = std::iter::once(method).chain(keys.iter().copied()).collect::<Vec<_>>().join(&SEPARATOR.to_string());
        hex::encode(text)
    }

    /// The keys of a token; INVALID_ARGUMENT for one that this method did not give.
    pub fn decode(method: &str, token: &str) -> Result<Vec<String>> {
        let text = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let mut parts = text.as_deref().unwrap_or_default().split(SEPARATOR);
        if parts.next() != Some(method) {
            return Err(Error::invalid("page_token", "is not a token of this call; begin again without one"));
        }
        Ok(parts.map(str::to_owned).collect())
    }
}

/// Rows of a page: the default for 0, at most the maximum; a negative number is refused.
pub fn page_size(requested: i32, default: i64, most: i64) -> Result<i64> {
    match i64::from(requested) {
        0 => Ok(default),
        size if size < 0 => Err(Error::invalid("page_size", "must not be negative; 0 means the default")),
        size => Ok(size.min(most)),
    }
}
