//! Errors on the wire: `fenghuo_durable::Error` to `google.rpc.Status` and back.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fenghuo_durable::measure::{Counter, KeyValue, counter};
use fenghuo_durable::{Code, Error, Violation, wall};
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// Domain of our `ErrorInfo`.
pub const ERROR_DOMAIN: &str = "fenghuo";
/// The details travel in a header, and peers accept 16 KiB of headers: text beyond these sizes (bytes) is cut, visibly.
const MAX_MESSAGE_BYTES: usize = 1200;
const MAX_VIOLATION_BYTES: usize = 4000;

static REFUSED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.call.refused", "{call}", "Calls answered with an error, by its reason"));

/// What the caller is told: code, message, `ErrorInfo` with reason and metadata, `BadRequest` with the violations. An internal error is
/// logged once here with its whole chain; its caller sees a general text and an id that finds it in the log.
pub fn to_status(error: Error) -> Status {
    REFUSED
        .add(1, &[KeyValue::new("error.type", error.reason), KeyValue::new("rpc.response.status_code", code_name(grpc_code(error.code)))]);
    if error.code == Code::Internal {
        return internal(&error);
    }
    if let Some(source) = &error.source {
        tracing::debug!(reason = error.reason, cause = %chain(source.as_ref()), "a call was answered with an error");
    }
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> =
        error.metadata.iter().map(|(key, value)| ((*key).to_owned(), cut(value, MAX_MESSAGE_BYTES / 4))).collect();
    details.set_error_info(error.reason, ERROR_DOMAIN, metadata);
    if let Some(wait) = retry_after(&error) {
        details.set_retry_info(Some(wait));
    }
    if !error.violations.is_empty() {
        details.set_bad_request(fitting(&error.violations));
    }
    Status::with_error_details(grpc_code(error.code), cut(&error.message, MAX_MESSAGE_BYTES), details)
}

/// When to come back, for callers that read `RetryInfo`; the metadata says the same in a word.
fn retry_after(error: &Error) -> Option<Duration> {
    error.metadata.iter().find_map(|(key, value)| match *key {
        "retryAfterMs" => value.parse().ok().map(Duration::from_millis),
        "retryAfterSeconds" => value.parse().ok().map(Duration::from_secs),
        _ => None,
    })
}

fn internal(error: &Error) -> Status {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{:x}-{}", wall::now().as_second(), COUNT.fetch_add(1, Ordering::Relaxed));
    tracing::error!(error_id = %id, reason = error.reason, error = %chain(error), "internal error");
    let details = ErrorDetails::with_error_info(error.reason, ERROR_DOMAIN, HashMap::from([("errorId".to_owned(), id.clone())]));
    Status::with_error_details(tonic::Code::Internal, format!("internal error {id}; the node's log says more under this id"), details)
}

/// The gRPC code of each kind of failure.
pub fn grpc_code(code: Code) -> tonic::Code {
    match code {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::Aborted => tonic::Code::Aborted,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
    }
}

fn fitting(violations: &[Violation]) -> Vec<FieldViolation> {
    let mut room = MAX_VIOLATION_BYTES;
    let mut kept = Vec::new();
    for violation in violations {
        let size = violation.field.len() + violation.description.len() + 16;
        if size > room {
            kept.push(FieldViolation::new("", format!("and {} more", violations.len() - kept.len())));
            break;
        }
        room -= size;
        kept.push(FieldViolation::new(violation.field.clone(), violation.description.clone()));
    }
    kept
}

fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(bytes)])
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Many wrappers repeat what they wrap.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// An error that another process answered, or that the way to it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteError {
    /// The gRPC code.
    pub code: tonic::Code,
    /// Reason of the `ErrorInfo`, `UPPER_SNAKE_CASE`; empty if the answer carried none of our domain.
    pub reason: String,
    /// For people. With a failed connection: the whole chain of causes.
    pub message: String,
    /// Wrong fields of the request.
    pub violations: Vec<Violation>,
    /// Variables of the message.
    pub metadata: HashMap<String, String>,
}

/// Reads what a call answered.
pub fn from_status(status: &Status) -> RemoteError {
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN);
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    let cause = std::error::Error::source(status).filter(|_| info.is_none()).map(chain).unwrap_or_default();
    let message = match status.message() {
        text if text.contains(&cause) => text.to_owned(),
        text if cause.contains(text) => cause,
        text => format!("{text}: {cause}"),
    };
    RemoteError {
        code: status.code(),
        reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
        message,
        violations: violations.iter().map(|v| Violation { field: v.field.clone(), description: v.description.clone() }).collect(),
        metadata: info.map(|info| info.metadata.clone()).unwrap_or_default(),
    }
}

impl From<Status> for RemoteError {
    fn from(status: Status) -> Self {
        from_status(&status)
    }
}

impl RemoteError {
    /// May the same call succeed later without anything being changed?
    pub fn is_transient(&self) -> bool {
        matches!(self.code, tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Aborted | tonic::Code::Cancelled)
            // What hyper and h2 call a connection that broke while it was used.
            || (matches!(self.code, tonic::Code::Unknown | tonic::Code::Internal) && self.reason.is_empty())
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = code_name(self.code);
        match self.reason.as_str() {
            "" => write!(f, "{code}")?,
            reason => write!(f, "{code} ({reason})")?,
        }
        if self.violations.is_empty() {
            return write!(f, ": {}", self.message);
        }
        for violation in &self.violations {
            write!(f, "\n  {}: {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

impl std::error::Error for RemoteError {}

/// The name of a gRPC code as the specification writes it, for example "NOT_FOUND".
pub fn code_name(code: tonic::Code) -> &'static str {
    match code {
        tonic::Code::Ok => "OK",
        tonic::Code::Cancelled => "CANCELLED",
        tonic::Code::Unknown => "UNKNOWN",
        tonic::Code::InvalidArgument => "INVALID_ARGUMENT",
        tonic::Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        tonic::Code::NotFound => "NOT_FOUND",
        tonic::Code::AlreadyExists => "ALREADY_EXISTS",
        tonic::Code::PermissionDenied => "PERMISSION_DENIED",
        tonic::Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        tonic::Code::FailedPrecondition => "FAILED_PRECONDITION",
        tonic::Code::Aborted => "ABORTED",
        tonic::Code::OutOfRange => "OUT_OF_RANGE",
        tonic::Code::Unimplemented => "UNIMPLEMENTED",
        tonic::Code::Internal => "INTERNAL",
        tonic::Code::Unavailable => "UNAVAILABLE",
        tonic::Code::DataLoss => "DATA_LOSS",
        tonic::Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
