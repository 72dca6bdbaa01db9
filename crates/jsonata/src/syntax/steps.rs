//! The second pass: infix chains become paths, with predicates, grouping, ordering and bindings on their steps.

use std::sync::Arc;

use super::ancestry::{self, Slots};
use super::signature::Signature;
use super::tail_calls::tail_calls;
use super::token::literal_json;
use super::tree::{Literal, Operator, Raw, RawKind};
use crate::fault::{Fault, Result};
use crate::regex::Regex;

/// A node of the processed tree. Boxed, because the passes over the tree recurse.
pub(crate) type Node = Box<NodeData>;

#[derive(Debug, Clone)]
pub(crate) struct NodeData {
    pub(crate) kind: Kind,
    pub(crate) position: usize,
    /// `[]` followed.
    pub(crate) keep_array: bool,
    /// On a path: one of its steps had `[]`.
    pub(crate) keep_singleton: bool,
    /// Filters on a value that is no step of a path.
    pub(crate) predicates: Vec<Stage>,
    /// Filters and index bindings on a step.
    pub(crate) stages: Vec<Stage>,
    pub(crate) group: Option<Group>,
    /// `@$name`.
    pub(crate) focus: Option<Arc<str>>,
    /// `#$name`.
    pub(crate) index: Option<Arc<str>>,
    /// The use of `%` for which this step remembers its context.
    pub(crate) ancestor: Option<usize>,
    /// Bindings travel along with the items from here on.
    pub(crate) tuple: bool,
    /// An array constructor at the start or end of a path.
    pub(crate) cons_array: bool,
    /// Uses of `%` within, whose parent has not been found yet.
    pub(super) seeking: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Path(Vec<Node>),
    Sort(Vec<Term>),
    Name(Arc<str>),
    Variable(Arc<str>),
    Literal(Literal),
    Regex(Arc<Regex>),
    Placeholder,
    Wildcard,
    Descendant,
    Parent(usize),
    Infix(Operator, Node, Node),
    Bind(Arc<str>, Node),
    Apply(Node, Node),
    Negate(Node),
    Array(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Call(Node, Vec<Node>),
    Partial(Node, Vec<Node>),
    Lambda {
        parameters: Vec<Arc<str>>,
        signature: Option<Arc<Signature>>,
        body: Node,
    },
    /// A call in tail position of a lambda.
    TailCall(Node),
    Condition {
        condition: Node,
        then: Node,
        otherwise: Option<Node>,
        newer: bool,
    },
    Transform {
        pattern: Node,
        update: Node,
        delete: Option<Node>,
    },
    Block(Vec<Node>),
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) pairs: Vec<(Node, Node)>,
    pub(crate) position: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) descending: bool,
    pub(crate) expression: Node,
}

#[derive(Debug, Clone)]
pub(crate) enum Stage {
    Filter(Node),
    Index(Arc<str>),
}

impl Kind {
    /// The type name that messages show.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Kind::Path(_) => "path",
            Kind::Sort(_) => "sort",
            Kind::Name(_) => "name",
            Kind::Variable(_) => "variable",
            Kind::Literal(Literal::Text(_)) => "string",
            Kind::Literal(Literal::Int(_) | Literal::Float(_)) => "number",
            Kind::Literal(_) => "value",
            Kind::Regex(_) => "regex",
            Kind::Placeholder => "operator",
            Kind::Wildcard => "wildcard",
            Kind::Descendant => "descendant",
            Kind::Parent(_) => "parent",
            Kind::Infix(..) => "binary",
            Kind::Bind(..) => "bind",
            Kind::Apply(..) => "apply",
            Kind::Negate(_) | Kind::Array(_) | Kind::Object(_) => "unary",
            Kind::Call(..) => "function",
            Kind::Partial(..) => "partial",
            Kind::Lambda { .. } | Kind::TailCall(_) => "lambda",
            Kind::Condition { .. } => "condition",
            Kind::Transform { .. } => "transform",
            Kind::Block(_) => "block",
        }
    }
}

impl NodeData {
    pub(super) fn boxed(kind: Kind, position: usize) -> Node {
        Box::new(NodeData {
            kind,
            position,
            keep_array: false,
            keep_singleton: false,
            predicates: Vec::new(),
            stages: Vec::new(),
            group: None,
            focus: None,
            index: None,
            ancestor: None,
            tuple: false,
            cons_array: false,
            seeking: Vec::new(),
        })
    }

    fn is_path(&self) -> bool {
        matches!(self.kind, Kind::Path(_))
    }

    /// The last step of a path, and everything else itself.
    fn last_step(&mut self) -> &mut NodeData {
        match &self.kind {
            Kind::Path(steps) if !steps.is_empty() => {}
            _ => return self,
        }
        match &mut self.kind {
            // The path was seen to have a step.
            Kind::Path(steps) => {
                let last = steps.len() - 1;
                &mut steps[last]
            }
            _ => unreachable!("seen to be a path"),
        }
    }
}

/// Processes the parser's tree.
pub(super) fn process(raw: Raw) -> Result<(Node, Slots)> {
    let mut pass = Pass { slots: Slots::default() };
    let node = pass.node(raw)?;
    if matches!(node.kind, Kind::Parent(_)) || !node.seeking.is_empty() {
        return Err(Fault::new("S0217").at(node.position).token(node.kind.type_name()));
    }
    Ok((node, pass.slots))
}

struct Pass {
    slots: Slots,
}

impl Pass {
    fn node(&mut self, raw: Raw) -> Result<Node> {
        let (position, keep_array) = (raw.position, raw.keep_array);
        let leaf = |kind| Ok(NodeData::boxed(kind, position));
        let mut node = match raw.kind {
            RawKind::End => {
                return Err(
                    Fault { token: Some("\"(end)\"".into()), ..*Fault::new("S0207").at(position) }.into()
                );
            }
            RawKind::Keyword("?") => leaf(Kind::Placeholder),
            RawKind::Keyword(word) => Ok(self.name(word.into(), position, keep_array)),
            RawKind::Name(name) => Ok(self.name(name, position, keep_array)),
            RawKind::Variable(name) => leaf(Kind::Variable(name)),
            RawKind::Literal(literal) => leaf(Kind::Literal(literal)),
            RawKind::Regex(regex) => leaf(Kind::Regex(regex)),
            RawKind::Wildcard => leaf(Kind::Wildcard),
            RawKind::Descendant => leaf(Kind::Descendant),
            RawKind::Parent => leaf(Kind::Parent(self.slots.add())),
            RawKind::Dot(left, right) => self.dot(*left, *right, position),
            RawKind::Predicate(left, right) => self.predicate(*left, *right, position),
            RawKind::GroupBy(left, pairs) => self.group_by(*left, pairs, position),
            RawKind::OrderBy(left, terms) => self.order_by(*left, terms, position),
            RawKind::Focus(left, name) => self.focus(*left, name, keep_array, position),
            RawKind::Index(left, name) => self.index(*left, name),
            RawKind::Negate(operand) => self.negate(*operand, position),
            RawKind::Infix(..) | RawKind::Bind(..) | RawKind::Apply(..) => self.operator(raw.kind, position),
            RawKind::Array(_) | RawKind::Object(_) | RawKind::Block(_) => {
                self.constructor(raw.kind, position)
            }
            RawKind::Call(procedure, arguments) => self.call(*procedure, arguments, false, position),
            RawKind::Partial(procedure, arguments) => self.call(*procedure, arguments, true, position),
            RawKind::Lambda { parameters, signature, body } => {
                let body = tail_calls(self.node(*body)?);
                leaf(Kind::Lambda { parameters, signature, body })
            }
            RawKind::Condition { condition, then, otherwise, newer } => {
                self.condition(*condition, *then, otherwise, newer, position)
            }
            RawKind::Transform { pattern, update, delete } => {
                let pattern = self.node(*pattern)?;
                let update = self.node(*update)?;
                let delete = delete.map(|delete| self.node(*delete)).transpose()?;
                leaf(Kind::Transform { pattern, update, delete })
            }
        }?;
        node.keep_array |= keep_array;
        Ok(node)
    }

    fn name(&mut self, name: Arc<str>, position: usize, keep_array: bool) -> Node {
        let mut step = NodeData::boxed(Kind::Name(name), position);
        step.keep_array = keep_array;
        let mut path = NodeData::boxed(Kind::Path(vec![step]), position);
        path.keep_singleton = keep_array;
        path
    }

    fn dot(&mut self, left: Raw, right: Raw, position: usize) -> Result<Node> {
        let left = self.node(left)?;
        let mut path = if left.is_path() {
            left
        } else {
            let parent = if let Kind::Parent(slot) = left.kind { vec![slot] } else { Vec::new() };
            let mut path = NodeData::boxed(Kind::Path(vec![left]), position);
            path.seeking = parent;
            path
        };
        let mut right = self.node(right)?;
        let Kind::Path(steps) = &mut path.kind else { return Ok(path) };
        match right.kind {
            Kind::Path(more) => steps.extend(more),
            _ => {
                right.stages.append(&mut right.predicates);
                steps.push(right);
            }
        }
        for step in steps.iter_mut() {
            match &step.kind {
                Kind::Literal(Literal::Text(text)) => step.kind = Kind::Name(text.clone()),
                Kind::Literal(literal) => {
                    return Err(Fault::new("S0213").at(step.position).value(literal_json(literal)));
                }
                _ => {}
            }
        }
        path.keep_singleton |= steps.iter().any(|step| step.keep_array);
        let last = steps.len() - 1;
        for at in [0, last] {
            if let Some(step) = steps.get_mut(at)
                && matches!(step.kind, Kind::Array(_))
            {
                step.cons_array = true;
            }
        }
        self.slots.resolve(&mut path)?;
        Ok(path)
    }

    fn predicate(&mut self, left: Raw, right: Raw, position: usize) -> Result<Node> {
        let mut node = self.node(left)?;
        let on_step = node.is_path();
        if node.last_step().group.is_some() {
            return Err(Fault::new("S0209").at(position));
        }
        let predicate = self.node(right)?;
        let step = node.last_step();
        self.slots.seek_from_predicate(step, &predicate)?;
        let list = if on_step { &mut step.stages } else { &mut step.predicates };
        list.push(Stage::Filter(predicate));
        Ok(node)
    }

    fn group_by(&mut self, left: Raw, pairs: Vec<(Raw, Raw)>, position: usize) -> Result<Node> {
        let mut node = self.node(left)?;
        if node.group.is_some() {
            return Err(Fault::new("S0210").at(position));
        }
        let pairs = pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?)));
        node.group = Some(Group { pairs: pairs.collect::<Result<_>>()?, position });
        Ok(node)
    }

    fn order_by(&mut self, left: Raw, terms: Vec<(bool, Raw)>, position: usize) -> Result<Node> {
        let node = self.node(left)?;
        let mut path = if node.is_path() { node } else { NodeData::boxed(Kind::Path(vec![node]), position) };
        let mut sort = NodeData::boxed(Kind::Sort(Vec::new()), position);
        let mut processed = Vec::with_capacity(terms.len());
        for (descending, raw) in terms {
            let expression = self.node(raw)?;
            ancestry::push(&mut sort, &expression);
            processed.push(Term { descending, expression });
        }
        sort.kind = Kind::Sort(processed);
        if let Kind::Path(steps) = &mut path.kind {
            steps.push(sort);
        }
        self.slots.resolve(&mut path)?;
        Ok(path)
    }

    fn focus(&mut self, left: Raw, name: Arc<str>, keep_array: bool, position: usize) -> Result<Node> {
        let mut node = self.node(left)?;
        let step = node.last_step();
        if !step.stages.is_empty() || !step.predicates.is_empty() {
            return Err(Fault::new("S0215").at(position));
        }
        if matches!(step.kind, Kind::Sort(_)) {
            return Err(Fault::new("S0216").at(position));
        }
        step.keep_array |= keep_array;
        step.focus = Some(name);
        step.tuple = true;
        Ok(node)
    }

    fn index(&mut self, left: Raw, name: Arc<str>) -> Result<Node> {
        let mut node = self.node(left)?;
        if !node.is_path() {
            let position = node.position;
            node.stages = std::mem::take(&mut node.predicates);
            node = NodeData::boxed(Kind::Path(vec![node]), position);
        }
        let step = node.last_step();
        if step.stages.is_empty() {
            step.index = Some(name);
        } else {
            step.stages.push(Stage::Index(name));
        }
        step.tuple = true;
        Ok(node)
    }

    fn negate(&mut self, operand: Raw, position: usize) -> Result<Node> {
        let mut operand = self.node(operand)?;
        let negated = match &operand.kind {
            Kind::Literal(Literal::Int(int)) => int.checked_neg().map(Literal::Int),
            Kind::Literal(Literal::Float(value)) => Some(Literal::Float(-value)),
            _ => None,
        };
        if let Some(literal) = negated {
            operand.kind = Kind::Literal(literal);
            return Ok(operand);
        }
        let seen = operand.clone_seeking();
        let mut node = NodeData::boxed(Kind::Negate(operand), position);
        node.seeking = seen;
        Ok(node)
    }

    /// Operators whose parts may miss parents.
    fn operator(&mut self, raw: RawKind, position: usize) -> Result<Node> {
        Ok(match raw {
            RawKind::Infix(operator, left, right) => {
                let (left, right) = (self.node(*left)?, self.node(*right)?);
                let mut seeking = left.clone_seeking();
                seeking.extend(right.clone_seeking());
                let mut node = NodeData::boxed(Kind::Infix(operator, left, right), position);
                node.seeking = seeking;
                node
            }
            RawKind::Bind(name, value) => {
                let value = self.node(*value)?;
                let seeking = value.clone_seeking();
                let mut node = NodeData::boxed(Kind::Bind(name, value), position);
                node.seeking = seeking;
                node
            }
            RawKind::Apply(left, right) => {
                let (left, right) = (self.node(*left)?, self.node(*right)?);
                let keep_array = left.keep_array || right.keep_array;
                let mut node = NodeData::boxed(Kind::Apply(left, right), position);
                node.keep_array = keep_array;
                node
            }
            _ => return Err(Fault::new("S0206").at(position)),
        })
    }

    fn constructor(&mut self, raw: RawKind, position: usize) -> Result<Node> {
        let mut whole = NodeData::boxed(Kind::Placeholder, position);
        match raw {
            RawKind::Array(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                for item in items {
                    let node = self.node(item)?;
                    ancestry::push(&mut whole, &node);
                    nodes.push(node);
                }
                whole.kind = Kind::Array(nodes);
            }
            RawKind::Block(expressions) => {
                let mut nodes = Vec::with_capacity(expressions.len());
                for expression in expressions {
                    let node = self.node(expression)?;
                    ancestry::push(&mut whole, &node);
                    let first = if let Kind::Path(steps) = &node.kind { steps.first() } else { None };
                    whole.cons_array |= node.cons_array || first.is_some_and(|step| step.cons_array);
                    nodes.push(node);
                }
                whole.kind = Kind::Block(nodes);
            }
            RawKind::Object(pairs) => {
                let mut nodes = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let key = self.node(key)?;
                    ancestry::push(&mut whole, &key);
                    let value = self.node(value)?;
                    ancestry::push(&mut whole, &value);
                    nodes.push((key, value));
                }
                whole.kind = Kind::Object(nodes);
            }
            _ => return Err(Fault::new("S0206").at(position)),
        }
        Ok(whole)
    }

    fn call(&mut self, procedure: Raw, arguments: Vec<Raw>, partial: bool, position: usize) -> Result<Node> {
        let mut whole = NodeData::boxed(Kind::Placeholder, position);
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let node = self.node(argument)?;
            ancestry::push(&mut whole, &node);
            nodes.push(node);
        }
        let procedure = self.node(procedure)?;
        whole.kind = if partial { Kind::Partial(procedure, nodes) } else { Kind::Call(procedure, nodes) };
        Ok(whole)
    }

    fn condition(
        &mut self,
        condition: Raw,
        then: Raw,
        otherwise: Option<Box<Raw>>,
        newer: bool,
        position: usize,
    ) -> Result<Node> {
        let mut whole = NodeData::boxed(Kind::Placeholder, position);
        let condition = self.node(condition)?;
        ancestry::push(&mut whole, &condition);
        let then = self.node(then)?;
        ancestry::push(&mut whole, &then);
        let otherwise = otherwise.map(|node| self.node(*node)).transpose()?;
        if let Some(otherwise) = &otherwise {
            ancestry::push(&mut whole, otherwise);
        }
        whole.kind = Kind::Condition { condition, then, otherwise, newer };
        Ok(whole)
    }
}

impl NodeData {
    /// The uses of `%` that this node misses a parent for, itself included.
    fn clone_seeking(&self) -> Vec<usize> {
        let mut seeking = self.seeking.clone();
        if let Kind::Parent(slot) = self.kind {
            seeking.push(slot);
        }
        seeking
    }
}
