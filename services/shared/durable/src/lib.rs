//! All that must survive a crash.

pub mod error;

pub use error::{Code, Error, Result, Violation};
