//! Names in requests: spaces, provinces, divisions, jurisdictions, roles.

use fenghuo_durable::SpaceId;
use fenghuo_edge::province_code::{check_province_code, is_admin_code, jurisdiction_prefix};
use fenghuo_edge::{Grant, Role};
use fenghuo_rules::divisions::{Divisions, province_of};
use jiff::Timestamp;

use crate::{Seed, refused};

/// Accepted: as a name of one kind at least.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(bytes) else { return false };
    let space = match name.parse::<SpaceId>() {
        Ok(space) => {
            // One space, one name.
            assert_eq!(space.to_string(), name);
            true
        }
        Err(error) => refused(error),
    };
    let province = match check_province_code("province_code", name) {
        Ok(()) => {
            assert_eq!((name.len(), province_of(name).as_str()), (6, name));
            true
        }
        Err(error) => refused(error),
    };
    let prefix = jurisdiction_prefix(name);
    assert_eq!(prefix.is_some(), is_admin_code(name));
    let grant = Grant { role: Role::Viewer, jurisdiction: name.to_owned(), start: Timestamp::UNIX_EPOCH, end: None };
    assert_eq!(grant.covers(name), prefix.is_some());
    assert!(prefix.is_some() || Divisions::builtin().all().all(|division| !grant.covers(&division.code)), "{name:?} covers something");
    assert!(Divisions::builtin().get(name).is_none_or(|division| division.code == name));
    let role = Role::from_name(name).is_some_and(|role| role.as_str() == name);
    space || province || prefix.is_some() || role
}

/// One of each kind, and near misses.
pub fn seeds() -> Vec<Seed> {
    let names = [
        ("real", "real"),
        ("exercise", "exercises/0198f0a0-0000-7000-8000-000000000001"),
        ("braces", "exercises/{0198f0a0-0000-7000-8000-00000000}"),
        ("province", "420000"),
        ("county", "422822"),
        ("role", "duty_officer"),
        ("wide_digits", "42００"),
    ];
    names.map(|(file, name)| (file, name.as_bytes().to_vec())).to_vec()
}
