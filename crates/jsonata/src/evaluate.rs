//! The evaluator: a walk over the tree. Positions, tokens and the order in which things are evaluated are those of
//! jsonata-js, because they decide which error is reported.

mod arena;
mod call;
mod construct;
mod filter;
mod frame;
mod function;
mod group;
mod operator;
mod path;
mod select;
mod sort;
mod transform;
mod tuple;

use std::rc::{Rc, Weak};
use std::sync::Arc;

use stepwright_value as json;

pub(crate) use arena::Arena;
pub(crate) use call::Callback;
pub(crate) use frame::{Env, Frame, Tuple};
pub(crate) use function::Function;
pub(crate) use group::append;
pub(crate) use select::lookup;
pub(crate) use sort::merge_sort;

use crate::fault::{Fault, Result};
use crate::limits::{Limits, Meter};
use crate::program::{Expr, Name, Op, Program};
use crate::syntax::Literal;
use crate::value::{
    FunctionRef, KEEP_SINGLETON, List, ListBuilder, OUTER_WRAPPER, SEQUENCE, TUPLE_STREAM, Text, Val,
    from_json,
};
use crate::{Bindings, Environment};

/// One evaluation.
pub(crate) struct Evaluator<'a> {
    pub(crate) meter: &'a Meter<'a>,
    pub(crate) arena: &'a Arena,
    pub(crate) now_ms: i64,
    pub(crate) random: &'a mut dyn FnMut() -> u64,
    /// AWS's functions instead of jsonata-js's.
    pub(crate) aws: bool,
    depth: usize,
    depth_max: usize,
    pub(crate) sequence_max: usize,
    /// For each name of the program: what it stands for where nothing within the expression binds it.
    globals: Vec<Val<'a>>,
    /// The names known so far, more than the program's where `$eval` has run.
    names: &'a [Arc<str>],
    program: &'a Program,
    /// Scopes that functions hold. A function in a variable holds the scope that holds the function, so these are
    /// emptied at the end.
    captured: Vec<Weak<Frame<'a>>>,
    captured_max: usize,
    /// Context and scope of the call of `$eval` that is under way.
    pub(crate) site: Option<(Val<'a>, Env<'a>)>,
    bindings: &'a Bindings<'a>,
    data: Option<&'a json::Value>,
}

/// Everything that an evaluation borrows.
pub(crate) struct Setting<'a> {
    pub(crate) program: &'a Program,
    pub(crate) data: Option<&'a json::Value>,
    pub(crate) bindings: &'a Bindings<'a>,
    pub(crate) limits: &'a Limits,
    pub(crate) meter: &'a Meter<'a>,
    pub(crate) arena: &'a Arena,
    pub(crate) aws: bool,
}

/// Evaluates a program to a JSON value.
pub(crate) fn run<'a>(
    setting: &Setting<'a>,
    environment: &'a mut Environment<'_>,
) -> Result<Option<json::Value>> {
    let program = setting.program;
    let mut evaluator = Evaluator {
        meter: setting.meter,
        arena: setting.arena,
        now_ms: environment.now_ms,
        random: &mut *environment.random,
        aws: setting.aws,
        depth: 0,
        depth_max: setting.limits.depth_max,
        sequence_max: setting.limits.sequence_max,
        globals: Vec::with_capacity(program.names.len()),
        names: &program.names,
        program,
        captured: Vec::new(),
        captured_max: 1024,
        site: None,
        bindings: setting.bindings,
        data: setting.data,
    };
    evaluator.add_names(program);
    let input = match setting.data.map(from_json) {
        Some(array @ Val::Array(_)) => {
            Val::List(List::new(vec![array], SEQUENCE | OUTER_WRAPPER, setting.meter)?)
        }
        Some(value) => value,
        None => Val::Undefined,
    };
    let env = if program.root_binds { Some(Frame::new(None)) } else { None };
    let result = evaluator.evaluate(&program.root, &input, &env);
    let result = result.and_then(|value| crate::value::to_json(&value, setting.aws));
    if let Some(frame) = env {
        frame.clear();
    }
    evaluator.release();
    result
}

impl<'a> Evaluator<'a> {
    /// Resolves the names from the first that is not known yet.
    fn add_names(&mut self, program: &'a Program) {
        self.names = &program.names;
        for (name, [plain, aws]) in program.names.iter().zip(&program.builtins).skip(self.globals.len()) {
            let builtin = if self.aws { aws } else { plain };
            self.globals.push(match (self.bindings.get(name), builtin) {
                (Some(value), _) => from_json(value),
                (None, Some(builtin)) => Val::function(Function::Builtin(builtin)),
                (None, None) if &**name == "$" => self.data.map_or(Val::Undefined, from_json),
                (None, None) => Val::Undefined,
            });
        }
    }

    /// Runs the text given to `$eval`.
    pub(crate) fn evaluate_text(
        &mut self,
        program: &'a Program,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        self.add_names(program);
        self.evaluate(&program.root, input, env)
    }

    /// The names known so far.
    pub(crate) fn names(&self) -> &'a [Arc<str>] {
        self.names
    }

    /// Empties the scopes that functions hold, which may hold those functions.
    fn release(&mut self) {
        for frame in std::mem::take(&mut self.captured).iter().filter_map(Weak::upgrade) {
            frame.clear();
            let mut outer = &frame.parent;
            while let Some(frame) = outer {
                frame.clear();
                outer = &frame.parent;
            }
        }
    }

    /// Remembers that a function holds `env`.
    fn capture(&mut self, env: &Env<'a>) {
        let Some(frame) = env else { return };
        if frame.captured.replace(true) {
            return;
        }
        if self.captured.len() >= self.captured_max {
            self.captured.retain(|frame| frame.strong_count() > 0);
            self.captured_max = 1024 + 2 * self.captured.len();
        }
        self.captured.push(Rc::downgrade(frame));
    }

    /// Evaluates `expr` with `input` as its context.
    pub(crate) fn evaluate(&mut self, expr: &'a Expr, input: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        self.depth += 1;
        if self.depth > self.depth_max {
            return Err(Fault::stack());
        }
        self.meter.spend(1)?;
        let mut result = self.operation(expr, input, env)?;
        if !expr.filters.is_empty() {
            result = self.filters(expr, result, env)?;
        }
        if let Some(group) = &expr.group {
            result = self.group(group, result, env)?;
        }
        self.depth -= 1;
        Ok(match result {
            Val::List(list) if list.flags & SEQUENCE != 0 => finish(list, expr.keep_array),
            other => other,
        })
    }

    #[inline]
    fn operation(&mut self, expr: &'a Expr, input: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        match &expr.op {
            Op::Name(field) => match input {
                Val::Object(object) => Ok(field.of(object).map_or(Val::Undefined, from_json)),
                _ => lookup(self, input, &field.name),
            },
            Op::Literal(literal) => Ok(match literal {
                Literal::Null => Val::Null,
                Literal::Bool(value) => Val::Bool(*value),
                Literal::Int(int) => Val::Int(*int),
                Literal::Float(value) => Val::Float(*value),
                Literal::Text(text) => Val::Text(Text::Shared(text)),
            }),
            Op::Context => Ok(match input {
                Val::List(list) if list.flags & OUTER_WRAPPER != 0 => {
                    list.items().first().cloned().unwrap_or_default()
                }
                _ => input.clone(),
            }),
            Op::Variable(name) | Op::Parent(name) => Ok(self.variable(*name, env)),
            Op::Path(path) => self.path(path, input, env, expr.keep_array),
            Op::Infix(operator, sides) => self.infix(*operator, sides, expr.position, input, env),
            Op::Call(call) => self.call(call, None, input, env),
            Op::Condition(condition) => {
                if self.evaluate(&condition.condition, input, env)?.to_bool()? {
                    self.evaluate(&condition.then, input, env)
                } else if let Some(otherwise) = &condition.otherwise {
                    self.evaluate(otherwise, input, env)
                } else {
                    Ok(Val::Undefined)
                }
            }
            Op::Block { expressions, scope } => self.block(expressions, *scope, input, env),
            Op::Object(group) => self.group(group, input.clone(), env),
            Op::Array { items, cons } => self.array(items, *cons, input, env),
            Op::Bind(name, value) => self.bind(*name, value, input, env),
            Op::Lambda(lambda) => self.lambda(lambda, input, env),
            _ => self.rare_operation(expr, input, env),
        }
    }

    fn rare_operation(&mut self, expr: &'a Expr, input: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        match &expr.op {
            Op::Negate(operand) => self.negate(operand, expr.position, input, env),
            Op::Wildcard => self.wildcard(input),
            Op::Descendant => self.descendants(input),
            Op::Regex(regex) => Ok(Val::function(Function::Regex(regex))),
            Op::TailCall(call) => {
                self.capture(env);
                Ok(Val::function(Function::TailCall { call, env: env.clone(), input: input.clone() }))
            }
            Op::Partial(call) => self.partial(call, input, env),
            Op::Apply(sides) => self.apply_operator(sides, expr.position, input, env),
            Op::Transform(transform) => {
                self.capture(env);
                Ok(Val::function(Function::Transform { transform, env: env.clone() }))
            }
            _ => Ok(Val::Undefined),
        }
    }

    /// The value of a variable.
    #[inline]
    pub(crate) fn variable(&self, name: Name, env: &Env<'a>) -> Val<'a> {
        let at = name as usize;
        if self.program.dynamic || self.program.bound.get(at).copied().unwrap_or(true) {
            let mut scope = env;
            while let Some(frame) = scope {
                if let Some(value) = frame.get(name) {
                    return value;
                }
                scope = &frame.parent;
            }
        }
        self.globals.get(at).cloned().unwrap_or_default()
    }

    fn block(
        &mut self,
        expressions: &'a [Expr],
        scope: bool,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let inner = if scope { Some(Frame::new(env.clone())) } else { env.clone() };
        let mut result = Val::Undefined;
        for expression in expressions {
            result = self.evaluate(expression, input, &inner)?;
        }
        Ok(result)
    }

    fn bind(&mut self, name: Name, value: &'a Expr, input: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        let value = self.evaluate(value, input, env)?;
        if let Some(frame) = env {
            frame.set(name, value.clone())?;
        }
        Ok(value)
    }

    /// A list under construction.
    pub(crate) fn builder(&self) -> Result<ListBuilder<'a>> {
        ListBuilder::new(self.meter, self.sequence_max)
    }

    /// A sequence with one item.
    pub(crate) fn singleton(&self, value: Val<'a>) -> Result<Val<'a>> {
        Ok(Val::List(List::new(vec![value], SEQUENCE, self.meter)?))
    }

    pub(crate) fn text(&self, text: String) -> Result<Val<'a>> {
        Ok(Val::Text(Text::new(text, self.meter)?))
    }
}

impl<'a> Val<'a> {
    pub(crate) fn function(function: Function<'a>) -> Val<'a> {
        Val::Function(FunctionRef { function: Rc::new(function), handed_over: false })
    }
}

/// What a sequence stands for: nothing, its single item, or itself.
fn finish(mut list: List<'_>, keep_array: bool) -> Val<'_> {
    if list.flags & TUPLE_STREAM != 0 {
        return Val::List(list);
    }
    if keep_array {
        list.flags |= KEEP_SINGLETON;
    }
    match list.items() {
        [] => Val::Undefined,
        [single] if list.flags & KEEP_SINGLETON == 0 => single.clone(),
        _ => Val::List(list),
    }
}
