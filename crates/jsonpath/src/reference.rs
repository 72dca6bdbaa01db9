//! Reference paths: the restricted form that names one place, for reading and for writing.

use stepwright_value::{Object, Value};
use thiserror::Error;

use crate::path::{Step, position};
use crate::{Path, PathError, Root, Scope, SyntaxError};

/// A path of names and indices only: `$.a.b[0]['c']`.
#[derive(Debug, Clone)]
pub struct ReferencePath(Path);

/// A result cannot be put where the path says: `States.ResultPathMatchFailure`.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("Unable to apply ReferencePath {path} to input {input}")]
pub struct SetError {
    /// The path as it was written.
    pub path: Box<str>,
    /// What it was applied to.
    pub input: Value,
}

impl ReferencePath {
    /// Compiles `text`. Wildcards, filters, slices, several names, deep scans and functions are refused. The messages
    /// are those of AWS where they are known; it puts `Value is not a Reference Path: ` before them.
    pub fn parse(text: &str) -> Result<ReferencePath, SyntaxError> {
        if !text.starts_with('$') {
            return Err(SyntaxError { position: 0, message: "Reference path didn't start with '$'".into() });
        }
        let unquoted = |(at, _): (usize, &str)| {
            !text[at + 1..]
                .trim_start()
                .starts_with(|next: char| matches!(next, '\'' | '"') || next.is_ascii_digit())
        };
        let path = Path::parse(text);
        if let Ok(path) = &path
            && path.route().simple
            && !path.has_negative_index()
            && !path.has_function()
        {
            return Ok(ReferencePath(path.clone()));
        }
        if let Some((position, _)) = text.match_indices('[').find(|found| unquoted(*found)) {
            return Err(SyntaxError { position, message: "'[' must be followed by ' or '['".into() });
        }
        path.and(Err(SyntaxError { position: 0, message: "a reference path names one place".into() }))
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// Where the path starts.
    pub fn root(&self) -> Root<'_> {
        self.0.root()
    }

    /// Whether the path is exactly `$`.
    pub fn is_root(&self) -> bool {
        self.0.is_root()
    }

    /// The same path, for reading.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is at this place below `root`, the value the path's root stands for.
    pub fn get<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.0.route().find(root)
    }

    /// What is at this place.
    pub fn select(&self, scope: &Scope<'_>) -> Result<Value, PathError> {
        self.0.select(scope)
    }

    /// A copy of `into` in which `value` is at this place. Missing parents become objects; other members stay. Fails
    /// where a parent is there but is not an object, and for an index that its array does not have.
    pub fn set(&self, into: &Value, value: Value) -> Result<Value, SetError> {
        let mut out = into.clone();
        match place(&mut out, &self.0.route().steps) {
            Some(place) => *place = value,
            None => return Err(SetError { path: self.text().into(), input: into.clone() }),
        }
        Ok(out)
    }
}

/// The place that the steps lead to, made where it is missing.
fn place<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    let mut at = value;
    for step in steps {
        at = match (step, at) {
            (Step::Name(name), Value::Object(members)) => {
                if !members.contains_key(name) {
                    // Becomes the parent of the next name, or the value.
                    members.insert(&**name, Object::new());
                }
                members.get_mut(name)?
            }
            (Step::Index(index), Value::Array(items)) => {
                let position = position(*index, items.len())?;
                items.make_mut().get_mut(position)?
            }
            _ => return None,
        };
    }
    Some(at)
}

impl Path {
    /// Whether a name looks like a call; AWS: "Functions such as `length()` aren't supported."
    fn has_function(&self) -> bool {
        self.route().steps.iter().any(|step| matches!(step, Step::Name(name) if name.ends_with("()")))
    }

    fn has_negative_index(&self) -> bool {
        self.route().steps.iter().any(|step| matches!(step, Step::Index(..0)))
    }
}
