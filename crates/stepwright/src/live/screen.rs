//! Draws the last rows of a terminal in place: what is settled scrolls up and stays, what is live is drawn over.

use crate::row::{Row, Theme};

const HIDE_CURSOR: &str = "\u{1b}[?25l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";
/// Clears from the cursor to the end of its row.
const CLEAR_ROW: &str = "\u{1b}[K";
/// Clears from the cursor to the end of the screen.
const CLEAR_BELOW: &str = "\u{1b}[J";

/// What is on the terminal below the settled rows.
pub struct Screen {
    theme: Theme,
    /// The widths of the live rows, to know how many rows they take when the terminal becomes narrower.
    live: Vec<usize>,
    cursor_is_hidden: bool,
}

impl Screen {
    pub fn new(theme: Theme) -> Screen {
        Screen { theme, live: Vec::new(), cursor_is_hidden: false }
    }

    /// The text that draws `notes` in full and `settled` for good, and `live` below them, in place of the live rows of the
    /// time before. To be written at once, so that nothing flickers.
    pub fn draw(&mut self, notes: &[Row], settled: &[Row], live: &[Row], columns: usize) -> String {
        let mut out = String::new();
        if !self.cursor_is_hidden {
            out.push_str(HIDE_CURSOR);
            self.cursor_is_hidden = true;
        }
        self.go_to_first_live_row(columns, &mut out);
        self.live.clear();
        for row in notes {
            // May take more than one row of the terminal: nobody goes back over it.
            self.put(row, usize::MAX, &mut out);
        }
        for row in settled {
            self.put(row, columns, &mut out);
        }
        for row in live {
            let drawn = self.put(row, columns, &mut out);
            self.live.push(drawn);
        }
        out.push_str(CLEAR_BELOW);
        out
    }

    /// The text that removes the live rows and leaves the terminal as it was found.
    pub fn close(&mut self, columns: usize) -> String {
        let mut out = String::new();
        self.go_to_first_live_row(columns, &mut out);
        self.live.clear();
        out.push_str(CLEAR_BELOW);
        if self.cursor_is_hidden {
            out.push_str(SHOW_CURSOR);
            self.cursor_is_hidden = false;
        }
        out
    }

    /// One row, and how wide it is.
    fn put(&self, row: &Row, columns: usize, out: &mut String) -> usize {
        out.push_str(&row.draw(columns, self.theme));
        out.push_str(CLEAR_ROW);
        out.push_str("\r\n");
        row.width().min(columns)
    }

    fn go_to_first_live_row(&self, columns: usize, out: &mut String) {
        let rows: usize = self.live.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
        if rows > 0 {
            out.push_str(&format!("\u{1b}[{rows}A"));
        }
        out.push('\r');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::terminal_model::TerminalModel;
    use crate::row::Tone;

    fn rows(texts: &[&str]) -> Vec<Row> {
        texts.iter().map(|text| Row::new().with(Tone::Plain, text)).collect()
    }

    #[test]
    fn settled_rows_stay_and_live_rows_are_drawn_over() {
        let mut screen = Screen::new(Theme { colour: false, unicode: true });
        let mut terminal = TerminalModel::new(20);
        terminal.feed(&screen.draw(&[], &[], &rows(&["a…", "b…"]), 20));
        assert_eq!(terminal.text(), "a…\nb…");
        terminal.feed(&screen.draw(&[], &rows(&["a done"]), &rows(&["b…"]), 20));
        assert_eq!(terminal.text(), "a done\nb…");
        terminal.feed(&screen.draw(&[], &[], &rows(&["b… still here", "x", "y"]), 20));
        assert_eq!(terminal.text(), "a done\nb… still here\nx\ny");
        terminal.feed(&screen.draw(&[], &rows(&["b done"]), &[], 20));
        assert_eq!(terminal.text(), "a done\nb done");
        assert!(!terminal.cursor_is_visible());
        terminal.feed(&screen.close(20));
        assert_eq!(terminal.text(), "a done\nb done");
        assert!(terminal.cursor_is_visible());
    }

    #[test]
    fn a_terminal_that_becomes_narrower() {
        let mut screen = Screen::new(Theme { colour: false, unicode: true });
        let mut terminal = TerminalModel::new(20);
        terminal.feed(&screen.draw(&[], &rows(&["top"]), &rows(&["0123456789abcde", "x"]), 20));
        terminal.resize(10);
        terminal.feed(&screen.draw(&[], &[], &rows(&["0123456789abcde", "y"]), 10));
        assert_eq!(terminal.text(), "top\n012345678…\ny");
    }
}
