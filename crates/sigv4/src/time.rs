//! `X-Amz-Date`: `YYYYMMDDTHHMMSSZ`, in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// The text of seconds since 1970, such as `20150830T123600Z`.
pub fn timestamp(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().strftime(FORMAT).to_string()
}

/// Seconds since 1970 of such a text; `None` when it is not one.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    if text.len() != 16 {
        return None;
    }
    let time = DateTime::strptime(FORMAT, text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(timestamp(1_440_938_160), "20150830T123600Z");
        assert_eq!(seconds("20150830T123600Z"), Some(1_440_938_160));
        for text in
            ["", "20150830", "2015-08-30T12:36Z", "20151330T123600Z", "20150830T123600+", "20150830T12360é"]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
