//! Analysis of date pictures (XPath F&O 3.1 §9.8.4): literal text and markers such as `[D1o]` or `[MNn,3-3]`.

use super::integer_picture::{self, IntegerPicture, LetterCase, Style};
use super::js_number;
use super::{FormatError, check_picture};

/// One part of a date picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Literal(String),
    Marker(Marker),
}

/// A marker: a component and how to present it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Marker {
    /// The component specifier. Any character that comes with a presentation modifier is let through here.
    pub(super) component: char,
    /// Set where the component is to be given by name (`n`, `N`, `Nn`).
    pub(super) names: Option<LetterCase>,
    /// How to present it as an integer. A timezone has this beside `names`.
    pub(super) integer: Option<IntegerPicture>,
    /// Whether the second presentation modifier is `t` (a zero timezone is `Z`).
    pub(super) traditional: bool,
    /// The width modifier, if there is one.
    pub(super) width: Option<Width>,
    /// The number of final digits to which a year is cut; -1 for none.
    pub(super) year_digits: f64,
}

/// Components given as integers unless by name.
pub(super) const INTEGER_COMPONENTS: &str = "YMDdFWwXxHhmsf";

/// Analyses a picture.
///
/// Errors: D3132 for an unknown component without a presentation modifier, D3135 for a missing `]`, D3131 for mixed
/// digit families.
pub(super) fn analyse(picture: &str) -> Result<Vec<Part>, FormatError> {
    check_picture(picture)?;
    let mut parts = Vec::new();
    let mut rest = picture;
    while let Some((literal, after)) = rest.split_once('[') {
        push_literal(&mut parts, literal);
        if let Some(after) = after.strip_prefix('[') {
            parts.push(Part::Literal("[".to_owned()));
            rest = after;
            continue;
        }
        let (marker, after) = after.split_once(']').ok_or_else(|| FormatError::new("D3135"))?;
        let marker: String = marker.chars().filter(|c| !js_number::is_white_space(*c)).collect();
        let marker = analyse_marker(&marker)?;
        if marker.is_integer()
            && let Some(Part::Marker(previous)) = parts.last_mut()
        {
            previous.fix_parse_width();
        }
        parts.push(Part::Marker(marker));
        rest = after;
    }
    push_literal(&mut parts, rest);
    Ok(parts)
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.replace("]]", "]")));
    }
}

impl Marker {
    /// The upper bound of the width.
    pub(super) fn width_max(&self) -> Option<f64> {
        self.width.and_then(|width| width.max)
    }

    fn is_integer(&self) -> bool {
        self.integer.is_some() && INTEGER_COMPONENTS.contains(self.component)
    }

    /// Another integer follows directly: only the number of digits tells where this one ends.
    fn fix_parse_width(&mut self) {
        if let Some(IntegerPicture { style: Style::Decimal(pattern), .. }) = &mut self.integer {
            pattern.parse_width = pattern.mandatory_digits;
        }
    }
}

/// Analyses the text between the brackets, free of white space.
fn analyse_marker(marker: &str) -> Result<Marker, FormatError> {
    let (body, width) = match marker.rsplit_once(',') {
        Some((body, width)) => (body, Some(Width::analyse(width))),
        None => (marker, None),
    };
    let unknown = |component: &str| FormatError::about_text("D3132", component);
    // The component is the first character even if that is the comma.
    let component = marker.chars().next().ok_or_else(|| unknown(""))?;
    let modifiers = body.strip_prefix(component).unwrap_or_default();
    let (first, second) = match modifiers.char_indices().next_back() {
        None => (default_presentation(component).ok_or_else(|| unknown(&component.to_string()))?, None),
        Some((at, last)) if at > 0 && "atco".contains(last) => {
            (modifiers.get(..at).unwrap_or_default(), Some(last))
        }
        Some(_) => (modifiers, None),
    };
    let names = match first.as_bytes() {
        [b'n', ..] => Some(LetterCase::Lower),
        [b'N', b'n', ..] => Some(LetterCase::Title),
        [b'N', ..] => Some(LetterCase::Upper),
        _ => None,
    };
    let mut marker = Marker {
        component,
        names,
        integer: None,
        traditional: second == Some('t'),
        width,
        year_digits: -1.0,
    };
    if names.is_none() && INTEGER_COMPONENTS.contains(component) {
        let picture = second.map_or(first.to_owned(), |second| format!("{first};{second}"));
        let mut integer = integer_picture::analyse(&picture)?;
        apply_width(&mut marker, &mut integer);
        marker.integer = Some(integer);
    } else if component == 'Z' || component == 'z' {
        marker.integer = Some(integer_picture::analyse(first)?);
    }
    Ok(marker)
}

/// Pads to the minimal width; cuts a year to the maximal width, or to its number of digit signs if there are two or
/// more (§9.8.4.4).
fn apply_width(marker: &mut Marker, integer: &mut IntegerPicture) {
    let width = marker.width.unwrap_or_default();
    if let Style::Decimal(pattern) = &mut integer.style
        && let Some(min) = width.min
        && pattern.mandatory_digits < min
    {
        pattern.mandatory_digits = min;
    }
    if marker.component != 'Y' {
        return;
    }
    match (width.max, &mut integer.style) {
        (Some(max), style) => {
            marker.year_digits = max;
            if let Style::Decimal(pattern) = style {
                pattern.mandatory_digits = max;
            }
        }
        (None, Style::Decimal(pattern)) => {
            let digits = pattern.mandatory_digits + pattern.optional_digits as f64;
            if digits >= 2.0 {
                marker.year_digits = digits;
            }
        }
        (None, _) => {}
    }
}

/// A width modifier `min-max`, either of them `*` for no bound. A bound that is no number is NaN.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Width {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Width {
    fn analyse(text: &str) -> Self {
        let bound = |text: &str| (text != "*").then(|| js_number::parse_int(text));
        match text.split_once('-') {
            Some((min, max)) => Self { min: bound(min), max: bound(max) },
            None => Self { min: bound(text), max: None },
        }
    }
}

fn default_presentation(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_literals_and_markers() {
        let parts = analyse("a[[b]]c[ D\u{a0}1 o ]]]").expect("a valid picture");
        let [
            Part::Literal(a),
            Part::Literal(bracket),
            Part::Literal(bc),
            Part::Marker(day),
            Part::Literal(end),
        ] = parts.as_slice()
        else {
            panic!("{parts:?}")
        };
        assert_eq!([a.as_str(), bracket, bc, end], ["a", "[", "b]c", "]"]);
        assert_eq!(day.component, 'D');
        assert!(day.integer.as_ref().is_some_and(|integer| integer.ordinal));
    }

    #[test]
    fn refuses() {
        let check = |picture: &str, expect: &str| {
            assert_eq!(analyse(picture).map_err(|e| e.to_string()), Err(expect.to_owned()));
        };
        check("[]", "D3132: Unknown component specifier \"\" in date/time picture string");
        check("[I]", "D3132: Unknown component specifier \"I\" in date/time picture string");
        check("[,1]", "D3132: Unknown component specifier \",\" in date/time picture string");
        check("[Y", "D3135: No matching closing bracket ']' in date/time picture string");
        check(
            "[Y\u{661}0]",
            "D3131: In a decimal digit pattern, all digits must be from the same decimal group",
        );
    }

    #[test]
    fn reads_width_modifiers() {
        let check = |picture: &str, year_digits: f64, mandatory: f64| {
            let parts = analyse(picture).expect("a valid picture");
            let [Part::Marker(Marker { year_digits: found, integer: Some(integer), .. })] = parts.as_slice()
            else {
                panic!("{parts:?}")
            };
            let Style::Decimal(pattern) = &integer.style else { panic!("{integer:?}") };
            assert_eq!((*found, pattern.mandatory_digits), (year_digits, mandatory), "{picture}");
        };
        check("[Y]", -1.0, 1.0);
        check("[Y,4]", 4.0, 4.0);
        check("[Y,2-2]", 2.0, 2.0);
        check("[Y,*-2]", 2.0, 2.0);
        check("[Y##01]", 4.0, 2.0);
        check("[M,2]", -1.0, 2.0);
    }
}
