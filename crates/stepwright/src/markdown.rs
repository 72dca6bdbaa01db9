//! Markdown for a terminal: headings and code stand out. Knows what the pages of this project use, no more.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::row::Theme;

/// The text with headings, code blocks and code spans styled, and their marks taken away. Examples of what is wrong
/// (`bad`) have a red edge, those of what is right (`good`) a green one.
pub fn draw(markdown: &str, theme: Theme, columns: usize) -> String {
    if !theme.colour {
        return markdown.to_owned();
    }
    let (heading, code) = (Style::new().bold(), AnsiColor::Cyan.on_default());
    let mut out = String::new();
    let mut block: Option<Style> = None;
    for line in markdown.lines() {
        if let Some(label) = line.strip_prefix("```") {
            block = match (block, label.split(' ').nth(1)) {
                (Some(_), _) => None,
                (None, Some("bad")) => Some(AnsiColor::Red.on_default()),
                (None, Some("good")) => Some(AnsiColor::Green.on_default()),
                (None, _) => Some(AnsiColor::Cyan.on_default()),
            };
            continue;
        }
        if let Some(edge) = block {
            let bar = if theme.unicode { '┃' } else { '|' };
            out.push_str(&format!("  {edge}{bar}{edge:#} {line}"));
        } else if line.starts_with('#') {
            out.push_str(&format!("{heading}{}{heading:#}", line.trim_start_matches('#').trim_start()));
        } else {
            spans(&wrapped(line, columns), code, &mut out);
        }
        out.push('\n');
    }
    out
}

/// A paragraph, which is one line in the source, in lines that fit.
fn wrapped(line: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let width = word.trim_end().width();
        if used > 0 && used + width > columns {
            out.truncate(out.trim_end().len());
            out.push('\n');
            used = 0;
        }
        out.push_str(word);
        used += word.width();
    }
    out
}

/// A line with its `code spans` styled.
fn spans(line: &str, code: Style, out: &mut String) {
    // An odd number of marks leaves the last part as it is.
    let parts: Vec<&str> = line.split('`').collect();
    let last = parts.len() - 1;
    for (at, part) in parts.iter().enumerate() {
        match (at % 2 == 1, at == last) {
            (true, false) => out.push_str(&format!("{code}{part}{code:#}")),
            (true, true) => out.push_str(&format!("`{part}")),
            (false, _) => out.push_str(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styled() {
        let theme = Theme { colour: true, unicode: true };
        let text = draw("# Title\n\nUse `Next`, not ` alone.\n\n```json bad\n{\"a\": 1}\n```\n", theme, 80);
        let expected = "\u{1b}[1mTitle\u{1b}[0m\n\nUse \u{1b}[36mNext\u{1b}[0m, not ` alone.\n\n  \
                        \u{1b}[31m┃\u{1b}[0m {\"a\": 1}\n";
        assert_eq!(text, expected);
        assert_eq!(wrapped("one two three", 8), "one two\nthree");
        assert_eq!(wrapped("  - longer than it", 3), "  -\nlonger\nthan\nit");
        assert_eq!(draw("# T `x`", Theme { colour: false, unicode: true }, 80), "# T `x`");
    }
}
