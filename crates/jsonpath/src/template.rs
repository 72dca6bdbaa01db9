//! Payload templates: `Parameters`, `ItemSelector`, `ResultSelector` and `Assign` in JSONPath.

use std::sync::Arc;

use stepwright_value::{Object, Value};
use thiserror::Error;

use crate::limits::{OUTPUT_BYTES_MAX, TEMPLATE_DEPTH_MAX, fits};
use crate::{Intrinsic, IntrinsicError, Path, PathError, Root, Scope, path_not_found};

/// A compiled payload template. The value of a key that ends in `.$` is a path or an intrinsic call, whose result goes
/// under the key without that ending; everything else is copied.
#[derive(Debug, Clone)]
pub struct Template {
    root: Node,
    /// Whether it reads so many values that their sum must be bounded.
    is_measured: bool,
}

/// Up to this many values, each of them a whole payload of 256 KiB, stay under the limit anyway.
const UNMEASURED_MAX: usize = OUTPUT_BYTES_MAX / (256 * 1024);

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
    /// A path or the whole template yields more than [`crate::limits`] allow.
    #[error("The value for the field '{field}' exceeds the maximum size")]
    TooLarge { field: Box<str> },
}

impl TemplateEvaluationError {
    /// The error name that the state fails with.
    pub fn error_name(&self) -> &'static str {
        match self {
            TemplateEvaluationError::Path { .. } | TemplateEvaluationError::Intrinsic { .. } => {
                "States.Runtime"
            }
            TemplateEvaluationError::TooLarge { .. } => "States.DataLimitExceeded",
        }
    }
}

impl Template {
    /// Compiles `value`, and stops at the first key that is wrong.
    pub fn compile(value: &Value) -> Result<Template, TemplateError> {
        let root = compile(value, &mut String::new(), 0)?;
        let is_measured = root.reads() > UNMEASURED_MAX;
        Ok(Template { root, is_measured })
    }

    /// The payload for `scope`. `random` feeds the intrinsic functions that need it. Without any `.$` key this is a
    /// clone of the compiled value.
    pub fn evaluate(
        &self,
        scope: &Scope<'_>,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Value, TemplateEvaluationError> {
        let left = self.is_measured.then_some(OUTPUT_BYTES_MAX);
        Evaluation { scope, random, left }.value("", &self.root)
    }

    /// Whether the result never depends on the scope.
    pub fn is_static(&self) -> bool {
        matches!(self.root, Node::Static(_))
    }

    /// The workflow variables that the template reads, in the order of the text, each once.
    pub fn free_variables(&self) -> Vec<&str> {
        let mut names = vec![];
        self.root.collect_variables(&mut names);
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

struct Evaluation<'e, 's> {
    scope: &'e Scope<'s>,
    random: &'e mut dyn FnMut() -> u64,
    /// Bytes that may still be read, where that is measured.
    left: Option<usize>,
}

impl Evaluation<'_, '_> {
    /// `field` is the key that the value goes under, without `.$`.
    fn value(&mut self, field: &str, node: &Node) -> Result<Value, TemplateEvaluationError> {
        let value = match node {
            Node::Static(value) => return Ok(value.clone()),
            Node::Array(nodes) => return nodes.iter().map(|node| self.value(field, node)).collect(),
            Node::Object(nodes) => {
                let mut object = Object::with_capacity(nodes.len());
                for (key, node) in nodes {
                    object.insert(key.clone(), self.value(key, node)?);
                }
                return Ok(object.into());
            }
            Node::Path(path) => match path.select(self.scope) {
                Ok(value) => value,
                Err(PathError::NotFound { is_past_end: true, .. }) => Value::Null,
                Err(PathError::TooLarge) => return Err(too_large(field)),
                Err(error) => return Err(self.not_found(field, path, error)),
            },
            Node::Intrinsic(call) => call.evaluate(self.scope, self.random).map_err(|error| {
                TemplateEvaluationError::Intrinsic { field: format!("{field}.$").into(), error }
            })?,
        };
        let is_within = self.left.as_mut().is_none_or(|left| fits(&value, left));
        if is_within { Ok(value) } else { Err(too_large(field)) }
    }
}

impl Evaluation<'_, '_> {
    /// AWS names what it looked into, and a context path as it looks it up there.
    fn not_found(&self, field: &str, path: &Path, error: PathError) -> TemplateEvaluationError {
        let (path, input) = match path.root() {
            Root::Context => (path.text().replacen("$$", "$", 1), (self.scope.context)()),
            _ => (path.text().to_owned(), self.scope.input.clone()),
        };
        TemplateEvaluationError::Path { field: format!("{field}.$").into(), path: path.into(), input, error }
    }
}

fn too_large(field: &str) -> TemplateEvaluationError {
    TemplateEvaluationError::TooLarge { field: format!("{field}.$").into() }
}

impl Node {
    /// How many paths there are.
    fn reads(&self) -> usize {
        match self {
            Node::Static(_) => 0,
            Node::Path(_) => 1,
            Node::Intrinsic(call) => call.paths().len(),
            Node::Array(nodes) => nodes.iter().map(Node::reads).sum(),
            Node::Object(nodes) => nodes.iter().map(|(_, node)| node.reads()).sum(),
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
