//! Collecting what is wrong with a request, field by field, so that the caller hears all of it at once.

use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, Result, Violation};

/// Clocks of people and of nodes may differ by this.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(120);
const LONG_AGO: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);
const LINE_CHARS: usize = 200;
const TEXT_CHARS: usize = 20_000;

/// Collects faults by field.
#[derive(Debug, Default)]
pub struct Faults(Vec<Violation>);

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation { field: field.into(), description: description.into() });
    }

    /// One line of text that must be there.
    pub fn required_line(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(field, "is required");
        }
        self.line(field, text);
    }

    /// One line of text.
    pub fn line(&mut self, field: &str, text: &str) {
        self.text_of(field, text, LINE_CHARS);
        if text.contains('\n') {
            self.add(field, "must be a single line");
        }
    }

    /// Several lines of text.
    pub fn text(&mut self, field: &str, text: &str) {
        self.text_of(field, text, TEXT_CHARS);
    }

    fn text_of(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.add(field, format!("must have at most {most} characters"));
        }
        if text.contains('\0') {
            self.add(field, "must not contain the character NUL");
        } else if text.chars().any(misleads) {
            self.add(field, "must not contain control characters or characters that turn the direction of the text");
        }
    }

    /// A number that may be given: finite, from 0.
    pub fn number(&mut self, field: &str, value: Option<f64>) {
        if value.is_some_and(|value| !value.is_finite() || value < 0.0) {
            self.add(field, "must be a finite number from 0; leave it out if unknown");
        }
    }

    /// A time that cannot be in the future.
    pub fn past(&mut self, field: &str, time: Option<Timestamp>, now: Timestamp) {
        if time.is_some_and(|time| time > now + TOLERANCE) {
            self.add(field, format!("lies in the future; it is now {now}"));
        }
        if time.is_some_and(|time| now.duration_since(time) > LONG_AGO) {
            self.add(field, "lies more than a hundred years back; check the date");
        }
    }

    /// All faults as one error, or nothing.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid_fields(self.0)) }
    }
}

/// Characters that no officer types, and that make a line show something else than it says.
pub fn misleads(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
