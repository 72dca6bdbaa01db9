//! What a path is evaluated against.

use stepwright_value::Value;

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root<'a> {
    /// `$`: the state's input, or its result in `ResultSelector`.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a workflow variable.
    Variable(&'a str),
}

/// The values that the roots of a path stand for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// What `$` is.
    pub input: &'a Value,
    /// Makes the context object. Called only for a path that starts with `$$`, once per such path; keep the value
    /// where a template may ask often.
    pub context: &'a dyn Fn() -> Value,
    /// The workflow variables in reach.
    pub variables: &'a dyn Variables,
    /// Asked every few thousand visited values, and before each intrinsic call, whether the evaluation goes on. When it does
    /// not, it ends with some error.
    pub goes_on: &'a dyn Fn() -> bool,
}

/// Workflow variables by name.
pub trait Variables {
    /// The value of the variable, without the `$`.
    fn get(&self, name: &str) -> Option<Value>;
}

/// No variables at all.
pub struct NoVariables;

impl Variables for NoVariables {
    fn get(&self, _name: &str) -> Option<Value> {
        None
    }
}

impl<'a> Scope<'a> {
    /// A scope in which only `$` means anything; `$$` is an empty object.
    pub fn of_input(input: &'a Value) -> Scope<'a> {
        Scope {
            input,
            context: &|| Value::Object(Default::default()),
            variables: &NoVariables,
            goes_on: &|| true,
        }
    }
}
