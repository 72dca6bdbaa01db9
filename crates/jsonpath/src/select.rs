//! Evaluation: the walk along the steps of a path.

use stepwright_value::{Array, Object, Value, java};

use crate::PathError;
use crate::limits::{OUTPUT_BYTES_MAX, VISITS_MAX, VISITS_UNASKED, fits};
use crate::path::{Route, Step, position};

/// What one evaluation may still do, its filters included.
pub(crate) struct Budget<'b> {
    visits: usize,
    bytes: usize,
    goes_on: &'b dyn Fn() -> bool,
}

impl<'b> Budget<'b> {
    pub(crate) fn new(goes_on: &'b dyn Fn() -> bool) -> Budget<'b> {
        Budget { visits: VISITS_MAX, bytes: OUTPUT_BYTES_MAX, goes_on }
    }

    pub(crate) fn visit(&mut self) -> Result<(), PathError> {
        self.visits = self.visits.checked_sub(1).ok_or(PathError::TooLarge)?;
        let is_asked = self.visits.is_multiple_of(VISITS_UNASKED);
        if is_asked && !(self.goes_on)() { Err(PathError::TooLarge) } else { Ok(()) }
    }
}

impl Route {
    /// What the path selects from `root`, in the shape its definiteness asks for.
    pub(crate) fn select(&self, root: &Value, goes_on: &dyn Fn() -> bool) -> Result<Value, PathError> {
        if self.simple
            && let Some(found) = self.find(root)
        {
            return Ok(found.clone());
        }
        self.select_within(root, root, &mut Budget::new(goes_on))
    }

    /// As [`Route::select`] from `start`, in a document whose `$` is `document`.
    pub(crate) fn select_within(
        &self,
        document: &Value,
        start: &Value,
        budget: &mut Budget<'_>,
    ) -> Result<Value, PathError> {
        let mut walk = Walk { route: self, document, budget, found: vec![], is_past_end: false };
        match walk.step(0, start) {
            // A missing parent leaves an indefinite path without results.
            Err(PathError::NotFound { .. }) if !self.definite => {}
            other => other?,
        }
        let (mut found, is_past_end) = (walk.found, walk.is_past_end);
        match self.definite {
            true => found.pop().ok_or_else(|| self.no_results(is_past_end)),
            false => Ok(found.into()),
        }
    }

    fn no_results(&self, is_past_end: bool) -> PathError {
        let mut message = String::from("No results for path: ");
        self.write_up_to(self.steps.len(), &mut message);
        PathError::NotFound { message, is_past_end }
    }

    /// Writes the first `steps` steps the way Jayway does: `$['a'][0]`.
    fn write_up_to(&self, steps: usize, out: &mut String) {
        out.push('$');
        for step in self.steps.iter().take(steps) {
            step.write(out);
        }
    }
}

impl Step {
    fn write(&self, out: &mut String) {
        match self {
            Step::Name(name) => *out += &format!("['{name}']"),
            Step::Names(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
                *out += &format!("[{}]", quoted.join(", "));
            }
            Step::Index(index) => *out += &format!("[{index}]"),
            Step::Indices(indices) => {
                let texts: Vec<String> = indices.iter().map(i64::to_string).collect();
                *out += &format!("[{}]", texts.join(","));
            }
            Step::Slice { start, end, .. } => {
                let text = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
                *out += &format!("[{}:{}]", text(start), text(end));
            }
            Step::Wildcard => out.push_str("[*]"),
            Step::Filter(_) => out.push_str("[?]"),
            Step::Descend => out.push_str(".."),
        }
    }
}

struct Walk<'w, 'b> {
    route: &'w Route,
    /// What `$` is in filters.
    document: &'w Value,
    budget: &'w mut Budget<'b>,
    found: Vec<Value>,
    /// Whether an index was beyond its array.
    is_past_end: bool,
}

impl Walk<'_, '_> {
    /// Applies the steps from `at` on to `value`. Recursion is bounded by the steps and by the depth of the data.
    fn step(&mut self, mut at: usize, mut value: &Value) -> Result<(), PathError> {
        self.budget.visit()?;
        // Runs of names are the common case and need no recursion.
        while let (Some(Step::Name(name)), Value::Object(members)) = (self.route.steps.get(at), value)
            && let Some(member) = members.get(name)
        {
            (at, value) = (at + 1, member);
        }
        match self.route.steps.get(at) {
            None => self.found(value.clone()),
            Some(Step::Name(name)) => self.missing(at, name, value),
            Some(Step::Names(names)) => self.names(at, names, value),
            Some(Step::Index(index)) => self.indices(at, std::slice::from_ref(index), value),
            Some(Step::Indices(indices)) => self.indices(at, indices, value),
            Some(Step::Slice { start, end, stride }) => self.slice(at, *start, *end, *stride, value),
            Some(Step::Wildcard) => self.children(value, |walk, child| walk.step(at + 1, child)),
            Some(Step::Filter(filter)) => match value {
                Value::Array(items) => {
                    // AWS: `@` "only matches objects".
                    for item in items.iter().filter(|item| matches!(item, Value::Object(_))) {
                        if filter.accepts(item, self.document, self.budget)? {
                            self.step(at + 1, item)?;
                        }
                    }
                    Ok(())
                }
                Value::Object(_) if filter.accepts(value, self.document, self.budget)? => {
                    self.step(at + 1, value)
                }
                Value::Object(_) => Ok(()),
                _ if self.is_sure(at) => {
                    Err(self.not_applicable(at, "can not be applied to primitives", value))
                }
                _ => Ok(()),
            },
            Some(Step::Descend) => self.descend(at, value),
        }
    }

    fn found(&mut self, value: Value) -> Result<(), PathError> {
        if self.route.repeats && !fits(&value, &mut self.budget.bytes) {
            return Err(PathError::TooLarge);
        }
        self.found.push(value);
        Ok(())
    }

    /// What a name means for a value that has no such member.
    fn missing(&self, at: usize, name: &str, value: &Value) -> Result<(), PathError> {
        match value {
            Value::Object(_) if self.is_last(at) || !self.is_sure(at) => Ok(()),
            Value::Object(_) => Err(self.not_found("Missing property in path ", at + 1)),
            _ if self.is_sure(at) => {
                Err(self.not_found(&format!("Property ['{name}'] not found in path "), at))
            }
            _ => Ok(()),
        }
    }

    /// One object of the members that there are.
    fn names(&mut self, at: usize, names: &[Box<str>], value: &Value) -> Result<(), PathError> {
        let Value::Object(members) = value else {
            return match self.is_sure(at) {
                true => {
                    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
                    Err(self.not_found(&format!("Property [{}] not found in path ", names.join(",")), at))
                }
                false => Ok(()),
            };
        };
        if !self.is_last(at) {
            let mut message = String::from("Multi properties can only be used as path leafs: ");
            self.route.write_up_to(at + 1, &mut message);
            return Err(PathError::NotApplicable { message });
        }
        let picked: Object =
            names.iter().filter_map(|name| Some((&**name, members.get(name)?.clone()))).collect();
        self.found(picked.into())
    }

    fn indices(&mut self, at: usize, indices: &[i64], value: &Value) -> Result<(), PathError> {
        let Some(items) = self.array(at, value)? else { return Ok(()) };
        for index in indices {
            match position(*index, items.len()).and_then(|position| items.get(position)) {
                Some(item) => self.step(at + 1, item)?,
                None => self.is_past_end = true,
            }
        }
        Ok(())
    }

    fn slice(
        &mut self,
        at: usize,
        start: Option<i64>,
        end: Option<i64>,
        stride: usize,
        value: &Value,
    ) -> Result<(), PathError> {
        let Some(items) = self.array(at, value)? else { return Ok(()) };
        let len = items.len();
        let bound = |bound: i64| position(bound, len).unwrap_or(0).min(len);
        let (start, end) = (start.map_or(0, bound), end.map_or(len, bound));
        let selected = items.get(start..end).unwrap_or_default();
        selected.iter().step_by(stride).try_for_each(|item| self.step(at + 1, item))
    }

    /// The array a step for arrays needs. `None` where its absence leaves no result, an error where it fails the path.
    fn array<'v>(&self, at: usize, value: &'v Value) -> Result<Option<&'v Array>, PathError> {
        match value {
            Value::Array(items) => Ok(Some(items)),
            _ if !self.is_sure(at) => Ok(None),
            Value::Null => {
                let mut message = String::from("The path ");
                self.route.write_up_to(at, &mut message);
                message.push_str(" is null");
                Err(PathError::NotFound { message, is_past_end: false })
            }
            _ => Err(self.not_applicable(at, "can only be applied to arrays", value)),
        }
    }

    fn children(
        &mut self,
        value: &Value,
        mut each: impl FnMut(&mut Self, &Value) -> Result<(), PathError>,
    ) -> Result<(), PathError> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| each(self, item)),
            Value::Object(members) => members.values().try_for_each(|member| each(self, member)),
            _ => Ok(()),
        }
    }

    /// Applies the step after `at` to `value` and to every object and array in it, where it can apply.
    fn descend(&mut self, at: usize, value: &Value) -> Result<(), PathError> {
        let applies = match (self.route.steps.get(at + 1), value) {
            (Some(Step::Name(name)), Value::Object(members)) => members.contains_key(name),
            (Some(Step::Names(names)), Value::Object(members)) => {
                names.iter().all(|name| members.contains_key(name))
            }
            (Some(Step::Index(_) | Step::Indices(_) | Step::Slice { .. }), Value::Array(_)) => true,
            (Some(Step::Filter(_)), Value::Object(_)) => true,
            (Some(Step::Wildcard), Value::Object(_) | Value::Array(_)) => true,
            _ => false,
        };
        if applies {
            self.step(at + 1, value)?;
        }
        self.children(value, |walk, child| match child {
            Value::Object(_) | Value::Array(_) => {
                walk.budget.visit()?;
                walk.descend(at, child)
            }
            _ => Ok(()),
        })
    }

    fn is_last(&self, at: usize) -> bool {
        at + 1 == self.route.steps.len()
    }

    /// Whether all steps before `at` name one value: then a step that fails, fails the path.
    fn is_sure(&self, at: usize) -> bool {
        let before = self.route.steps.get(..at).unwrap_or_default();
        before.iter().all(|step| matches!(step, Step::Name(_) | Step::Index(_)))
    }

    fn not_found(&self, what: &str, steps: usize) -> PathError {
        let mut message = String::from(what);
        self.route.write_up_to(steps, &mut message);
        PathError::NotFound { message, is_past_end: false }
    }

    fn not_applicable(&self, at: usize, why: &str, value: &Value) -> PathError {
        let mut message = String::from("Filter: ");
        self.route.steps.iter().skip(at).for_each(|step| step.write(&mut message));
        // A huge value is of no use in a message and may be expensive to write.
        let mut context = String::new();
        match fits(value, &mut 4096.clone()) {
            true => java::write_text(value, &mut context),
            false => context.push_str("..."),
        }
        PathError::NotApplicable { message: format!("{message} {why}. Current context is: {context}") }
    }
}
