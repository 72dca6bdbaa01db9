//! Intrinsic functions: `States.Format('Hello {}', $.name)`.

mod arrays;
mod function;
mod json;
mod numbers;
mod parser;
mod strings;

use std::sync::Arc;

use stepwright_value::Value;
use thiserror::Error;

use crate::cursor::Cursor;
use crate::{Path, PathError, Scope, SyntaxError};
use function::Function;

/// A compiled `States.…(…)` call, the calls in its arguments included.
#[derive(Debug, Clone)]
pub struct Intrinsic {
    text: Box<str>,
    function: Function,
    arguments: Box<[Argument]>,
}

#[derive(Debug, Clone)]
enum Argument {
    Literal(Value),
    Text(TextLiteral),
    Path(Path),
    Call(Intrinsic),
}

/// A string literal, without its quotes and escapes.
#[derive(Debug, Clone)]
struct TextLiteral {
    text: Arc<str>,
    /// Where in `text` there are braces that were escaped, so that `States.Format` leaves them alone. In order.
    escaped_braces: Box<[usize]>,
}

/// Why a call has no value. Displays as AWS words it, without the sentence on the state.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum IntrinsicError {
    /// A path in the arguments selects nothing: `States.Runtime`.
    #[error("The JsonPath argument for the field '{path}' could not be found in the input '{input}'")]
    ArgumentNotFound { path: Box<str>, input: Value, error: PathError },
    /// The function refuses its arguments: `States.IntrinsicFailure`.
    #[error("The function '{call}' had the following error: {message}")]
    Failure { call: Box<str>, message: String },
}

impl IntrinsicError {
    /// The error name that the state fails with.
    pub fn error_name(&self) -> &'static str {
        match self {
            IntrinsicError::ArgumentNotFound { .. } => "States.Runtime",
            IntrinsicError::Failure { .. } => "States.IntrinsicFailure",
        }
    }
}

/// Where the unpredictable functions take their numbers from: uniform in the whole of `u64`.
type Random<'r> = &'r mut dyn FnMut() -> u64;

impl Intrinsic {
    /// Compiles a call that is the whole of `text`. The function must exist and take as many arguments.
    pub fn parse(text: &str) -> Result<Intrinsic, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let call = parser::call(&mut cursor, 0)?;
        if cursor.at_end() { Ok(call) } else { Err(cursor.error("unexpected character")) }
    }

    /// The names of all functions, without `States.`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Function::names()
    }

    /// The call as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Calls the function. `random` feeds `States.UUID`, and `States.MathRandom` without a seed.
    pub fn evaluate(
        &self,
        scope: &Scope<'_>,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Value, IntrinsicError> {
        if !(scope.goes_on)() {
            return Err(self.failure("interrupted".into()));
        }
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Literal(value) => value.clone(),
                Argument::Text(literal) => literal.text.clone().into(),
                Argument::Call(call) => call.evaluate(scope, random)?,
                Argument::Path(path) => {
                    path.select(scope).map_err(|error| IntrinsicError::ArgumentNotFound {
                        path: path.text().into(),
                        input: scope.input.clone(),
                        error,
                    })?
                }
            });
        }
        let escaped_braces = match self.arguments.first() {
            Some(Argument::Text(literal)) => &*literal.escaped_braces,
            _ => &[],
        };
        self.function.call(&values, escaped_braces, random).map_err(|message| self.failure(message))
    }

    fn failure(&self, message: String) -> IntrinsicError {
        IntrinsicError::Failure { call: self.text.clone(), message }
    }

    /// The workflow variables that the call reads, in the order of the text, each as often as it is there.
    pub fn free_variables(&self) -> Vec<&str> {
        let mut names = vec![];
        self.collect_variables(&mut names);
        names
    }

    pub(crate) fn collect_variables<'i>(&'i self, names: &mut Vec<&'i str>) {
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => names.extend(path.variable()),
                Argument::Call(call) => call.collect_variables(names),
                Argument::Literal(_) | Argument::Text(_) => {}
            }
        }
    }

    /// The paths that the call reads.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = vec![];
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => paths.push(path),
                Argument::Call(call) => paths.extend(call.paths()),
                Argument::Literal(_) | Argument::Text(_) => {}
            }
        }
        paths
    }
}
