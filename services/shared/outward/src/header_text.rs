//! Texts as header values: percent-encoded as the CloudEvents binding for NATS asks, since headers hold printable ASCII only.

/// Encodes space, double quote, percent, and all that is not printable ASCII.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'%' => encoded.push_str(&format!("%{byte:02X}")),
            0x21..=0x7e => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Decodes once; `None` for what is not UTF-8 afterwards or has a percent sign without two hexadecimal digits.
pub(crate) fn decode(value: &str) -> Option<String> {
    let unquoted = unquote(value);
    let mut bytes = Vec::with_capacity(unquoted.len());
    let mut rest = unquoted.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let (high, low) = (digit(*after.first()?)?, digit(*after.get(1)?)?);
            bytes.push(high * 16 + low);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Other programs may send a value in double quotes, with backslashes before what is meant literally.
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let (mut text, mut literal) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        if c == '\\' && !literal {
            literal = true;
        } else {
            text.push(c);
            literal = false;
        }
    }
    text
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(encode("Euro € 😀"), "Euro%20%E2%82%AC%20%F0%9F%98%80");
        assert_eq!(decode("Euro%20%E2%82%AC%20%F0%9F%98%80").unwrap(), "Euro € 😀");
    }

    #[test]
    fn what_was_encoded_comes_back() {
        for text in ["", "水库异味 100% \"?\"\r\nX: y", "/provinces/500000", "\u{0}\u{7f}"] {
            assert!(encode(text).bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            assert_eq!(decode(&encode(text)).unwrap(), text);
        }
    }

    #[test]
    fn quoted_and_lower_case_values_are_read_and_broken_ones_refused() {
        assert_eq!(decode("\"a \\\"b\\\" %e2%82%ac\"").unwrap(), "a \"b\" €");
        assert_eq!((decode("%C0%A0"), decode("%4"), decode("%zz")), (None, None, None));
    }
}
