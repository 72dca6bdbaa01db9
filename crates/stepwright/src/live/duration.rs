//! Durations as people read them.

/// `213 ms`, `4.2 s`, `42 s`, `2 m 05 s`, `1 h 03 m`, `2 d 04 h`. Negative durations (a clock was set back) are 0.
pub fn short(ms: i64) -> String {
    let ms = ms.max(0);
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..10 => format!("{seconds}.{} s", ms % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// What is left until something: whole seconds, rounded up, so that a countdown ends with 1.
pub fn left(ms: i64) -> String {
    match ms.max(0).div_euclid(1000) + i64::from(ms.max(0) % 1000 > 0) {
        0 => "0 s".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds => short(seconds.saturating_mul(1000)),
    }
}

/// Since the start, for lines that programs read too: `+0.213s`.
pub fn since(ms: i64) -> String {
    let ms = ms.max(0);
    format!("+{}.{:03}s", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let hour = 3_600_000;
        let table = [
            (-5, "0 ms", "0 s", "+0.000s"),
            (999, "999 ms", "1 s", "+0.999s"),
            (4_250, "4.2 s", "5 s", "+4.250s"),
            (42_000, "42 s", "42 s", "+42.000s"),
            (59_999, "59 s", "1 m 00 s", "+59.999s"),
            (125_000, "2 m 05 s", "2 m 05 s", "+125.000s"),
            (hour + 180_000, "1 h 03 m", "1 h 03 m", "+3780.000s"),
            (52 * hour, "2 d 04 h", "2 d 04 h", "+187200.000s"),
        ];
        for (ms, expected_short, expected_left, expected_since) in table {
            assert_eq!(short(ms), expected_short);
            assert_eq!(left(ms), expected_left);
            assert_eq!(since(ms), expected_since);
        }
    }
}
