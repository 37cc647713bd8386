//! Administrative divisions (GB/T 2260): names, seats and neighbours, from `seeds/divisions/`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::RulesError;

const FILES: [&str; 3] = [
    include_str!("../../../../seeds/divisions/provinces.csv"),
    include_str!("../../../../seeds/divisions/420000.csv"),
    include_str!("../../../../seeds/divisions/500000.csv"),
];

/// An administrative division.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Division {
    /// Six digits.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// `current`, or why not.
    pub status: String,
    /// Longitude of the seat of government, degrees east; empty in the file if not known.
    pub lon: Option<f64>,
    /// Latitude of the seat, degrees north.
    pub lat: Option<f64>,
    /// Codes of the provinces that it borders on.
    #[serde(rename = "neighbour_provinces", deserialize_with = "codes")]
    pub neighbour_provinces: Vec<String>,
}

fn codes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(from)?;
    Ok(text.split('|').filter(|code| !code.is_empty()).map(str::to_owned).collect())
}

/// Every division that this edition knows: all provinces that border on the two of the demonstration, and their own counties.
#[derive(Debug)]
pub struct Divisions(BTreeMap<String, Division>);

impl Divisions {
    /// The divisions built in, read once.
    pub fn builtin() -> &'static Divisions {
        static BUILTIN: OnceLock<Divisions> = OnceLock::new();
        // The files are compiled in and a test reads them all: they cannot fail at run time.
        #[allow(clippy::expect_used)]
        BUILTIN.get_or_init(|| Divisions::read(&FILES).expect("the division files were tested"))
    }

    fn read(files: &[&str]) -> Result<Self, RulesError> {
        let mut all = BTreeMap::new();
        for file in files {
            for row in csv::Reader::from_reader(file.as_bytes()).deserialize::<Division>() {
                let row = row.map_err(|error| RulesError::Table { table: "divisions".to_owned(), problem: error.to_string() })?;
                all.insert(row.code.clone(), row);
            }
        }
        Ok(Self(all))
    }

    /// The division of this code.
    pub fn get(&self, code: &str) -> Option<&Division> {
        self.0.get(code)
    }

    /// The name in Chinese, or the code itself.
    pub fn name_zh<'a>(&'a self, code: &'a str) -> &'a str {
        self.get(code).map_or(code, |division| division.name_zh.as_str())
    }

    /// The name in English, or the code itself.
    pub fn name_en<'a>(&'a self, code: &'a str) -> &'a str {
        self.get(code).map_or(code, |division| division.name_en.as_str())
    }

    /// All divisions in the order of their codes.
    pub fn all(&self) -> impl Iterator<Item = &Division> {
        self.0.values()
    }
}

/// Code of the province of a division: "420000" of "422822".
pub fn province_of(code: &str) -> String {
    format!("{}0000", code.get(..2).unwrap_or("00"))
}

/// Great-circle distance in kilometres between two points in degrees (sphere of 6371 km).
pub fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lon_a, lat_a, lon_b, lat_b) = (a.0.to_radians(), a.1.to_radians(), b.0.to_radians(), b.1.to_radians());
    let half = ((lat_b - lat_a) / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * ((lon_b - lon_a) / 2.0).sin().powi(2);
    2.0 * 6371.0 * half.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_have_the_places_of_the_2014_case_and_their_neighbours() {
        let all = Divisions::read(&FILES).unwrap();
        assert_eq!(all.name_zh("500237"), "巫山县");
        assert_eq!(all.name_zh("422822"), "建始县");
        assert!(all.get("500237").unwrap().neighbour_provinces.contains(&"420000".to_owned()));
        assert!(all.get("500000").unwrap().neighbour_provinces.contains(&"420000".to_owned()));
        assert_eq!(province_of("500237"), "500000");
    }

    #[test]
    fn a_degree_of_latitude_is_about_111_km() {
        assert!((distance_km((109.0, 30.0), (109.0, 31.0)) - 111.2).abs() < 0.2);
    }
}
