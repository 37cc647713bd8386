use fenghuo_durable::{Code, SpaceId};
use jiff::Timestamp;

use super::grant;
use crate::auth::{Caller, Grant, Role};

fn caller(grants: Vec<Grant>) -> Caller {
    Caller {
        identity: "provinces/420000/people/1".to_owned(),
        display_name: String::new(),
        post: String::new(),
        grants,
        session_id: String::new(),
        space_id: Some(SpaceId::Real),
    }
}

#[test]
fn a_grant_covers_its_jurisdiction_and_nothing_else() {
    let covers = |jurisdiction: &str, code: &str| grant(Role::Viewer, jurisdiction).covers(code);
    for (jurisdiction, code) in
        [("420000", "422822"), ("420000", "420000"), ("422800", "422822"), ("422800", "422800"), ("422822", "422822")]
    {
        assert!(covers(jurisdiction, code), "{jurisdiction} {code}");
    }
    for (jurisdiction, code) in [
        ("420000", "500237"),
        ("422800", "420000"),
        ("422800", "422700"),
        ("422822", "422823"),
        ("422822", ""),
        ("", "422822"),
        ("000000", "422822"),
    ] {
        assert!(!covers(jurisdiction, code), "{jurisdiction} {code}");
    }
}

#[test]
fn the_wrong_district_finds_nothing_and_the_wrong_role_is_told_so() {
    let officer = caller(vec![grant(Role::DutyOfficer, "422800"), grant(Role::Viewer, "420000")]);
    officer.require(&[Role::DutyOfficer, Role::Commander], "422822").unwrap();
    let denied = officer.require(&[Role::DutyOfficer], "420100").unwrap_err();
    assert_eq!((denied.code, denied.reason), (Code::PermissionDenied, "ROLE_REQUIRED"));
    let hidden = officer.require_on(&[Role::DutyOfficer], "500237", "provinces/500000/incidents/1").unwrap_err();
    let absent = fenghuo_durable::Error::not_found("provinces/500000/incidents/1");
    assert_eq!((hidden.code, hidden.reason, &hidden.message), (absent.code, absent.reason, &absent.message));
    assert!(officer.can_read("420100") && !officer.can_read("500237"));
}

#[test]
fn grants_count_between_their_dates() {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
    let officer = caller(vec![Grant { start, end: Some(end), ..grant(Role::Commander, "420000") }]);
    let may = |at: &str| officer.may_at(Role::Commander, "422822", at.parse().unwrap());
    assert!(!may("2025-12-31T23:59:59Z"));
    assert!(may("2026-01-01T00:00:00Z"));
    assert!(may("2026-01-31T23:59:59Z"));
    assert!(!may("2026-02-01T00:00:00Z"));
    assert_eq!(officer.scope_at(end), Vec::<String>::new());
    assert_eq!(officer.require(&[Role::Commander], "422822").unwrap_err().code, Code::NotFound);
}

#[test]
fn the_scope_has_no_prefix_inside_another() {
    let officer = caller(vec![
        grant(Role::Viewer, "422822"),
        grant(Role::Commander, "422800"),
        grant(Role::Viewer, "500237"),
        grant(Role::Viewer, "422800"),
        grant(Role::Viewer, "junk"),
    ]);
    assert_eq!(officer.scope(), ["4228", "500237"]);
    assert_eq!(caller(vec![]).scope(), Vec::<String>::new());
}

#[test]
fn roles_survive_the_wire_and_the_database() {
    for role in Role::ALL {
        assert_eq!(Role::from_proto(role.to_proto() as i32), Some(*role));
        assert_eq!(Role::from_name(role.as_str()), Some(*role));
    }
    assert_eq!(Role::from_proto(0), None);
    assert_eq!(Role::from_proto(99), None);
}

#[test]
fn a_call_without_a_space_says_which_metadata_is_missing() {
    let nowhere = Caller { space_id: None, ..caller(vec![]) };
    assert_eq!(nowhere.space().unwrap_err().violations[0].field, "fenghuo-space");
    assert_eq!(caller(vec![]).space().unwrap(), SpaceId::Real);
}
