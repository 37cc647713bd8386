//! Where something is, and what polluted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where something is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Administrative code (GB/T 2260).
    pub admin_code: String,
    /// In words.
    pub description: String,
    /// Degrees east.
    pub longitude_deg: Option<f64>,
    /// Degrees north.
    pub latitude_deg: Option<f64>,
    /// River, lake, reservoir or cave system, in words.
    pub water_body: String,
}

impl Place {
    /// Longitude and latitude, if both are known.
    pub fn position(&self) -> Option<(f64, f64)> {
        self.longitude_deg.zip(self.latitude_deg)
    }
}

/// A pollutant with what was measured of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Substance {
    /// As told.
    pub name: String,
    /// CAS number, if known.
    pub cas: String,
    /// In `unit`.
    pub value: Option<f64>,
    /// Unit.
    pub unit: String,
    /// Analysis method, or how it was recognised.
    pub method: String,
    /// When the sample was taken.
    pub sampling_time: Option<Timestamp>,
    /// Where the sample was taken.
    pub section: String,
    /// C/Cs - 1.
    pub times_over_limit: Option<f64>,
    /// Kilograms.
    pub released_mass_kg: Option<f64>,
}

impl Substance {
    /// The same matter: by CAS number if both have one, else by name.
    pub fn same_matter(&self, other: &Substance) -> bool {
        if !self.cas.is_empty() && !other.cas.is_empty() { self.cas == other.cas } else { self.name.trim() == other.name.trim() }
    }

    /// What it is looked for by: two substances that are the same matter share one of these.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let cas = (!self.cas.is_empty()).then(|| format!("cas:{}", self.cas));
        cas.into_iter().chain(Some(format!("name:{}", self.name.trim())))
    }
}
