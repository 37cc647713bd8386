//! A person, what he may do, and what makes either valid.

use std::fmt;

use fenghuo_durable::faults::Faults;
use fenghuo_edge::province_code::{is_admin_code, jurisdiction_prefix};
use fenghuo_edge::{Grant, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Grants that a person may hold.
pub const GRANTS_MAX: usize = 50;
/// Characters of a password at least.
pub const PASSWORD_MIN_CHARS: usize = 10;
/// Bytes of a password at most: hashing must not be made long.
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// Bytes of a user name at most.
pub const USER_NAME_MAX_BYTES: usize = 64;

/// An argon2id hash in PHC form. Never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// From its PHC form.
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// Its PHC form, for comparing alone.
    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// A role in a jurisdiction for a time, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldGrant {
    /// The role.
    #[serde(with = "role_name")]
    pub role: Role,
    /// Administrative code whose records are covered.
    pub jurisdiction: String,
    /// In force from this wall time.
    pub start: Timestamp,
    /// Until just before this wall time; `None` until further notice.
    #[serde(default)]
    pub end: Option<Timestamp>,
}

mod role_name {
    use fenghuo_edge::Role;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(role: &Role, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(role.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
        let name = String::deserialize(from)?;
        Role::from_name(&name).ok_or_else(|| D::Error::custom(format!("there is no role {name}")))
    }
}

impl From<&HeldGrant> for Grant {
    fn from(held: &HeldGrant) -> Self {
        Self { role: held.role, jurisdiction: held.jurisdiction.clone(), start: held.start, end: held.end }
    }
}

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `provinces/{code}/people/{uuid}`.
    pub name: String,
    /// Raised by each change.
    pub revision: u64,
    /// Unique, lower case, never changed.
    pub user_name: String,
    /// Name as shown.
    pub display_name: String,
    /// Post and body.
    pub post: String,
    /// What he may do.
    pub grants: Vec<HeldGrant>,
    /// May sign in.
    pub active: bool,
    /// The password's hash.
    pub password: PasswordHash,
}

impl Person {
    /// From which wall time on the person administers the whole province without an end; `None` if never.
    pub fn administers_from(&self, province_code: &str) -> Option<Timestamp> {
        let lasting = |grant: &&HeldGrant| grant.role == Role::Administrator && grant.jurisdiction == province_code && grant.end.is_none();
        self.grants.iter().filter(|_| self.active).filter(lasting).map(|grant| grant.start).min()
    }

    /// All grants as the edge knows them.
    pub fn edge_grants(&self) -> Vec<Grant> {
        self.grants.iter().map(Grant::from).collect()
    }
}

/// A user name as it is compared: without spaces around, lower case.
pub fn normal_user_name(user_name: &str) -> String {
    user_name.trim().to_lowercase()
}

/// Notes what is wrong with a user name.
pub fn check_user_name(field: &str, user_name: &str, faults: &mut Faults) {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let begins = user_name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if user_name.is_empty() {
        faults.add(field, "is required");
    } else if user_name.len() > USER_NAME_MAX_BYTES || !begins || !user_name.bytes().all(allowed) {
        faults.add(field, "must begin with a letter a to z and have at most 64 characters of a to z, 0 to 9, \"-\", \"_\" and \".\"");
    }
}

/// Notes what is wrong with a new password.
pub fn check_password(field: &str, password: &str, user_name: &str, faults: &mut Faults) {
    if password.chars().count() < PASSWORD_MIN_CHARS {
        faults.add(field, format!("must have at least {PASSWORD_MIN_CHARS} characters"));
    } else if password.len() > PASSWORD_MAX_BYTES {
        faults.add(field, format!("must have at most {PASSWORD_MAX_BYTES} bytes"));
    } else if normal_user_name(password) == user_name {
        faults.add(field, "must not be the user name");
    }
}

/// Notes what is wrong with the jurisdiction and the dates of a grant.
pub fn check_grant(path: &str, grant: &HeldGrant, province_code: &str, faults: &mut Faults) {
    let inside = is_admin_code(&grant.jurisdiction)
        && jurisdiction_prefix(province_code).is_some_and(|province| grant.jurisdiction.starts_with(province));
    if !inside {
        faults.add(format!("{path}.jurisdiction"), format!("must be a six-digit administrative code within {province_code}"));
    }
    if grant.end.is_some_and(|end| end <= grant.start) {
        faults.add(format!("{path}.end_time"), "must be after start_time; leave it out for until further notice");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(grants: Vec<HeldGrant>, active: bool) -> Person {
        Person {
            name: "provinces/420000/people/1".into(),
            revision: 1,
            user_name: "lijing".into(),
            display_name: "李静".into(),
            post: String::new(),
            grants,
            active,
            password: PasswordHash::new("$argon2id$secret".into()),
        }
    }

    fn grant(role: Role, jurisdiction: &str, start: &str, end: Option<&str>) -> HeldGrant {
        HeldGrant { role, jurisdiction: jurisdiction.into(), start: start.parse().unwrap(), end: end.map(|end| end.parse().unwrap()) }
    }

    fn fields(check: impl FnOnce(&mut Faults)) -> Vec<String> {
        let mut faults = Faults::default();
        check(&mut faults);
        faults.done().err().map(|error| error.violations.into_iter().map(|violation| violation.field).collect()).unwrap_or_default()
    }

    #[test]
    fn only_a_lasting_administrator_of_the_whole_province_keeps_the_node() {
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
        let admin = grant(Role::Administrator, "420000", late, None);
        assert_eq!(person(vec![admin.clone()], true).administers_from("420000"), Some(late.parse().unwrap()));
        assert_eq!(person(vec![admin], false).administers_from("420000"), None);
        let lesser = vec![
            grant(Role::Administrator, "422800", early, None),
            grant(Role::Administrator, "420000", early, Some(late)),
            grant(Role::Commander, "420000", early, None),
        ];
        assert_eq!(person(lesser, true).administers_from("420000"), None);
    }

    #[test]
    fn a_stored_person_reads_back_and_its_hash_is_not_shown() {
        let written = person(vec![grant(Role::DutyOfficer, "422822", "2026-01-01T00:00:00Z", None)], true);
        let text = serde_json::to_string(&written).unwrap();
        assert!(text.contains("\"duty_officer\""), "{text}");
        assert_eq!(serde_json::from_str::<Person>(&text).unwrap(), written);
        assert!(!format!("{written:?}").contains("secret"));
    }

    #[test]
    fn names_passwords_and_grants_are_checked() {
        for good in ["lijing", "li-jing", "li.jing_2"] {
            assert!(fields(|faults| check_user_name("u", good, faults)).is_empty(), "{good}");
        }
        for bad in ["", "李静", "Lijing", "2li", "li jing", &"a".repeat(65)] {
            assert_eq!(fields(|faults| check_user_name("u", bad, faults)), ["u"], "{bad}");
        }
        assert!(fields(|faults| check_password("p", "烽火烽火烽火烽火烽火", "lijing", faults)).is_empty());
        for bad in ["", "烽火烽火烽火烽火烽", "lijing-admin", &"a".repeat(1025)] {
            assert_eq!(fields(|faults| check_password("p", bad, "lijing-admin", faults)), ["p"], "{bad}");
        }
        let start = "2026-01-01T00:00:00Z";
        assert!(fields(|faults| check_grant("g", &grant(Role::Viewer, "422822", start, None), "420000", faults)).is_empty());
        for outside in ["500000", "42", "4228220", "42282x", ""] {
            let wrong = grant(Role::Viewer, outside, start, Some(start));
            assert_eq!(fields(|faults| check_grant("g", &wrong, "420000", faults)), ["g.jurisdiction", "g.end_time"], "{outside}");
        }
    }
}
