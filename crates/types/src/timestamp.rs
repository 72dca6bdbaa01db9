//! Timestamps: milliseconds since 1970 inside, RFC 3339 text at the edges.

use jiff::Timestamp;

/// `2024-03-17T11:09:25.123Z`, as the context object shows times. Times beyond year 9999 are clamped.
pub fn to_text(ms: i64) -> String {
    let clamped =
        Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX });
    let zoned = clamped.to_zoned(jiff::tz::TimeZone::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        zoned.year(),
        zoned.month(),
        zoned.day(),
        zoned.hour(),
        zoned.minute(),
        zoned.second(),
        zoned.millisecond()
    )
}

/// Milliseconds since 1970 of an RFC 3339 text with the profile that the Amazon States Language demands: an upper-case
/// `T` between date and time, and an upper-case `Z` or a numeric offset at the end. Digits below the
/// millisecond are dropped. `None` when it is not such a text.
pub fn from_text(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes[10] != b'T' || !bytes.is_ascii() {
        return None;
    }
    let offset_ok = bytes.ends_with(b"Z")
        || (bytes.len() >= 25
            && matches!(bytes[bytes.len() - 6], b'+' | b'-')
            && bytes[bytes.len() - 3] == b':');
    if !offset_ok {
        return None;
    }
    text.parse::<Timestamp>().ok().map(|timestamp| timestamp.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(to_text(1_710_673_765_123), "2024-03-17T11:09:25.123Z");
        assert_eq!(from_text("2024-03-17T11:09:25.123Z"), Some(1_710_673_765_123));
        assert_eq!(from_text("2024-03-17T12:09:25+01:00"), Some(1_710_673_765_000));
        for text in [
            "",
            "2024-03-17",
            "2024-03-17t11:09:25Z",
            "2024-03-17T11:09:25",
            "2024-13-17T11:09:25Z",
            "2024-03-17T11:09:25z",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
