//! Types and rules, without storage, network or clock.

pub mod exercise;
pub mod person;
pub mod quarantine;
pub mod throttle;

pub use exercise::{Exercise, ExerciseState, Setting};
pub use person::{HeldGrant, PasswordHash, Person};
pub use quarantine::{Quarantine, QuarantineState};
