//! How a definition is to be taken.

use crate::read::Format;

/// The type of a state machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MachineType {
    #[default]
    Standard,
    Express,
}

/// What `${Name}` means, which AWS's deployment tools replace before the service sees a definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Substitutions {
    /// Plain text, as for AWS itself.
    #[default]
    None,
    /// A value that is not known yet: no check looks into a text that has one.
    Allow,
}

/// How a definition is to be taken. The default is what `CreateStateMachine` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CompileOptions {
    pub machine_type: MachineType,
    pub format: Format,
    pub substitutions: Substitutions,
}

impl CompileOptions {
    /// Whether `text` has a part that is not known yet.
    pub(crate) fn is_open(&self, text: &str) -> bool {
        self.substitutions == Substitutions::Allow && has_substitution(text)
    }
}

fn has_substitution(text: &str) -> bool {
    text.split("${").skip(1).any(|behind| behind.contains('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_texts() {
        let allow = CompileOptions { substitutions: Substitutions::Allow, ..Default::default() };
        for (text, open) in
            [("${A}", true), ("a${A}b", true), ("$", false), ("$.a", false), ("${", false), ("", false)]
        {
            assert_eq!(allow.is_open(text), open, "{text}");
            assert!(!CompileOptions::default().is_open(text));
        }
    }
}
