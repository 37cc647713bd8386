use proptest::prelude::*;

use super::*;

const A: Digest = [1; 32];
const B: Digest = [2; 32];

fn head(epoch: u64, position: u64, digest: Digest) -> Head {
    Head { epoch, position, digest }
}

fn offered(epoch: u64, position: u64, previous: Digest, digest: Digest) -> Offered {
    Offered { epoch, position, previous, digest }
}

#[test]
fn the_next_envelope_is_stored_and_only_with_the_right_digest_before_it() {
    assert_eq!(arrival(&Head::NEVER, None, &offered(1, 1, NOTHING, A)), Arrival::Store);
    assert_eq!(arrival(&head(1, 1, A), None, &offered(1, 2, A, B)), Arrival::Store);
    let wrong = arrival(&head(1, 1, A), None, &offered(1, 2, B, B));
    assert_eq!(wrong, Arrival::Diverged(Divergence::DigestDiffers { at: (1, 1) }));
    assert!(matches!(arrival(&Head::NEVER, None, &offered(1, 1, A, B)), Arrival::Refused { reason: "PREVIOUS_DIGEST_INVALID", .. }));
}

#[test]
fn a_repeated_envelope_is_a_duplicate_only_with_the_same_digest() {
    assert_eq!(arrival(&head(1, 3, A), Some(B), &offered(1, 2, A, B)), Arrival::Duplicate);
    assert_eq!(arrival(&head(1, 3, A), Some(A), &offered(1, 3, B, A)), Arrival::Duplicate);
    let other = arrival(&head(1, 3, A), Some(A), &offered(1, 3, B, B));
    assert_eq!(other, Arrival::Diverged(Divergence::DigestDiffers { at: (1, 3) }));
    // A hole in our own store is no reason to take something else there.
    assert!(matches!(arrival(&head(1, 3, A), None, &offered(1, 2, A, B)), Arrival::Diverged(_)));
}

#[test]
fn what_lies_beyond_the_next_position_is_a_gap() {
    assert_eq!(arrival(&head(1, 3, A), None, &offered(1, 5, A, B)), Arrival::Gap { expected: 4 });
    assert_eq!(arrival(&Head::NEVER, None, &offered(1, 2, A, B)), Arrival::Gap { expected: 1 });
    assert_eq!(arrival(&head(1, 3, A), None, &offered(2, 4, A, B)), Arrival::Gap { expected: 1 });
}

#[test]
fn a_later_epoch_begins_at_one_and_an_earlier_one_gets_no_more() {
    assert_eq!(arrival(&head(1, 9, A), None, &offered(2, 1, NOTHING, B)), Arrival::Store);
    assert!(matches!(arrival(&head(2, 1, A), None, &offered(1, 10, A, B)), Arrival::Refused { reason: "EPOCH_OVER", .. }));
    // What was stored in the earlier epoch keeps its receipt.
    assert_eq!(arrival(&head(2, 1, A), Some(B), &offered(1, 9, A, B)), Arrival::Duplicate);
    for nonsense in [offered(0, 1, NOTHING, A), offered(1, 0, NOTHING, A)] {
        assert!(matches!(arrival(&Head::NEVER, None, &nonsense), Arrival::Refused { reason: "POSITION_INVALID", .. }));
    }
}

#[test]
fn a_handshake_agrees_or_stops_the_stream() {
    assert_eq!(compare(&head(1, 5, A), &Head::NEVER, None), Ok(()));
    assert_eq!(compare(&head(1, 5, A), &head(1, 5, A), None), Ok(()));
    assert_eq!(compare(&head(1, 5, A), &head(1, 3, B), Some(B)), Ok(()));
    // The receiver cannot know what the sender wrote at 3; the sender can.
    assert_eq!(compare(&head(1, 5, A), &head(1, 3, B), None), Ok(()));
    assert_eq!(compare(&head(1, 5, A), &head(1, 3, B), Some(A)), Err(Divergence::DigestDiffers { at: (1, 3) }));
    assert_eq!(compare(&head(1, 5, A), &head(1, 5, B), None), Err(Divergence::DigestDiffers { at: (1, 5) }));
    let behind = Divergence::SenderBehind { sent: (1, 5), stored: (1, 7) };
    assert_eq!(compare(&head(1, 5, A), &head(1, 7, B), None), Err(behind));
    assert_eq!(compare(&Head::NEVER, &head(1, 1, A), None), Err(Divergence::SenderBehind { sent: (0, 0), stored: (1, 1) }));
    // A sender that began anew is ahead; one that fell back is behind.
    assert_eq!(compare(&Head::start_of(2), &head(1, 7, B), None), Ok(()));
    assert!(compare(&head(1, 9, A), &head(2, 1, B), None).is_err());
    assert!(behind.text().contains("position 5") && behind.text().contains("position 7"));
}

#[test]
fn a_batch_holds_one_epoch_within_the_limits_and_at_least_one_envelope() {
    let waiting = |epoch, bytes| Waiting { epoch, position: 1, bytes };
    assert_eq!(batch_len(&[]), 0);
    assert_eq!(batch_len(&vec![waiting(1, 10); 100]), MAX_BATCH);
    assert_eq!(batch_len(&[waiting(1, 10), waiting(1, 10), waiting(2, 10)]), 2);
    assert_eq!(batch_len(&vec![waiting(1, MAX_ENVELOPE_BYTES); 10]), 4);
    assert_eq!(batch_len(&[waiting(1, 2 * MAX_BATCH_BYTES)]), 1);
}

#[test]
fn a_receipt_proves_exactly_its_envelope_once() {
    assert_eq!(receipt(&A, false, &A), ReceiptMeaning::First);
    assert_eq!(receipt(&A, true, &A), ReceiptMeaning::Again);
    assert_eq!(receipt(&A, false, &B), ReceiptMeaning::OfAnother);
    assert_eq!(receipt(&A, true, &B), ReceiptMeaning::OfAnother);
    assert_eq!(receipt(&A, false, b""), ReceiptMeaning::OfAnother);
}

#[test]
fn the_wait_grows_and_stays_short() {
    assert_eq!(back_off(1), Duration::from_millis(200));
    assert!((1..60).all(|failures| back_off(failures) <= back_off(failures + 1)));
    assert_eq!(back_off(u32::MAX), Duration::from_secs(2));
}

/// The digest of the envelope at a position, for a stream of its own.
fn digest(position: u64) -> Digest {
    if position == 0 { NOTHING } else { fenghuo_durable::sha256(&position.to_be_bytes()) }
}

proptest! {
    /// A network that loses, repeats and reorders: whatever is stored is stored once and in order, and a sender that repeats what has no
    /// receipt gets everything over.
    #[test]
    fn every_envelope_is_stored_once_and_in_order(count in 1..40_u64, deliveries in prop::collection::vec((0..40_u64, any::<bool>()), 0..400)) {
        let mut stored: Vec<u64> = Vec::new();
        let mut receipted = std::collections::BTreeSet::new();
        let deliver = |stored: &mut Vec<u64>, position: u64| -> bool {
            let last = stored.len() as u64;
            let there = (position <= last).then(|| digest(position));
            let head = Head { epoch: u64::from(last > 0), position: last, digest: digest(last) };
            match arrival(&head, there, &offered(1, position, digest(position - 1), digest(position))) {
                Arrival::Store => { stored.push(position); true }
                Arrival::Duplicate => true,
                Arrival::Gap { expected } => { assert_eq!(expected, last + 1); false }
                other => panic!("{other:?}"),
            }
        };
        for (which, receipt_lost) in deliveries {
            let position = which % count + 1;
            if deliver(&mut stored, position) && !receipt_lost {
                receipted.insert(position);
            }
        }
        prop_assert!(receipted.iter().all(|position| stored.contains(position)), "a receipt is given for what is stored alone");
        // The network mends: the sender repeats, in order, whatever has no receipt.
        for position in (1..=count).filter(|position| !receipted.contains(position)).collect::<Vec<_>>() {
            prop_assert!(deliver(&mut stored, position));
        }
        prop_assert_eq!(stored, (1..=count).collect::<Vec<_>>());
    }

    /// Two envelopes that differ never share a position: an altered one is refused at every position and in every state.
    #[test]
    fn an_altered_envelope_is_never_taken_for_the_one_that_is_stored(last in 1..30_u64, at in 1..30_u64) {
        let head = Head { epoch: 1, position: last, digest: digest(last) };
        let there = (at <= last).then(|| digest(at));
        let altered = offered(1, at, digest(at - 1), [9; 32]);
        match arrival(&head, there, &altered) {
            Arrival::Store => prop_assert_eq!(at, last + 1),
            Arrival::Gap { .. } => prop_assert!(at > last + 1),
            Arrival::Diverged(_) => prop_assert!(at <= last),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
