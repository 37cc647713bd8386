//! People and grants.

use fenghuo_api::identity::v1 as pb;
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::faults::Faults;
use fenghuo_edge::Role;
use jiff::Timestamp;

use crate::domain::person::{GRANTS_MAX, check_grant};
use crate::domain::{HeldGrant, Person};

/// Grants from the wire; `path` is the field's name, "grants" or "person.grants".
pub fn grants_in(path: &str, grants: &[pb::Grant], province_code: &str, faults: &mut Faults) -> Vec<HeldGrant> {
    if grants.len() > GRANTS_MAX {
        faults.add(path, format!("must be at most {GRANTS_MAX}"));
        return Vec::new();
    }
    let read = |(at, grant)| grant_in(&format!("{path}[{at}]"), grant, province_code, faults);
    grants.iter().enumerate().filter_map(read).collect()
}

fn grant_in(path: &str, grant: &pb::Grant, province_code: &str, faults: &mut Faults) -> Option<HeldGrant> {
    let role = Role::from_proto(grant.role);
    if role.is_none() {
        faults.add(format!("{path}.role"), "must be one of viewer, duty officer, commander, liaison, administrator");
    }
    let start = time_in(&format!("{path}.start_time"), grant.start_time.as_ref(), faults);
    if grant.start_time.is_none() {
        faults.add(format!("{path}.start_time"), "is required: from when on the grant is in force");
    }
    let end = time_in(&format!("{path}.end_time"), grant.end_time.as_ref(), faults);
    let held = HeldGrant {
        role: role.unwrap_or(Role::Viewer),
        jurisdiction: grant.jurisdiction.clone(),
        start: start.unwrap_or(Timestamp::MIN),
        end,
    };
    check_grant(path, &held, province_code, faults);
    role.and(start).map(|_| held)
}

fn time_in(field: &str, time: Option<&prost_types::Timestamp>, faults: &mut Faults) -> Option<Timestamp> {
    let time = time?;
    let read = from_proto(time);
    if read.is_none() {
        faults.add(field, "is not a time between the years 0001 and 9999");
    }
    read
}

/// A person with all grants.
pub fn person_out(person: &Person) -> pb::Person {
    person_with(person, person.grants.iter())
}

/// A person with the grants in force at this wall time.
pub fn person_now(person: &Person, now: Timestamp) -> pb::Person {
    person_with(person, person.grants.iter().filter(|grant| fenghuo_edge::Grant::from(*grant).in_force(now)))
}

fn person_with<'a>(person: &Person, grants: impl Iterator<Item = &'a HeldGrant>) -> pb::Person {
    let grant_out = |grant: &HeldGrant| pb::Grant {
        role: grant.role.to_proto().into(),
        jurisdiction: grant.jurisdiction.clone(),
        start_time: Some(to_proto(grant.start)),
        end_time: grant.end.map(to_proto),
    };
    pb::Person {
        name: person.name.clone(),
        user_name: person.user_name.clone(),
        display_name: person.display_name.clone(),
        post: person.post.clone(),
        grants: grants.map(grant_out).collect(),
        active: person.active,
    }
}
