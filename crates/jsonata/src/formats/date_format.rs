//! `$fromMillis`: an instant by a date picture (XPath F&O 3.1 §9.8.4).

use super::calendar::{self, DAYS, Fields, MONTHS};
use super::date_picture::{self, Marker, Part};
use super::integer_picture::{Grouping, IntegerPicture, LetterCase, Style};
use super::{FormatError, integer_format};

/// The picture used where none is given: ISO 8601, as `2018-02-05T10:20:30.500Z`.
const DEFAULT_PICTURE: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

/// Formats the instant `millis` (milliseconds since the epoch) in `timezone` (an offset as `+hhmm`; UTC if `None`) by
/// a date picture (ISO 8601 if `None`).
///
/// Fractions of milliseconds are dropped. As in jsonata-js, an instant beyond JavaScript's range gives `NaN` for every
/// number.
///
/// Errors: D3130 and D3131 for integer pictures inside markers, D3132 for an unknown component, D3133 for a name
/// where there is none, D3134 for a timezone picture with too many digits, D3135 for a missing `]`; D3137 for names of
/// an invalid date and for absurd widths.
pub fn from_millis(
    millis: f64,
    picture: Option<&str>,
    timezone: Option<&str>,
) -> Result<String, FormatError> {
    let offset = timezone.map_or(Offset { hours: 0.0, minutes: 0.0 }, Offset::parse);
    let parts = date_picture::analyse(picture.unwrap_or(DEFAULT_PICTURE))?;
    let fields =
        Fields::of(calendar::instant(millis.trunc() + (60.0 * offset.hours + offset.minutes) * 60_000.0));
    let mut text = String::new();
    for part in &parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Marker(marker) => text.push_str(&component(&fields, offset, marker)?),
        }
    }
    Ok(text)
}

/// An offset from UTC.
#[derive(Debug, Clone, Copy)]
struct Offset {
    hours: f64,
    minutes: f64,
}

impl Offset {
    /// Reads `+hhmm`. Any other text is UTC.
    fn parse(timezone: &str) -> Self {
        let number = timezone.parse::<i32>().unwrap_or(0);
        Self { hours: f64::from(number / 100), minutes: f64::from(number % 100) }
    }

    /// `hhmm` as a number.
    fn number(self) -> f64 {
        self.hours * 100.0 + self.minutes
    }
}

fn component(fields: &Fields, offset: Offset, marker: &Marker) -> Result<String, FormatError> {
    match marker.component {
        'P' => {
            let half = if fields.hour >= 12.0 { "pm" } else { "am" };
            Ok(if marker.names == Some(LetterCase::Upper) { half.to_uppercase() } else { half.to_owned() })
        }
        'C' | 'E' => Ok("ISO".to_owned()),
        'Z' | 'z' => timezone(offset, marker),
        // Fractional seconds by name have no integer picture in jsonata-js, which then fails as here.
        'f' if marker.names.is_some() => {
            Err(FormatError::host("Cannot read properties of undefined (reading 'primary')"))
        }
        letter if marker.names.is_some() && date_picture::INTEGER_COMPONENTS.contains(letter) => {
            name(fields, marker)
        }
        letter => match &marker.integer {
            Some(picture) => {
                let value = fields.component(letter);
                let cut = letter == 'Y' && marker.year_digits != -1.0;
                let value = if cut { value % 10f64.powf(marker.year_digits) } else { value };
                integer_format::format(value, picture)
            }
            // An unknown component that came with a presentation modifier.
            None => Ok("undefined".to_owned()),
        },
    }
}

/// The name of a month or a day of the week, in the case and within the width asked for.
fn name(fields: &Fields, marker: &Marker) -> Result<String, FormatError> {
    let names: &[&str] = match marker.component {
        'M' | 'x' => &MONTHS,
        'F' => &DAYS,
        other => return Err(FormatError::about_text("D3133", &other.to_string())),
    };
    let number = fields.component(marker.component);
    let name = if number >= 1.0 { names.get(number as usize - 1) } else { None };
    // An invalid date has no names. JavaScript can still print that, but neither change its case nor measure it.
    let Some(name) = name else {
        return match (marker.names, marker.width) {
            (Some(LetterCase::Title), None) => Ok("undefined".to_owned()),
            _ => Err(FormatError::host("Invalid time value")),
        };
    };
    let mut name = match marker.names {
        Some(LetterCase::Upper) => name.to_uppercase(),
        Some(LetterCase::Lower) => name.to_lowercase(),
        _ => (*name).to_owned(),
    };
    if let Some(max) = marker.width_max()
        && name.len() as f64 > max
    {
        name.truncate(max as usize);
    }
    Ok(name)
}

fn timezone(offset: Offset, marker: &Marker) -> Result<String, FormatError> {
    let number = offset.number();
    let text = match &marker.integer {
        Some(picture @ IntegerPicture { style: Style::Decimal(pattern), .. }) => {
            let regular = matches!(pattern.grouping, Grouping::Regular { .. });
            match pattern.mandatory_digits as usize {
                1 | 2 if !regular => hours_and_minutes(offset, picture)?,
                digits if regular || digits <= 4 => integer_format::format(number, picture)?,
                digits => return Err(FormatError::about_number("D3134", digits.to_string())),
            }
        }
        _ => return Err(FormatError::new("D3134")),
    };
    if number == 0.0 && marker.traditional {
        return Ok("Z".to_owned());
    }
    let prefix = if marker.component == 'z' { "GMT" } else { "" };
    let sign = if number >= 0.0 { "+" } else { "" };
    Ok(format!("{prefix}{sign}{text}"))
}

/// The hours, and the minutes only if there are any.
fn hours_and_minutes(offset: Offset, picture: &IntegerPicture) -> Result<String, FormatError> {
    let hours = integer_format::format(offset.hours, picture)?;
    if offset.minutes == 0.0 {
        return Ok(hours);
    }
    let minutes = integer_format::format_integer(offset.minutes, "00")?;
    Ok(format!("{hours}:{minutes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANT: f64 = 1_521_801_216_617.0;

    fn check(millis: f64, picture: &str, timezone: Option<&str>, expect: &str) {
        let result = from_millis(millis, Some(picture), timezone).unwrap_or_else(|e| e.to_string());
        assert_eq!(result, expect, "{picture:?} {timezone:?}");
    }

    #[test]
    fn formats_iso_8601_by_default() {
        assert_eq!(from_millis(INSTANT, None, None).as_deref(), Ok("2018-03-23T10:33:36.617Z"));
        assert_eq!(from_millis(INSTANT, None, Some("+0530")).as_deref(), Ok("2018-03-23T16:03:36.617+05:30"));
        assert_eq!(from_millis(1e20, None, None).as_deref(), Ok("0NaN-NaN-NaNTNaN:NaN:NaN.NaNZ"));
    }

    #[test]
    fn formats_components() {
        check(INSTANT, "[D01]/[M01]/[Y0001] [H#1]:[m01]", None, "23/03/2018 10:33");
        check(INSTANT, "[Y,2] [Y,2-2] [Y#0]", None, "18 18 18");
        check(INSTANT, "[FNn,3-3] [D1o] [MNn] [YI]", None, "Fri 23rd March MMXVIII");
        check(INSTANT, "[FN] [MN,*-3] [F] [F1]", None, "FRIDAY MAR friday 5");
        check(INSTANT, "[dwo] day, [W] [w] [X] [xNn]", None, "eighty-second day, 12 4 2018 March");
        check(INSTANT, "[h]:[m][PN] [P] [s].[f001] [E] [C]", None, "10:33AM am 36.617 ISO ISO");
        check(-62_198_755_200_001.0, "[Y0001]", None, "-0002");
    }

    #[test]
    fn formats_timezones() {
        check(INSTANT, "[H]:[m] [Z]", Some("+0545"), "16:18 +05:45");
        check(INSTANT, "[H]:[m] [z]", Some("-0500"), "5:33 GMT-05:00");
        check(INSTANT, "[Z0] [Z00] [Z000] [Z0000] [Z01:01t]", Some("+0100"), "+1 +01 +100 +0100 +01:00");
        check(INSTANT, "[Z0] [Z0t]", Some("+0130"), "+1:30 +1:30");
        check(INSTANT, "[Z0t]", None, "Z");
        check(INSTANT, "[H]:[m] [Z]", Some("-0530"), "5:03 -05:30");
        check(INSTANT, "[H]:[m] [Z01:01t]", Some("utc"), "10:33 Z");
        check(-1.5, "[s].[f001]", None, "59.999");
        check(
            INSTANT,
            "[Z00000]",
            None,
            "D3134: The timezone integer format specifier cannot have more than four digits",
        );
        check(
            INSTANT,
            "[Zi]",
            None,
            "D3134: The timezone integer format specifier cannot have more than four digits",
        );
    }

    #[test]
    fn refuses() {
        let names = "D3133: The 'name' modifier can only be applied to months and days in the date/time picture string, not";
        check(INSTANT, "[YN]", None, &format!("{names} \"Y\""));
        check(INSTANT, "[H,99999999999]", None, "D3137: Invalid array length");
        check(INSTANT, "[q1]", None, "undefined");
    }
}
