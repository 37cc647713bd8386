//! Passwords: argon2id, away from the threads that answer calls.
//!
//! Parameters: 19 MiB of memory, 2 passes, 1 lane, 16 bytes of salt, 32 bytes of hash; one of the equal settings of the OWASP Password
//! Storage Cheat Sheet. They stand in each hash, so raising them later leaves old hashes readable.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use fenghuo_durable::{Error, Result, sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::PasswordHash;
use crate::domain::person::PASSWORD_MAX_BYTES;
use crate::tokens::random;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Hashes computed at once: bounds what strangers can make us spend.
const AT_ONCE: usize = 4;
/// How long a sign-in may queue for its turn.
const QUEUE: Duration = Duration::from_secs(10);
/// A well-formed hash of the same cost that no password has: all zeros. Unknown names are compared with it, so that they take as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Computes hashes, a few at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// The hash of a new password, with a salt of its own.
    pub async fn hash(&self, password: &str) -> Result<PasswordHash> {
        let (password, salt) = (password.to_owned(), random::<16>()?);
        self.run(move || {
            let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(broken)?;
            Ok(PasswordHash::new(hash.to_string()))
        })
        .await
    }

    /// Is it the password of this hash? `None` (nobody of that name) takes as long and is never right.
    pub async fn is_right(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool> {
        let too_long = password.len() > PASSWORD_MAX_BYTES;
        let password = if too_long { String::new() } else { password.to_owned() };
        let (phc, somebody) = (hash.map_or(NOBODY, PasswordHash::phc).to_owned(), hash.is_some() && !too_long);
        self.run(move || match argon2()?.verify_password(password.as_bytes(), phc.as_str()) {
            Ok(()) => Ok(somebody),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(broken(error)),
        })
        .await
    }

    /// What a repeated request is recognised by in the place of the password in it: as costly to guess from as the hash itself, and the
    /// same for the same request.
    pub async fn fingerprint(&self, password: &str, request_id: &str) -> Result<String> {
        let salt = sha256(format!("fenghuo.request.v1\n{}", request_id.to_ascii_lowercase()).as_bytes());
        let password = password.to_owned();
        self.run(move || {
            let mut out = [0; 32];
            let failed = |error: argon2::Error| Error::internal(format!("a fingerprint could not be computed: {error}"));
            argon2()?.hash_password_into(password.as_bytes(), &salt, &mut out).map_err(failed)?;
            Ok(hex::encode(out))
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let busy = || Error::unavailable("SIGN_IN_BUSY", "too many people sign in at once; try again in a moment");
        let turn: OwnedSemaphorePermit = match tokio::time::timeout(QUEUE, self.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => turn,
            _ => return Err(busy()),
        };
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        task.await.map_err(|error| Error::internal("a password hash was broken off").caused_by(error))?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| Error::internal(format!("argon2 parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: argon2::password_hash::Error) -> Error {
    Error::internal(format!("a password hash could not be computed or read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_is_right_and_nobody_has_none() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.phc());
        assert_ne!(hash, passwords.hash("correct horse battery").await.unwrap());
        assert!(passwords.is_right("correct horse battery", Some(&hash)).await.unwrap());
        assert!(!passwords.is_right("correct horse batterz", Some(&hash)).await.unwrap());
        assert!(!passwords.is_right("", None).await.unwrap());
        assert!(!passwords.is_right(&"x".repeat(5000), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_name_costs_as_much_as_a_known_one() {
        // The cost is in the parameters; times of a shared machine would prove nothing.
        let hash = Passwords::default().hash("correct horse battery").await.unwrap();
        let cost = |phc: &str| phc.rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(cost(hash.phc()), cost(NOBODY));
        assert_eq!(hash.phc().len(), NOBODY.len());
    }

    #[tokio::test]
    async fn a_fingerprint_is_the_same_for_the_same_request_alone() {
        let passwords = Passwords::default();
        let id = "0198f0a0-0000-7000-8000-00000000000a";
        let one = passwords.fingerprint("correct horse battery", id).await.unwrap();
        assert_eq!(one, passwords.fingerprint("correct horse battery", &id.to_uppercase()).await.unwrap());
        assert_ne!(one, passwords.fingerprint("correct horse batterz", id).await.unwrap());
        assert_ne!(one, passwords.fingerprint("correct horse battery", "other").await.unwrap());
    }
}
