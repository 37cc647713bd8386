//! Texts in the two languages of the desk, and citations of clauses.

use serde::{Deserialize, Serialize};

/// A text in Chinese, the text of reference, and in English, its full translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A text from its two versions.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    pub(crate) fn is_complete(&self) -> bool {
        !self.zh.trim().is_empty() && !self.en.trim().is_empty()
    }
}

/// The clause that something rests on, with the number of its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// The clause in Chinese, for example "环境保护部令第17号 附录 二(八)".
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Document number, for example "国办函〔2014〕119号".
    pub document: String,
}

impl Citation {
    pub(crate) fn is_complete(&self) -> bool {
        !self.zh.trim().is_empty() && !self.en.trim().is_empty() && !self.document.trim().is_empty()
    }
}
