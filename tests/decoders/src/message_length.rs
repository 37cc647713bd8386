//! The watcher of message lengths: whatever the pieces in which a body comes, it stops at the first prefix over the limit.

use bytes::Bytes;
use fenghuo_edge::testing::pass_messages;

use crate::Seed;

const LIMIT: usize = 1000;

/// The first byte says into what pieces the rest is cut. Accepted: no message was too long.
pub fn decode(bytes: &[u8]) -> bool {
    let Some((size, body)) = bytes.split_first() else { return false };
    let pieces: Vec<Bytes> = body.chunks(usize::from(*size).max(1)).map(Bytes::copy_from_slice).collect();
    let passed = futures::executor::block_on(pass_messages(pieces, LIMIT));
    match (passed, too_long(body)) {
        (Ok(passed), false) => {
            assert_eq!(passed, body.len());
            true
        }
        (Err(error), true) => {
            let mut chain = std::iter::successors(Some(&*error as &(dyn std::error::Error + 'static)), |error| error.source());
            let status = chain.find_map(|error| error.downcast_ref::<tonic::Status>()).unwrap();
            assert_eq!(status.code(), tonic::Code::ResourceExhausted);
            false
        }
        (passed, wanted) => panic!("too long: {wanted}, and {passed:?}"),
    }
}

/// The same by the plainest reading of the five bytes before each message.
fn too_long(mut body: &[u8]) -> bool {
    while let Some((prefix, rest)) = body.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if length > LIMIT {
            return true;
        }
        let Some(next) = rest.get(length..) else { return false };
        body = next;
    }
    false
}

/// Two messages in pieces of seven bytes, one too long in single bytes, an empty one.
pub fn seeds() -> Vec<Seed> {
    let message = |length: u32, there: usize| [[0].as_slice(), &length.to_be_bytes(), &vec![b'x'; there]].concat();
    vec![
        ("two", [vec![7], message(20, 20), message(300, 300)].concat()),
        ("too_long", [vec![1], message(20, 20), message(1001, 40)].concat()),
        ("empty", [vec![255], message(0, 0)].concat()),
    ]
}
