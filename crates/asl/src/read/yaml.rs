//! YAML text to syntax tree.
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Span};
pub(crate) fn read(text: &str) -> Result<Node, Box<Diagnostic>> {
    Err(Box::new(Diagnostic::new(
        &codes::NOT_YAML,
        "YAML is not read yet",
        String::new(),
        Span::new(0, text.len()),
    )))
}
