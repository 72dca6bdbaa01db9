//! Trees to the syntax of the `regex` crate, for the patterns that mean the same there.

use super::parse::{Class, Node, Pattern};

/// The pattern for the `regex` crate; `None` when the backtracking matcher must do it.
pub(super) fn translate(pattern: &Pattern, ignore_case: bool, multiline: bool) -> Option<String> {
    let mut out = String::new();
    Translation { ignore_case, multiline }.node(&pattern.root, &mut out)?;
    Some(out)
}

struct Translation {
    ignore_case: bool,
    multiline: bool,
}

impl Translation {
    fn node(&self, node: &Node, out: &mut String) -> Option<()> {
        match node {
            Node::Empty => out.push_str("(?:)"),
            Node::Char(char) => self.char(*char, out)?,
            Node::Any => out.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]"),
            Node::Class(class) => self.class(class, out)?,
            // Java has more line terminators.
            Node::Start | Node::End if self.multiline => return None,
            Node::Start => out.push_str("\\A"),
            Node::End => out.push_str("\\z"),
            Node::WordBoundary { negated: false } => out.push_str("(?-u:\\b)"),
            Node::WordBoundary { negated: true } | Node::Look { .. } | Node::BackReference(_) => return None,
            Node::Group(inner, number) => {
                out.push_str(if number.is_some() { "(" } else { "(?:" });
                self.node(inner, out)?;
                out.push(')');
            }
            Node::Sequence(items) => {
                for item in items {
                    self.node(item, out)?;
                }
            }
            Node::Alternatives(branches) => {
                out.push_str("(?:");
                for (at, branch) in branches.iter().enumerate() {
                    if at > 0 {
                        out.push('|');
                    }
                    self.node(branch, out)?;
                }
                out.push(')');
            }
            Node::Repeat { node, min, max, greedy, groups } => {
                // JavaScript refuses empty rounds and forgets the groups of earlier rounds.
                let many = max.is_none_or(|max| max > 1);
                let optional = max.is_none_or(|max| max > *min);
                if (optional && can_be_empty(node)) || (groups.0 != groups.1 && may_skip_group(node, many)) {
                    return None;
                }
                self.repeat(node, *min, *max, *greedy, out)?;
            }
        }
        Some(())
    }

    fn repeat(&self, node: &Node, min: u32, max: Option<u32>, greedy: bool, out: &mut String) -> Option<()> {
        if min > 1000 || max.is_some_and(|max| max > 1000) {
            return None;
        }
        out.push_str("(?:");
        self.node(node, out)?;
        out.push(')');
        match (min, max) {
            (0, None) => out.push('*'),
            (1, None) => out.push('+'),
            (0, Some(1)) => out.push('?'),
            (min, None) => out.push_str(&format!("{{{min},}}")),
            (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
        }
        if !greedy {
            out.push('?');
        }
        Some(())
    }

    fn char(&self, char: char, out: &mut String) -> Option<()> {
        if !self.ignore_case {
            push_char(char, out);
            return Some(());
        }
        if char.is_ascii_alphabetic() {
            out.push('[');
            out.push(char.to_ascii_lowercase());
            out.push(char.to_ascii_uppercase());
            out.push(']');
        } else {
            push_char(char, out);
        }
        Some(())
    }

    fn class(&self, class: &Class, out: &mut String) -> Option<()> {
        if class.ranges.is_empty() {
            out.push_str(if class.negated { "[\\x{0}-\\x{10FFFF}]" } else { "[^\\x{0}-\\x{10FFFF}]" });
            return Some(());
        }
        out.push_str(if class.negated { "[^" } else { "[" });
        for (low, high) in &class.ranges {
            push_range(*low, *high, out);
            if self.ignore_case {
                other_case(*low, *high, 'a', 'z', out);
                other_case(*low, *high, 'A', 'Z', out);
            }
        }
        out.push(']');
        Some(())
    }
}

/// Adds the other case of what the range shares with the letters from `first` to `last`.
fn other_case(low: char, high: char, first: char, last: char, out: &mut String) {
    let (from, to) = (low.max(first), high.min(last));
    if from <= to {
        let flip = |char: char| {
            if char.is_ascii_lowercase() { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() }
        };
        push_range(flip(from), flip(to), out);
    }
}

fn push_range(low: char, high: char, out: &mut String) {
    out.push_str(&format!("\\x{{{:X}}}-\\x{{{:X}}}", low as u32, high as u32));
}

fn push_char(char: char, out: &mut String) {
    if char.is_ascii_alphanumeric() {
        out.push(char);
    } else {
        out.push_str(&format!("\\x{{{:X}}}", char as u32));
    }
}

/// Whether `node` can match nothing at all.
pub(super) fn can_be_empty(node: &Node) -> bool {
    match node {
        Node::Char(_) | Node::Any | Node::Class(_) => false,
        Node::Group(inner, _) => can_be_empty(inner),
        Node::Sequence(items) => items.iter().all(can_be_empty),
        Node::Alternatives(branches) => branches.iter().any(can_be_empty),
        Node::Repeat { node, min, .. } => *min == 0 || can_be_empty(node),
        _ => true,
    }
}

/// Whether one round through `node` can leave a group of an earlier round untouched.
fn may_skip_group(node: &Node, many: bool) -> bool {
    many && match node {
        Node::Group(inner, _) => may_skip_group(inner, many),
        Node::Sequence(items) => items.iter().any(|item| may_skip_group(item, many)),
        Node::Alternatives(branches) => branches.iter().any(has_group),
        Node::Repeat { node, min, .. } => (*min == 0 && has_group(node)) || may_skip_group(node, many),
        _ => false,
    }
}

fn has_group(node: &Node) -> bool {
    match node {
        Node::Group(inner, number) => number.is_some() || has_group(inner),
        Node::Sequence(items) | Node::Alternatives(items) => items.iter().any(has_group),
        Node::Repeat { node, .. } | Node::Look { node, .. } => has_group(node),
        _ => false,
    }
}
