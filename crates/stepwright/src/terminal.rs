//! What the streams of this process can show.

use std::io::IsTerminal;

use crate::row::Theme;

/// Taken when the size cannot be found out.
const COLUMNS_DEFAULT: usize = 80;
const ROWS_DEFAULT: usize = 24;
/// Text in paragraphs is not made wider than this.
pub const TEXT_COLUMNS_MAX: usize = 110;

/// An output stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    Out,
    Error,
}

/// What a stream can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ability {
    pub is_terminal: bool,
    /// Rows can be drawn over.
    pub can_redraw: bool,
    pub theme: Theme,
}

/// Columns and rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

impl Stream {
    pub fn ability(self) -> Ability {
        let is_terminal = match self {
            Stream::Out => std::io::stdout().is_terminal(),
            Stream::Error => std::io::stderr().is_terminal(),
        };
        ability(is_terminal, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Asked again for each frame: terminals are resized.
    pub fn size(self) -> Size {
        let size = match self {
            Stream::Out => rustix::termios::tcgetwinsize(std::io::stdout()),
            Stream::Error => rustix::termios::tcgetwinsize(std::io::stderr()),
        };
        let of = |cells: u16, default: usize| if cells == 0 { default } else { usize::from(cells) };
        size.map_or(Size { columns: COLUMNS_DEFAULT, rows: ROWS_DEFAULT }, |size| Size {
            columns: of(size.ws_col, COLUMNS_DEFAULT),
            rows: of(size.ws_row, ROWS_DEFAULT),
        })
    }
}

/// Honours `NO_COLOR`, `CLICOLOR_FORCE`, `TERM=dumb` and a locale that is plain C.
fn ability(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Ability {
    let term = variable("TERM");
    let is_dumb = term.as_deref().is_none_or(|term| term == "dumb");
    let forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let colour = variable("NO_COLOR").is_none() && (forced || (is_terminal && !is_dumb));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(&variable);
    let is_plain_locale = matches!(locale.as_deref(), Some("C" | "POSIX"));
    let unicode = is_terminal && !is_dumb && !is_plain_locale && term.as_deref() != Some("linux");
    Ability { is_terminal, can_redraw: is_terminal && !is_dumb, theme: Theme { colour, unicode } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_environment_says() {
        let xterm = ("TERM", "xterm-256color");
        type Case<'c> = (bool, &'c [(&'c str, &'c str)], (bool, bool, bool));
        let table: [Case<'_>; 9] = [
            (true, &[xterm], (true, true, true)),
            (true, &[xterm, ("NO_COLOR", "1")], (true, false, true)),
            (true, &[xterm, ("LANG", "C")], (true, true, false)),
            (true, &[xterm, ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], (true, true, false)),
            (true, &[xterm, ("LANG", "C.UTF-8")], (true, true, true)),
            (true, &[("TERM", "dumb")], (false, false, false)),
            (true, &[], (false, false, false)),
            (false, &[xterm], (false, false, false)),
            (false, &[xterm, ("CLICOLOR_FORCE", "1")], (false, true, false)),
        ];
        for (is_terminal, variables, expected) in table {
            let variable = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let found = ability(is_terminal, variable);
            assert_eq!(
                (found.can_redraw, found.theme.colour, found.theme.unicode),
                expected,
                "{variables:?}"
            );
        }
    }
}
