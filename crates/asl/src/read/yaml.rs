//! YAML text to syntax tree: one document, the core schema of YAML 1.2.
//!
//! Anchors, aliases and merge keys are followed, up to a bound on what they expand to. The short forms of
//! CloudFormation become the substitutions that they are: `!Ref Table` is read as `${Table}`.
//! Left out: keys that are not scalars, and every other tag of an application, which is passed over.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use stepwright_value::Number;

use super::DEPTH_MAX;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::{Member, Node, NodeKind, Span};

/// Nodes of one document, those that aliases repeat counted each time.
const NODES_MAX: usize = 500_000;

pub(crate) fn read(text: &str) -> Result<Node, Box<Diagnostic>> {
    let mut reader =
        Reader { places: Places::new(text), open: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| reader.scan_error(&error))?;
        let span = Span::new(reader.places.byte(span.start.index()), reader.places.byte(span.end.index()));
        reader.event(event, span)?;
    }
    Ok(reader.root.unwrap_or(Node { span: Span::new(0, text.len()), kind: NodeKind::Null }))
}

struct Reader {
    places: Places,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    root: Option<Node>,
}

/// A collection that is being read.
struct Open {
    start: u32,
    anchor: usize,
    content: Content,
    /// Levels below it, and nodes in it, itself counted.
    depth: usize,
    nodes: usize,
}

enum Content {
    Array(Vec<Node>),
    Object { members: Vec<Member>, merged: Vec<Node>, key: Option<Key> },
}

struct Key {
    text: std::sync::Arc<str>,
    span: Span,
    is_merge: bool,
}

struct Anchored {
    node: Node,
    depth: usize,
    nodes: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag, span),
            Event::SequenceStart(anchor, _) => self.start(Content::Array(Vec::new()), anchor, span),
            Event::MappingStart(anchor, _) => {
                let content = Content::Object { members: Vec::new(), merged: Vec::new(), key: None };
                self.start(content, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(fault("a definition is one document, and here a second one starts", span))
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, content: Content, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        if let Some(Open { content: Content::Object { key: None, .. }, .. }) = self.open.last() {
            return Err(fault("a key must be a text", span));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(span));
        }
        self.open.push(Open { start: span.start, anchor, content, depth: 0, nodes: 1 });
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        span: Span,
    ) -> Result<(), Box<Diagnostic>> {
        if let Some(Open { content: Content::Object { key: key @ None, .. }, .. }) = self.open.last_mut() {
            let is_merge = style == ScalarStyle::Plain && text == "<<";
            *key = Some(Key { text: text.as_ref().into(), span, is_merge });
            return Ok(());
        }
        let kind = match tag.as_deref() {
            Some(tag) => tagged(tag, &text, style),
            None => resolve(&text, style),
        };
        let node = Node { span, kind };
        self.keep(anchor, &node, 0, 1);
        self.put(node, 0, 1)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(fault("this alias names nothing that is complete", span));
        };
        let (node, depth, nodes) = (anchored.node.clone(), anchored.depth, anchored.nodes);
        if let Some(Open { content: Content::Object { key: key @ None, .. }, .. }) = self.open.last_mut() {
            let Some(text) = node.as_text() else { return Err(fault("a key must be a text", span)) };
            *key = Some(Key { text: text.clone(), span, is_merge: false });
            return Ok(());
        }
        if self.open.len() + depth >= DEPTH_MAX {
            return Err(too_deep(span));
        }
        self.put(node, depth, nodes)
    }

    fn end(&mut self, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = match open.content {
            Content::Array(items) => NodeKind::Array(items),
            Content::Object { mut members, merged, .. } => {
                merge(&mut members, merged);
                NodeKind::Object(members)
            }
        };
        let node = Node { span: Span { start: open.start, end: span.end.max(open.start) }, kind };
        self.keep(open.anchor, &node, open.depth, open.nodes);
        self.put(node, open.depth, open.nodes)
    }

    /// Remembers a node that has an anchor; 0 is none.
    fn keep(&mut self, anchor: usize, node: &Node, depth: usize, nodes: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), depth, nodes });
        }
    }

    /// Puts a complete value where it belongs.
    fn put(&mut self, node: Node, depth: usize, nodes: usize) -> Result<(), Box<Diagnostic>> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            let message = format!("the aliases expand to more than {NODES_MAX} values");
            return Err(fault(&message, node.span));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.depth = open.depth.max(depth + 1);
        open.nodes = open.nodes.saturating_add(nodes);
        match &mut open.content {
            Content::Array(items) => items.push(node),
            Content::Object { members, merged, key } => match key.take() {
                Some(key) if key.is_merge => merged.push(node),
                Some(key) => members.push(Member { key: key.text, key_span: key.span, value: node }),
                None => return Err(fault("a key must be a text", node.span)),
            },
        }
        Ok(())
    }

    fn scan_error(&self, error: &ScanError) -> Box<Diagnostic> {
        let marker = error.marker();
        let at = self.places.byte(marker.index());
        let place = format!("line {}, column {}", marker.line(), marker.col() + 1);
        fault(&format!("{} at {place}", error.info()), Span::new(at, self.places.byte(marker.index() + 1)))
    }
}

fn fault(message: &str, span: Span) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(&codes::NOT_YAML, format!("Invalid YAML: {message}"), String::new(), span))
}

fn too_deep(span: Span) -> Box<Diagnostic> {
    let message = format!("The definition is nested deeper than {DEPTH_MAX} levels");
    Box::new(Diagnostic::new(&codes::TOO_DEEPLY_NESTED, message, String::new(), span))
}

/// Adds the members of `<<` values that are not there yet; earlier values win.
fn merge(members: &mut Vec<Member>, merged: Vec<Node>) {
    let mut sources = Vec::new();
    for node in merged {
        match node.kind {
            NodeKind::Object(found) => sources.push(found),
            NodeKind::Array(items) => sources.extend(items.into_iter().filter_map(|item| match item.kind {
                NodeKind::Object(found) => Some(found),
                _ => None,
            })),
            _ => {}
        }
    }
    for member in sources.into_iter().flatten() {
        if !members.iter().any(|known| known.key == member.key) {
            members.push(member);
        }
    }
}

fn tagged(tag: &Tag, text: &str, style: ScalarStyle) -> NodeKind {
    if tag.is_yaml_core_schema() {
        return if tag.suffix == "str" {
            NodeKind::String(text.into())
        } else {
            resolve(text, ScalarStyle::Plain)
        };
    }
    match tag.suffix.as_str() {
        "Ref" | "GetAtt" => NodeKind::String(format!("${{{text}}}").into()),
        "Sub" => NodeKind::String(text.into()),
        _ => resolve(text, style),
    }
}

/// What a scalar is by the core schema.
fn resolve(text: &str, style: ScalarStyle) -> NodeKind {
    if style != ScalarStyle::Plain {
        return NodeKind::String(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Bool(true),
        "false" | "False" | "FALSE" => return NodeKind::Bool(false),
        _ => {}
    }
    match number(text) {
        Some(number) => NodeKind::Number(number),
        None => NodeKind::String(text.into()),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(number) = Number::parse(text) {
        return Some(number);
    }
    let radix = |prefix, radix| i64::from_str_radix(text.strip_prefix(prefix)?, radix).ok();
    if let Some(value) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(Number::from(value));
    }
    // `+1`, `01`, `.5`, `1.`: numbers in YAML, not in JSON.
    let plain = text.strip_prefix('+').unwrap_or(text);
    let digits = plain.chars().any(|c| c.is_ascii_digit());
    let known = plain.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    (digits && known).then(|| plain.parse::<f64>().ok().and_then(Number::from_f64)).flatten()
}

/// Byte offsets of characters, which is what the parser counts.
struct Places {
    bytes: usize,
    /// Of each character; missing when each is one byte.
    starts: Option<Vec<u32>>,
}

impl Places {
    fn new(text: &str) -> Places {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| clamp(at)).collect());
        Places { bytes: text.len(), starts }
    }

    /// The byte at which the character begins; the text's end for what lies behind it.
    fn byte(&self, character: usize) -> usize {
        match &self.starts {
            None => character.min(self.bytes),
            Some(starts) => starts.get(character).map_or(self.bytes, |at| *at as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(
            read(text).map(|node| node.to_value().to_json()).map_err(|error| error.message),
            Ok(expected.into()),
            "{text}"
        );
    }

    #[test]
    fn values() {
        check(
            "a: 1\nb: [x, 'true', true, ~, 1.50, 0x10, 2026-01-01T00:00:00Z]\n",
            r#"{"a":1,"b":["x","true",true,null,1.50,16,"2026-01-01T00:00:00Z"]}"#,
        );
        check("a: >-\n  one\n  two\nb: |\n  x\n", r#"{"a":"one two","b":"x\n"}"#);
        check(
            "a: ${Seconds}\nb: !Ref Table\nc: !GetAtt F.Arn\nd: !Sub 'x-${Y}'\ne: !!str 1",
            r#"{"a":"${Seconds}","b":"${Table}","c":"${F.Arn}","d":"x-${Y}","e":"1"}"#,
        );
        check("", "null");
    }

    #[test]
    fn anchors_and_merges() {
        check(
            "a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [*x, {r: 4}]}",
            r#"{"a":{"p":1,"q":2},"b":{"p":1,"q":2},"c":{"q":3,"p":1},"d":{"p":1,"q":2,"r":4}}"#,
        );
    }

    #[test]
    fn places_are_bytes() {
        let text = "é: [ü, \"z\"]\nb: 1";
        let node = read(text).expect("valid");
        let item = &node.members()[0].value.items()[1];
        assert_eq!(&text[item.span.range()], "\"z\"");
        assert_eq!(&text[node.members()[1].key_span.range()], "b");
    }

    #[test]
    fn faults_lie_in_the_text() {
        for text in ["a: 1\nb\n", "a: \"", "a: é\nb\n", "é: \"é"] {
            let error = read(text).expect_err(text);
            assert!(text.get(error.span.clone()).is_some(), "{text:?} {error:?}");
        }
    }

    #[test]
    fn refuses() {
        let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
        }
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        for text in [
            bomb.as_str(),
            deep.as_str(),
            "a: b: c",
            "a: *x",
            "---\na: 1\n---\nb: 1",
            "? [a]\n: 1",
            "a: \"",
            "&a [*a]",
        ] {
            assert!(read(text).is_err(), "{}", text.get(..40).unwrap_or(text));
        }
    }
}
