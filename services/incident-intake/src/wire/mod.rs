//! Between the contract's messages and the domain. Wire types stop here: what cannot be is an error that names its field.

pub mod facts;
pub mod incident;
pub mod report;

use fenghuo_api::common::v1 as common;
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::{Error, Result};
use fenghuo_rules::{Grade, Tristate};
use jiff::Timestamp;

use crate::domain::{Place, Substance};

/// An optional time of a request.
pub fn time(field: &str, time: Option<&prost_types::Timestamp>) -> Result<Option<Timestamp>> {
    let Some(time) = time else { return Ok(None) };
    let read = from_proto(time).and_then(|time| Timestamp::from_microsecond(time.as_microsecond()).ok());
    read.map(Some).ok_or_else(|| Error::invalid(field, "is not a time: seconds must lie in the years 1 to 9999, nanos from 0 to 999999999"))
}

/// A required time of a request.
pub fn required_time(field: &str, value: Option<&prost_types::Timestamp>) -> Result<Timestamp> {
    time(field, value)?.ok_or_else(|| Error::invalid(field, "is required"))
}

pub(crate) fn opt(time: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    time.map(to_proto)
}

pub(crate) fn grade_out(grade: Option<Grade>) -> i32 {
    let grade = match grade {
        None => common::Grade::Unspecified,
        Some(Grade::I) => common::Grade::I,
        Some(Grade::II) => common::Grade::Ii,
        Some(Grade::III) => common::Grade::Iii,
        Some(Grade::IV) => common::Grade::Iv,
    };
    grade.into()
}

pub(crate) fn grade_in(field: &str, grade: i32) -> Result<Grade> {
    match common::Grade::try_from(grade) {
        Ok(common::Grade::I) => Ok(Grade::I),
        Ok(common::Grade::Ii) => Ok(Grade::II),
        Ok(common::Grade::Iii) => Ok(Grade::III),
        Ok(common::Grade::Iv) => Ok(Grade::IV),
        _ => Err(Error::invalid(field, "must be GRADE_I, GRADE_II, GRADE_III or GRADE_IV")),
    }
}

pub(crate) fn tristate_in(field: &str, value: i32) -> Result<Tristate> {
    match common::Tristate::try_from(value) {
        Ok(common::Tristate::Yes) => Ok(Tristate::Yes),
        Ok(common::Tristate::No) => Ok(Tristate::No),
        Ok(common::Tristate::Unspecified | common::Tristate::Unknown) => Ok(Tristate::Unknown),
        Err(_) => Err(Error::invalid(field, "must be TRISTATE_YES, TRISTATE_NO or TRISTATE_UNKNOWN")),
    }
}

pub(crate) fn tristate_out(value: Tristate) -> i32 {
    let value = match value {
        Tristate::Yes => common::Tristate::Yes,
        Tristate::No => common::Tristate::No,
        Tristate::Unknown => common::Tristate::Unknown,
    };
    value.into()
}

pub(crate) fn place_in(place: Option<common::Place>) -> Place {
    let place = place.unwrap_or_default();
    Place {
        admin_code: place.admin_code,
        description: place.description,
        longitude_deg: place.longitude_deg,
        latitude_deg: place.latitude_deg,
        water_body: place.water_body,
    }
}

pub(crate) fn place_out(place: &Place) -> common::Place {
    common::Place {
        admin_code: place.admin_code.clone(),
        description: place.description.clone(),
        longitude_deg: place.longitude_deg,
        latitude_deg: place.latitude_deg,
        water_body: place.water_body.clone(),
    }
}

pub(crate) fn substances_in(field: &str, substances: Vec<common::Substance>) -> Result<Vec<Substance>> {
    let one = |(at, substance): (usize, common::Substance)| {
        Ok(Substance {
            sampling_time: time(&format!("{field}[{at}].sampling_time"), substance.sampling_time.as_ref())?,
            name: substance.name,
            cas: substance.cas,
            value: substance.value,
            unit: substance.unit,
            method: substance.method,
            section: substance.section,
            times_over_limit: substance.times_over_limit,
            released_mass_kg: substance.released_mass_kg,
        })
    };
    substances.into_iter().enumerate().map(one).collect()
}

pub(crate) fn substance_out(substance: &Substance) -> common::Substance {
    common::Substance {
        name: substance.name.clone(),
        cas: substance.cas.clone(),
        value: substance.value,
        unit: substance.unit.clone(),
        method: substance.method.clone(),
        sampling_time: opt(substance.sampling_time),
        section: substance.section.clone(),
        times_over_limit: substance.times_over_limit,
        released_mass_kg: substance.released_mass_kg,
    }
}
