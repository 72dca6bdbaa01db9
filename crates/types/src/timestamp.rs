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

/// Milliseconds since 1970 of an "ISO-8601 extended offset date-time", as AWS reads what is computed: `T` and `Z` in either
/// case, seconds and their fraction may be missing, minutes of the offset too, years may have a sign. `None` when it is not
/// such a text.
pub fn from_offset_date_time(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.year()?;
    let date = [rest.after(b'-')?, rest.after(b'-')?];
    if !rest.take(b'T') {
        return None;
    }
    let (hour, minute) = (rest.two_digits()?, rest.after(b':')?);
    let (mut second, mut millis) = (0, 0);
    if rest.0.first() == Some(&b':') {
        second = rest.after(b':')?;
        millis = rest.fraction()?;
    }
    let offset_s = rest.offset()?;
    if !rest.0.is_empty() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(year, date[0], date[1])?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_s;
    Some(seconds * 1_000 + millis)
}

/// What is left of a text that is being read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Whether the next character was this one, in either case.
    fn take(&mut self, wanted: u8) -> bool {
        let taken = self.0.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted));
        if taken {
            self.0 = &self.0[1..];
        }
        taken
    }

    /// So many digits as there are, up to ten.
    fn digits(&mut self) -> (i64, usize) {
        let count = self.0.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        (digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')), count)
    }

    fn two_digits(&mut self) -> Option<i64> {
        let [high @ b'0'..=b'9', low @ b'0'..=b'9', ..] = self.0 else { return None };
        let number = i64::from(high - b'0') * 10 + i64::from(low - b'0');
        self.0 = &self.0[2..];
        Some(number)
    }

    /// Two digits behind `separator`.
    fn after(&mut self, separator: u8) -> Option<i64> {
        if self.take(separator) { self.two_digits() } else { None }
    }

    /// Four digits; more only behind a sign.
    fn year(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let positive = !negative && self.take(b'+');
        let (year, digits) = self.digits();
        match digits {
            4 if !positive => {}
            5..=9 if positive || negative => {}
            _ => return None,
        }
        Some(if negative { -year } else { year })
    }

    /// Milliseconds of a fraction of at most nine digits, if there is one.
    fn fraction(&mut self) -> Option<i64> {
        if !self.take(b'.') {
            return Some(0);
        }
        let (number, digits) = self.digits();
        let digits = u32::try_from(digits).ok().filter(|digits| *digits <= 9)?;
        Some(number * 1_000 / 10_i64.pow(digits))
    }

    /// Seconds to the east; at most 18 hours.
    fn offset(&mut self) -> Option<i64> {
        if self.take(b'Z') {
            return Some(0);
        }
        let west = self.take(b'-');
        if !west && !self.take(b'+') {
            return None;
        }
        let mut seconds = self.two_digits()? * 3_600;
        for unit in [60, 1] {
            if self.0.is_empty() {
                break;
            }
            self.take(b':');
            seconds += self.two_digits().filter(|number| *number <= 59)? * unit;
        }
        let seconds = Some(seconds).filter(|seconds| *seconds <= 18 * 3_600)?;
        Some(if west { -seconds } else { seconds })
    }
}

/// Days from the first of 1970 to a day of the Gregorian calendar, which is taken to have been there always.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=most).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
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

    #[test]
    fn computed_texts() {
        let from_text = |text| super::from_text(text).expect("a timestamp");
        for (text, same) in [
            ("2016-03-14T01:59:00Z", "2016-03-14T01:59:00Z"),
            ("2016-03-14t01:59:00z", "2016-03-14T01:59:00Z"),
            ("2016-03-14T01:59Z", "2016-03-14T01:59:00Z"),
            ("2016-03-14T01:59+01:00", "2016-03-14T00:59:00Z"),
            ("2016-03-14T01:59:30.5-05:30", "2016-03-14T07:29:30.500Z"),
            ("2016-03-14T01:59:30.123456789+01", "2016-03-14T00:59:30.123Z"),
            ("2016-03-14T01:59:30+0100", "2016-03-14T00:59:30Z"),
            ("2016-02-29T23:59:59+18:00", "2016-02-29T05:59:59Z"),
            ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(from_offset_date_time(text), Some(from_text(same)), "{text}");
        }
        assert_eq!(from_offset_date_time("-0001-01-01T00:00:00Z"), Some(-62_198_755_200_000));
        assert_eq!(from_offset_date_time("+10000-01-01T00:00:00Z"), Some(253_402_300_800_000));
        for text in [
            "",
            "2016-03-14",
            "2016-03-14T01:59",
            "2016-03-14 01:59:00Z",
            "2016-03-14T01Z",
            "2016-03-14T01:59:00Z ",
            "2016-03-14T24:00:00Z",
            "2016-03-14T23:59:60Z",
            "2016-13-05T21:29:29Z",
            "2015-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2016-3-14T01:59:00Z",
            "16-03-14T01:59:00Z",
            "+2016-03-14T01:59:00Z",
            "10000-01-01T00:00:00Z",
            "2016-03-14T01:59:00.1234567890Z",
            "2016-03-14T01:59:00+19:00",
            "2016-03-14T01:59:00+01:60",
            "2016-03-14T01:59:00\u{ff}",
        ] {
            assert_eq!(from_offset_date_time(text), None, "{text}");
        }
    }
}
