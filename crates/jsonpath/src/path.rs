//! Compiled JSONPaths.

pub(crate) mod parser;

use stepwright_value::Value;
use thiserror::Error;

use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::{Root, Scope, SyntaxError};
use parser::Ends;

/// A compiled JSONPath: `$…`, `$$…` or `$name…`.
#[derive(Debug, Clone)]
pub struct Path {
    text: Box<str>,
    root: OwnedRoot,
    route: Route,
}

#[derive(Debug, Clone)]
enum OwnedRoot {
    Input,
    Context,
    Variable(Box<str>),
}

/// The steps of a path after its root.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) steps: Box<[Step]>,
    /// Whether the steps name at most one value.
    pub(crate) definite: bool,
    /// Whether every step is a single name or index, so that the value can be found without a walk.
    pub(crate) simple: bool,
    /// Whether one part of the input can be selected more than once.
    pub(crate) repeats: bool,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// `.a`, `['a']`
    Name(Box<str>),
    /// `['a','b']`: one object of these members; only at the end of a path.
    Names(Box<[Box<str>]>),
    /// `[0]`, `[-1]`
    Index(i64),
    /// `[0,2]`
    Indices(Box<[i64]>),
    /// `[1:3]`; `None` is the end of the array on that side.
    Slice { start: Option<i64>, end: Option<i64>, stride: usize },
    /// `*`, `[*]`
    Wildcard,
    /// `[?(…)]`
    Filter(Box<Filter>),
    /// `..`: the next step is applied here and everywhere below.
    Descend,
}

/// Why a path selects nothing. The messages are those of Jayway's JsonPath, which AWS quotes for some fields: see
/// [`crate::invalid_path`] and [`crate::path_not_found`] for the sentences.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// A definite path names something that is not there.
    #[error("{message}")]
    NotFound {
        message: String,
        /// What is not there is an item of an array: a payload template takes null for it.
        is_past_end: bool,
    },
    /// A step for arrays meets something else: `$[1:5]` on an object. Fails indefinite paths too.
    #[error("{message}")]
    NotApplicable { message: String },
    /// The path asks for more than [`crate::limits`] allow.
    #[error("The path selects too much data")]
    TooLarge,
}

impl Path {
    /// Compiles `text`. Blanks before it are not allowed; those behind it are dropped.
    pub fn parse(text: &str) -> Result<Path, SyntaxError> {
        let mut cursor = Cursor::new(text.trim_end_matches(|next: char| next.is_ascii_whitespace()));
        let path = Path::parse_next(&mut cursor, Ends::WithText)?;
        if cursor.at_end() { Ok(path) } else { Err(cursor.error("unexpected character")) }
    }

    /// Compiles the path that comes next in a longer text.
    pub(crate) fn parse_next(cursor: &mut Cursor<'_>, ends: Ends) -> Result<Path, SyntaxError> {
        let from = cursor.position();
        let root = parser::root(cursor)?;
        let route = parser::route(cursor, ends, 0)?;
        Ok(Path { text: cursor.since(from).into(), root, route })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the path starts.
    pub fn root(&self) -> Root<'_> {
        match &self.root {
            OwnedRoot::Input => Root::Input,
            OwnedRoot::Context => Root::Context,
            OwnedRoot::Variable(name) => Root::Variable(name),
        }
    }

    /// The name of the variable the path starts at.
    pub fn variable(&self) -> Option<&str> {
        match self.root() {
            Root::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the path has at most one result, so that it yields that and not an array of results.
    pub fn is_definite(&self) -> bool {
        self.route.definite
    }

    /// Whether the path is exactly `$`.
    pub fn is_root(&self) -> bool {
        matches!(self.root, OwnedRoot::Input) && self.route.steps.is_empty()
    }

    /// Selects from the value that the path's root stands for in `scope`.
    ///
    /// A definite path yields the bare value, or [`PathError::NotFound`]. An indefinite one always yields an array,
    /// which is empty when nothing matches, also where a parent is missing.
    pub fn select(&self, scope: &Scope<'_>) -> Result<Value, PathError> {
        match &self.root {
            OwnedRoot::Input => self.route.select(scope.input, scope.goes_on),
            OwnedRoot::Context => self.route.select(&(scope.context)(), scope.goes_on),
            OwnedRoot::Variable(name) => match scope.variables.get(name) {
                Some(value) => self.route.select(&value, scope.goes_on),
                None => Err(PathError::NotFound {
                    message: format!("No results for path: ${name}"),
                    is_past_end: false,
                }),
            },
        }
    }

    /// As [`Path::select`], when the value of the root is at hand.
    pub fn select_from(&self, root: &Value) -> Result<Value, PathError> {
        self.route.select(root, &|| true)
    }

    pub(crate) fn route(&self) -> &Route {
        &self.route
    }
}

impl Route {
    pub(crate) fn new(steps: Vec<Step>) -> Route {
        let last = steps.len().saturating_sub(1);
        let definite = steps.iter().enumerate().all(|(at, step)| step.is_definite(at == last));
        let simple = steps.iter().all(|step| matches!(step, Step::Name(_) | Step::Index(_)));
        let repeats =
            steps.iter().any(|step| matches!(step, Step::Descend | Step::Names(_) | Step::Indices(_)));
        Route { steps: steps.into(), definite, simple, repeats }
    }

    /// What a simple route leads to.
    pub(crate) fn find<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        let mut value = root;
        for step in &self.steps {
            value = match (step, value) {
                (Step::Name(name), Value::Object(members)) => members.get(name)?,
                (Step::Index(index), Value::Array(items)) => items.get(position(*index, items.len())?)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

impl Step {
    fn is_definite(&self, last: bool) -> bool {
        match self {
            Step::Name(_) | Step::Index(_) => true,
            Step::Names(_) => last,
            _ => false,
        }
    }
}

/// The place in an array of `len` items that `index` means; negative ones count from the end.
pub(crate) fn position(index: i64, len: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(position) => Some(position),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}
