//! JSONata (<https://jsonata.org>) as AWS Step Functions has it.
//!
//! An [`Expression`] is compiled once and evaluated often, from any thread. The evaluator follows jsonata-js 2.2 in
//! results, error codes and messages, but for what AWS does otherwise because its evaluator is one of Java: base64 and
//! URLs, `$string` of fractions, parts of texts by UTF-16 units, regular expressions, null for an array. In AWS's mode
//! ([`Expression::evaluate`]) there are AWS's own functions and no `$eval`, numbers are written as Java does, infinite
//! ones as texts, and functions within a result are refused. Integers of 64 bits keep their digits.
//!
//! Everything that could make an evaluation differ from the one before comes in as an argument: the time, randomness,
//! limits. Values of the input are borrowed, never copied.
//!
//! Left out: the order of keys that look like array indexes, which JavaScript puts first and AWS leaves where they are;
//! half surrogate pairs, which no Rust text can hold.
//!
//! Invariant: this crate knows nothing of states and payload fields.

mod evaluate;
mod fault;
mod formats;
mod functions;
mod limits;
mod program;
mod regex;
mod syntax;
mod value;

use std::sync::Arc;

use stepwright_value::Value;
use thiserror::Error;

pub use limits::Limits;

use fault::Fault;
use limits::Meter;
use program::Program;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    source: Box<str>,
    program: Program,
    free_variables: Vec<Arc<str>>,
    hiding_variables: Vec<Arc<str>>,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CompileError {
    /// JSONata's code (`S0202`); empty where jsonata-js fails with an error of JavaScript, as for a regular expression
    /// that is none.
    pub code: String,
    /// In characters from the start.
    pub position: usize,
    /// The token concerned.
    pub token: Option<String>,
    /// jsonata-js's wording, without the code.
    pub message: String,
}

/// Why an evaluation failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// JSONata's code (`T1006`). Missing for limits, for results that are no JSON, and where jsonata-js fails with an
    /// error of JavaScript.
    pub code: Option<String>,
    /// In characters from the start.
    pub position: Option<usize>,
    /// jsonata-js's wording, without the code; for limits AWS's.
    pub message: String,
    /// What kind of failure it is.
    pub kind: EvaluationErrorKind,
}

/// Kinds of [`EvaluationError`]. AWS words the cause of each differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationErrorKind {
    /// The expression went wrong: `... threw an error during evaluation. <code>: <message>`, or `...: <message>` where
    /// there is no code.
    Expression,
    /// A limit was met: `... threw an error during evaluation: <message>`.
    Limit,
    /// Java failed within a function: `... threw an internal error during evaluation. <a UUID>`.
    Internal,
    /// The result is or holds a function: `... returned an unsupported result type.`
    UnsupportedResult,
}

/// Something that AWS refuses when a state machine is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub kind: RefusalKind,
    /// In characters from the start.
    pub position: usize,
}

/// Kinds of [`Refusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// `$eval`.
    Eval,
    /// `??` or `?:`, which are newer than the version that AWS has.
    NewerOperator,
    /// A field name (or `*`, `**`) where there is no context to look in.
    BareName,
    /// `$` where there is no context.
    Context,
    /// `$$`.
    Root,
}

/// The variables of an evaluation: names without `$`, and a scope around them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bindings<'a> {
    variables: &'a [(&'a str, &'a Value)],
    outer: Option<&'a Bindings<'a>>,
}

impl<'a> Bindings<'a> {
    /// No variables.
    pub fn empty() -> Bindings<'static> {
        Bindings { variables: &[], outer: None }
    }

    /// These variables.
    pub fn new(variables: &'a [(&'a str, &'a Value)]) -> Bindings<'a> {
        Bindings { variables, outer: None }
    }

    /// These variables, and those of `outer` that they do not hide.
    pub fn within(self, outer: &'a Bindings<'a>) -> Bindings<'a> {
        Bindings { outer: Some(outer), ..self }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        let mut scope = Some(self);
        while let Some(bindings) = scope {
            if let Some((_, value)) = bindings.variables.iter().find(|(candidate, _)| *candidate == name) {
                return Some(value);
            }
            scope = bindings.outer;
        }
        None
    }
}

/// What an evaluation sees of the world.
pub struct Environment<'a> {
    /// For `$now` and `$millis`: milliseconds since 1970.
    pub now_ms: i64,
    /// For `$random`, `$uuid` and `$shuffle`: the next 64 random bits.
    pub random: &'a mut dyn FnMut() -> u64,
    /// Asked every few thousand steps whether the evaluation goes on. When it does not, it ends with an
    /// [`EvaluationErrorKind::Limit`].
    pub goes_on: &'a dyn Fn() -> bool,
}

impl Expression {
    /// Compiles an expression.
    pub fn compile(source: &str) -> Result<Expression, CompileError> {
        let program = Program::compile(source).map_err(|fault| CompileError {
            code: fault.code.to_owned(),
            position: fault.position.unwrap_or_default(),
            token: fault.token.as_ref().map(|token| token.trim_matches('"').to_owned()),
            message: fault.render(),
        })?;
        let free =
            program.names.iter().zip(&program.bound).filter(|(name, bound)| !**bound && &***name != "$");
        let (hiding_variables, free_variables) = free
            .map(|(name, _)| name.clone())
            .partition(|name| functions::find(name, true).or_else(|| functions::find(name, false)).is_some());
        Ok(Expression { source: source.into(), program, free_variables, hiding_variables })
    }

    /// Evaluates as jsonata-js does, with `data` as the context `$`. `None` is undefined.
    pub fn evaluate_with(
        &self,
        data: Option<&Value>,
        bindings: &Bindings<'_>,
        environment: &mut Environment<'_>,
        limits: &Limits,
    ) -> Result<Option<Value>, EvaluationError> {
        self.run(data, bindings, environment, limits, false)
    }

    /// Evaluates as AWS does: without a context, with AWS's functions. `None` is undefined.
    pub fn evaluate(
        &self,
        bindings: &Bindings<'_>,
        environment: &mut Environment<'_>,
        limits: &Limits,
    ) -> Result<Option<Value>, EvaluationError> {
        self.run(None, bindings, environment, limits, true)
    }

    fn run(
        &self,
        data: Option<&Value>,
        bindings: &Bindings<'_>,
        environment: &mut Environment<'_>,
        limits: &Limits,
        aws: bool,
    ) -> Result<Option<Value>, EvaluationError> {
        let meter = Meter::new(limits, environment.goes_on);
        let arena = evaluate::Arena::default();
        let setting = evaluate::Setting {
            program: &self.program,
            data,
            bindings,
            limits,
            meter: &meter,
            arena: &arena,
            aws,
        };
        evaluate::run(&setting, environment).map_err(|fault| evaluation_error(&fault))
    }

    /// The text that was compiled.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The variables that must come from outside: not bound within the expression and no built-in functions. `states`
    /// is one.
    pub fn free_variables(&self) -> &[Arc<str>] {
        &self.free_variables
    }

    /// The names of built-in functions that the expression uses and does not bind itself: a variable of such a name hides
    /// the function.
    pub fn hiding_variables(&self) -> &[Arc<str>] {
        &self.hiding_variables
    }

    /// What AWS refuses in this expression when a state machine is created.
    pub fn aws_refusals(&self) -> Vec<Refusal> {
        program::refusals(&self.program)
    }
}

/// The functions that an expression finds in AWS's mode: name without `$`, signature as JSONata writes it, and whether
/// AWS added it (or has it otherwise than jsonata-js).
pub fn aws_functions() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    functions::of_aws()
}

fn evaluation_error(fault: &Fault) -> EvaluationError {
    let kind = match fault {
        Fault { limit: true, .. } => EvaluationErrorKind::Limit,
        Fault { internal: true, .. } => EvaluationErrorKind::Internal,
        Fault { unsupported: true, .. } => EvaluationErrorKind::UnsupportedResult,
        _ => EvaluationErrorKind::Expression,
    };
    let code = (!fault.code.is_empty()).then(|| fault.code.to_owned());
    EvaluationError { code, position: fault.position, message: fault.render(), kind }
}
