//! Names of spaces.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::{Error, Result};

/// The space in which something happens: the real one, or one of an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpaceId {
    /// What is real.
    Real,
    /// An exercise, with the id that all who take part share.
    Exercise(Uuid),
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.write_str("real"),
            Self::Exercise(id) => write!(f, "exercises/{id}"),
        }
    }
}

impl FromStr for SpaceId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "real" {
            return Ok(Self::Real);
        }
        text.strip_prefix("exercises/")
            // Only the canonical hyphenated form: one space must not have two names.
            .filter(|id| id.len() == 36)
            .and_then(|id| Uuid::try_parse(id).ok().filter(|uuid| uuid.to_string() == id))
            .map(Self::Exercise)
            .ok_or_else(|| Error::invalid("fenghuo-space", "must be \"real\" or \"exercises/{uuid}\" in lower case"))
    }
}
