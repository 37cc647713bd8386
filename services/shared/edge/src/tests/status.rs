use fenghuo_durable::{Code, Error, Violation};

use crate::status::{from_status, to_status};

#[test]
fn reason_variables_and_violations_reach_the_client() {
    let error = Error::invalid("report.place.admin_code", "there is no county 999999").with("place", "999999");
    let remote = from_status(&to_status(error));
    assert_eq!(remote.code, tonic::Code::InvalidArgument);
    assert_eq!(remote.reason, "INVALID_FIELD");
    assert_eq!(remote.metadata["place"], "999999");
    let expected = Violation { field: "report.place.admin_code".into(), description: "there is no county 999999".into() };
    assert_eq!(remote.violations, [expected]);
    assert_eq!(remote.to_string(), "INVALID_ARGUMENT (INVALID_FIELD)\n  report.place.admin_code: there is no county 999999");
}

#[test]
fn an_internal_cause_stays_inside() {
    let error = Error::internal("query failed").caused_by(std::io::Error::other("password=geheim"));
    let status = to_status(error);
    let remote = from_status(&status);
    assert_eq!(remote.code, tonic::Code::Internal);
    assert!(!format!("{status:?}{remote}").contains("geheim") && !remote.message.contains("query failed"));
    assert!(remote.message.contains(&remote.metadata["errorId"]));
    let again = from_status(&to_status(Error::internal("x")));
    assert_ne!(again.metadata["errorId"], remote.metadata["errorId"]);
}

#[test]
fn details_fit_into_the_headers_that_peers_accept() {
    let violations = (0..500).map(|i| Violation { field: format!("facts[{i}]"), description: "数字不可能".repeat(20) }).collect();
    let status = to_status(Error::invalid_fields(violations));
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    assert!(size < 14_000, "{size} bytes");
    let remote = from_status(&status);
    assert!(remote.violations.last().unwrap().description.starts_with("and "));
}

#[test]
fn each_kind_has_its_code() {
    let kinds = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::AlreadyExists,
        Code::Aborted,
        Code::FailedPrecondition,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::ResourceExhausted,
        Code::Unavailable,
    ];
    for kind in kinds {
        let remote = from_status(&to_status(Error::new(kind, "A_REASON", "text")));
        assert_eq!(format!("{:?}", remote.code), format!("{kind:?}"));
        assert_eq!((remote.reason.as_str(), remote.message.as_str()), ("A_REASON", "text"));
    }
}

#[test]
fn a_foreign_error_keeps_its_text() {
    let remote = from_status(&tonic::Status::unimplemented("no such method"));
    assert_eq!((remote.reason.as_str(), remote.to_string().as_str()), ("", "UNIMPLEMENTED: no such method"));
    assert!(!remote.is_transient());
    assert!(from_status(&tonic::Status::unavailable("")).is_transient());
}
