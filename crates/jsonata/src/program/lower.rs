//! From the parser's tree to the tree that is evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    Action, ArrayItem, Call, Condition, Expr, Field, Filter, Group, Lambda, Name, Op, Path, Program, Stage,
    Step, Term, Transform,
};
use crate::fault::Result;
use crate::functions;
use crate::syntax::{self, Literal, Node, NodeKind, Slots};

pub(super) fn lower((node, slots): (Node, Slots), names: Vec<Arc<str>>, inner: bool) -> Result<Program> {
    let places = names.iter().enumerate().map(|(at, name)| (name.clone(), at as Name)).collect();
    let bound = vec![false; names.len()];
    let mut pass = Lowering { slots, names, places, bound, binds: false, evals: false };
    let root = pass.expr(node);
    let root_binds = pass.binds || inner;
    let dynamic = pass.evals || inner;
    let builtins =
        pass.names.iter().map(|name| [functions::find(name, false), functions::find(name, true)]).collect();
    Ok(Program {
        root,
        builtins,
        names: pass.names,
        bound: pass.bound,
        dynamic,
        root_binds: root_binds || dynamic,
    })
}

impl Expr {
    /// Nothing is done to its value.
    fn is_bare(&self) -> bool {
        !self.keep_array && self.filters.is_empty() && self.group.is_none()
    }
}

struct Lowering {
    slots: Slots,
    names: Vec<Arc<str>>,
    places: HashMap<Arc<str>, Name>,
    bound: Vec<bool>,
    /// Whether a variable has been bound in the scope at hand.
    binds: bool,
    /// Whether `$eval` occurs.
    evals: bool,
}

impl Lowering {
    fn name(&mut self, text: &Arc<str>) -> Name {
        if let Some(name) = self.places.get(text) {
            return *name;
        }
        let name = self.names.len() as Name;
        self.names.push(text.clone());
        self.bound.push(false);
        self.places.insert(text.clone(), name);
        name
    }

    fn bind(&mut self, text: &Arc<str>) -> Name {
        let name = self.name(text);
        if let Some(bound) = self.bound.get_mut(name as usize) {
            *bound = true;
        }
        name
    }

    /// The variable that holds the parent for a use of `%`. No variable can be written with this name.
    fn label(&mut self, slot: usize) -> Name {
        let label = format!("%{}", self.slots.label(slot)).into();
        self.bind(&label)
    }

    fn boxed(&mut self, node: Node) -> Box<Expr> {
        Box::new(self.expr(node))
    }

    fn list(&mut self, nodes: Vec<Node>) -> Vec<Expr> {
        nodes.into_iter().map(|node| self.expr(node)).collect()
    }

    fn filter(&mut self, node: Node) -> Filter {
        match &node.kind {
            NodeKind::Literal(Literal::Int(int)) => Filter::Index(*int as f64),
            NodeKind::Literal(Literal::Float(value)) => Filter::Index(*value),
            _ => Filter::Test(self.expr(node)),
        }
    }

    fn group(&mut self, group: syntax::Group) -> Group {
        let syntax::Group { pairs, position } = group;
        self.object(pairs, position)
    }

    fn object(&mut self, pairs: Vec<(Node, Node)>, position: usize) -> Group {
        let pairs = self.pairs(pairs);
        let mut keys: Vec<&str> = Vec::with_capacity(pairs.len());
        for (key, _) in &pairs {
            match &key.op {
                Op::Literal(Literal::Text(text)) if key.is_bare() && !keys.contains(&&**text) => {
                    keys.push(text)
                }
                _ => break,
            }
        }
        let literal_keys = keys.len() == pairs.len();
        Group { pairs, literal_keys, position }
    }

    fn pairs(&mut self, pairs: Vec<(Node, Node)>) -> Vec<(Expr, Expr)> {
        pairs.into_iter().map(|(key, value)| (self.expr(key), self.expr(value))).collect()
    }

    fn expr(&mut self, mut node: Node) -> Expr {
        let position = node.position;
        let keep_array = node.keep_array;
        let filters = std::mem::take(&mut node.predicates)
            .into_iter()
            .filter_map(|stage| match stage {
                syntax::Stage::Filter(node) => Some(self.filter(node)),
                syntax::Stage::Index(_) => None,
            })
            .collect();
        if let NodeKind::Path(_) = node.kind {
            let path = self.path(node);
            return Expr { op: Op::Path(Box::new(path)), position, keep_array, filters, group: None };
        }
        let group = node.group.take().map(|group| Box::new(self.group(group)));
        Expr { op: self.op(node.kind, position, node.cons_array), position, keep_array, filters, group }
    }

    fn op(&mut self, kind: NodeKind, position: usize, cons: bool) -> Op {
        match kind {
            // Paths and sorting steps are lowered by `path`.
            NodeKind::Path(_) | NodeKind::Sort(_) | NodeKind::Placeholder => Op::Placeholder,
            NodeKind::Name(name) => Op::Name(Box::new(Field::new(name))),
            NodeKind::Variable(name) if name.is_empty() => Op::Context,
            NodeKind::Variable(name) => {
                self.evals |= &*name == "eval";
                Op::Variable(self.name(&name))
            }
            NodeKind::Literal(literal) => Op::Literal(literal),
            NodeKind::Regex(regex) => Op::Regex(regex),
            NodeKind::Wildcard => Op::Wildcard,
            NodeKind::Descendant => Op::Descendant,
            NodeKind::Parent(slot) => Op::Parent(self.label(slot)),
            NodeKind::Infix(operator, left, right) => {
                Op::Infix(operator, Box::new((self.expr(left), self.expr(right))))
            }
            NodeKind::Apply(left, right) => Op::Apply(Box::new((self.expr(left), self.expr(right)))),
            NodeKind::Bind(name, value) => {
                let value = self.boxed(value);
                self.binds = true;
                Op::Bind(self.bind(&name), value)
            }
            NodeKind::Negate(operand) => Op::Negate(self.boxed(operand)),
            NodeKind::Array(items) => {
                let item = |node: Node| {
                    let whole = matches!(node.kind, NodeKind::Array(_));
                    ArrayItem { expr: self.expr(node), whole }
                };
                Op::Array { items: items.into_iter().map(item).collect(), cons }
            }
            NodeKind::Object(pairs) => Op::Object(Box::new(self.object(pairs, position))),
            NodeKind::Condition { condition, then, otherwise, newer } => {
                let condition = self.expr(condition);
                let then = self.expr(then);
                let otherwise = otherwise.map(|node| self.expr(node));
                Op::Condition(Box::new(Condition { condition, then, otherwise, newer }))
            }
            NodeKind::Transform { pattern, update, delete } => {
                let pattern = self.expr(pattern);
                let update = self.expr(update);
                let delete = delete.map(|node| self.expr(node));
                let clone = self.name(&"clone".into());
                Op::Transform(Box::new(Transform { pattern, update, delete, clone, position }))
            }
            scoped => self.scope(scoped, position),
        }
    }

    /// Kinds that open a scope or call a function.
    fn scope(&mut self, kind: NodeKind, position: usize) -> Op {
        match kind {
            NodeKind::Block(nodes) => {
                let outer = std::mem::take(&mut self.binds);
                let expressions = self.list(nodes);
                let scope = std::mem::replace(&mut self.binds, outer) || self.evals;
                Op::Block { expressions, scope }
            }
            NodeKind::Lambda { parameters, signature, body } => {
                let parameters = parameters.iter().map(|name| self.bind(name)).collect();
                let outer = std::mem::take(&mut self.binds);
                let body = self.expr(body);
                self.binds = outer;
                Op::Lambda(Box::new(Lambda { parameters, signature, body }))
            }
            NodeKind::Call(procedure, arguments) => {
                Op::Call(Box::new(self.call(procedure, arguments, position)))
            }
            NodeKind::Partial(procedure, arguments) => {
                Op::Partial(Box::new(self.call(procedure, arguments, position)))
            }
            NodeKind::TailCall(call) => match call.kind {
                NodeKind::Call(procedure, arguments) => {
                    Op::TailCall(Box::new(self.call(procedure, arguments, position)))
                }
                _ => Op::Placeholder,
            },
            _ => Op::Placeholder,
        }
    }

    fn call(&mut self, procedure: Node, arguments: Vec<Node>, position: usize) -> Call {
        let (name, is_bare) = match &procedure.kind {
            NodeKind::Variable(name) => (Some(name.clone()), false),
            NodeKind::Path(steps) => match steps.first().map(|step| &step.kind) {
                Some(NodeKind::Name(name)) => (Some(name.clone()), true),
                Some(NodeKind::Variable(name)) => (Some(name.clone()), true),
                _ => (None, false),
            },
            _ => (None, false),
        };
        let bare = match &name {
            Some(name) if is_bare => Some(self.name(name)),
            _ => None,
        };
        Call { procedure: self.expr(procedure), arguments: self.list(arguments), name, bare, position }
    }

    fn path(&mut self, mut node: Node) -> Path {
        let steps: Vec<Step> = match std::mem::replace(&mut node.kind, NodeKind::Placeholder) {
            NodeKind::Path(steps) => steps.into_iter().map(|step| self.step(step)).collect(),
            _ => Vec::new(),
        };
        let group = node.group.take().map(|group| self.group(group));
        let plain_step = |(at, step): (usize, &Step)| {
            let select = match &step.action {
                Action::Evaluate(expr) => match expr.op {
                    Op::Name(_) => expr.is_bare(),
                    Op::Variable(_) | Op::Context => at == 0 && expr.is_bare() && step.stages.is_empty(),
                    _ => false,
                },
                Action::Sort { .. } => false,
            };
            let indexed = |stage: &Stage| matches!(stage, Stage::Filter(Filter::Index(_)));
            select && step.stages.iter().all(indexed) && !step.tuple
        };
        let plain = group.is_none()
            && !node.tuple
            && !node.keep_singleton
            && steps.iter().enumerate().all(plain_step);
        Path { steps, keep_singleton: node.keep_singleton, tuple: node.tuple, group, plain }
    }

    fn step(&mut self, mut node: Node) -> Step {
        let focus = node.focus.take().map(|name| self.bind(&name));
        let index = node.index.take().map(|name| self.bind(&name));
        let ancestor = node.ancestor.map(|slot| self.label(slot));
        let stages = std::mem::take(&mut node.stages)
            .into_iter()
            .map(|stage| match stage {
                syntax::Stage::Filter(node) => Stage::Filter(self.filter(node)),
                syntax::Stage::Index(name) => Stage::Index(self.bind(&name)),
            })
            .collect();
        let (tuple, cons_array, position) = (node.tuple, node.cons_array, node.position);
        let action = match node.kind {
            NodeKind::Sort(terms) => {
                let term = |term: syntax::Term| Term {
                    descending: term.descending,
                    expr: self.expr(term.expression),
                };
                Action::Sort { terms: terms.into_iter().map(term).collect(), position }
            }
            _ => Action::Evaluate(self.expr(node)),
        };
        Step { action, stages, focus, index, ancestor, tuple, cons_array }
    }
}
