//! Calls in tail position: they are made after the function around them has returned, so that recursion by them does
//! not deepen the stack.

use super::steps::{Kind, Node, NodeData};

/// Marks the calls in tail position of a lambda's body.
pub(super) fn tail_calls(mut node: Node) -> Node {
    let position = node.position;
    match node.kind {
        Kind::Call(..) if node.predicates.is_empty() => NodeData::boxed(Kind::TailCall(node), position),
        Kind::Condition { condition, then, otherwise, newer } => {
            let then = tail_calls(then);
            let otherwise = otherwise.map(tail_calls);
            node.kind = Kind::Condition { condition, then, otherwise, newer };
            node
        }
        Kind::Block(mut expressions) => {
            if let Some(last) = expressions.pop() {
                expressions.push(tail_calls(last));
            }
            node.kind = Kind::Block(expressions);
            node
        }
        kind => {
            node.kind = kind;
            node
        }
    }
}
