//! Every decoder that reads what comes from outside, each with the properties that must hold for any bytes.
//!
//! A [`Decoder`] takes bytes as a stranger would send them, through the code that the node itself uses, and panics if a property does not
//! hold: what is accepted survives being written and read again; what is refused says which field and why, in a status that fits its
//! header. `tests/fuzz` looks for bytes that break one; `tests/corpus.rs` replays all that were ever kept. The seeds are real samples, made
//! by the code.

#![allow(clippy::unwrap_used)] // A property that does not hold stops the run: that is how it is told.

pub mod bundle;
pub mod certificate;
pub mod config;
mod drill;
pub mod envelope;
pub mod error_details;
mod fixture;
pub mod grade_facts;
pub mod message_length;
pub mod metadata;
pub mod names;
pub mod notification;
pub mod page_token;
pub mod receipt;
pub mod report;
pub mod script;
pub mod snapshot;

use fenghuo_durable::{Code, Error};

/// A sample with the name of its file.
pub type Seed = (&'static str, Vec<u8>);

/// A decoder that faces outside.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    /// Name of its fuzz target and of its corpus folder.
    pub name: &'static str,
    /// Decodes and checks the properties. True if the bytes were accepted, false if they were refused as they should be.
    pub decode: fn(&[u8]) -> bool,
    /// Real samples, new at each call where keys are in them.
    pub seeds: fn() -> Vec<Seed>,
}

macro_rules! decoders {
    ($($module:ident),+ $(,)?) => {
        &[$(Decoder { name: stringify!($module), decode: $module::decode, seeds: $module::seeds }),+]
    };
}

/// All of them.
pub const DECODERS: &[Decoder] = decoders![
    bundle,
    certificate,
    config,
    envelope,
    error_details,
    grade_facts,
    message_length,
    metadata,
    names,
    notification,
    page_token,
    receipt,
    report,
    script,
    snapshot,
];

/// What a peer accepts of headers; a status must fit with room for the others.
const MAX_STATUS_BYTES: usize = 15 * 1024;

/// A refusal: never our own fault, each wrong field named and described, short enough for its header. Always false.
pub(crate) fn refused(error: Error) -> bool {
    assert_ne!(error.code, Code::Internal, "{error}");
    assert!(!error.message.is_empty());
    if error.reason == "INVALID_FIELD" {
        assert!(!error.violations.is_empty(), "{error}");
    }
    for violation in &error.violations {
        assert!(!violation.field.is_empty() && !violation.description.is_empty(), "{error}");
    }
    let answer = fenghuo_edge::to_status(error).into_http::<()>();
    let bytes: usize = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    assert!(bytes <= MAX_STATUS_BYTES, "a status of {bytes} bytes");
    false
}
