//! The one error type that crosses layers: what the caller may know, and what only the log may know.

use std::fmt;

/// What kind of failure it is; the edge maps each to one gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request is wrong in itself: see the violations.
    InvalidArgument,
    /// There is no such record, or the caller may not know that there is.
    NotFound,
    /// The name or the `request_id` is taken.
    AlreadyExists,
    /// The record has moved on (stale etag, lost race): read again and decide again.
    Aborted,
    /// The record is in a state that does not allow it.
    FailedPrecondition,
    /// The caller is known and may not.
    PermissionDenied,
    /// The caller is not known.
    Unauthenticated,
    /// A limit was reached.
    ResourceExhausted,
    /// Could not be done now; the same call may succeed later.
    Unavailable,
    /// Our fault.
    Internal,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, for example `report.place.admin_code`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

/// A failure with a stable reason for machines, a text for people, and a cause for the log alone.
#[derive(Debug)]
pub struct Error {
    /// Kind.
    pub code: Code,
    /// Stable, `UPPER_SNAKE_CASE`, at most 63 characters.
    pub reason: &'static str,
    /// Says what to do next.
    pub message: String,
    /// Every wrong field.
    pub violations: Vec<Violation>,
    /// Variables of the message, for machines.
    pub metadata: Vec<(&'static str, String)>,
    /// Never shown to a caller.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// The transaction lost a race in the database (40001, 40P01, a voided group) and may simply run again.
    pub rerun: bool,
}

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), violations: Vec::new(), metadata: Vec::new(), source: None, rerun: false }
    }

    /// A request with one wrong field.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid_fields(vec![Violation { field: field.into(), description: description.into() }])
    }

    /// A request with several wrong fields.
    pub fn invalid_fields(violations: Vec<Violation>) -> Self {
        let message = violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect::<Vec<_>>().join("; ");
        let mut error = Self::new(Code::InvalidArgument, "INVALID_FIELD", message);
        error.violations = violations;
        error
    }

    /// No such record for this caller.
    pub fn not_found(name: &str) -> Self {
        Self::new(Code::NotFound, "NOT_FOUND", format!("there is no {name} in your jurisdiction")).with("name", name)
    }

    /// The record's state does not allow it.
    pub fn precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// Another change of the same record came first: the write runs again by itself, and only if that does not help is the caller told.
    pub fn race_lost() -> Self {
        let mut error = Self::new(Code::Aborted, "RACE_LOST", "another change came first; read again and repeat");
        error.rerun = true;
        error
    }

    /// Our own fault, with its cause.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, "INTERNAL", message)
    }

    /// Not now.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, reason, message)
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
