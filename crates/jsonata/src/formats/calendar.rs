//! The calendar of JavaScript's `Date` (proleptic Gregorian, UTC, milliseconds as a double), and the date and time
//! components a date picture can name.
//!
//! Values are JavaScript numbers. An instant beyond the range of `Date` is NaN, and so are all its numeric components.

/// Milliseconds of a day.
const DAY_MS: f64 = 86_400_000.0;

/// The last instant `Date` can hold, in both directions from the epoch.
const INSTANT_MS_MAX: f64 = 8.64e15;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Monday first, as ISO 8601 counts.
pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// An instant as `new Date(ms)` holds it: whole milliseconds, NaN out of range.
pub(super) fn instant(ms: f64) -> f64 {
    if ms.abs() <= INSTANT_MS_MAX { ms.trunc() + 0.0 } else { f64::NAN }
}

/// The fields of an instant in UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) year: f64,
    /// From 0.
    pub(super) month: f64,
    /// From 1.
    pub(super) day: f64,
    pub(super) hour: f64,
    pub(super) minute: f64,
    pub(super) second: f64,
    pub(super) millisecond: f64,
    /// 1 is Monday, 7 Sunday.
    weekday: f64,
    /// The instant itself.
    ms: f64,
}

impl Fields {
    /// The fields of an [`instant`]; all NaN if it is NaN.
    pub(super) fn of(ms: f64) -> Self {
        if ms.is_nan() {
            let nan = f64::NAN;
            let (year, month, day, hour, minute, second, millisecond, weekday) =
                (nan, nan, nan, nan, nan, nan, nan, nan);
            return Self { year, month, day, hour, minute, second, millisecond, weekday, ms };
        }
        let days = (ms / DAY_MS).floor();
        let in_day = ms - days * DAY_MS;
        let (year, month, day) = civil_of_days(days as i64);
        Self {
            year: year as f64,
            month: f64::from(month - 1),
            day: f64::from(day),
            hour: (in_day / 3_600_000.0).floor(),
            minute: (in_day / 60_000.0).floor() % 60.0,
            second: (in_day / 1000.0).floor() % 60.0,
            millisecond: in_day % 1000.0,
            // 1970-01-01 was a Thursday.
            weekday: (days + 3.0).rem_euclid(7.0) + 1.0,
            ms,
        }
    }

    /// The number of the picture component `component` (one of `YMDdFWwXxHhmsf`); NaN for any other.
    pub(super) fn component(&self, component: char) -> f64 {
        match component {
            'Y' => self.year,
            'M' => self.month + 1.0,
            'D' => self.day,
            'd' => self.day_in_year(),
            'F' => self.weekday,
            'W' => self.week_in(YearMonth { year: self.year, month: 0.0 }, 52.0, YearMonth::years),
            'w' => self.week_in(YearMonth { year: self.year, month: self.month }, 4.0, YearMonth::months),
            'X' => self.week_period(YearMonth { year: self.year, month: 0.0 }, YearMonth::years).year,
            'x' => {
                let this_month = YearMonth { year: self.year, month: self.month };
                self.week_period(this_month, YearMonth::months).month + 1.0
            }
            'H' => self.hour,
            'h' => (self.hour + 11.0) % 12.0 + 1.0,
            'm' => self.minute,
            's' => self.second,
            'f' => self.millisecond,
            _ => f64::NAN,
        }
    }

    fn day_in_year(&self) -> f64 {
        (self.midnight() - utc(&[self.year, 0.0])) / DAY_MS + 1.0
    }

    /// The start of the day, as [`utc`] sees the year.
    fn midnight(&self) -> f64 {
        utc(&[self.year, self.month, self.day])
    }

    /// The ISO week of the day in its year or month, `period`; `certain` weeks exist in every one. `step` goes from
    /// one period to another.
    fn week_in(&self, period: YearMonth, certain: f64, step: fn(YearMonth, f64) -> YearMonth) -> f64 {
        let today = self.midnight();
        let weeks_since = |start: f64| (today - start) / (DAY_MS * 7.0) + 1.0;
        let week = weeks_since(period.first_week());
        let week = if week > certain && today >= step(period, 1.0).first_week() {
            1.0
        } else if week < 1.0 {
            weeks_since(step(period, -1.0).first_week())
        } else {
            week
        };
        week.floor()
    }

    /// The year or month to which the ISO week of the day belongs.
    fn week_period(&self, period: YearMonth, step: fn(YearMonth, f64) -> YearMonth) -> YearMonth {
        let next = step(period, 1.0);
        if self.ms < period.first_week() {
            step(period, -1.0)
        } else if self.ms >= next.first_week() {
            next
        } else {
            period
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct YearMonth {
    year: f64,
    /// From 0.
    month: f64,
}

impl YearMonth {
    /// `count` years on.
    fn years(self, count: f64) -> Self {
        Self { year: self.year + count, ..self }
    }

    /// `count` months on.
    fn months(self, count: f64) -> Self {
        let month = self.month + count;
        Self { year: self.year + (month / 12.0).floor(), month: month.rem_euclid(12.0) }
    }

    /// The Monday of the week with the first Thursday.
    fn first_week(self) -> f64 {
        let first_day = utc(&[self.year, self.month]);
        let weekday = Fields::of(first_day).weekday;
        let days = if weekday > 4.0 { 8.0 - weekday } else { 1.0 - weekday };
        first_day + days * DAY_MS
    }
}

/// `Date.UTC(year, month, day, hour, minute, second, millisecond)`: fractions are dropped, overflow carries over, and
/// the years 0 to 99 are those of the twentieth century. Fields left out are the first of their kind.
pub(super) fn utc(fields: &[f64]) -> f64 {
    let field = |at: usize, default: f64| fields.get(at).map_or(default, |value| value.trunc());
    let year = field(0, f64::NAN);
    let year = if (0.0..=99.0).contains(&year) { year + 1900.0 } else { year };
    let month = field(1, 0.0);
    let years = year + (month / 12.0).floor();
    // Instants end long before; the bound keeps the integer arithmetic exact.
    if years.is_nan() || years.abs() > 400_000.0 {
        return f64::NAN;
    }
    let first_of_month = days_of_civil(years as i64, month.rem_euclid(12.0) as u32 + 1, 1) as f64;
    let days = first_of_month + field(2, 1.0) - 1.0;
    let time =
        field(3, 0.0) * 3_600_000.0 + field(4, 0.0) * 60_000.0 + field(5, 0.0) * 1000.0 + field(6, 0.0);
    instant(days * DAY_MS + time)
}

/// Days since 1970-01-01. The year is taken to begin in March, so that the leap day is its last; 400 of them are one
/// cycle of 146,097 days.
fn days_of_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

/// The inverse of [`days_of_civil`]: year, month from 1, day from 1.
fn civil_of_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let cycle = days.div_euclid(146_097);
    let day_of_cycle = days.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-200_000_000..200_000_000).step_by(9_973) {
            let (year, month, day) = civil_of_days(days);
            assert_eq!(days_of_civil(year, month, day), days);
        }
        assert_eq!(civil_of_days(0), (1970, 1, 1));
        assert_eq!(civil_of_days(-719_528), (0, 1, 1));
        assert_eq!(civil_of_days(11_016), (2000, 2, 29));
    }

    #[test]
    fn utc_carries_over() {
        let check = |fields: &[f64], expect: f64| assert_eq!(utc(fields), expect, "{fields:?}");
        check(&[1970.0], 0.0);
        check(&[70.0, 0.0], 0.0);
        check(&[1969.0, 12.0], 0.0);
        check(&[1970.0, -1.0, 32.0], 0.0);
        check(&[1970.0, 0.0, 1.0, 0.0, 0.0, -1.0, 1000.9], 0.0);
        assert!(utc(&[f64::NAN]).is_nan());
        assert!(utc(&[1970.0, f64::INFINITY]).is_nan());
        assert!(utc(&[275_760.0, 8.0, 14.0]).is_nan());
        check(&[275_760.0, 8.0, 13.0], 8.64e15);
    }

    #[test]
    fn weeks_follow_iso_8601() {
        let check = |date: [f64; 3], expect: [f64; 4]| {
            let fields = Fields::of(utc(&date));
            assert_eq!(['X', 'W', 'x', 'w'].map(|c| fields.component(c)), expect, "{date:?}");
        };
        check([2005.0, 0.0, 1.0], [2004.0, 53.0, 12.0, 5.0]);
        check([2005.0, 0.0, 3.0], [2005.0, 1.0, 1.0, 1.0]);
        check([2018.0, 11.0, 31.0], [2019.0, 1.0, 1.0, 1.0]);
        check([2005.0, 11.0, 31.0], [2005.0, 52.0, 12.0, 5.0]);
        check([2006.0, 0.0, 1.0], [2005.0, 52.0, 12.0, 5.0]);
        check([2007.0, 11.0, 31.0], [2008.0, 1.0, 1.0, 1.0]);
        check([2008.0, 11.0, 28.0], [2008.0, 52.0, 12.0, 4.0]);
        check([2009.0, 11.0, 31.0], [2009.0, 53.0, 12.0, 5.0]);
        check([2010.0, 0.0, 3.0], [2009.0, 53.0, 12.0, 5.0]);
        check([2020.0, 11.0, 31.0], [2020.0, 53.0, 12.0, 5.0]);
    }
}
