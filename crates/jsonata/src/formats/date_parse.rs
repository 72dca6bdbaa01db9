//! `$toMillis`: an instant out of a text by a date picture.
//!
//! The picture says in which order the components come; which of them together make a date and a time, and what
//! stands for those left out, are the rules of [`Components::instant`].

use std::collections::BTreeMap;

use super::calendar::{self, DAYS, Fields, MONTHS};
use super::date_matcher::{self, Class, Step};
use super::date_picture::{self, Marker, Part};
use super::integer_picture::{Grouping, IntegerPicture, Style};
use super::{FormatError, integer_parse, iso8601, js_number};

/// Reads `text` as an instant: milliseconds since the epoch. Without a picture the text must be an ISO 8601
/// timestamp; with one, it must match the picture, letters without regard to case.
///
/// `None` where the text does not match the picture, or the picture holds no component. NaN where it matches but
/// makes no date. `now_ms` gives the components more significant than the first the picture holds.
///
/// As in jsonata-js: years 0 to 99 are of the twentieth century, names of months and days must have their usual
/// capitals, and the minutes of a negative offset count eastwards.
///
/// Errors: D3110 without a picture; those of [`from_millis`](super::from_millis) for the picture; D3136 for components
/// that leave a gap or name a week; D3137 if the text is absurdly long.
pub fn to_millis(text: &str, picture: Option<&str>, now_ms: i64) -> Result<Option<f64>, FormatError> {
    let Some(picture) = picture else {
        return iso8601::parse(text).map(Some).ok_or_else(|| FormatError::about_text("D3110", text));
    };
    let parts = date_picture::analyse(picture)?;
    let steps = parts.iter().map(part_steps).collect::<Result<Vec<_>, _>>()?;
    let Some(captures) = date_matcher::match_parts(&steps, text)? else { return Ok(None) };
    let mut components = Components { values: BTreeMap::new() };
    for (part, capture) in parts.iter().zip(&captures) {
        if let Part::Marker(marker) = part {
            components.values.insert(marker.component, read(marker, capture)?);
        }
    }
    if components.values.is_empty() {
        return Ok(None);
    }
    components.instant(&Fields::of(calendar::instant(now_ms as f64))).map(Some)
}

/// What the text of a part looks like.
fn part_steps(part: &Part) -> Result<Vec<Step>, FormatError> {
    let marker = match part {
        Part::Literal(literal) => return Ok(vec![Step::literal(literal)]),
        Part::Marker(marker) => marker,
    };
    match (marker.component, &marker.integer) {
        ('Z' | 'z', Some(picture)) => {
            let mut steps = Vec::new();
            if marker.component == 'z' {
                steps.push(Step::literal("GMT"));
            }
            steps.extend([Step::Sign, Step::Many(Class::Digit)]);
            if let Some(separator) = timezone_separator(picture) {
                steps.extend([Step::literal(&separator.to_string()), Step::Many(Class::Digit)]);
            }
            Ok(steps)
        }
        ('f', _) => Ok(vec![Step::Many(Class::Digit)]),
        (_, Some(picture)) => integer_steps(picture),
        ('M' | 'x' | 'F' | 'P', None) => Ok(vec![Step::Many(Class::Letter)]),
        (other, None) => Err(FormatError::about_text("D3133", &other.to_string())),
    }
}

fn integer_steps(picture: &IntegerPicture) -> Result<Vec<Step>, FormatError> {
    let step = match &picture.style {
        Style::Letters { .. } => Step::Many(Class::Letter),
        Style::Roman { .. } => Step::Many(Class::Roman),
        Style::Words(_) => Step::NumberWords,
        Style::Decimal(pattern) => {
            let width = pattern.parse_width;
            let unbounded = width == 0.0 || width.is_nan();
            let digits =
                if unbounded { Step::Many(Class::Digit) } else { Step::Exactly(width, Class::Digit) };
            return Ok(if picture.ordinal { vec![digits, Step::OrdinalSuffix] } else { vec![digits] });
        }
        Style::Sequence(token) => return Err(FormatError::about_text("D3130", token)),
    };
    Ok(vec![step])
}

/// The character between hours and minutes of a timezone.
fn timezone_separator(picture: &IntegerPicture) -> Option<char> {
    match &picture.style {
        Style::Decimal(pattern) => match &pattern.grouping {
            Grouping::Regular { separator, .. } => Some(*separator),
            Grouping::Irregular(_) => None,
        },
        _ => None,
    }
}

/// The number of a component from its text; `None` for a name that is none. A timezone gives minutes.
fn read(marker: &Marker, text: &str) -> Result<Option<f64>, FormatError> {
    match (marker.component, &marker.integer) {
        ('Z' | 'z', Some(picture)) => Ok(Some(read_timezone(marker, picture, text))),
        ('f', _) => {
            let digits: String = text.chars().take(3).collect();
            Ok(format!("0.{digits}").parse::<f64>().ok().map(|seconds| seconds * 1000.0))
        }
        (_, Some(picture)) => integer_parse::parse(text, picture).map(Some),
        ('F', None) => Ok(read_name(&DAYS, marker.width_max(), text)),
        ('P', None) => Ok(match text {
            "am" | "AM" => Some(0.0),
            "pm" | "PM" => Some(1.0),
            _ => None,
        }),
        (_, None) => Ok(read_name(&MONTHS, marker.width_max(), text)),
    }
}

/// The number of a name, from 1. Where a width makes names equal, the last counts.
fn read_name(names: &[&str], width_max: Option<f64>, text: &str) -> Option<f64> {
    let width = match width_max {
        Some(width) if width != 0.0 && !width.is_nan() => width as usize,
        _ => usize::MAX,
    };
    let cut = |name: &&str| name.get(..width.min(name.len())) == Some(text);
    names.iter().rposition(cut).map(|at| at as f64 + 1.0)
}

fn read_timezone(marker: &Marker, picture: &IntegerPicture, text: &str) -> f64 {
    // Behind "GMT" all is ASCII but the separator.
    let text = if marker.component == 'z' { text.get(3..).unwrap_or_default() } else { text };
    let (hours, minutes) = match timezone_separator(picture) {
        Some(separator) => text.split_once(separator).unwrap_or(("", text)),
        None if text.len() <= 3 => (text, "0"),
        None => text.split_at_checked(3).unwrap_or((text, "0")),
    };
    js_number::parse_int(hours) * 60.0 + js_number::parse_int(minutes)
}

/// What was read: the number of each component of the picture, `None` for a name that is none.
struct Components {
    values: BTreeMap<char, Option<f64>>,
}

/// The components of dates and times in the order of significance, and the sets that make one.
const DATE_COMPONENTS: &str = "YXMxWwdD";
const TIME_COMPONENTS: &str = "PHhmsf";
const YEAR_MONTH_DAY: &str = "YMD";
const YEAR_DAY: &str = "Yd";
const MONTH_WEEK: &str = "Xxw";
const YEAR_WEEK: &str = "XW";
const TIME_24_HOURS: &str = "Hmsf";
const TIME_12_HOURS: &str = "Phmsf";

impl Components {
    fn value(&self, component: char) -> Option<f64> {
        self.values.get(&component).copied().flatten()
    }

    /// Whether of all the components given some are in `set` and none is outside it. Components that are zero do not
    /// count.
    fn form(&self, set: &str, all: &str) -> bool {
        let given =
            |component: &char| self.value(*component).is_some_and(|value| value != 0.0 && !value.is_nan());
        let mut given = all.chars().filter(given).peekable();
        given.peek().is_some() && given.all(|component| set.contains(component))
    }

    /// The instant: a date as year, month and day or as year and day in year, and a time in 24 or 12 hours.
    ///
    /// Components before the first given come from `now`, those after the last are the first of their kind; a gap is
    /// an error (D3136), and so are dates by week, which nothing supports.
    fn instant(mut self, now: &Fields) -> Result<f64, FormatError> {
        let by_day_in_year =
            !self.form(YEAR_MONTH_DAY, DATE_COMPONENTS) && self.form(YEAR_DAY, DATE_COMPONENTS);
        if self.form(MONTH_WEEK, DATE_COMPONENTS) || self.form(YEAR_WEEK, DATE_COMPONENTS) {
            return Err(FormatError::new("D3136"));
        }
        let in_12_hours =
            !self.form(TIME_24_HOURS, TIME_COMPONENTS) && self.form(TIME_12_HOURS, TIME_COMPONENTS);
        // The day in the year is not looked at here: jsonata-js asks for the day of the month, which then stands in
        // the gap between the year and a time.
        let date = if by_day_in_year { "YD" } else { YEAR_MONTH_DAY };
        let time = if in_12_hours { TIME_12_HOURS } else { TIME_24_HOURS };
        self.complete(&format!("{date}{time}"), now)?;

        let field = |component: char| self.value(component).unwrap_or(f64::NAN);
        let (month, day) = if by_day_in_year {
            let first_day = calendar::utc(&[field('Y'), 0.0]);
            let date = Fields::of(calendar::instant(first_day + (field('d') - 1.0) * 86_400_000.0));
            (date.month, date.day)
        } else {
            // Months below one, and no number, are January.
            ((field('M') - 1.0).max(0.0), field('D'))
        };
        let hour = match field('h') {
            _ if !in_12_hours => field('H'),
            hour => (if hour == 12.0 { 0.0 } else { hour }) + (if field('P') == 1.0 { 12.0 } else { 0.0 }),
        };
        let local = calendar::utc(&[field('Y'), month, day, hour, field('m'), field('s'), field('f')]);
        let offset = |zone: char| self.value(zone).filter(|minutes| *minutes != 0.0 && !minutes.is_nan());
        Ok(local - offset('Z').or_else(|| offset('z')).unwrap_or(0.0) * 60_000.0)
    }

    /// Fills in what is missing of `wanted`, which goes from the most significant component to the least.
    fn complete(&mut self, wanted: &str, now: &Fields) -> Result<(), FormatError> {
        let mut started = false;
        let mut ended = false;
        for component in wanted.chars() {
            if self.value(component).is_some() {
                started = true;
                if ended {
                    return Err(FormatError::new("D3136"));
                }
                continue;
            }
            ended = started;
            let value = match component {
                _ if !started => now.component(component),
                'M' | 'D' => 1.0,
                _ => 0.0,
            };
            self.values.insert(component, Some(value));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::to_iso8601;
    use super::*;

    /// 2018-03-23T10:33:36.617Z
    const NOW_MS: i64 = 1_521_801_216_617;

    fn check(text: &str, picture: &str, expect: &str) {
        let result = match to_millis(text, Some(picture), NOW_MS) {
            Err(error) => error.code.to_owned(),
            Ok(None) => "undefined".to_owned(),
            Ok(Some(ms)) if ms.is_nan() => "NaN".to_owned(),
            Ok(Some(ms)) => to_iso8601(ms as i64),
        };
        assert_eq!(result, expect, "{text:?} {picture:?}");
    }

    #[test]
    fn reads_iso_8601_without_a_picture() {
        assert_eq!(to_millis("1970-01-01T00:00:00.001Z", None, NOW_MS), Ok(Some(1.0)));
        let error = to_millis("tomorrow", None, NOW_MS).expect_err("no timestamp").to_string();
        assert_eq!(
            error,
            "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given \"tomorrow\""
        );
    }

    #[test]
    fn reads_dates() {
        check("2018-02-05", "[Y]-[M]-[D]", "2018-02-05T00:00:00.000Z");
        check("20180205", "[Y0001][M01][D01]", "2018-02-05T00:00:00.000Z");
        check("5th february 2018", "[D1o] [M1] [Y]", "undefined");
        check("5TH February 2018", "[D1o] [MNn] [Y]", "2018-02-05T00:00:00.000Z");
        check("february 2018", "[MNn] [Y]", "2018-01-01T00:00:00.000Z");
        check("2018 10:20", "[Y] [H]:[m]", "D3136");
        check("Wed, Nov 14, 2018", "[FNn,3-3], [MNn,3-3] [D1], [Y]", "2018-11-14T00:00:00.000Z");
        check("MMXVIII 94", "[YI] [d]", "2018-04-04T00:00:00.000Z");
        check("2018-094 10:20", "[Y]-[d] [H]:[m]", "D3136");
        check(
            "Twenty-Seventh April, Two Thousand and Eight",
            "[Dwo] [MNn], [YWw]",
            "2008-04-27T00:00:00.000Z",
        );
        check("Wednesday, 14th November 2018", "[FNn], [D1o] [MNn] [Y]", "2018-11-14T00:00:00.000Z");
        check("Mon, Twelfth November 2018", "[FNn,*-3], [DWwo] [MNn] [Y]", "2018-11-12T00:00:00.000Z");
        check("2018--180", "[Y]--[d]", "2018-06-29T00:00:00.000Z");
        check("three hundred and sixty-fifth day of 2018", "[dwo] day of [Y]", "2018-12-31T00:00:00.000Z");
        check("18", "[Y,2-2]", "1918-01-01T00:00:00.000Z");
        check("2018-W5", "[X]-W[W]", "D3136");
        check("June", "[MNn,4-4]", "2018-06-01T00:00:00.000Z");
    }

    #[test]
    fn reads_times() {
        check("13:45", "[H]:[m]", "2018-03-23T13:45:00.000Z");
        check("1:45 pm", "[h]:[m] [P]", "2018-03-23T13:45:00.000Z");
        check("12:00 AM", "[h]:[m] [PN]", "2018-03-23T00:00:00.000Z");
        check("2018-02-05 10:20:30.5", "[Y]-[M]-[D] [H]:[m]:[s].[f]", "2018-02-05T10:20:30.500Z");
        check("2018-02-05 10.30", "[Y]-[M]-[D] [H].[s]", "D3136");
        check("2018-02-05 10:20 +05:30", "[Y]-[M]-[D] [H]:[m] [Z]", "2018-02-05T04:50:00.000Z");
        check("2018-02-05 10:20 gmt-5", "[Y]-[M]-[D] [H]:[m] [z0]", "2018-02-05T15:20:00.000Z");
        check("2018-02-05 10:20 -0530", "[Y]-[M]-[D] [H]:[m] [Z0000]", "2018-02-05T14:50:00.000Z");
        check(
            "2020-09-09 12:00:00 +0530",
            "[Y0001]-[M01]-[D01] [H01]:[m01]:[s01] [Z0001]",
            "2020-09-09T06:30:00.000Z",
        );
        check(
            "2026-04-08T19:05:04.01987",
            "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f1]",
            "2026-04-08T19:05:04.019Z",
        );
        check("20240101123849", "[Y0000][M00][D00][H00][m00][s00]", "2024-01-01T12:38:49.000Z");
        check("2018-02-05 10:20Z", "[Y]-[M]-[D] [H]:[m]Z", "2018-02-05T10:20:00.000Z");
    }

    #[test]
    fn matches_nothing_or_refuses() {
        check("hello", "hello", "undefined");
        check("hello", "[Y]", "undefined");
        check("2018", "[YN]", "D3133");
        check("2018", "[Y", "D3135");
        check("2018", "[I]", "D3132");
        check("2018", "[q1]", "D3133");
        check("x", "[Y\u{3b1}]", "D3130");
        check("1", "[D\u{660}]", "D3137");
    }
}
