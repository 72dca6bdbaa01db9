//! Where something stands in a definition, as AWS writes it: `/States/Pay/Catch[0]/Next`.
//!
//! A location grows on the stack while the checks walk down, and becomes text only when there is something to say.

use std::fmt;

/// A place in a definition, linked to the places around it.
#[derive(Clone, Copy, Debug)]
pub struct Location<'a> {
    parent: Option<&'a Location<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    /// A location that is text already: of a state.
    Text(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Location<'a> {
    pub const ROOT: Location<'static> = Location { parent: None, step: Step::Root };

    /// A location from its text, without a slash at the end; empty for the root.
    pub fn from_text(text: &'a str) -> Location<'a> {
        Location { parent: None, step: Step::Text(text) }
    }

    pub fn key(&'a self, key: &'a str) -> Location<'a> {
        Location { parent: Some(self), step: Step::Key(key) }
    }

    pub fn index(&'a self, index: usize) -> Location<'a> {
        Location { parent: Some(self), step: Step::Index(index) }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.write(out)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Text(text) => out.write_str(text),
            Step::Key(key) => write!(out, "/{key}"),
            Step::Index(index) => write!(out, "[{index}]"),
        }
    }
}

impl fmt::Display for Location<'_> {
    /// The root is `/`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location { parent: None, step: Step::Root | Step::Text("") } => out.write_str("/"),
            _ => self.write(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_aws_writes_it() {
        assert_eq!(Location::ROOT.to_string(), "/");
        let states = Location::ROOT.key("States");
        let state = states.key("A b");
        let catchers = state.key("Catch");
        let catcher = catchers.index(0);
        assert_eq!(catcher.key("Next").to_string(), "/States/A b/Catch[0]/Next");
        assert_eq!(Location::from_text("").key("Next").to_string(), "/Next");
    }
}
