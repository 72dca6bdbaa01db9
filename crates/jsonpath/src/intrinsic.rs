//! Intrinsic functions: `States.Format('Hello {}', $.name)`.

mod arrays;
mod function;
mod json;
mod numbers;
mod parser;
mod strings;

use stepwright_value::Value;
use thiserror::Error;

use crate::cursor::Cursor;
use crate::{Path, PathError, Root, Scope, SyntaxError};
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
    /// A string literal is what stands between its quotes, escapes included: only `States.Format` reads those.
    Literal(Value),
    Path(Path),
    Call(Intrinsic),
}

/// Why a call has no value: `States.Runtime`, which nothing catches. Displays as AWS words it, without the sentence on
/// the state. The whole call is named, also where one in its arguments fails.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum IntrinsicError {
    /// A path in the arguments selects nothing.
    #[error(
        "The function '{call}' had the following error: The JsonPath argument for the field '{path}' could not be \
         found in the input '{input}'"
    )]
    ArgumentNotFound { call: Box<str>, path: Box<str>, input: Value },
    /// A path in the arguments does not apply to the data.
    #[error("The function '{call}' had the following error: {error}")]
    ArgumentNotApplicable { call: Box<str>, error: PathError },
    /// A function refuses its arguments.
    #[error("There was an error while evaluating the intrinsic function: {call}. {message}")]
    Failure { call: Box<str>, message: String },
}

/// What is wrong within a call.
enum Fault {
    NotFound(String),
    NotApplicable(PathError),
    Refused(String),
}

/// Where the unpredictable functions take their numbers from: uniform in the whole of `u64`.
type Random<'r> = &'r mut dyn FnMut() -> u64;

impl Intrinsic {
    /// Compiles a call that is the whole of `text`, but for blanks behind it. The function must exist; what it takes
    /// is judged when it is called.
    pub fn parse(text: &str) -> Result<Intrinsic, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let call = parser::call(&mut cursor, 0)?;
        cursor.skip_blanks();
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
        let call = || self.text.clone();
        self.value(scope, random).map_err(|fault| match fault {
            Fault::NotFound(path) => IntrinsicError::ArgumentNotFound {
                call: call(),
                path: path.into(),
                input: scope.input.clone(),
            },
            Fault::NotApplicable(error) => IntrinsicError::ArgumentNotApplicable { call: call(), error },
            Fault::Refused(message) => IntrinsicError::Failure { call: call(), message },
        })
    }

    fn value(&self, scope: &Scope<'_>, random: &mut dyn FnMut() -> u64) -> Result<Value, Fault> {
        if !(scope.goes_on)() {
            return Err(Fault::Refused("interrupted".into()));
        }
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Literal(value) => value.clone(),
                Argument::Call(call) => call.value(scope, random)?,
                Argument::Path(path) => path.select(scope).map_err(|error| match error {
                    PathError::NotFound { .. } => Fault::NotFound(path_in_words(path)),
                    error => Fault::NotApplicable(error),
                })?,
            });
        }
        self.function.call(&values, random).map_err(Fault::Refused)
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
                Argument::Literal(_) => {}
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
                Argument::Literal(_) => {}
            }
        }
        paths
    }
}

/// AWS looks a context path up with one `$`, and says so.
fn path_in_words(path: &Path) -> String {
    match path.root() {
        Root::Context => path.text().replacen("$$", "$", 1),
        _ => path.text().to_owned(),
    }
}
