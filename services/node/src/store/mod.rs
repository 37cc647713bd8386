//! The queries, a file for each noun.

pub mod exercise;
pub mod person;
pub mod quarantine;
pub mod session;
pub mod setup;
pub mod throttle;

/// Who does it, and what to say of it. Texts name nobody: personal data stand beside the event.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Type of the event.
    pub kind: &'static str,
    /// Resource name of the person who does it.
    pub actor: String,
    /// The call's `request_id`; empty where the call has none.
    pub request_id: String,
    /// One line in Chinese.
    pub zh: &'static str,
    /// One line in English.
    pub en: &'static str,
}
