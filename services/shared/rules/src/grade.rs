//! Grades (级别), the state of a grading and the reporting route that follows from it.

use serde::{Deserialize, Serialize};

use crate::codes::codes;

codes! {
    /// Grade of an environmental emergency. Ordered by gravity: `Grade::I` is the greatest.
    Grade {
        /// Ordinary, 一般.
        IV = "GRADE_IV",
        /// Relatively serious, 较大.
        III = "GRADE_III",
        /// Serious, 重大.
        II = "GRADE_II",
        /// Especially serious, 特别重大.
        I = "GRADE_I",
    }
}

impl Grade {
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

codes! {
    /// Whether the grade can be told. See [`crate::assess`] for the definition of "unclear".
    GradeState {
        /// The grade can be told, at least as far as the reporting route depends on it.
        Graded = "graded",
        /// Unclear (一时无法判明等级), and none of the six sensitive cases is known to hold.
        Unclear = "unclear",
        /// Unclear and sensitive: reported by the route of grades Ⅱ and Ⅰ (Order 17, Art. 4).
        UnclearSensitive = "unclear_sensitive",
        /// Judged not to be an environmental emergency, and no criterion fires.
        NotAnIncident = "not_an_incident",
    }
}

codes! {
    /// Reporting route that an assessment starts.
    Route {
        /// Grades Ⅱ and Ⅰ, and unclear and sensitive: two hours, and one hour for the province.
        TwoHour = "two_hour",
        /// Grades Ⅳ and Ⅲ, and unclear without a sensitive case: four hours.
        FourHour = "four_hour",
        /// No report is owed.
        None = "none",
    }
}
