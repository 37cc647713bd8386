//! Conversions between `jiff::Timestamp` and the protobuf timestamp.

use jiff::Timestamp;

/// To the wire.
pub fn to_proto(time: Timestamp) -> prost_types::Timestamp {
    // Wire nanoseconds count forward from the second; jiff's carry the sign of the second.
    let mut seconds = time.as_second();
    let mut nanos = time.subsec_nanosecond();
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

/// From the wire; `None` if the value is outside the years 0001 to 9999 or its nanoseconds are not 0 to 999,999,999.
pub fn from_proto(time: &prost_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&time.nanos) || !(-62_135_596_800..=253_402_207_200).contains(&time.seconds) {
        return None;
    }
    Timestamp::new(time.seconds, time.nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_wire_and_impossible_ones_are_refused() {
        for text in ["2014-08-13T06:10:00.5+08:00", "1969-12-31T23:59:59.25Z", "0001-01-01T00:00:00Z"] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(from_proto(&to_proto(time)), Some(time), "{text}");
        }
        assert_eq!(from_proto(&prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }), None);
        assert_eq!(from_proto(&prost_types::Timestamp { seconds: 0, nanos: -1 }), None);
    }
}
