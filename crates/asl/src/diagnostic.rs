//! What there is to say about a definition, as plain data.

use std::ops::Range;

use crate::codes::Code;
use crate::node::Span;

/// How bad it is. A definition with an error does not run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    Warning,
    Error,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// `SW0…`: an error; `SW1…`: a warning. [`crate::explain`] has a page for each.
    pub code: &'static str,
    /// AWS's code, where AWS says the same: `SCHEMA_VALIDATION_FAILED`. `None` for findings that AWS does not have.
    pub aws_code: Option<&'static str>,
    pub severity: Severity,
    /// In AWS's words where it has some.
    pub message: String,
    /// AWS's location: `/States/Pay/Retry[0]`. Empty where AWS gives none.
    pub pointer: String,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// How to mend it: a sentence.
    pub help: Option<String>,
    /// A change of the text that mends it.
    pub fix: Option<Fix>,
    /// Other places that belong to it.
    pub notes: Vec<Note>,
    /// AWS says it too, but it follows from another finding: once that is mended, this is gone.
    pub follows: bool,
}

/// A change of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    pub span: Range<usize>,
    pub replacement: String,
}

/// Something about another place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    pub message: String,
    pub span: Range<usize>,
}

impl Diagnostic {
    pub(crate) fn new(
        code: &'static Code,
        message: impl Into<String>,
        pointer: String,
        span: Span,
    ) -> Diagnostic {
        Diagnostic {
            code: code.id,
            aws_code: code.aws,
            severity: code.severity,
            message: message.into(),
            pointer,
            span: span.range(),
            help: None,
            fix: None,
            notes: Vec::new(),
            follows: false,
        }
    }

    /// Whether it follows from another finding.
    pub(crate) fn follows(mut self, follows: bool) -> Diagnostic {
        self.follows = follows;
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn fix(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        self.fix = Some(Fix { span: span.range(), replacement: replacement.into() });
        self
    }

    pub(crate) fn note(mut self, message: impl Into<String>, span: Span) -> Diagnostic {
        self.notes.push(Note { message: message.into(), span: span.range() });
        self
    }

    /// Line and column of the place in the text it was made from; both count from 1, columns in characters.
    pub fn position(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        (line, column)
    }

    /// `CODE: message at location`, as an `InvalidDefinition` answer of AWS lists it.
    pub fn aws_text(&self) -> Option<String> {
        let code = self.aws_code?;
        let location = if self.pointer.is_empty() { "null" } else { &self.pointer };
        Some(format!("{code}: {} at {location}", self.message))
    }
}

/// Findings in the order they were made. Bounded: a definition of nothing but errors is cut off.
#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: Vec<Diagnostic>,
    errors: usize,
}

/// Findings that are kept of one definition.
const DIAGNOSTICS_MAX: usize = 1_000;

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.diagnostics.len() < DIAGNOSTICS_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }
}
