//! Texts to intrinsic calls.

use stepwright_value::{Number, Value};

use super::function::Function;
use super::{Argument, Intrinsic};
use crate::cursor::Cursor;
use crate::limits::INTRINSIC_DEPTH_MAX;
use crate::path::parser::Ends;
use crate::{Path, SyntaxError};

/// Reads `States.Name(…)`. `depth` counts the calls around it.
pub(super) fn call(cursor: &mut Cursor<'_>, depth: usize) -> Result<Intrinsic, SyntaxError> {
    if depth >= INTRINSIC_DEPTH_MAX {
        return Err(cursor.error(format!("calls nest at most {INTRINSIC_DEPTH_MAX} deep")));
    }
    let from = cursor.position();
    cursor.expect("States.")?;
    let name = cursor.take_while(|next| next.is_ascii_alphanumeric());
    let function =
        Function::named(name).ok_or_else(|| cursor.error(format!("no function 'States.{name}'")))?;
    cursor.skip_blanks();
    cursor.expect("(")?;
    let arguments = arguments(cursor, depth)?;
    Ok(Intrinsic { text: cursor.since(from).into(), function, arguments: arguments.into() })
}

/// Reads the arguments and the closing parenthesis.
fn arguments(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<Argument>, SyntaxError> {
    let mut arguments = vec![];
    cursor.skip_blanks();
    while !cursor.eat(")") {
        if !arguments.is_empty() {
            cursor.expect(",")?;
            cursor.skip_blanks();
        }
        arguments.push(argument(cursor, depth)?);
        cursor.skip_blanks();
    }
    Ok(arguments)
}

fn argument(cursor: &mut Cursor<'_>, depth: usize) -> Result<Argument, SyntaxError> {
    match cursor.peek() {
        Some('\'') => text(cursor).map(|text| Argument::Literal(text.into())),
        Some('$') => Path::parse_next(cursor, Ends::AsArgument).map(Argument::Path),
        Some('S') => call(cursor, depth + 1).map(Argument::Call),
        Some('-' | '0'..='9') => {
            let text = cursor.number_text();
            let number =
                Number::parse(text).ok_or_else(|| cursor.error(format!("'{text}' is not a number")))?;
            Ok(Argument::Literal(number.into()))
        }
        _ => match cursor.take_while(|next| next.is_ascii_alphabetic()) {
            "true" => Ok(Argument::Literal(true.into())),
            "false" => Ok(Argument::Literal(false.into())),
            "null" => Ok(Argument::Literal(Value::Null)),
            _ => Err(cursor.error("an argument expected")),
        },
    }
}

/// Reads a string, and returns what stands between its quotes. Only quotes, braces and backslashes may be escaped; AWS
/// refuses every other escape.
fn text<'t>(cursor: &mut Cursor<'t>) -> Result<&'t str, SyntaxError> {
    cursor.expect("'")?;
    let from = cursor.position();
    loop {
        let at = cursor.position();
        match cursor.next() {
            Some('\'') => return Ok(cursor.between(from, at)),
            Some('\\') => match cursor.next() {
                Some('\'' | '\\' | '{' | '}') => {}
                _ => return Err(cursor.error("only ' { } and \\ can be escaped")),
            },
            Some(_) => {}
            None => return Err(cursor.error("the string is not closed")),
        }
    }
}
