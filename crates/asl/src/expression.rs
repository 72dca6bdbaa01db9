//! JSONata expressions within a definition: strings of the form `{% … %}`.

use std::sync::Arc;

use stepwright_jsonata::{CompileError, Expression};

use crate::states_fields;

/// What a string in a JSONata state is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Text<'a> {
    Literal(&'a str),
    /// What stands between the marks, trimmed.
    Expression(&'a str),
    /// It starts as an expression and does not end as one.
    Unclosed,
}

pub(crate) fn classify(text: &str) -> Text<'_> {
    let Some(inner) = text.strip_prefix("{%") else { return Text::Literal(text) };
    match inner.strip_suffix("%}") {
        Some(inner) => Text::Expression(inner.trim()),
        None => Text::Unclosed,
    }
}

/// The expression in `text`, when it is one.
pub(crate) fn source(text: &str) -> Option<&str> {
    match classify(text) {
        Text::Expression(source) => Some(source),
        _ => None,
    }
}

/// What AWS refuses in an expression that parses, in its words; each once. `error_output`: whether the expression is
/// in a catcher, which alone can read `$states.errorOutput`.
pub(crate) fn refusals(source: &str, expression: &Expression, error_output: bool) -> Vec<String> {
    let mut refusals: Vec<String> = Vec::new();
    let parsed = expression.aws_refusals().into_iter().map(|refusal| refusal.message);
    let fields =
        states_fields::in_source(source).into_iter().filter(|field| !error_output && *field == "errorOutput");
    for message in parsed.chain(fields.map(|field| format!("Field '$states.{field}' does not exist."))) {
        if !refusals.contains(&message) {
            refusals.push(message);
        }
    }
    refusals
}

pub(crate) fn compile(source: &str) -> Result<Arc<Expression>, CompileError> {
    Expression::compile(source).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        for (text, expected) in [
            ("{% $x %}", Text::Expression("$x")),
            ("{%%}", Text::Expression("")),
            ("{%}", Text::Unclosed),
            ("{% a", Text::Unclosed),
            (" {% a %}", Text::Literal(" {% a %}")),
            ("a", Text::Literal("a")),
        ] {
            assert_eq!(classify(text), expected, "{text}");
        }
    }
}
