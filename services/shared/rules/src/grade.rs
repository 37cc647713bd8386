//! Grades (级别), the state of a grading and the reporting route that follows from it.

use serde::{Deserialize, Serialize};

/// Grade of an environmental emergency. Ordered by gravity: `Grade::I` is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Ordinary, 一般.
    #[serde(rename = "GRADE_IV")]
    IV,
    /// Relatively serious, 较大.
    #[serde(rename = "GRADE_III")]
    III,
    /// Serious, 重大.
    #[serde(rename = "GRADE_II")]
    II,
    /// Especially serious, 特别重大.
    #[serde(rename = "GRADE_I")]
    I,
}

impl Grade {
    /// All grades, the gravest first.
    pub const ALL: [Grade; 4] = [Grade::I, Grade::II, Grade::III, Grade::IV];

    /// The name in code and in JSON, for example `GRADE_II`.
    pub fn code(self) -> &'static str {
        match self {
            Grade::I => "GRADE_I",
            Grade::II => "GRADE_II",
            Grade::III => "GRADE_III",
            Grade::IV => "GRADE_IV",
        }
    }

    /// As shown to people in Chinese, for example "重大(Ⅱ级)".
    pub fn label_zh(self) -> &'static str {
        match self {
            Grade::I => "特别重大(Ⅰ级)",
            Grade::II => "重大(Ⅱ级)",
            Grade::III => "较大(Ⅲ级)",
            Grade::IV => "一般(Ⅳ级)",
        }
    }

    /// As shown to people in English, for example "serious (Ⅱ)".
    pub fn label_en(self) -> &'static str {
        match self {
            Grade::I => "especially serious (Ⅰ)",
            Grade::II => "serious (Ⅱ)",
            Grade::III => "relatively serious (Ⅲ)",
            Grade::IV => "ordinary (Ⅳ)",
        }
    }

    /// The reporting route of this grade (Order 17, Art. 3): two hours for Ⅱ and Ⅰ, four hours for Ⅳ and Ⅲ.
    pub fn route(self) -> Route {
        if self >= Grade::II { Route::TwoHour } else { Route::FourHour }
    }
}

/// Whether the grade can be told. See [`crate::assess`] for the definition of "unclear".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradeState {
    /// The grade can be told, at least as far as the reporting route depends on it.
    Graded,
    /// Unclear (一时无法判明等级), and none of the six sensitive cases is known to hold.
    Unclear,
    /// Unclear and sensitive: reported by the route of grades Ⅱ and Ⅰ (Order 17, Art. 4).
    UnclearSensitive,
    /// Judged not to be an environmental emergency, and no criterion fires.
    NotAnIncident,
}

/// Reporting route that an assessment starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Grades Ⅱ and Ⅰ, and unclear and sensitive: two hours, and one hour for the province.
    TwoHour,
    /// Grades Ⅳ and Ⅲ, and unclear without a sensitive case: four hours.
    FourHour,
    /// No report is owed.
    None,
}

impl Route {
    /// The name in JSON, for example `two_hour`.
    pub fn code(self) -> &'static str {
        match self {
            Route::TwoHour => "two_hour",
            Route::FourHour => "four_hour",
            Route::None => "none",
        }
    }
}
