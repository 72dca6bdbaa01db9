//! JSONata expressions within a definition: strings of the form `{% … %}`.

use std::sync::Arc;

use stepwright_jsonata::{CompileError, Expression, Refusal, RefusalKind};

use crate::codes::{self, Code};
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

/// What `$states` has in a field, beside the input and the context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Available {
    pub(crate) result: bool,
    pub(crate) error_output: bool,
}

/// What AWS refuses in an expression that parses: the code and AWS's words; each once. `error_output`: whether the
/// expression is in a catcher, which alone can read `$states.errorOutput`.
pub(crate) fn refusals(
    source: &str,
    expression: &Expression,
    available: Available,
) -> Vec<(&'static Code, String)> {
    let parsed = expression.aws_refusals();
    let parsed = parsed.iter().filter_map(|refusal| refusal_text(source, refusal));
    let fields = states_fields::in_source(source).into_iter();
    let fields = fields
        .filter(|field| match *field {
            "errorOutput" => !available.error_output,
            "result" => !available.result,
            _ => false,
        })
        .map(|field| (&codes::REFUSED_EXPRESSION, format!("Field '$states.{field}' does not exist.")));
    let mut refusals: Vec<(&'static Code, String)> = Vec::new();
    for refusal in parsed.chain(fields) {
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    }
    refusals
}

fn refusal_text(source: &str, refusal: &Refusal) -> Option<(&'static Code, String)> {
    let token = || token_at(source, refusal.position);
    let top_level = |name: &str| format!("Reference to '{name}' at the top level is not supported.");
    match refusal.kind {
        // AWS takes it, and the call fails when it is evaluated.
        RefusalKind::Eval => None,
        // The JSONata that AWS has stops at the second character of the operator.
        RefusalKind::NewerOperator => {
            let symbol = if source.contains("??") { "?" } else { ":" };
            let message = format!("The symbol \"{symbol}\" cannot be used as a unary operator");
            Some((&codes::BAD_EXPRESSION, message))
        }
        RefusalKind::BareName => Some((&codes::REFUSED_EXPRESSION, top_level(&token()))),
        RefusalKind::Context => Some((&codes::REFUSED_EXPRESSION, top_level("$"))),
        RefusalKind::Root => {
            Some((&codes::REFUSED_EXPRESSION, "Reference to '$$' is not supported.".to_owned()))
        }
    }
}

/// The name, or the operator, that ends or starts at the character `position`: positions of JSONata are behind a token.
fn token_at(source: &str, position: usize) -> String {
    let chars: Vec<char> = source.chars().collect();
    let (before, behind) = chars.split_at(position.min(chars.len()));
    let is_name = |c: &&char| c.is_alphanumeric() || **c == '_';
    let quoted = |rest: &mut dyn Iterator<Item = &char>| rest.take_while(|c| **c != '`').collect::<String>();
    let reversed = |text: String| text.chars().rev().collect::<String>();
    match (before.last(), behind.first()) {
        (Some('`'), _) => reversed(quoted(&mut before.iter().rev().skip(1))),
        (Some(c), _) if is_name(&c) => reversed(before.iter().rev().take_while(is_name).collect()),
        (Some('*'), _) => reversed(before.iter().rev().take_while(|c| **c == '*').collect()),
        (_, Some('`')) => quoted(&mut behind.iter().skip(1)),
        (_, Some('*')) => behind.iter().take_while(|c| **c == '*').collect(),
        _ => behind.iter().take_while(is_name).collect(),
    }
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

    #[test]
    fn tokens() {
        for (source, position, expected) in [
            ("phone", 5, "phone"),
            ("phone", 0, "phone"),
            ("1 + `a b`.c", 9, "a b"),
            ("**", 2, "**"),
            ("", 7, ""),
        ] {
            assert_eq!(token_at(source, position), expected, "{source}");
        }
    }
}
