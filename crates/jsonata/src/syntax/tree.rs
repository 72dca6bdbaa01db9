//! The tree as the parser makes it, before paths are formed.

use std::sync::Arc;

use super::signature::Signature;
use crate::fault::{Fault, Result};
use crate::regex::Regex;

/// Tallest tree: every later pass descends it by recursion.
pub(super) const HEIGHT_MAX: u16 = 250;

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
}

/// An infix operator that takes two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Concatenate,
    Range,
    In,
    And,
    Or,
}

impl Operator {
    /// The operator for its token.
    pub(super) fn from_token(token: &str) -> Option<Operator> {
        Some(match token {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "%" => Operator::Remainder,
            "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterEqual,
            "&" => Operator::Concatenate,
            ".." => Operator::Range,
            "in" => Operator::In,
            "and" => Operator::And,
            "or" => Operator::Or,
            _ => return None,
        })
    }

    pub(crate) fn token(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Concatenate => "&",
            Operator::Range => "..",
            Operator::In => "in",
            Operator::And => "and",
            Operator::Or => "or",
        }
    }
}

/// A node.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) kind: RawKind,
    pub(super) position: usize,
    /// `[]` followed: singletons stay arrays.
    pub(super) keep_array: bool,
    height: u16,
}

#[derive(Debug, Clone)]
pub(super) enum RawKind {
    End,
    Name(Arc<str>),
    Variable(Arc<str>),
    Literal(Literal),
    Regex(Arc<Regex>),
    /// `and`, `or`, `in` where a value is expected (a field name), and `?` as an argument.
    Keyword(&'static str),
    Wildcard,
    Descendant,
    Parent,
    Infix(Operator, Box<Raw>, Box<Raw>),
    Dot(Box<Raw>, Box<Raw>),
    Predicate(Box<Raw>, Box<Raw>),
    GroupBy(Box<Raw>, Vec<(Raw, Raw)>),
    OrderBy(Box<Raw>, Vec<(bool, Raw)>),
    Bind(Arc<str>, Box<Raw>),
    Focus(Box<Raw>, Arc<str>),
    Index(Box<Raw>, Arc<str>),
    Apply(Box<Raw>, Box<Raw>),
    Negate(Box<Raw>),
    Array(Vec<Raw>),
    Object(Vec<(Raw, Raw)>),
    Call(Box<Raw>, Vec<Raw>),
    Partial(Box<Raw>, Vec<Raw>),
    Lambda {
        parameters: Vec<Arc<str>>,
        signature: Option<Arc<Signature>>,
        body: Box<Raw>,
    },
    Condition {
        condition: Box<Raw>,
        then: Box<Raw>,
        otherwise: Option<Box<Raw>>,
        newer: bool,
    },
    Transform {
        pattern: Box<Raw>,
        update: Box<Raw>,
        delete: Option<Box<Raw>>,
    },
    Block(Vec<Raw>),
}

impl Raw {
    /// A node at `position`; an error when the tree below it is too tall.
    pub(super) fn new(kind: RawKind, position: usize) -> Result<Raw> {
        let height = tallest_child(&kind) + 1;
        if height > HEIGHT_MAX {
            return Err(Fault::stack().at(position));
        }
        Ok(Raw { kind, position, keep_array: false, height })
    }
}

fn tallest_child(kind: &RawKind) -> u16 {
    let list = |items: &[Raw]| items.iter().map(|item| item.height).max().unwrap_or(0);
    let pairs = |pairs: &[(Raw, Raw)]| pairs.iter().map(|(a, b)| a.height.max(b.height)).max().unwrap_or(0);
    match kind {
        RawKind::Infix(_, a, b) | RawKind::Dot(a, b) | RawKind::Predicate(a, b) | RawKind::Apply(a, b) => {
            a.height.max(b.height)
        }
        RawKind::GroupBy(a, rest) => a.height.max(pairs(rest)),
        RawKind::OrderBy(a, terms) => {
            terms.iter().map(|(_, term)| term.height).max().unwrap_or(0).max(a.height)
        }
        RawKind::Bind(_, a) | RawKind::Focus(a, _) | RawKind::Index(a, _) | RawKind::Negate(a) => a.height,
        RawKind::Array(items) | RawKind::Block(items) => list(items),
        RawKind::Object(rest) => pairs(rest),
        RawKind::Call(a, items) | RawKind::Partial(a, items) => a.height.max(list(items)),
        RawKind::Lambda { body, .. } => body.height,
        RawKind::Condition { condition, then, otherwise, .. } => {
            condition.height.max(then.height).max(otherwise.as_ref().map_or(0, |node| node.height))
        }
        RawKind::Transform { pattern, update, delete } => {
            pattern.height.max(update.height).max(delete.as_ref().map_or(0, |node| node.height))
        }
        _ => 0,
    }
}
