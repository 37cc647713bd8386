//! Mutations that may be repeated: the key of a call, kept with the request's hash and its answer for 30 days.

use std::sync::Arc;

use futures::future::BoxFuture;
use ring::digest;

use crate::clock::wall;
use crate::db::{Db, Isolation};
use crate::error::{Code, Error, Result};
use crate::params;
use crate::tx::Tx;

/// Days for which an answer is kept.
pub const KEPT_DAYS: i64 = 30;

/// What makes a call the same call.
#[derive(Debug, Clone)]
pub struct RequestKey {
    /// Resource name of the person or partner.
    pub identity: String,
    /// Full name of the method.
    pub method: &'static str,
    /// UUID chosen by the caller.
    pub request_id: String,
    /// SHA-256 of the request as serialised.
    pub request_hash: Vec<u8>,
}

impl RequestKey {
    /// The key of this request; refuses a `request_id` that is not a UUID.
    pub fn new(identity: &str, method: &'static str, request_id: &str, request: &impl prost::Message) -> Result<Self> {
        if uuid::Uuid::try_parse(request_id).is_err() {
            return Err(Error::invalid("request_id", "must be a UUID that is new for each action, for example from crypto.randomUUID()"));
        }
        let request_hash = digest::digest(&digest::SHA256, &request.encode_to_vec()).as_ref().to_vec();
        Ok(Self { identity: identity.to_owned(), method, request_id: request_id.to_ascii_lowercase(), request_hash })
    }
}

impl Db {
    /// As [`Db::write`], once for each key: a repeated call gets the first answer, the same key with another request is refused.
    /// The caller must have authorised the call before, each time.
    pub async fn write_once<C, T, F>(&self, key: RequestKey, context: C, run: F) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: prost::Message + Default + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        self.write_once_isolated(Isolation::Serializable, key, context, run).await
    }

    /// As [`Db::write_once`], with the isolation said.
    pub async fn write_once_isolated<C, T, F>(&self, isolation: Isolation, key: RequestKey, context: C, run: F) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: prost::Message + Default + 'static,
        F: for<'t> Fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        self.write_isolated(isolation, (key, context, run), |(key, context, run), tx| {
            Box::pin(async move {
                if let Some(answer) = kept(tx, key).await? {
                    return T::decode(answer.as_slice()).map_err(|error| Error::internal("a kept answer cannot be read").caused_by(error));
                }
                let answer = run(context, tx).await?;
                keep(tx, key, &answer.encode_to_vec()).await?;
                Ok(answer)
            })
        })
        .await
    }
}

async fn kept(tx: &mut Tx, key: &RequestKey) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT request_hash, answer FROM log_request WHERE identity = $1 AND method = $2 AND request_id = $3";
    let Some(row) = tx.row(sql, params![&key.identity, key.method, &key.request_id]).await? else {
        return Ok(None);
    };
    if row.blob(0)? != key.request_hash {
        return Err(Error::new(Code::AlreadyExists, "REQUEST_ID_REUSED", "this request_id was used for another request; choose a new one")
            .with("request_id", &key.request_id));
    }
    unpack(row.blob(1)?).map(Some)
}

/// An answer that is worth it is kept as an LZ4 block, behind a byte that no message begins with (a field of number 0).
const PACKED: u8 = 0;
/// Shorter answers are kept as they are.
const PACK_FROM_BYTES: usize = 512;

fn pack(answer: &[u8]) -> Vec<u8> {
    if answer.len() < PACK_FROM_BYTES {
        return answer.to_vec();
    }
    let mut packed = vec![PACKED];
    packed.extend(lz4_flex::compress_prepend_size(answer));
    packed
}

fn unpack(kept: Vec<u8>) -> Result<Vec<u8>> {
    match kept.split_first() {
        Some((&PACKED, packed)) => lz4_flex::decompress_size_prepended(packed)
            .map_err(|error| Error::internal("a kept answer cannot be unpacked").caused_by(error)),
        _ => Ok(kept),
    }
}

async fn keep(tx: &mut Tx, key: &RequestKey, answer: &[u8]) -> Result<()> {
    let sql =
        "INSERT INTO log_request (identity, method, request_id, request_hash, answer, record_time_us) VALUES ($1, $2, $3, $4, $5, $6)";
    let values = params![&key.identity, key.method, &key.request_id, &key.request_hash, pack(answer), wall::now()];
    tx.execute_one(sql, values).await
}

/// Forgets answers older than [`KEPT_DAYS`].
pub(crate) async fn forget_old(db: &Db) -> Result<u64> {
    db.write((), |(), tx| {
        Box::pin(async move {
            let before = wall::now().as_microsecond() - KEPT_DAYS * 86_400_000_000;
            tx.execute("DELETE FROM log_request WHERE record_time_us < $1", params![before]).await
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_as_they_were() {
        for answer in [&b""[..], b"\x0a\x03abc", &b"\x0a\x90\x4e".repeat(400)] {
            let kept = pack(answer);
            assert!(kept.len() <= answer.len());
            assert_eq!(unpack(kept).unwrap(), answer);
            assert_eq!(unpack(answer.to_vec()).unwrap(), answer, "kept by an earlier version");
        }
        assert!(unpack(vec![PACKED, 1, 2]).is_err());
    }
}
