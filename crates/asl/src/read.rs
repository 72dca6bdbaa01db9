//! Text to syntax tree.

pub(crate) mod jackson;
pub(crate) mod json;
pub(crate) mod yaml;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Span};

/// What a text is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// What AWS accepts.
    #[default]
    Json,
    /// One YAML document; for files, which AWS's tools turn into JSON on deployment.
    Yaml,
    /// JSON when the first character that is not white space is `{`, else YAML.
    Detect,
}

/// Deepest nesting of objects and arrays that is read.
pub(crate) const DEPTH_MAX: usize = 300;

/// Reads `text`.
pub(crate) fn read(text: &str, format: Format) -> Result<Node, Box<Diagnostic>> {
    if text.len() > stepwright_types::limit::DEFINITION_BYTES_MAX {
        let message =
            format!("The definition is larger than {} bytes", stepwright_types::limit::DEFINITION_BYTES_MAX);
        return Err(Box::new(Diagnostic::new(
            &codes::TOO_LARGE,
            message,
            String::new(),
            Span::new(0, text.len()),
        )));
    }
    let json = match format {
        Format::Json => true,
        Format::Yaml => false,
        Format::Detect => text.trim_start().starts_with('{'),
    };
    let node = if json { json::read(text)? } else { yaml::read(text)? };
    if !node.is_object() {
        return Err(Box::new(not_an_object(node.span)));
    }
    Ok(node)
}

/// AWS's answer to a text that is no object, an empty one included.
pub(crate) fn not_an_object(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::NOT_AN_OBJECT, "Definition must be a valid JSON object", String::new(), span)
        .help("A definition is a JSON object with the fields StartAt and States.")
}
