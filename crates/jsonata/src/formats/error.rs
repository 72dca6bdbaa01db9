//! The errors of the picture-string functions: jsonata-js's codes and wording.

use std::fmt;

/// A refusal by one of the picture-string functions.
///
/// `code` is a JSONata error code. `values` fill the placeholders of its message; each is already in the form in which
/// it appears there: JSON text for D3100 to D3136 (`"\"q\""` for the string `q`), plain text for D3137.
///
/// Where jsonata-js fails with an error of JavaScript itself, which has no code (a `RangeError` for a pad width too
/// large, for example), the code is D3137 and `message` holds the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// D3080 to D3093, D3100, D3110, D3130 to D3136, or D3137 (see above).
    pub code: &'static str,
    /// Placeholder name (`value` or `message`) and its text.
    pub values: Vec<(&'static str, String)>,
}

impl FormatError {
    /// An error whose message has no placeholder.
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, values: Vec::new() }
    }

    /// An error about a string.
    pub(super) fn about_text(code: &'static str, value: &str) -> Self {
        Self { code, values: vec![("value", json_string(value))] }
    }

    /// An error about a number, given as its JavaScript text.
    pub(super) fn about_number(code: &'static str, value: String) -> Self {
        Self { code, values: vec![("value", value)] }
    }

    /// What JavaScript itself would refuse, in its words.
    pub(super) fn host(message: &str) -> Self {
        Self { code: "D3137", values: vec![("message", message.to_owned())] }
    }

    /// The message in jsonata-js's wording, without the code.
    pub fn message(&self) -> String {
        let mut message = template(self.code).to_owned();
        for (name, value) in &self.values {
            // A value may itself contain braces, so each placeholder is replaced at most once.
            message = message.replacen(&format!("{{{name}}}"), value, 1);
        }
        message
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message())
    }
}

impl std::error::Error for FormatError {}

/// The wording of a code; `{name}` is a placeholder.
fn template(code: &str) -> &'static str {
    match code {
        "D3080" => "The picture string must only contain a maximum of two sub-pictures",
        "D3081" => {
            "The sub-picture must not contain more than one instance of the 'decimal-separator' character"
        }
        "D3082" => "The sub-picture must not contain more than one instance of the 'percent' character",
        "D3083" => "The sub-picture must not contain more than one instance of the 'per-mille' character",
        "D3084" => "The sub-picture must not contain both a 'percent' and a 'per-mille' character",
        "D3085" => {
            "The mantissa part of a sub-picture must contain at least one character that is either an 'optional digit \
             character' or a member of the 'decimal digit family'"
        }
        "D3086" => {
            "The sub-picture must not contain a passive character that is preceded by an active character and that is \
             followed by another active character"
        }
        "D3087" => {
            "The sub-picture must not contain a 'grouping-separator' character that appears adjacent to a \
             'decimal-separator' character"
        }
        "D3088" => "The sub-picture must not contain a 'grouping-separator' at the end of the integer part",
        "D3089" => {
            "The sub-picture must not contain two adjacent instances of the 'grouping-separator' character"
        }
        "D3090" => {
            "The integer part of the sub-picture must not contain a member of the 'decimal digit family' that is \
             followed by an instance of the 'optional digit character'"
        }
        "D3091" => {
            "The fractional part of the sub-picture must not contain an instance of the 'optional digit character' \
             that is followed by a member of the 'decimal digit family'"
        }
        "D3092" => {
            "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as \
             an 'exponent-separator'"
        }
        "D3093" => {
            "The exponent part of the sub-picture must comprise only of one or more characters that are members of the \
             'decimal digit family'"
        }
        "D3100" => "The radix of the formatBase function must be between 2 and 36.  It was given {value}",
        "D3110" => {
            "The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given {value}"
        }
        "D3130" => {
            "Formatting or parsing an integer as a sequence starting with {value} is not supported by this \
             implementation"
        }
        "D3131" => "In a decimal digit pattern, all digits must be from the same decimal group",
        "D3132" => "Unknown component specifier {value} in date/time picture string",
        "D3133" => {
            "The 'name' modifier can only be applied to months and days in the date/time picture string, not {value}"
        }
        "D3134" => "The timezone integer format specifier cannot have more than four digits",
        "D3135" => "No matching closing bracket ']' in date/time picture string",
        "D3136" => "The date/time picture string is missing specifiers required to parse the timestamp",
        _ => "{message}",
    }
}

/// The JSON text of a string, escaped as `JSON.stringify` does.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_their_values_as_json() {
        let check = |error: FormatError, expect: &str| assert_eq!(error.to_string(), expect);
        check(
            FormatError::about_text("D3132", "q\"\n\u{1}{value}"),
            "D3132: Unknown component specifier \"q\\\"\\n\\u0001{value}\" in date/time picture string",
        );
        check(
            FormatError::about_number("D3100", "40".to_owned()),
            "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 40",
        );
        check(
            FormatError::new("D3080"),
            "D3080: The picture string must only contain a maximum of two sub-pictures",
        );
        check(FormatError::host("Invalid array length"), "D3137: Invalid array length");
    }
}
