//! YAML (and so JSON) templates as a plain tree. CloudFormation's short tags become the long form: `!Ref X` is
//! `{Ref: X}`, `!Sub X` is `{"Fn::Sub": X}`.
//!
//! Depth and the number of nodes are limited, aliases counted as often as they are used.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

const DEPTH_MAX: usize = 64;
const NODES_MAX: usize = 200_000;

/// A value of a template. Numbers and booleans stay text: a template's reader knows what it wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Null in any of its spellings.
    Null,
    /// All other scalars.
    Scalar(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<(String, Node)>),
}

/// A text that is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// Not YAML.
    #[error("not YAML: {0}")]
    Syntax(String),
    /// More than is read.
    #[error("too deep or too large")]
    TooLarge,
}

impl Node {
    /// The member of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
        .filter(|node| **node != Node::Null)
    }

    /// The members of a mapping; none for anything else.
    pub fn members(&self) -> &[(String, Node)] {
        match self {
            Node::Map(members) => members,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Scalar(text) => Some(text),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Null | Node::Scalar(_) => 1,
            Node::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Node::Map(members) => 1 + members.iter().map(|(_, node)| node.count()).sum::<usize>(),
        }
    }
}

/// A container that is not closed yet.
struct Open {
    anchor: usize,
    tag: Option<String>,
    items: Vec<Node>,
    is_map: bool,
}

/// Reads the first document of a text.
pub fn read(text: &str) -> Result<Node, YamlError> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, Node> = BTreeMap::new();
    let mut nodes = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| YamlError::Syntax(error.to_string()))?;
        let (anchor, finished) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, tagged(scalar(&text, style), long_form(tag.as_deref())))
            }
            Event::Alias(anchor) => {
                let copy = anchors.get(&anchor).cloned().unwrap_or(Node::Null);
                nodes += copy.count();
                (0, copy)
            }
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag)
                if open.len() < DEPTH_MAX =>
            {
                // Which of the two it was is told by the event that closes it.
                open.push(Open { anchor, tag: long_form(tag.as_deref()), items: Vec::new(), is_map: false });
                continue;
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => return Err(YamlError::TooLarge),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(mut closed) = open.pop() else { continue };
                closed.is_map = matches!(event, Event::MappingEnd);
                (closed.anchor, closed.finish())
            }
            Event::DocumentEnd => break,
            _ => continue,
        };
        nodes += 1;
        if nodes > NODES_MAX {
            return Err(YamlError::TooLarge);
        }
        if anchor != 0 {
            anchors.insert(anchor, finished.clone());
        }
        match open.last_mut() {
            Some(container) => container.items.push(finished),
            None => return Ok(finished),
        }
    }
    Ok(Node::Null)
}

impl Open {
    fn finish(self) -> Node {
        let node = if self.is_map {
            let mut members = Vec::with_capacity(self.items.len() / 2);
            let mut items = self.items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                members.push((key.text().unwrap_or_default().to_owned(), value));
            }
            Node::Map(members)
        } else {
            Node::List(self.items)
        };
        tagged(node, self.tag)
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Node {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Node::Null,
        _ => Node::Scalar(text.to_owned()),
    }
}

fn tagged(node: Node, long_form: Option<String>) -> Node {
    match long_form {
        Some(name) => Node::Map(vec![(name, node)]),
        None => node,
    }
}

fn long_form(tag: Option<&Tag>) -> Option<String> {
    let tag = tag.filter(|tag| tag.handle == "!")?;
    match tag.suffix.as_str() {
        "" => None,
        "Ref" | "Condition" => Some(tag.suffix.clone()),
        name => Some(format!("Fn::{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_anchors() {
        let node = read("a: &x !Ref B\nb: [*x, !Sub '${C}', ~]\nc: !GetAtt D.Arn\nd: !If [x, {y: 1}, 2]\n")
            .expect("YAML");
        let scalar = |text: &str| Node::Scalar(text.to_owned());
        let map = |name: &str, node| Node::Map(vec![(name.to_owned(), node)]);
        assert_eq!(node.get("a"), Some(&map("Ref", scalar("B"))));
        let list = vec![map("Ref", scalar("B")), map("Fn::Sub", scalar("${C}")), Node::Null];
        assert_eq!(node.get("b"), Some(&Node::List(list)));
        assert_eq!(node.get("c"), Some(&map("Fn::GetAtt", scalar("D.Arn"))));
        let list = Node::List(vec![scalar("x"), map("y", scalar("1")), scalar("2")]);
        assert_eq!(node.get("d"), Some(&map("Fn::If", list)));
        assert_eq!(read(r#"{"a": ["1"]}"#).expect("JSON").get("a"), Some(&Node::List(vec![scalar("1")])));
        assert_eq!(read("").expect("nothing"), Node::Null);
    }

    #[test]
    fn limits() {
        assert_eq!(read(&"[".repeat(100)), Err(YamlError::TooLarge));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let items = format!("*a{},", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert_eq!(read(&bomb), Err(YamlError::TooLarge));
        assert!(matches!(read("a: [1"), Err(YamlError::Syntax(_))));
    }
}
