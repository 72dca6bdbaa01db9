//! Text to tree: tokens, a Pratt parser whose binding powers are JSONata's, and the second pass that turns `.`, `[`,
//! `{`, `^`, `@` and `#` into paths with steps, predicates, grouping, ordering and bindings.

mod ancestry;
mod parser;
mod signature;
mod steps;
mod tail_calls;
mod token;
mod tree;

pub(crate) use ancestry::Slots;
pub(crate) use parser::parse;
pub(crate) use signature::{Action, Signature, Symbol as TypeSymbol};
pub(crate) use steps::{Group, Kind as NodeKind, Node, Stage, Term};
pub(crate) use tree::{Literal, Operator};
