//! Payload templates: `Parameters`, `ItemSelector`, `ResultSelector` and `Assign` in JSONPath.

use std::sync::Arc;

use stepwright_value::{Object, Value};
use thiserror::Error;

use crate::limits::TEMPLATE_DEPTH_MAX;
use crate::{Intrinsic, IntrinsicError, Path, PathError, Scope, path_not_found};

/// A compiled payload template. The value of a key that ends in `.$` is a path or an intrinsic call, whose result goes
/// under the key without that ending; everything else is copied.
#[derive(Debug, Clone)]
pub struct Template(Node);

#[derive(Debug, Clone)]
enum Node {
    /// Has no `.$` key anywhere below.
    Static(Value),
    Object(Box<[(Arc<str>, Node)]>),
    Array(Box<[Node]>),
    Path(Box<Path>),
    Intrinsic(Box<Intrinsic>),
}

/// Why a value is not a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call at {at}"
)]
pub struct TemplateError {
    /// JSON pointer to the object that has the key, from the root of the template: empty for the root itself.
    pub at: String,
    /// The key, `.$` included.
    pub key: String,
    /// Its value: the text itself for a string, else JSON.
    pub text: String,
    /// What is wrong with the text, for people; AWS does not say.
    pub message: String,
}

/// Why a template has no value for a scope. Displays as AWS words it, without the sentence on the state.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TemplateEvaluationError {
    /// A path selects nothing.
    #[error("{}", path_not_found(path, field, input))]
    Path { field: Box<str>, path: Box<str>, input: Value, error: PathError },
    /// An intrinsic call fails.
    #[error("{error}")]
    Intrinsic { field: Box<str>, error: IntrinsicError },
}

impl TemplateEvaluationError {
    /// The error name that the state fails with.
    pub fn error_name(&self) -> &'static str {
        match self {
            TemplateEvaluationError::Path { .. } => "States.Runtime",
            TemplateEvaluationError::Intrinsic { error, .. } => error.error_name(),
        }
    }
}

impl Template {
    /// Compiles `value`, and stops at the first key that is wrong.
    pub fn compile(value: &Value) -> Result<Template, TemplateError> {
        let mut at = String::new();
        Ok(Template(compile(value, &mut at, 0)?))
    }

    /// The payload for `scope`. `random` feeds the intrinsic functions that need it. Without any `.$` key this is a
    /// clone of the compiled value.
    pub fn evaluate(
        &self,
        scope: &Scope<'_>,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Value, TemplateEvaluationError> {
        self.0.evaluate("", scope, random)
    }

    /// Whether the result never depends on the scope.
    pub fn is_static(&self) -> bool {
        matches!(self.0, Node::Static(_))
    }

    /// The workflow variables that the template reads, in the order of the text, each once.
    pub fn free_variables(&self) -> Vec<&str> {
        let mut names = vec![];
        self.0.collect_variables(&mut names);
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        names
    }
}

fn compile(value: &Value, at: &mut String, depth: usize) -> Result<Node, TemplateError> {
    if depth > TEMPLATE_DEPTH_MAX {
        return Err(TemplateError {
            at: at.clone(),
            key: String::new(),
            text: String::new(),
            message: format!("templates nest at most {TEMPLATE_DEPTH_MAX} deep"),
        });
    }
    let parent = at.len();
    match value {
        Value::Object(members) => {
            let mut nodes = Vec::with_capacity(members.len());
            for (key, member) in members.iter() {
                if let Some(name) = key.strip_suffix(".$") {
                    nodes.push((Arc::from(name), dynamic(key, member, at)?));
                    continue;
                }
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                nodes.push((key.clone(), compile(member, at, depth + 1)?));
                at.truncate(parent);
            }
            let is_static = nodes.iter().all(|(_, node)| matches!(node, Node::Static(_)));
            Ok(if is_static { Node::Static(value.clone()) } else { Node::Object(nodes.into()) })
        }
        Value::Array(items) => {
            let mut nodes = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                nodes.push(compile(item, at, depth + 1)?);
                at.truncate(parent);
            }
            let is_static = nodes.iter().all(|node| matches!(node, Node::Static(_)));
            Ok(if is_static { Node::Static(value.clone()) } else { Node::Array(nodes.into()) })
        }
        _ => Ok(Node::Static(value.clone())),
    }
}

/// Compiles the value of a key that ends in `.$`.
fn dynamic(key: &str, value: &Value, at: &str) -> Result<Node, TemplateError> {
    let error =
        |text: String, message: String| TemplateError { at: at.into(), key: key.into(), text, message };
    let Some(text) = value.as_str() else {
        return Err(error(value.to_json(), "a string is expected".into()));
    };
    let node = match text.starts_with('$') {
        true => Path::parse(text).map(|path| Node::Path(Box::new(path))),
        false => Intrinsic::parse(text).map(|call| Node::Intrinsic(Box::new(call))),
    };
    node.map_err(|syntax| error(text.into(), syntax.to_string()))
}

impl Node {
    /// `field` is the key that the value goes under, without `.$`.
    fn evaluate(
        &self,
        field: &str,
        scope: &Scope<'_>,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Value, TemplateEvaluationError> {
        match self {
            Node::Static(value) => Ok(value.clone()),
            Node::Path(path) => path.select(scope).map_err(|error| TemplateEvaluationError::Path {
                field: format!("{field}.$").into(),
                path: path.text().into(),
                input: scope.input.clone(),
                error,
            }),
            Node::Intrinsic(call) => call.evaluate(scope, random).map_err(|error| {
                TemplateEvaluationError::Intrinsic { field: format!("{field}.$").into(), error }
            }),
            Node::Array(nodes) => nodes.iter().map(|node| node.evaluate(field, scope, random)).collect(),
            Node::Object(nodes) => {
                let mut object = Object::with_capacity(nodes.len());
                for (key, node) in nodes {
                    object.insert(key.clone(), node.evaluate(key, scope, random)?);
                }
                Ok(object.into())
            }
        }
    }

    fn collect_variables<'n>(&'n self, names: &mut Vec<&'n str>) {
        match self {
            Node::Static(_) => {}
            Node::Path(path) => names.extend(path.variable()),
            Node::Intrinsic(call) => call.collect_variables(names),
            Node::Array(nodes) => nodes.iter().for_each(|node| node.collect_variables(names)),
            Node::Object(nodes) => nodes.iter().for_each(|(_, node)| node.collect_variables(names)),
        }
    }
}
