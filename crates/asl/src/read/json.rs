//! JSON text to syntax tree, on jiter.
//!
//! jiter gives the values; the places of keys are found beside it, because they lie between the end of one token and
//! the start of the next.

use jiter::{Jiter, JiterError, Peek};
use stepwright_value::Number;

use super::{DEPTH_MAX, jackson, not_an_object};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::{Member, Node, NodeKind, Span};

pub(crate) fn read(text: &str) -> Result<Node, Box<Diagnostic>> {
    if text.trim().is_empty() {
        return Err(Box::new(not_an_object(Span::new(0, text.len()))));
    }
    let mut reader = Reader { jiter: Jiter::new(text.as_bytes()), text };
    let node = reader.document().map_err(|failure| reader.diagnostic(failure))?;
    Ok(node)
}

struct Reader<'t> {
    jiter: Jiter<'t>,
    text: &'t str,
}

enum Failure {
    Syntax(usize),
    TooDeep(usize),
}

impl From<JiterError> for Failure {
    fn from(error: JiterError) -> Failure {
        Failure::Syntax(error.index)
    }
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Node, Failure> {
        let peek = self.jiter.peek()?;
        let node = self.value(peek, 0)?;
        self.jiter.finish()?;
        Ok(node)
    }

    fn value(&mut self, peek: Peek, depth: usize) -> Result<Node, Failure> {
        let start = self.jiter.current_index();
        if depth > DEPTH_MAX {
            return Err(Failure::TooDeep(start));
        }
        let kind = match peek {
            Peek::Null => {
                self.jiter.known_null()?;
                NodeKind::Null
            }
            Peek::True | Peek::False => NodeKind::Bool(self.jiter.known_bool(peek)?),
            Peek::String => NodeKind::String(self.jiter.known_str()?.into()),
            Peek::Array => self.array(depth)?,
            Peek::Object => self.object(depth, start)?,
            _ => {
                let bytes = self.jiter.known_number_bytes(peek)?;
                let number = std::str::from_utf8(bytes).ok().and_then(Number::parse);
                NodeKind::Number(number.ok_or(Failure::Syntax(start))?)
            }
        };
        Ok(Node { span: Span::new(start, self.jiter.current_index()), kind })
    }

    fn array(&mut self, depth: usize) -> Result<NodeKind, Failure> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array()?;
        while let Some(peek) = next {
            items.push(self.value(peek, depth + 1)?);
            next = self.jiter.array_step()?;
        }
        Ok(NodeKind::Array(items))
    }

    fn object(&mut self, depth: usize, start: usize) -> Result<NodeKind, Failure> {
        let mut members = Vec::new();
        let mut before_key = start;
        let mut key: Option<std::sync::Arc<str>> = self.jiter.known_object()?.map(Into::into);
        while let Some(name) = key {
            let key_span = self.key_span(before_key);
            let peek = self.jiter.peek()?;
            let value = self.value(peek, depth + 1)?;
            before_key = value.span.end as usize;
            members.push(Member { key: name, key_span, value });
            key = self.jiter.next_key()?.map(Into::into);
        }
        Ok(NodeKind::Object(members))
    }

    /// The place of the key behind `from`, which is at `{`, or just behind a value; quotes included.
    fn key_span(&self, from: usize) -> Span {
        let bytes = self.text.as_bytes();
        let skipped = bytes.iter().skip(from).position(|byte| *byte == b'"').unwrap_or(0);
        let start = from + skipped;
        let mut end = start + 1;
        while let Some(byte) = bytes.get(end) {
            end += 1;
            match byte {
                b'"' => break,
                b'\\' => end += 1,
                _ => {}
            }
        }
        Span::new(start, end.min(bytes.len()))
    }

    fn diagnostic(&self, failure: Failure) -> Box<Diagnostic> {
        Box::new(match failure {
            Failure::Syntax(offset) => jackson::diagnose(self.text, offset),
            Failure::TooDeep(offset) => Diagnostic::new(
                &codes::TOO_DEEPLY_NESTED,
                format!("The definition is nested deeper than {DEPTH_MAX} levels"),
                String::new(),
                Span::new(offset, offset + 1),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_has_its_place() {
        let text = r#" {"a" : [1, {"b\"c": "x"}],  "d":-1.50e3 } "#;
        let node = read(text).expect("valid");
        let at = |span: Span| &text[span.range()];
        let members = node.members();
        assert_eq!(at(node.span), text.trim());
        assert_eq!(at(members[0].key_span), r#""a""#);
        let inner = &members[0].value.items()[1].members()[0];
        assert_eq!((at(inner.key_span), at(inner.value.span)), (r#""b\"c""#, r#""x""#));
        assert_eq!((at(members[1].key_span), at(members[1].value.span)), (r#""d""#, "-1.50e3"));
        assert_eq!(members[1].value.to_value().to_json(), "-1.50e3");
    }

    #[test]
    fn depth_is_limited() {
        let text = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&text).expect_err("too deep").code, codes::TOO_DEEPLY_NESTED.id);
    }
}
