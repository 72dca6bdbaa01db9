//! Text to tokens. What a `/` means depends on what came before it, so the parser asks for one token at a time.

use std::sync::Arc;

use super::tree::Literal;
use crate::fault::{Fault, Result, json_string};
use crate::regex::Regex;

#[derive(Debug, Clone)]
pub(super) enum Lexeme {
    Name(Arc<str>),
    Variable(Arc<str>),
    Literal(Literal),
    Regex(Arc<Regex>),
    Operator(&'static str),
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) lexeme: Lexeme,
    /// In characters.
    pub(super) position: usize,
}

impl Token {
    /// The operator, where the token is one.
    pub(super) fn operator(&self) -> &'static str {
        match &self.lexeme {
            Lexeme::Operator(operator) => operator,
            _ => "",
        }
    }

    /// The token as JSON text, as messages show it.
    pub(super) fn json(&self) -> String {
        match &self.lexeme {
            Lexeme::Name(text) | Lexeme::Variable(text) | Lexeme::Literal(Literal::Text(text)) => {
                json_string(text)
            }
            Lexeme::Literal(literal) => literal_json(literal),
            Lexeme::Regex(_) => "{}".to_owned(),
            Lexeme::Operator(operator) => json_string(operator),
            Lexeme::End => "\"(end)\"".to_owned(),
        }
    }
}

/// A literal as JSON text.
pub(super) fn literal_json(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(int) => int.to_string(),
        Literal::Float(value) => crate::value::number_text(*value),
        Literal::Text(text) => json_string(text),
    }
}

const OPERATORS: [&str; 33] = [
    "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#",
    ";", ":", "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^", "&",
];

/// Characters that end a name and that no operator begins with on their own.
const STOPS: [&str; 2] = ["!", "~"];

pub(super) struct Lexer {
    chars: Vec<char>,
    at: usize,
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{b}')
}

fn is_operator_char(char: char) -> bool {
    ".[]{}(),@#;:?+-*/%|=<>^&!~".contains(char)
}

impl Lexer {
    pub(super) fn new(source: &str) -> Lexer {
        Lexer { chars: source.chars().collect(), at: 0 }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn text(&self, from: usize, to: usize) -> String {
        self.chars.get(from..to).unwrap_or_default().iter().collect()
    }

    /// The next token; after a value (`after_value`) a `/` divides, elsewhere it begins a regular expression.
    pub(super) fn next(&mut self, after_value: bool) -> Result<Token> {
        self.skip_blank()?;
        let position = self.at;
        let token = |lexeme| Ok(Token { lexeme, position });
        let Some(first) = self.peek(0) else {
            return Ok(Token { lexeme: Lexeme::End, position: self.chars.len() });
        };
        if first == '/' && !after_value {
            self.at += 1;
            return token(Lexeme::Regex(Arc::new(self.regex()?)));
        }
        let operator = OPERATORS.iter().chain(&STOPS).find(|operator| {
            operator.chars().enumerate().all(|(ahead, char)| self.peek(ahead) == Some(char))
        });
        if let Some(operator) = operator {
            self.at += operator.len();
            return token(Lexeme::Operator(operator));
        }
        match first {
            '"' | '\'' => token(Lexeme::Literal(Literal::Text(self.string(first)?.into()))),
            '0'..='9' => token(Lexeme::Literal(self.number()?)),
            '`' => token(Lexeme::Name(self.quoted_name()?)),
            _ => token(self.name()),
        }
    }

    fn skip_blank(&mut self) -> Result<()> {
        loop {
            while self.peek(0).is_some_and(is_space) {
                self.at += 1;
            }
            if self.peek(0) != Some('/') || self.peek(1) != Some('*') {
                return Ok(());
            }
            let start = self.at;
            self.at += 2;
            while !(self.peek(0) == Some('*') && self.peek(1) == Some('/')) {
                self.at += 1;
                if self.at >= self.chars.len() {
                    return Err(Fault::new("S0106").at(start));
                }
            }
            self.at += 2;
        }
    }

    fn name(&mut self) -> Lexeme {
        let start = self.at;
        while self.peek(0).is_some_and(|char| !is_space(char) && !is_operator_char(char)) {
            self.at += 1;
        }
        let text = self.text(start, self.at);
        if let Some(variable) = text.strip_prefix('$') {
            return Lexeme::Variable(variable.into());
        }
        match text.as_str() {
            "or" => Lexeme::Operator("or"),
            "in" => Lexeme::Operator("in"),
            "and" => Lexeme::Operator("and"),
            "true" => Lexeme::Literal(Literal::Bool(true)),
            "false" => Lexeme::Literal(Literal::Bool(false)),
            "null" => Lexeme::Literal(Literal::Null),
            _ => Lexeme::Name(text.into()),
        }
    }

    fn quoted_name(&mut self) -> Result<Arc<str>> {
        let start = self.at + 1;
        match self.chars.get(start..).unwrap_or_default().iter().position(|char| *char == '`') {
            Some(length) => {
                self.at = start + length + 1;
                Ok(self.text(start, start + length).into())
            }
            None => Err(Fault::new("S0105").at(self.chars.len())),
        }
    }

    fn number(&mut self) -> Result<Literal> {
        let start = self.at;
        let digits = |lexer: &mut Lexer| {
            while lexer.peek(0).is_some_and(|char| char.is_ascii_digit()) {
                lexer.at += 1;
            }
        };
        if self.peek(0) == Some('0') {
            self.at += 1;
        } else {
            digits(self);
        }
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|char| char.is_ascii_digit()) {
            self.at += 1;
            digits(self);
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if self.peek(1 + sign).is_some_and(|char| char.is_ascii_digit()) {
                self.at += 1 + sign;
                digits(self);
            }
        }
        let text = self.text(start, self.at);
        if let Ok(int) = text.parse::<i64>() {
            return Ok(Literal::Int(int));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(match crate::value::whole(value) {
                Some(int) => Literal::Int(int),
                None => Literal::Float(value),
            }),
            _ => Err(Fault { token: Some(json_string(&text)), ..*Fault::new("S0102").at(start) }.into()),
        }
    }

    fn string(&mut self, quote: char) -> Result<String> {
        self.at += 1;
        let mut out = String::new();
        while let Some(char) = self.peek(0) {
            match char {
                '\\' => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                _ if char == quote => {
                    self.at += 1;
                    return Ok(out);
                }
                _ => out.push(char),
            }
            self.at += 1;
        }
        Err(Fault::new("S0101").at(self.at))
    }

    /// One escape; stands on its last character afterwards.
    fn escape(&mut self, out: &mut String) -> Result<()> {
        let char = self.peek(0).unwrap_or_default();
        out.push(match char {
            '"' | '\\' | '/' => char,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode_escape()?,
            _ => {
                let token = if self.at < self.chars.len() { char.to_string() } else { String::new() };
                return Err(Fault::new("S0103").at(self.at).token(&token));
            }
        });
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let Some(unit) = self.hex4(1) else { return Err(Fault::new("S0104").at(self.at)) };
        self.at += 4;
        let is_high = (0xD800..0xDC00).contains(&unit);
        if is_high
            && self.peek(1) == Some('\\')
            && self.peek(2) == Some('u')
            && let Some(low) = self.hex4(3).filter(|low| (0xDC00..0xE000).contains(low))
        {
            self.at += 6;
            let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        // Half of a surrogate pair cannot be held in a Rust text.
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&self, ahead: usize) -> Option<u32> {
        let start = self.at + ahead;
        let digits = self.chars.get(start..(start + 4).min(self.chars.len()))?;
        let all_hex = !digits.is_empty() && digits.iter().all(char::is_ascii_hexdigit);
        all_hex.then(|| digits.iter().fold(0, |code, digit| code * 16 + digit.to_digit(16).unwrap_or(0)))
    }

    /// The regular expression after its opening `/`. A `/` within brackets of any kind does not end it.
    fn regex(&mut self) -> Result<Regex> {
        let start = self.at;
        let mut depth = 0i32;
        while let Some(char) = self.peek(0) {
            let escaped = self.backslashes_before() % 2 == 1;
            if char == '/' && depth == 0 && !escaped {
                return self.regex_end(start);
            }
            let after_backslash = self.at > 0 && self.chars.get(self.at - 1) == Some(&'\\');
            match char {
                '(' | '[' | '{' if !after_backslash => depth += 1,
                ')' | ']' | '}' if !after_backslash => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        Err(Fault::new("S0302").at(self.at))
    }

    fn backslashes_before(&self) -> usize {
        self.chars.get(..self.at).unwrap_or_default().iter().rev().take_while(|char| **char == '\\').count()
    }

    fn regex_end(&mut self, start: usize) -> Result<Regex> {
        let end = self.at;
        if end == start {
            return Err(Fault::new("S0301").at(end));
        }
        self.at += 1;
        let (mut ignore_case, mut multiline) = (false, false);
        while let Some(flag @ ('i' | 'm')) = self.peek(0) {
            let seen = if flag == 'i' { &mut ignore_case } else { &mut multiline };
            *seen = true;
            self.at += 1;
        }
        let pattern = self.text(start, end);
        Regex::new(&pattern, ignore_case, multiline).map_err(|reason| {
            Fault::host(&format!("Invalid regular expression: /{pattern}/: {reason}")).at(start)
        })
    }
}
