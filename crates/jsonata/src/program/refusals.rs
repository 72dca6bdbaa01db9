//! What AWS refuses when a state machine is created, though JSONata allows it.

use super::{Action, Call, Expr, Filter, Group, Op, Path, Program, Stage};
use crate::{Refusal, RefusalKind};

/// All refusals, in the order of the text.
pub(crate) fn refusals(program: &Program) -> Vec<Refusal> {
    let mut walk = Walk { program, found: Vec::new() };
    walk.expr(&program.root, false);
    walk.found.sort_by_key(|refusal| refusal.position);
    // The left side of `?:` and `??` stands twice in the tree.
    walk.found.dedup_by(|a, b| a == b);
    walk.found
}

struct Walk<'p> {
    program: &'p Program,
    found: Vec<Refusal>,
}

impl Walk<'_> {
    fn refuse(&mut self, kind: RefusalKind, position: usize) {
        self.found.push(Refusal { kind, position });
    }

    /// `context`: whether `$` stands for something here.
    fn expr(&mut self, expr: &Expr, context: bool) {
        match &expr.op {
            Op::Name(_) | Op::Wildcard | Op::Descendant if !context => {
                self.refuse(RefusalKind::BareName, expr.position)
            }
            Op::Context if !context => self.refuse(RefusalKind::Context, expr.position),
            Op::Variable(name) => self.variable(*name as usize, expr.position),
            Op::Path(path) => self.path(path, context),
            Op::Infix(_, sides) | Op::Apply(sides) => {
                self.expr(&sides.0, context);
                self.expr(&sides.1, context);
            }
            Op::Negate(inner) | Op::Bind(_, inner) => self.expr(inner, context),
            Op::Array { items, .. } => items.iter().for_each(|item| self.expr(&item.expr, context)),
            Op::Object(group) => self.group(group, context),
            Op::Condition(condition) => {
                if condition.newer {
                    self.refuse(RefusalKind::NewerOperator, expr.position);
                }
                self.expr(&condition.condition, context);
                self.expr(&condition.then, context);
                if let Some(otherwise) = &condition.otherwise {
                    self.expr(otherwise, context);
                }
            }
            Op::Block { expressions, .. } => expressions.iter().for_each(|inner| self.expr(inner, context)),
            Op::Call(call) | Op::TailCall(call) | Op::Partial(call) => self.call(call, context),
            Op::Lambda(lambda) => self.expr(&lambda.body, context),
            Op::Transform(transform) => {
                self.expr(&transform.pattern, true);
                self.expr(&transform.update, true);
                if let Some(delete) = &transform.delete {
                    self.expr(delete, true);
                }
            }
            _ => {}
        }
        expr.filters.iter().for_each(|filter| self.filter(filter));
        if let Some(group) = &expr.group {
            self.group(group, true);
        }
    }

    fn variable(&mut self, name: usize, position: usize) {
        if self.program.bound.get(name).copied().unwrap_or(false) {
            return;
        }
        match self.program.names.get(name).map(|name| &**name) {
            Some("$") => self.refuse(RefusalKind::Root, position),
            Some("eval") => self.refuse(RefusalKind::Eval, position),
            _ => {}
        }
    }

    fn call(&mut self, call: &Call, context: bool) {
        self.expr(&call.procedure, context);
        call.arguments.iter().for_each(|argument| self.expr(argument, context));
    }

    fn group(&mut self, group: &Group, context: bool) {
        for (key, value) in &group.pairs {
            self.expr(key, context);
            self.expr(value, context);
        }
    }

    fn filter(&mut self, filter: &Filter) {
        if let Filter::Test(test) = filter {
            self.expr(test, true);
        }
    }

    fn path(&mut self, path: &Path, context: bool) {
        for (at, step) in path.steps.iter().enumerate() {
            match &step.action {
                Action::Evaluate(expr) => self.expr(expr, context || at > 0),
                Action::Sort { terms, .. } => terms.iter().for_each(|term| self.expr(&term.expr, true)),
            }
            for stage in &step.stages {
                if let Stage::Filter(filter) = stage {
                    self.filter(filter);
                }
            }
        }
        if let Some(group) = &path.group {
            self.group(group, true);
        }
    }
}
