use std::fs;
use std::os::unix::fs::PermissionsExt;

use fenghuo_durable::{Code, wall};
use jiff::{SignedDuration, Timestamp};

use crate::ProvinceKeys;
use crate::certificate::{check_ca, not_after, stated_province};
use crate::signing::{key_id, sha256, verify_envelope, verify_receipt};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_made_once_and_readable_by_the_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("keys");
    let first = ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
    assert_eq!(mode(&place), 0o700);
    assert_eq!(mode(&place.join("ca-key.pem")), 0o600);
    assert_eq!(mode(&place.join("signing-key.pk8")), 0o600);
    let second = ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
    assert_eq!(first.ca_certificate(), second.ca_certificate());
    assert_eq!(first.key_id(), second.key_id());
    assert_eq!(first.key_id(), key_id(&second.signing_public_key()));
    assert_ne!(first.leaf(wall::now()).cert, second.leaf(wall::now()).cert, "the TLS leaf is new at each start");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn replicas_that_start_together_have_the_same_keys() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("keys");
        let start = std::sync::Barrier::new(4);
        let all: Vec<ProvinceKeys> = std::thread::scope(|scope| {
            let one = || {
                start.wait();
                ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap()
            };
            let starting: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            starting.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(all.iter().all(|one| one.key_id() == all[0].key_id() && one.ca_certificate() == all[0].ca_certificate()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }
}

#[test]
fn an_exposed_key_file_stops_the_start() {
    for name in ["ca-key.pem", "signing-key.pk8"] {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("keys");
        ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
        fs::set_permissions(place.join(name), fs::Permissions::from_mode(0o640)).unwrap();
        let error = ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap_err();
        assert_eq!((error.code, error.reason), (Code::FailedPrecondition, "KEY_FILE_EXPOSED"));
        assert!(error.message.contains(name) && error.message.contains("0640"), "{}", error.message);
    }
}

#[test]
fn incomplete_damaged_and_foreign_keys_are_refused_and_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("keys");
    ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
    let foreign = ProvinceKeys::load_or_create(&place, "500000", &[], wall::now()).unwrap_err();
    assert!(foreign.message.contains("420000") && foreign.message.contains("500000"), "{}", foreign.message);

    let signing = place.join("signing-key.pk8");
    let kept = fs::read(&signing).unwrap();
    fs::write(&signing, &kept[..kept.len() - 1]).unwrap();
    assert_eq!(ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap_err().reason, "KEYS_NOT_USABLE");
    fs::remove_file(&signing).unwrap();
    assert_eq!(ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap_err().reason, "KEYS_INCOMPLETE");
    assert!(!signing.exists());
}

#[test]
fn what_a_start_that_was_cut_short_left_behind_is_no_part_of_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("keys");
    // It stays: it may be that of another replica which is making it now.
    let draft = dir.path().join(".keys.draft-left");
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join("ca-key.pem"), "half").unwrap();
    let made = ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
    assert_ne!(fs::read_to_string(place.join("ca-key.pem")).unwrap(), "half");
    let again = ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
    assert_eq!(made.ca_certificate(), again.ca_certificate());
}

#[test]
fn signatures_of_one_kind_do_not_serve_as_the_other() {
    let (keys, _dir) = super::keys("420000");
    let digest = sha256(b"envelope");
    let public = keys.signing_public_key();
    let signature = keys.sign_envelope(&digest);
    verify_envelope(&public, &digest, &signature).unwrap();
    verify_receipt(&public, &digest, &keys.sign_receipt(&digest)).unwrap();
    assert_eq!(verify_receipt(&public, &digest, &signature).unwrap_err().reason, "SIGNATURE_INVALID");
    assert_eq!(verify_envelope(&public, &sha256(b"other"), &signature).unwrap_err().reason, "SIGNATURE_INVALID");
    let (other, _dir) = super::keys("420000");
    assert_eq!(verify_envelope(&other.signing_public_key(), &digest, &signature).unwrap_err().reason, "SIGNATURE_INVALID");
}

#[test]
fn the_signature_is_what_the_contract_says() {
    // Written out from partner.proto, as another province would.
    let (keys, _dir) = super::keys("420000");
    let digest = sha256(b"bytes of an envelope");
    let signed = [b"fenghuo.envelope.v1\n".as_slice(), &digest].concat();
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, keys.signing_public_key());
    key.verify(&signed, &keys.sign_envelope(&digest)).unwrap();
}

#[test]
fn the_authority_lives_ten_years_and_the_leaf_is_renewed_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let start: Timestamp = "2024-02-29T12:00:00Z".parse().unwrap();
    let keys = ProvinceKeys::load_or_create(&dir.path().join("keys"), "420000", &[], start).unwrap();
    assert_eq!(not_after(keys.ca_certificate()).unwrap().to_string(), "2034-02-28T00:00:00Z");
    assert_eq!(stated_province(keys.ca_certificate()), Ok("420000".to_owned()));
    let leaf = keys.leaf(start).cert[0].clone();
    let later = |days: i64| start.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
    assert_eq!(keys.leaf(later(300)).cert[0], leaf);
    assert_ne!(keys.leaf(later(340)).cert[0], leaf);
    check_ca(keys.ca_certificate(), later(3600)).unwrap();
    let expired = check_ca(keys.ca_certificate(), later(3700)).unwrap_err();
    assert!(expired.contains("expired at 2034-02-28"), "{expired}");
    let before = check_ca(keys.ca_certificate(), later(-2)).unwrap_err();
    assert!(before.contains("not valid before"), "{before}");
}

#[test]
fn a_key_that_was_prepared_becomes_the_present_one_and_the_former_still_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("keys");
    let load = || ProvinceKeys::load_or_create(&place, "420000", &[], wall::now()).unwrap();
    let (one, other) = (load(), load());
    let (first, digest) = (one.key_id(), sha256(b"envelope"));
    let signed = one.sign_envelope(&digest);

    // Broken off after the preparation: the next start finds the same key, and it signs only when asked for by name.
    let next = one.prepare_signing_key().unwrap();
    assert_eq!(load().pending_signing_key(), Some(next.clone()));
    assert_eq!(other.prepare_signing_key().unwrap(), next, "another process takes the same key");
    assert_eq!(one.key_id(), first);
    let by_next = one.sign_envelope_with(&next.key_id, &digest).unwrap();
    verify_envelope(&next.public_key, &digest, &by_next).unwrap();
    assert_eq!(one.successor(&first), None);

    one.promote_signing_key().unwrap();
    other.promote_signing_key().unwrap();
    for keys in [&one, &other, &load()] {
        assert_eq!((keys.key_id(), keys.pending_signing_key()), (next.key_id.clone(), None));
        assert_eq!(keys.successor(&first), Some(next.clone()));
        verify_envelope(&keys.public_key(&first).unwrap(), &digest, &signed).unwrap();
    }
    // A third one, made by another process, is found when it is needed.
    let third = other.prepare_signing_key().unwrap();
    assert_eq!(one.public_key(&third.key_id).unwrap(), third.public_key);
    assert_eq!(one.public_key("0123456789abcdef").unwrap_err().reason, "SIGNING_KEY_LOST");
    for entry in std::fs::read_dir(&place).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().ends_with("pk8") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
    }
}
