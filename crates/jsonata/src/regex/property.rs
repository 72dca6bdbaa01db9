//! The names of `\p{...}`, as Java has them.

use regex_syntax::hir::HirKind;

use super::class::Class;
use super::parse::Flags;

const CATEGORIES: [&str; 38] = [
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf",
    "Co", "Cs", "Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So", "Pi", "Pf", "L", "M", "N", "Z", "C",
    "P", "S", "LC",
];

/// Names after `Is` that are neither categories nor scripts.
const BINARY: [(&str, &str); 12] = [
    ("ALPHABETIC", "Alphabetic"),
    ("LETTER", "L"),
    ("IDEOGRAPHIC", "Ideographic"),
    ("LOWERCASE", "Lowercase"),
    ("UPPERCASE", "Uppercase"),
    ("TITLECASE", "Lt"),
    ("WHITE_SPACE", "White_Space"),
    ("CONTROL", "Cc"),
    ("PUNCTUATION", "P"),
    ("DIGIT", "Nd"),
    ("NONCHARACTER_CODE_POINT", "Noncharacter_Code_Point"),
    ("JOIN_CONTROL", "Join_Control"),
];

/// The class that Java means by `name`.
pub(super) fn class(name: &str, flags: Flags) -> Result<Class, String> {
    let unknown = || format!("Unknown character property name {{{name}}}");
    if let Some((key, value)) = name.split_once('=') {
        return match key.to_ascii_lowercase().as_str() {
            "sc" | "script" => script(value),
            "gc" | "general_category" => category(value, flags),
            "blk" | "block" => return Err(no_blocks(name)),
            _ => None,
        }
        .ok_or_else(unknown);
    }
    if name.starts_with("In") {
        return Err(no_blocks(name));
    }
    if let Some(rest) = name.strip_prefix("Is") {
        return binary(rest, flags)
            .or_else(|| category(rest, flags))
            .or_else(|| script(rest))
            .ok_or_else(unknown);
    }
    let posix = if flags.unicode_classes { unicode_posix(name) } else { None };
    posix
        .or_else(|| ascii(name, flags))
        .or_else(|| category(name, flags))
        .or_else(|| java(name))
        .ok_or_else(unknown)
}

fn no_blocks(name: &str) -> String {
    format!(
        "Blocks of characters are not supported here: {{{name}}}; name a script instead, as in \\p{{IsGreek}}"
    )
}

/// A class by its name in the Unicode standard.
pub(super) fn named(name: &str) -> Class {
    unicode(&format!("\\p{{{name}}}")).unwrap_or_default()
}

/// What `\w` is with the flag `U`.
pub(super) fn unicode_word() -> Class {
    unicode("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]").unwrap_or_default()
}

fn unicode(pattern: &str) -> Option<Class> {
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(regex_syntax::hir::Class::Unicode(set)) => Some(Class::from(set)),
        _ => None,
    }
}

fn category(name: &str, flags: Flags) -> Option<Class> {
    match name {
        "Lu" | "Ll" | "Lt" if flags.ignore_case => Some(named("LC")),
        "LD" => unicode("[\\p{L}\\p{Nd}]"),
        "L1" => Some(Class::from_ranges([('\0', '\u{ff}')])),
        "all" => Some(Class::default().negated()),
        // Half of a surrogate pair never occurs in a text.
        "Cs" => Some(Class::default()),
        _ => CATEGORIES.contains(&name).then(|| named(name)),
    }
}

fn script(name: &str) -> Option<Class> {
    let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    is_name.then(|| unicode(&format!("\\p{{sc={name}}}")))?
}

fn binary(name: &str, flags: Flags) -> Option<Class> {
    let name = name.to_ascii_uppercase();
    match name.as_str() {
        "LOWERCASE" | "UPPERCASE" | "TITLECASE" if flags.ignore_case => {
            unicode("[\\p{Lowercase}\\p{Uppercase}\\p{Lt}]")
        }
        "ASSIGNED" => Some(named("Cn").negated()),
        "WHITESPACE" => Some(named("White_Space")),
        "HEX_DIGIT" | "HEXDIGIT" => unicode("[\\p{Nd}\\p{Hex_Digit}]"),
        _ => BINARY.iter().find(|(java, _)| *java == name).map(|(_, unicode)| named(unicode)),
    }
}

fn ascii(name: &str, flags: Flags) -> Option<Class> {
    let ranges: &[(char, char)] = match name {
        "Lower" | "Upper" if flags.ignore_case => &[('A', 'Z'), ('a', 'z')],
        "Lower" => &[('a', 'z')],
        "Upper" => &[('A', 'Z')],
        "ASCII" => &[('\0', '\u{7f}')],
        "Alpha" => &[('A', 'Z'), ('a', 'z')],
        "Digit" => &[('0', '9')],
        "Alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "Punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "Graph" => &[('!', '~')],
        "Print" => &[(' ', '~')],
        "Blank" => &[('\t', '\t'), (' ', ' ')],
        "Cntrl" => &[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
        "XDigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        "Space" => &[('\t', '\r'), (' ', ' ')],
        _ => return None,
    };
    Some(Class::from_ranges(ranges.iter().copied()))
}

/// The names of [`ascii`] with the flag `U`.
fn unicode_posix(name: &str) -> Option<Class> {
    match name {
        "Lower" => unicode("\\p{Lowercase}"),
        "Upper" => unicode("\\p{Uppercase}"),
        "Alpha" => unicode("\\p{Alphabetic}"),
        "Digit" => unicode("\\p{Nd}"),
        "Alnum" => unicode("[\\p{Alphabetic}\\p{Nd}]"),
        "Punct" => unicode("\\p{P}"),
        "Graph" => unicode("[^\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]"),
        "Print" => unicode("[[^\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]\\p{Zs}]"),
        "Blank" => unicode("[\\p{Zs}\\t]"),
        "Cntrl" => unicode("\\p{Cc}"),
        "XDigit" => unicode("[\\p{Nd}\\p{Hex_Digit}]"),
        "Space" => unicode("\\p{White_Space}"),
        _ => None,
    }
}

/// The methods of Java's `Character` that have a name.
fn java(name: &str) -> Option<Class> {
    match name {
        "javaLowerCase" => unicode("\\p{Lowercase}"),
        "javaUpperCase" => unicode("\\p{Uppercase}"),
        "javaAlphabetic" => unicode("\\p{Alphabetic}"),
        "javaIdeographic" => unicode("\\p{Ideographic}"),
        "javaTitleCase" => unicode("\\p{Lt}"),
        "javaDigit" => unicode("\\p{Nd}"),
        "javaDefined" => unicode("\\P{Cn}"),
        "javaLetter" => unicode("\\p{L}"),
        "javaLetterOrDigit" => unicode("[\\p{L}\\p{Nd}]"),
        "javaSpaceChar" => unicode("\\p{Z}"),
        "javaWhitespace" => unicode("[[\\p{Z}--[\\u{a0}\\u{2007}\\u{202f}]]\\t-\\r\\x1c-\\x1f]"),
        "javaISOControl" => unicode("\\p{Cc}"),
        _ => None,
    }
}
