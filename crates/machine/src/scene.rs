//! What the fields of one state are evaluated against, and the evaluation in either query language.

use std::cell::OnceCell;
use std::sync::Arc;

use stepwright_asl::program::{JsonataTemplate, QueryLanguage, Setting, State, Template};
use stepwright_jsonata::{Environment, Expression};
use stepwright_jsonpath::{Path, PathError, Scope, path_not_found};
use stepwright_value::{Document, Object, Value};

use crate::branch::Branch;
use crate::budget::Asked;
use crate::context::Context;
use crate::execution::Execution;
use crate::fault::Fault;
use crate::jsonata;
use crate::test_state::Staging;
use crate::trace::Trace;

/// One state at work on one line.
pub(crate) struct Scene<'a> {
    pub branch: &'a Branch,
    pub state: &'a State,
    pub context: Context<'a>,
    /// Of a test of this state.
    pub staging: Option<&'a Staging>,
    pub now_ms: i64,
    pub entropy: &'a mut dyn FnMut() -> u64,
    budget: &'a Asked<'a>,
    pub trace: Option<&'a mut Trace>,
    /// `$states.result`.
    pub result: Option<Value>,
    /// `$states.errorOutput`.
    pub error_output: Option<Value>,
    /// `$states`, once it was asked for.
    states: OnceCell<Value>,
}

/// A computed field: its value, and what it was computed from (for messages).
pub(crate) enum Computed<'s, T> {
    Literal(&'s T),
    /// From a `…Path` field: a path, or a call of an intrinsic function.
    Path(Value, &'s str, &'static str),
    /// From an expression.
    Expression(Value, &'s str, &'static str),
}

impl<'a> Scene<'a> {
    pub fn new(
        execution: &'a Execution,
        branch: &'a Branch,
        state: &'a State,
        now_ms: i64,
        entropy: &'a mut dyn FnMut() -> u64,
        budget: &'a Asked<'a>,
        trace: Option<&'a mut Trace>,
    ) -> Scene<'a> {
        Scene {
            branch,
            state,
            context: Context::new(execution, branch),
            staging: execution.staging.as_deref(),
            now_ms,
            entropy,
            budget,
            trace,
            result: None,
            error_output: None,
            states: OnceCell::new(),
        }
    }

    /// The state's raw input.
    pub fn input(&self) -> &'a Document {
        &self.branch.input
    }

    /// Records a stage for `TestState`.
    pub fn note(&mut self, note: impl FnOnce(&mut Trace)) {
        if let Some(trace) = &mut self.trace {
            note(trace);
        }
    }

    /// Runs `use_it` with the JSONPath scope in which `$` is `input`.
    fn with_scope<T>(
        &mut self,
        input: &Value,
        use_it: impl FnOnce(&Scope<'_>, &mut dyn FnMut() -> u64) -> T,
    ) -> T {
        let Scene { context, branch, entropy, budget, .. } = self;
        let (context, goes_on) = (&|| context.value(), &|| budget.goes_on());
        use_it(&Scope { input, context, variables: &*branch.variables, goes_on }, *entropy)
    }

    /// What `path` selects; `$` is `input`.
    pub fn select(&mut self, path: &Path, input: &Value) -> Result<Value, PathError> {
        if !self.budget.may_evaluate() {
            return Err(PathError::TooLarge);
        }
        self.with_scope(input, |scope, _| path.select(scope))
    }

    /// A template's value; for JSONPath `$` is `input`. `field` names the template in messages.
    pub fn template(&mut self, template: &Template, input: &Value, field: &str) -> Result<Value, Fault> {
        match template {
            Template::JsonPath(template) => self.with_scope(input, |scope, entropy| {
                template
                    .evaluate(scope, entropy)
                    .map_err(|error| Fault::named(error.error_name(), error.to_string()))
            }),
            Template::Jsonata(template) => {
                let mut location = field.to_owned();
                self.jsonata_template(template, &mut location)
            }
        }
    }

    /// As [`Scene::template`], as a payload. What is literal keeps its identity only as a value.
    pub fn payload(&mut self, template: &Template, input: &Value, field: &str) -> Result<Document, Fault> {
        self.template(template, input, field).map(Document::from)
    }

    /// `location` is the path of the template's part: `Output/a/b`.
    fn jsonata_template(
        &mut self,
        template: &JsonataTemplate,
        location: &mut String,
    ) -> Result<Value, Fault> {
        match template {
            JsonataTemplate::Literal(value) => Ok(value.clone()),
            JsonataTemplate::Expression(expression) => self.expression(expression, location),
            JsonataTemplate::Array(items) => {
                let length = location.len();
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    location.push_str(&format!("[{index}]"));
                    values.push(self.jsonata_template(item, location)?);
                    location.truncate(length);
                }
                Ok(values.into())
            }
            JsonataTemplate::Object(members) => {
                let length = location.len();
                let mut object = Object::with_capacity(members.len());
                for (key, member) in members {
                    location.push('/');
                    location.push_str(key);
                    object.insert(key.clone(), self.jsonata_template(member, location)?);
                    location.truncate(length);
                }
                Ok(object.into())
            }
        }
    }

    /// An expression's value, which must be defined.
    pub fn expression(&mut self, expression: &Arc<Expression>, field: &str) -> Result<Value, Fault> {
        if !self.budget.may_evaluate() {
            return Err(Fault::runtime("interrupted"));
        }
        let states = self.states.get_or_init(|| self.make_states());
        let goes_on = &|| self.budget.goes_on();
        let mut environment = Environment { now_ms: self.now_ms, random: &mut *self.entropy, goes_on };
        jsonata::evaluate(expression, states, &self.branch.variables, &mut environment, field)
    }

    /// A fault for a value of the right type that `field` cannot have: in a JSONata state that of an evaluation.
    pub fn refused(&self, field: &str, detail: impl Into<String>) -> Fault {
        match self.state.language {
            QueryLanguage::JsonPath => Fault::runtime(detail),
            QueryLanguage::Jsonata => Fault::query(Some(field), detail),
        }
    }

    fn make_states(&self) -> Value {
        let mut states = Object::with_capacity(4);
        states.insert("input", self.input().value().clone());
        if let Some(result) = &self.result {
            states.insert("result", result.clone());
        }
        if let Some(error_output) = &self.error_output {
            states.insert("errorOutput", error_output.clone());
        }
        states.insert("context", self.context.value());
        states.into()
    }

    /// `$states.result` from here on.
    pub fn set_result(&mut self, result: Value) {
        self.result = Some(result);
        self.states = OnceCell::new();
    }

    /// `$states.errorOutput` from here on.
    pub fn set_error_output(&mut self, error_output: Value) {
        self.error_output = Some(error_output);
        self.states = OnceCell::new();
    }

    /// A setting's value; `$` is `input`. What is not found is told in the words of `not_found`.
    pub fn setting<'s, T>(
        &mut self,
        setting: &'s Setting<T>,
        input: &Value,
        not_found: impl FnOnce(&Path, &'static str, &PathError) -> String,
    ) -> Result<Computed<'s, T>, Fault> {
        match setting {
            Setting::Literal(literal) => Ok(Computed::Literal(literal)),
            Setting::Path(path, field) => match self.select(path, input) {
                Ok(value) => Ok(Computed::Path(value, path.text(), field)),
                Err(error) => Err(Fault::runtime(not_found(path, field, &error))),
            },
            Setting::Intrinsic(call, field) => {
                let value = self.with_scope(input, |scope, entropy| call.evaluate(scope, entropy));
                let value = value.map_err(|error| Fault::runtime(error.to_string()))?;
                Ok(Computed::Path(value, call.text(), field))
            }
            Setting::Expression(expression, field) => {
                let value = self.expression(expression, field)?;
                Ok(Computed::Expression(value, expression.source(), field))
            }
        }
    }
}

impl<T> Computed<'_, T> {
    /// A fault for a value that is not of the type that its field wants. `sentence` is for a value that a path found.
    pub fn wrong_type(&self, expected: &str, sentence: impl FnOnce(&str, &str, &Value) -> String) -> Fault {
        match self {
            Computed::Literal(_) => Fault::runtime(format!("The value must be of type {expected}.")),
            Computed::Path(value, path, field) => Fault::runtime(sentence(field, path, value)),
            Computed::Expression(value, source, field) => {
                Fault::query(Some(field), jsonata::unexpected_type(source, field, expected, value))
            }
        }
    }
}

/// `not_found` of a setting for the fields whose message quotes the input.
pub(crate) fn not_in_input(input: &Value) -> impl FnOnce(&Path, &'static str, &PathError) -> String + '_ {
    move |path, field, _| path_not_found(path.text(), field, input)
}
