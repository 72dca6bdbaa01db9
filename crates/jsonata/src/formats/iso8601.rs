//! ISO 8601 timestamps as JavaScript writes and reads them.

use super::calendar;
#[cfg(test)]
use super::calendar::Fields;

/// The text of `Date.prototype.toISOString`: `2018-02-05T10:20:30.500Z`, with a sign and six digits for years outside
/// 0 to 9999. `millis` counts from the epoch, UTC.
///
/// Instants beyond JavaScript's range (100 million days from the epoch) are taken to its end.
#[cfg(test)]
pub fn to_iso8601(millis: i64) -> String {
    const MILLIS_MAX: i64 = 8_640_000_000_000_000;
    let fields = Fields::of(millis.clamp(-MILLIS_MAX, MILLIS_MAX) as f64);
    let year = if (0.0..=9999.0).contains(&fields.year) {
        format!("{:04}", fields.year)
    } else {
        format!("{:+07}", fields.year)
    };
    format!(
        "{year}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        fields.month + 1.0,
        fields.day,
        fields.hour,
        fields.minute,
        fields.second,
        fields.millisecond
    )
}

/// Reads the timestamps `$toMillis` accepts without a picture: `YYYY[-MM][-DD][Thh:mm:ss][.f+][Z|±hh[:]mm]`.
///
/// `None` if the text has another form. NaN if it has this form but is no timestamp: a field out of range, or a
/// fraction or an offset without a time. Days up to 31 are taken in every month and carry over, `24:00:00` is the end
/// of the day, digits beyond milliseconds are dropped, and a time without an offset is UTC.
pub(super) fn parse(text: &str) -> Option<f64> {
    let mut reader = Reader { rest: text };
    let year = reader.digits(4)?;
    // `-05` may be a month, a day or the start of an offset: the first reading that leaves nothing over counts.
    let readings = [(true, true), (true, false), (false, true), (false, false)];
    readings.into_iter().find_map(|(has_month, has_day)| reader.after_year(year, has_month, has_day))
}

#[derive(Clone, Copy)]
enum Zone {
    Utc,
    /// East of Greenwich if `sign` is 1, west if it is -1.
    Offset {
        sign: f64,
        hours: f64,
        minutes: f64,
    },
}

fn timestamp(
    year: f64,
    month: Option<f64>,
    day: Option<f64>,
    time: Option<[f64; 3]>,
    fraction_ms: Option<f64>,
    zone: Option<Zone>,
) -> Option<f64> {
    // A day without a month is not a date.
    let month = if day.is_some() { month? } else { month.unwrap_or(1.0) };
    let day = day.unwrap_or(1.0);
    let in_range = (1.0..=12.0).contains(&month) && (1.0..=31.0).contains(&day);
    let timed_only = fraction_ms.is_some() || matches!(zone, Some(Zone::Offset { .. }));
    if !in_range || (time.is_none() && timed_only) {
        return None;
    }
    let [hour, minute, second] = time.unwrap_or([0.0; 3]);
    let ms = fraction_ms.unwrap_or(0.0);
    if hour > 24.0 || (hour == 24.0 && minute + second + ms > 0.0) {
        return None;
    }
    let offset_minutes = match zone {
        Some(Zone::Offset { hours, .. }) if hours > 23.0 => return None,
        Some(Zone::Offset { sign, hours, minutes }) => sign * (hours * 60.0 + minutes),
        Some(Zone::Utc) | None => 0.0,
    };
    // Adding 400 years, one full cycle of the calendar, keeps clear of `utc`'s special years.
    const CYCLE_MS: f64 = 146_097.0 * 86_400_000.0;
    let local = calendar::utc(&[year + 400.0, month - 1.0, day, hour, minute, second, ms]) - CYCLE_MS;
    Some(local - offset_minutes * 60_000.0)
}

/// Reads from the front of a text. Readers that return `None` may have moved; [`Reader::optional`] puts them back.
#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Everything after the year, up to the end.
    fn after_year(mut self, year: f64, has_month: bool, has_day: bool) -> Option<f64> {
        let month = if has_month { Some(self.dashed_number(1)?) } else { None };
        let day = if has_day { Some(self.dashed_number(3)?) } else { None };
        let time = self.optional(Self::time);
        let fraction = self.optional(Self::fraction);
        let zone = self.optional(Self::zone);
        if !self.rest.is_empty() {
            return None;
        }
        Some(timestamp(year, month, day, time, fraction, zone).unwrap_or(f64::NAN))
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = *self;
        let result = read(self);
        if result.is_none() {
            *self = start;
        }
        result
    }

    fn literal(&mut self, literal: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// Exactly `count` decimal digits.
    fn digits(&mut self, count: usize) -> Option<f64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        digits.parse().ok()
    }

    /// Two digits, the first at most `first_max`.
    fn two_digits(&mut self, first_max: u8) -> Option<f64> {
        let first = *self.rest.as_bytes().first()?;
        if first > b'0' + first_max { None } else { self.digits(2) }
    }

    /// A dash and two digits, the first at most `first_max`.
    fn dashed_number(&mut self, first_max: u8) -> Option<f64> {
        self.literal('-')?;
        self.two_digits(first_max)
    }

    fn time(&mut self) -> Option<[f64; 3]> {
        self.literal('T')?;
        let hour = self.two_digits(2)?;
        self.literal(':')?;
        let minute = self.two_digits(5)?;
        self.literal(':')?;
        Some([hour, minute, self.two_digits(5)?])
    }

    /// A point and digits; gives whole milliseconds.
    fn fraction(&mut self) -> Option<f64> {
        self.literal('.')?;
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
        self.rest = rest;
        let milliseconds = digits.bytes().chain([b'0'; 3]).take(3);
        Some(milliseconds.fold(0.0, |value, digit| value * 10.0 + f64::from(digit - b'0')))
    }

    fn zone(&mut self) -> Option<Zone> {
        if self.optional(|reader| reader.literal('Z')).is_some() {
            return Some(Zone::Utc);
        }
        let sign = if self.optional(|reader| reader.literal('-')).is_some() {
            -1.0
        } else {
            self.literal('+')?;
            1.0
        };
        let hours = self.two_digits(2)?;
        let _ = self.optional(|reader| reader.literal(':'));
        Some(Zone::Offset { sign, hours, minutes: self.two_digits(5)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_like_javascript() {
        let check = |millis: i64, expect: &str| assert_eq!(to_iso8601(millis), expect);
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(1_510_067_557_121, "2017-11-07T15:12:37.121Z");
        check(253_402_300_800_000, "+010000-01-01T00:00:00.000Z");
        check(-62_167_219_200_001, "-000001-12-31T23:59:59.999Z");
        check(8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z");
        check(i64::MIN, "-271821-04-20T00:00:00.000Z");
    }

    #[test]
    fn reads_what_to_millis_accepts() {
        let check = |text: &str, expect: &str| {
            let result = match parse(text) {
                None => "other form".to_owned(),
                Some(ms) if ms.is_nan() => "NaN".to_owned(),
                Some(ms) => to_iso8601(ms as i64),
            };
            assert_eq!(result, expect, "{text:?}");
        };
        check("2018", "2018-01-01T00:00:00.000Z");
        check("0049-02", "0049-02-01T00:00:00.000Z");
        check("2018-02-31", "2018-03-03T00:00:00.000Z");
        check("2018-02Z", "2018-02-01T00:00:00.000Z");
        check("2018T10:20:30.1239-0530", "2018-01-01T15:50:30.123Z");
        check("2018-02-05T10:20:30.5+05:30", "2018-02-05T04:50:30.500Z");
        check("2018-02-05T24:00:00.0", "2018-02-06T00:00:00.000Z");
        check("2018-02-05T24:00:01", "NaN");
        check("2018-13-01", "NaN");
        check("2018-31", "NaN");
        check("2018-0530", "NaN");
        check("2018-05:30", "NaN");
        check("2018-05-05+05:30", "NaN");
        check("2018T10:20:30+29:00", "NaN");
        check("2018-02-45", "other form");
        check("2018-02-05T10:20", "other form");
        check("2018-02-05T10:20:30 ", "other form");
        check("18-02-05", "other form");
        check("20\u{661}8", "other form");
        check("", "other form");
    }
}
