//! Texts to the steps of a path.

use super::{OwnedRoot, Route, Step};
use crate::SyntaxError;
use crate::cursor::Cursor;
use crate::filter;
use crate::limits::STEPS_MAX;

/// Longest name of a variable (AWS developer guide).
const VARIABLE_NAME_CHARS_MAX: usize = 80;

/// What ends a path, and so may not be part of an unquoted name in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The path is the whole text.
    WithText,
    /// The path is an argument of an intrinsic call.
    AsArgument,
    /// The path is an operand of a filter.
    AsOperand,
}

/// Reads `$`, `$$` or `$name`.
pub(super) fn root(cursor: &mut Cursor<'_>) -> Result<OwnedRoot, SyntaxError> {
    cursor.expect("$")?;
    if cursor.eat("$") {
        return Ok(OwnedRoot::Context);
    }
    if !cursor.peek().is_some_and(|next| next.is_alphabetic() || next == '_') {
        return Ok(OwnedRoot::Input);
    }
    let name = cursor.take_while(|next| next.is_alphanumeric() || next == '_');
    if name.chars().count() > VARIABLE_NAME_CHARS_MAX {
        return Err(cursor.error(format!("variable names have at most {VARIABLE_NAME_CHARS_MAX} characters")));
    }
    Ok(OwnedRoot::Variable(name.into()))
}

/// Reads the steps after the root. `filter_depth` counts the filters around this path.
pub(crate) fn route(cursor: &mut Cursor<'_>, ends: Ends, filter_depth: usize) -> Result<Route, SyntaxError> {
    let mut steps = vec![];
    loop {
        if steps.len() > STEPS_MAX {
            return Err(cursor.error(format!("a path has at most {STEPS_MAX} steps")));
        }
        if cursor.peek() == Some('[') {
            steps.push(bracket(cursor, filter_depth)?);
        } else if cursor.eat("..") {
            steps.push(Step::Descend);
            steps.push(dotted(cursor, ends, filter_depth)?);
        } else if cursor.eat(".") {
            steps.push(dotted(cursor, ends, filter_depth)?);
        } else {
            return Ok(Route::new(steps));
        }
    }
}

/// Reads what follows a dot: a name, `*` or a bracket. AWS knows no functions in paths: `length()` is a name.
fn dotted(cursor: &mut Cursor<'_>, ends: Ends, filter_depth: usize) -> Result<Step, SyntaxError> {
    match cursor.peek() {
        Some('[') => return bracket(cursor, filter_depth),
        Some('*') => {
            cursor.next();
            return Ok(Step::Wildcard);
        }
        _ => {}
    }
    let name = cursor.take_while(|next| may_be_in_name(next, ends));
    if name.is_empty() {
        return Err(cursor.error("a name expected"));
    }
    let call = if cursor.eat("()") { "()" } else { "" };
    Ok(Step::Name(format!("{name}{call}").into()))
}

fn may_be_in_name(next: char, ends: Ends) -> bool {
    if next.is_whitespace() || next.is_control() {
        return false;
    }
    match next {
        '.' | '[' | ']' | '(' | ')' | ',' | '*' | '?' | '\'' | '"' => false,
        '=' | '!' | '<' | '>' | '&' | '|' | '~' => ends != Ends::AsOperand,
        _ => true,
    }
}

/// Reads `[…]`.
fn bracket(cursor: &mut Cursor<'_>, filter_depth: usize) -> Result<Step, SyntaxError> {
    cursor.expect("[")?;
    cursor.skip_blanks();
    let step = match cursor.peek() {
        Some('\'' | '"') => names(cursor)?,
        Some('*') => {
            cursor.next();
            Step::Wildcard
        }
        Some('?') => {
            cursor.next();
            Step::Filter(Box::new(filter::parser::filter(cursor, filter_depth)?))
        }
        _ => numbers(cursor)?,
    };
    cursor.skip_blanks();
    cursor.expect("]")?;
    Ok(step)
}

fn names(cursor: &mut Cursor<'_>) -> Result<Step, SyntaxError> {
    let first = cursor.quoted()?;
    let mut names: Vec<Box<str>> = vec![first.into()];
    loop {
        cursor.skip_blanks();
        if !cursor.eat(",") {
            break;
        }
        cursor.skip_blanks();
        names.push(cursor.quoted()?.into());
    }
    match <[Box<str>; 1]>::try_from(names) {
        Ok([name]) => Ok(Step::Name(name)),
        Err(names) => Ok(Step::Names(names.into())),
    }
}

/// Reads the inside of `[0]`, `[0,1]` or `[0:1]`.
fn numbers(cursor: &mut Cursor<'_>) -> Result<Step, SyntaxError> {
    let first = integer(cursor)?;
    cursor.skip_blanks();
    if cursor.eat(":") {
        return slice(cursor, first);
    }
    let Some(first) = first else { return Err(cursor.error("an index, a name, '*' or a filter expected")) };
    let mut indices = vec![first];
    while cursor.eat(",") {
        cursor.skip_blanks();
        indices.push(integer(cursor)?.ok_or_else(|| cursor.error("an index expected"))?);
        cursor.skip_blanks();
    }
    match <[i64; 1]>::try_from(indices) {
        Ok([index]) => Ok(Step::Index(index)),
        Err(indices) => Ok(Step::Indices(indices.into())),
    }
}

/// Reads what follows the first colon of a slice.
fn slice(cursor: &mut Cursor<'_>, start: Option<i64>) -> Result<Step, SyntaxError> {
    cursor.skip_blanks();
    let end = integer(cursor)?;
    cursor.skip_blanks();
    let mut stride = 1;
    if cursor.eat(":") {
        cursor.skip_blanks();
        if let Some(given) = integer(cursor)? {
            stride = usize::try_from(given).unwrap_or(0);
        }
        if stride == 0 {
            return Err(cursor.error("the step of a slice is positive"));
        }
    } else if start.is_none() && end.is_none() {
        return Err(cursor.error("a slice has a start or an end"));
    }
    Ok(Step::Slice { start, end, stride })
}

/// Reads an integer, if one comes next.
fn integer(cursor: &mut Cursor<'_>) -> Result<Option<i64>, SyntaxError> {
    let text = cursor.take_while(|next| next.is_ascii_digit() || next == '-');
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| cursor.error(format!("'{text}' is not an index")))
}
