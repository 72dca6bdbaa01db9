//! Texts to filters.

use regex::{Regex, RegexBuilder};
use stepwright_value::{Number, Object, Value};

use super::{Filter, Operand, Operator};
use crate::SyntaxError;
use crate::cursor::Cursor;
use crate::limits::{FILTER_DEPTH_MAX, REGEX_BYTES_MAX};
use crate::path::Route;
use crate::path::parser::{Ends, route};

/// Reads `(…)` after `[?`. `depth` counts the filters and parentheses around it.
pub(crate) fn filter(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    if depth >= FILTER_DEPTH_MAX {
        return Err(cursor.error(format!("filters nest at most {FILTER_DEPTH_MAX} deep")));
    }
    cursor.skip_blanks();
    cursor.expect("(")?;
    let filter = any(cursor, depth + 1)?;
    cursor.skip_blanks();
    cursor.expect(")")?;
    Ok(filter)
}

fn any(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let mut filters = vec![all(cursor, depth)?];
    while next_is(cursor, "||") {
        filters.push(all(cursor, depth)?);
    }
    Ok(alone_or(filters, Filter::Any))
}

fn all(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let mut filters = vec![condition(cursor, depth)?];
    while next_is(cursor, "&&") {
        filters.push(condition(cursor, depth)?);
    }
    Ok(alone_or(filters, Filter::All))
}

fn next_is(cursor: &mut Cursor<'_>, operator: &str) -> bool {
    cursor.skip_blanks();
    cursor.eat(operator)
}

fn alone_or(mut filters: Vec<Filter>, combine: impl Fn(Vec<Filter>) -> Filter) -> Filter {
    match (filters.len(), filters.pop()) {
        (1, Some(filter)) => filter,
        (_, last) => {
            filters.extend(last);
            combine(filters)
        }
    }
}

/// Reads `!…`, `(…)`, a comparison or a lone operand.
fn condition(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    cursor.skip_blanks();
    let mut negated = false;
    while cursor.eat("!") {
        negated = !negated;
        cursor.skip_blanks();
    }
    let condition = match cursor.peek() {
        Some('(') => filter(cursor, depth)?,
        _ => comparison(cursor, depth)?,
    };
    Ok(if negated { Filter::Not(Box::new(condition)) } else { condition })
}

fn comparison(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let left = operand(cursor, depth)?;
    cursor.skip_blanks();
    if cursor.eat("=~") {
        cursor.skip_blanks();
        return Ok(Filter::Matches(left, regex(cursor)?));
    }
    let Some(operator) = operator(cursor)? else { return Ok(Filter::Exists(left)) };
    cursor.skip_blanks();
    Ok(Filter::Compare(left, operator, operand(cursor, depth)?))
}

/// Reads an operator, unless the condition ends here.
fn operator(cursor: &mut Cursor<'_>) -> Result<Option<Operator>, SyntaxError> {
    for (text, operator) in [
        ("===", Operator::Equal),
        ("!==", Operator::NotEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ] {
        if cursor.eat(text) {
            return Ok(Some(operator));
        }
    }
    let word = cursor.take_while(|next| next.is_ascii_alphabetic());
    match Operator::named(word) {
        Some(operator) => Ok(Some(operator)),
        None if word.is_empty() => Ok(None),
        None => Err(cursor.error(format!("no operator '{word}'"))),
    }
}

fn operand(cursor: &mut Cursor<'_>, depth: usize) -> Result<Operand, SyntaxError> {
    match cursor.peek() {
        Some('@') => {
            cursor.next();
            Ok(Operand::Item(operand_route(cursor, depth)?))
        }
        Some('$') => {
            cursor.next();
            Ok(Operand::Document(operand_route(cursor, depth)?))
        }
        _ => Ok(Operand::Literal(literal(cursor, depth)?)),
    }
}

fn operand_route(cursor: &mut Cursor<'_>, depth: usize) -> Result<Route, SyntaxError> {
    route(cursor, Ends::AsOperand, depth)
}

fn literal(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, SyntaxError> {
    if depth >= FILTER_DEPTH_MAX {
        return Err(cursor.error(format!("filters nest at most {FILTER_DEPTH_MAX} deep")));
    }
    match cursor.peek() {
        Some('\'' | '"') => Ok(cursor.quoted()?.into()),
        Some('[') => array(cursor, depth + 1),
        Some('{') => object(cursor, depth + 1),
        Some('-' | '0'..='9') => {
            let text = cursor.number_text();
            match Number::parse(text) {
                Some(number) => Ok(number.into()),
                None => Err(cursor.error(format!("'{text}' is not a number"))),
            }
        }
        _ => word(cursor),
    }
}

/// Reads `true`, `false`, `null`, or a word: AWS takes strings without quotes here.
fn word(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    match cursor.take_while(|next| next.is_alphanumeric() || matches!(next, '_' | '-')) {
        "" => Err(cursor.error("a path or a literal expected")),
        "true" => Ok(true.into()),
        "false" => Ok(false.into()),
        "null" => Ok(Value::Null),
        word => Ok(word.into()),
    }
}

fn array(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, SyntaxError> {
    cursor.expect("[")?;
    let mut items = vec![];
    cursor.skip_blanks();
    while !cursor.eat("]") {
        if !items.is_empty() {
            cursor.expect(",")?;
            cursor.skip_blanks();
        }
        items.push(literal(cursor, depth)?);
        cursor.skip_blanks();
    }
    Ok(items.into())
}

fn object(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, SyntaxError> {
    cursor.expect("{")?;
    let mut object = Object::new();
    cursor.skip_blanks();
    while !cursor.eat("}") {
        if !object.is_empty() {
            cursor.expect(",")?;
            cursor.skip_blanks();
        }
        let key = cursor.quoted()?;
        cursor.skip_blanks();
        cursor.expect(":")?;
        cursor.skip_blanks();
        object.insert(key, literal(cursor, depth)?);
        cursor.skip_blanks();
    }
    Ok(object.into())
}

/// Reads `/pattern/flags`. The pattern must match the whole text, as with Java's `matches`.
fn regex(cursor: &mut Cursor<'_>) -> Result<Regex, SyntaxError> {
    cursor.expect("/")?;
    let mut pattern = String::new();
    loop {
        match cursor.next() {
            Some('/') => break,
            Some('\\') => match cursor.next() {
                Some('/') => pattern.push('/'),
                Some(escaped) => pattern.extend(['\\', escaped]),
                None => return Err(cursor.error("the pattern is not closed")),
            },
            Some(next) => pattern.push(next),
            None => return Err(cursor.error("the pattern is not closed")),
        }
    }
    let mut builder = RegexBuilder::new(&format!(r"\A(?:{pattern})\z"));
    builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).nest_limit(FILTER_DEPTH_MAX as u32);
    for flag in cursor.take_while(|next| next.is_ascii_alphabetic()).chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            'd' => builder.crlf(false),
            'u' | 'U' => builder.unicode(true),
            _ => return Err(cursor.error(format!("no flag '{flag}'"))),
        };
    }
    builder.build().map_err(|error| cursor.error(error.to_string()))
}
