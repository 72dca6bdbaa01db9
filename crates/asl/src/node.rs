//! The syntax tree of a definition: JSON values that know where they stand in the text.
//!
//! JSON and YAML are read into the same tree, so that nothing behind the readers knows which it was.
//! Left out: comments and white space; a fix is made on the text with the spans.

use std::sync::Arc;

use stepwright_value::{Array, Number, Object, Value};

/// A stretch of the text, in bytes. Definitions are far smaller than 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// A value and its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub span: Span,
    pub kind: NodeKind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum NodeKind {
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    Array(Vec<Node>),
    /// Every member as written: a key can occur twice.
    Object(Vec<Member>),
}

/// A key, its place, and its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Node,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end) }
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Node {
    /// The value of `key`: of several, the last, as in a [`Value`].
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.value)
    }

    /// The member `key`: of several, the last.
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| &*member.key == key)
    }

    pub fn has(&self, key: &str) -> bool {
        self.member(key).is_some()
    }

    /// The members; none when the value is not an object.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            NodeKind::Object(members) => members,
            _ => &[],
        }
    }

    /// The items; none when the value is not an array.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Array(items) => items,
            _ => &[],
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(self.kind, NodeKind::Object(_))
    }

    pub fn is_array(&self) -> bool {
        matches!(self.kind, NodeKind::Array(_))
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(|text| &**text)
    }

    pub fn as_text(&self) -> Option<&Arc<str>> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            NodeKind::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            NodeKind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The plain value.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Number(number) => Value::Number(number.clone()),
            NodeKind::String(text) => Value::String(text.clone()),
            NodeKind::Array(items) => Value::Array(items.iter().map(Node::to_value).collect::<Array>()),
            NodeKind::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|member| (member.key.clone(), member.value.to_value()))
                    .collect::<Object>(),
            ),
        }
    }
}
