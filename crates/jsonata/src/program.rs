//! The tree that is evaluated: names are numbers, labels of `%` are settled, blocks know whether they need a scope.

mod lower;
mod refusals;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use stepwright_value::{Object, Value};

use crate::fault::Result;
use crate::functions::Builtin;
use crate::regex::Regex;
use crate::syntax::{Literal, Operator, Signature, parse};

pub(crate) use refusals::refusals;

/// A variable's name: its place in [`Program::names`].
pub(crate) type Name = u32;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) root: Expr,
    pub(crate) names: Vec<Arc<str>>,
    /// For each name, whether something within the expression binds it.
    pub(crate) bound: Vec<bool>,
    /// For each name, the built-in function of jsonata-js and that of AWS.
    pub(crate) builtins: Vec<[Option<&'static Builtin>; 2]>,
    /// Whether `$eval` occurs: what it runs may bind any name.
    pub(crate) dynamic: bool,
    /// Whether the expression binds variables at its top level.
    pub(crate) root_binds: bool,
}

impl Program {
    pub(crate) fn compile(source: &str) -> Result<Program> {
        lower::lower(parse(source)?, Vec::new(), false)
    }

    /// Compiles the text that `$eval` is given, whose names continue those of the program around it. Any of them may be
    /// bound there.
    pub(crate) fn compile_inner(source: &str, names: Vec<Arc<str>>) -> Result<Program> {
        lower::lower(parse(source)?, names, true)
    }
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) op: Op,
    pub(crate) position: usize,
    pub(crate) keep_array: bool,
    pub(crate) filters: Vec<Filter>,
    pub(crate) group: Option<Box<Group>>,
}

#[derive(Debug)]
pub(crate) enum Op {
    Path(Box<Path>),
    Name(Box<Field>),
    Literal(Literal),
    /// `$`.
    Context,
    Variable(Name),
    Wildcard,
    Descendant,
    /// `%`, by its label.
    Parent(Name),
    Infix(Operator, Box<(Expr, Expr)>),
    Negate(Box<Expr>),
    Array {
        items: Vec<ArrayItem>,
        cons: bool,
    },
    Object(Box<Group>),
    Condition(Box<Condition>),
    Block {
        expressions: Vec<Expr>,
        scope: bool,
    },
    Bind(Name, Box<Expr>),
    Regex(Arc<Regex>),
    Call(Box<Call>),
    /// A call in tail position.
    TailCall(Box<Call>),
    Partial(Box<Call>),
    Lambda(Box<Lambda>),
    Apply(Box<(Expr, Expr)>),
    Transform(Box<Transform>),
    /// `?` among the arguments of a partial application.
    Placeholder,
}

/// A field name, and the place where it was found last: it is the first to be looked at in the next object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    place: AtomicU32,
}

impl Field {
    fn new(name: Arc<str>) -> Field {
        Field { name, place: AtomicU32::new(0) }
    }

    /// The member of this name.
    #[inline]
    pub(crate) fn of<'a>(&self, object: &'a Object) -> Option<&'a Value> {
        let hint = self.place.load(Ordering::Relaxed);
        let (place, value) = object.get_near(&self.name, hint as usize)?;
        if place != hint as usize {
            self.place.store(place as u32, Ordering::Relaxed);
        }
        Some(value)
    }
}

#[derive(Debug)]
pub(crate) struct ArrayItem {
    pub(crate) expr: Expr,
    /// An array constructor itself: its value is one item.
    pub(crate) whole: bool,
}

#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) condition: Expr,
    pub(crate) then: Expr,
    pub(crate) otherwise: Option<Expr>,
    /// Written `?:` or `??`, which are newer than what AWS has.
    pub(crate) newer: bool,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) procedure: Expr,
    pub(crate) arguments: Vec<Expr>,
    /// What messages call the function.
    pub(crate) name: Option<Arc<str>>,
    /// The name as a variable, where the procedure was written without its `$`.
    pub(crate) bare: Option<Name>,
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) struct Lambda {
    pub(crate) parameters: Vec<Name>,
    pub(crate) signature: Option<Arc<Signature>>,
    pub(crate) body: Expr,
}

#[derive(Debug)]
pub(crate) struct Transform {
    pub(crate) pattern: Expr,
    pub(crate) update: Expr,
    pub(crate) delete: Option<Expr>,
    /// The name `clone`, which may be bound to something else.
    pub(crate) clone: Name,
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) pairs: Vec<(Expr, Expr)>,
    /// All keys are literal texts, no two of them the same.
    pub(crate) literal_keys: bool,
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) enum Filter {
    /// A literal index.
    Index(f64),
    Test(Expr),
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) steps: Vec<Step>,
    pub(crate) keep_singleton: bool,
    /// Somebody outside wants the variables that travel with the items.
    pub(crate) tuple: bool,
    pub(crate) group: Option<Group>,
    /// Nothing but names, after a name, a variable or the context.
    pub(crate) plain: bool,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) stages: Vec<Stage>,
    pub(crate) focus: Option<Name>,
    pub(crate) index: Option<Name>,
    pub(crate) ancestor: Option<Name>,
    pub(crate) tuple: bool,
    pub(crate) cons_array: bool,
}

#[derive(Debug)]
pub(crate) enum Action {
    Evaluate(Expr),
    Sort { terms: Vec<Term>, position: usize },
}

#[derive(Debug)]
pub(crate) enum Stage {
    Filter(Filter),
    Index(Name),
}

#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) descending: bool,
    pub(crate) expr: Expr,
}
