//! A row of styled text that knows how wide it is.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a piece of text is; the palette decides how that looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    Plain,
    Dim,
    Strong,
    Good,
    Bad,
    Busy,
    Notice,
}

/// How rows are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Theme {
    /// Colours and other attributes.
    pub colour: bool,
    /// Symbols beyond ASCII.
    pub unicode: bool,
}

/// One row of text, without a line feed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    pieces: Vec<(Tone, String)>,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Dim => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Busy => AnsiColor::Cyan.on_default(),
            Tone::Notice => AnsiColor::Yellow.on_default(),
        }
    }
}

impl Row {
    pub fn new() -> Row {
        Row::default()
    }

    /// Adds text. What could steer a terminal is made harmless: names and causes come from outside.
    pub fn push(&mut self, tone: Tone, text: &str) {
        if !text.is_empty() {
            self.pieces.push((tone, clean(text)));
        }
    }

    pub fn with(mut self, tone: Tone, text: &str) -> Row {
        self.push(tone, text);
        self
    }

    /// Adds spaces up to a column, at least one.
    pub fn pad_to(&mut self, column: usize) {
        let spaces = column.saturating_sub(self.width()).max(1);
        self.pieces.push((Tone::Plain, " ".repeat(spaces)));
    }

    /// Columns on a terminal.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }

    /// The text, cut to so many columns, without spaces at the end.
    pub fn draw(&self, columns: usize, theme: Theme) -> String {
        let mut out = String::new();
        let is_cut = self.width() > columns;
        let mut left = if is_cut { columns.saturating_sub(1) } else { columns };
        for (tone, text) in &self.pieces {
            let text = take_columns(text, &mut left);
            let style = tone.style();
            if theme.colour && style != Style::new() && !text.trim().is_empty() {
                out.push_str(&format!("{style}{text}{style:#}"));
            } else {
                out.push_str(text);
            }
            if left == 0 && is_cut {
                break;
            }
        }
        if is_cut && columns > 0 {
            out.push(if theme.unicode { '…' } else { '>' });
        }
        out.truncate(out.trim_end_matches(' ').len());
        out
    }
}

/// As much of the text as fits.
fn take_columns<'t>(text: &'t str, left: &mut usize) -> &'t str {
    for (at, character) in text.char_indices() {
        let width = character.width().unwrap_or(0);
        if width > *left {
            *left = 0;
            return text.get(..at).unwrap_or_default();
        }
        *left -= width;
    }
    text
}

/// Text in which control characters, line feeds among them, are spaces.
pub fn clean(text: &str) -> String {
    text.chars().map(|character| if is_harmless(character) { character } else { ' ' }).collect()
}

/// Not a control character, and not one that turns the direction of what follows.
fn is_harmless(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Theme = Theme { colour: false, unicode: true };

    #[test]
    fn cut_to_the_width() {
        let row = Row::new().with(Tone::Plain, "状態 one").with(Tone::Dim, " and two");
        assert_eq!(row.width(), 16);
        assert_eq!(row.draw(16, PLAIN), "状態 one and two");
        assert_eq!(row.draw(15, PLAIN), "状態 one and t…");
        assert_eq!(row.draw(4, PLAIN), "状…");
        assert_eq!(row.draw(1, PLAIN), "…");
        assert_eq!(row.draw(0, PLAIN), "");
    }

    #[test]
    fn styled() {
        let row = Row::new().with(Tone::Good, "ok").with(Tone::Plain, " x").with(Tone::Dim, "  ");
        assert_eq!(row.draw(80, Theme { colour: true, unicode: true }), "\u{1b}[32mok\u{1b}[0m x");
    }

    #[test]
    fn what_steers_terminals_is_harmless() {
        let row = Row::new().with(Tone::Plain, "a\u{1b}[2Jb\nc\u{9b}d\u{202e}e");
        assert_eq!(row.draw(80, PLAIN), "a [2Jb c d e");
    }

    #[test]
    fn padding() {
        let mut row = Row::new().with(Tone::Plain, "abc");
        row.pad_to(5);
        row.push(Tone::Plain, "d");
        row.pad_to(2);
        row.push(Tone::Plain, "e");
        assert_eq!(row.draw(80, PLAIN), "abc  d e");
    }
}
