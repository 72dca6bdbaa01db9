//! Trees to the syntax of the `regex` crate, for the patterns that mean the same there.

use std::fmt::Write;

use super::class::Class;
use super::parse::{Assertion, Node, Pattern};

/// The pattern for the `regex` crate; `None` when the backtracking matcher must do it.
pub(super) fn translate(pattern: &Pattern) -> Option<String> {
    let mut out = String::new();
    write_node(&pattern.root, &mut out)?;
    Some(out)
}

fn write_node(node: &Node, out: &mut String) -> Option<()> {
    match node {
        Node::Empty => out.push_str("(?:)"),
        Node::Char(char) => write_char(*char, out),
        Node::Class(class) => write_class(class, out),
        Node::Assert(Assertion::TextStart) => out.push_str("\\A"),
        // Another program does the texts that end with a line terminator.
        Node::Assert(Assertion::TextEnd | Assertion::FinalEnd { .. }) => out.push_str("\\z"),
        Node::Assert(Assertion::WordBoundary { negated: false }) => out.push_str("(?-u:\\b)"),
        Node::Assert(_) | Node::Atomic(_) | Node::BackReference { .. } => return None,
        Node::LookAhead { .. } | Node::LookBehind { .. } => return None,
        Node::Group(inner, number) => {
            out.push_str(if number.is_some() { "(" } else { "(?:" });
            write_node(inner, out)?;
            out.push(')');
        }
        Node::Sequence(items) => {
            for item in items {
                write_node(item, out)?;
            }
        }
        Node::Alternatives(branches) => {
            out.push_str("(?:");
            for (at, branch) in branches.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                write_node(branch, out)?;
            }
            out.push(')');
        }
        Node::Repeat { node, min, max, greedy } => {
            // An empty round ends Java's loops.
            if max.is_none_or(|max| max > 1) && can_be_empty(node) {
                return None;
            }
            write_repeat(node, *min, *max, *greedy, out)?;
        }
    }
    Some(())
}

fn write_repeat(node: &Node, min: u32, max: Option<u32>, greedy: bool, out: &mut String) -> Option<()> {
    if min > 1000 || max.is_some_and(|max| max > 1000) {
        return None;
    }
    out.push_str("(?:");
    write_node(node, out)?;
    out.push(')');
    match (min, max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => write!(out, "{{{min},}}").ok()?,
        (min, Some(max)) => write!(out, "{{{min},{max}}}").ok()?,
    }
    if !greedy {
        out.push('?');
    }
    Some(())
}

fn write_class(class: &Class, out: &mut String) {
    if class.len() == 0 {
        return out.push_str("[^\\x{0}-\\x{10FFFF}]");
    }
    out.push('[');
    for (low, high) in class.ranges() {
        write_char(*low, out);
        if high > low {
            out.push('-');
            write_char(*high, out);
        }
    }
    out.push(']');
}

fn write_char(char: char, out: &mut String) {
    if char.is_ascii_alphanumeric() {
        out.push(char);
    } else {
        out.push_str(&format!("\\x{{{:X}}}", char as u32));
    }
}

/// Whether `node` can match nothing at all.
pub(super) fn can_be_empty(node: &Node) -> bool {
    match node {
        Node::Char(_) | Node::Class(_) => false,
        Node::Group(inner, _) | Node::Atomic(inner) => can_be_empty(inner),
        Node::Sequence(items) => items.iter().all(can_be_empty),
        Node::Alternatives(branches) => branches.iter().any(can_be_empty),
        Node::Repeat { node, min, .. } => *min == 0 || can_be_empty(node),
        _ => true,
    }
}
