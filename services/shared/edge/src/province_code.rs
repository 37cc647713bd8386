//! Six-digit administrative codes (GB/T 2260) as this crate needs them.

use fenghuo_durable::{Error, Result};

/// Is it six ASCII digits that do not start with zero?
pub fn is_admin_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) && !code.starts_with('0')
}

/// Is it the code of a province-level unit, for example "420000"?
pub fn is_province_code(code: &str) -> bool {
    is_admin_code(code) && code.ends_with("0000")
}

/// Refuses what is not the code of a province-level unit, naming the field.
pub fn check_province_code(field: &str, code: &str) -> Result<()> {
    if is_province_code(code) {
        return Ok(());
    }
    let shown: String = code.chars().take(20).collect();
    Err(Error::invalid(field, format!("\"{shown}\" is not the six-digit code of a province (GB/T 2260), for example \"420000\"")))
}

/// The leading digits that all codes inside this jurisdiction share: "42" for "420000", "4228" for "422800", "422822" for itself.
/// `None` if it is not an administrative code.
pub fn jurisdiction_prefix(jurisdiction: &str) -> Option<&str> {
    if !is_admin_code(jurisdiction) {
        return None;
    }
    let significant = if jurisdiction.ends_with("0000") {
        2
    } else if jurisdiction.ends_with("00") {
        4
    } else {
        6
    };
    jurisdiction.get(..significant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_digits_ending_in_four_zeros_name_a_province() {
        for good in ["420000", "500000", "110000"] {
            assert!(check_province_code("province_code", good).is_ok(), "{good}");
        }
        for bad in ["", "42", "422800", "000000", "4200000", "42000o", "４２００００"] {
            let error = check_province_code("province_code", bad).unwrap_err();
            assert_eq!(error.violations[0].field, "province_code", "{bad}");
        }
    }

    #[test]
    fn a_jurisdiction_is_a_prefix() {
        assert_eq!(jurisdiction_prefix("420000"), Some("42"));
        assert_eq!(jurisdiction_prefix("422800"), Some("4228"));
        assert_eq!(jurisdiction_prefix("422822"), Some("422822"));
        assert_eq!(jurisdiction_prefix("000000"), None);
        assert_eq!(jurisdiction_prefix(""), None);
    }
}
