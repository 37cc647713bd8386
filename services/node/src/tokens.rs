//! Secrets of 256 bits that a caller carries and we only know by their SHA-256.

use fenghuo_durable::{Error, Result, sha256};
use ring::rand::{SecureRandom, SystemRandom};

/// A new token: 32 random bytes in hexadecimal.
pub(crate) fn new_token() -> Result<String> {
    random::<32>().map(hex::encode)
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(bytes)
}

/// What is kept of a token; `None` if it has not the form of one.
pub(crate) fn digest_of(token: &str) -> Option<[u8; 32]> {
    (token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)))
        .then(|| sha256(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_only_their_form_has_a_digest() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(one, other);
        assert_ne!(digest_of(&one).unwrap(), digest_of(&other).unwrap());
        for bad in ["", "abc", &one.to_uppercase(), &format!("{one}0"), &"g".repeat(64)] {
            assert!(digest_of(bad).is_none(), "{bad}");
        }
    }
}
