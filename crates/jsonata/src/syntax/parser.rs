//! The Pratt parser.

use std::sync::Arc;

use super::signature::Signature;
use super::token::{Lexeme, Lexer, Token};
use super::tree::{Literal, Operator, Raw, RawKind};
use crate::fault::{Fault, Result, json_string};

/// Deepest nesting of brackets and prefix operators.
const NESTING_MAX: usize = 200;

/// Parses a whole expression.
pub(super) fn parse_tree(source: &str) -> Result<Raw> {
    let mut lexer = Lexer::new(source);
    let token = lexer.next(false)?;
    let mut parser = Parser { lexer, token, nesting: 0 };
    let tree = parser.expression(0)?;
    match parser.token.lexeme {
        Lexeme::End => Ok(tree),
        _ => Err(parser.unexpected("S0201")),
    }
}

/// Parses a whole expression into its processed tree.
pub(crate) fn parse(source: &str) -> Result<(super::Node, super::ancestry::Slots)> {
    super::steps::process(parse_tree(source)?)
}

struct Parser {
    lexer: Lexer,
    token: Token,
    nesting: usize,
}

/// How strongly an infix operator binds to what is left of it; 0 where the token is none.
fn binding_power(operator: &str) -> u8 {
    match operator {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "<" | ">" | "^" | "!=" | "<=" | ">=" | "~>" | "?:" | "??" | "in" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

impl Parser {
    fn expression(&mut self, right_power: u8) -> Result<Raw> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(Fault::stack().at(self.token.position));
        }
        let token = self.advance(true)?;
        let mut left = self.prefix(token)?;
        while right_power < binding_power(self.token.operator()) {
            let token = self.advance(false)?;
            left = self.infix(token, left)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    /// Goes to the next token and returns the current one.
    fn advance(&mut self, after_value: bool) -> Result<Token> {
        let next = self.lexer.next(after_value)?;
        if let Lexeme::Operator("!" | "~") = next.lexeme {
            return Err(Fault { token: Some(next.json()), ..*Fault::new("S0204").at(next.position) }.into());
        }
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn is(&self, operator: &str) -> bool {
        self.token.operator() == operator
    }

    /// Goes past `operator`, which must be the current token.
    fn expect(&mut self, operator: &str, after_value: bool) -> Result<()> {
        if !self.is(operator) {
            let at_end = matches!(self.token.lexeme, Lexeme::End);
            return Err(self.unexpected(if at_end { "S0203" } else { "S0202" }).value(json_string(operator)));
        }
        self.advance(after_value).map(|_| ())
    }

    fn unexpected(&self, code: &'static str) -> Box<Fault> {
        Fault { token: Some(self.token.json()), ..*Fault::new(code).at(self.token.position) }.into()
    }

    fn prefix(&mut self, token: Token) -> Result<Raw> {
        let position = token.position;
        let operator = match token.lexeme {
            Lexeme::Name(name) => return Raw::new(RawKind::Name(name), position),
            Lexeme::Variable(name) => return Raw::new(RawKind::Variable(name), position),
            Lexeme::Literal(literal) => return Raw::new(RawKind::Literal(literal), position),
            Lexeme::Regex(regex) => return Raw::new(RawKind::Regex(regex), position),
            Lexeme::End => return Raw::new(RawKind::End, position),
            Lexeme::Operator(operator) => operator,
        };
        let kind = match operator {
            "and" | "or" | "in" => RawKind::Keyword(operator),
            "-" => RawKind::Negate(Box::new(self.expression(70)?)),
            "*" => RawKind::Wildcard,
            "**" => RawKind::Descendant,
            "%" => RawKind::Parent,
            "(" => RawKind::Block(self.block()?),
            "[" => RawKind::Array(self.array()?),
            "{" => RawKind::Object(self.pairs()?),
            "|" => self.transform()?,
            _ => return Err(Fault::new("S0211").at(position).token(operator)),
        };
        Raw::new(kind, position)
    }

    fn infix(&mut self, token: Token, left: Raw) -> Result<Raw> {
        let position = token.position;
        let operator = token.operator();
        let left_position = left.position;
        let boxed = Box::new;
        let kind = match operator {
            "." => RawKind::Dot(boxed(left), boxed(self.expression(75)?)),
            "[" => return self.predicate(left, position),
            "(" => return self.call(left, position),
            "{" => RawKind::GroupBy(boxed(left), self.pairs()?),
            "^" => RawKind::OrderBy(boxed(left), self.order_terms()?),
            "@" => RawKind::Focus(boxed(left), self.variable("@")?),
            "#" => RawKind::Index(boxed(left), self.variable("#")?),
            "~>" => RawKind::Apply(boxed(left), boxed(self.expression(40)?)),
            "?" => self.condition(left)?,
            "?:" => {
                let otherwise = Some(boxed(self.expression(0)?));
                RawKind::Condition {
                    condition: boxed(left.clone()),
                    then: boxed(left),
                    otherwise,
                    newer: true,
                }
            }
            "??" => {
                let exists = Raw::new(RawKind::Variable("exists".into()), position)?;
                let condition = boxed(Raw::new(RawKind::Call(boxed(exists), vec![left.clone()]), position)?);
                let otherwise = Some(boxed(self.expression(0)?));
                RawKind::Condition { condition, then: boxed(left), otherwise, newer: true }
            }
            ":=" => {
                let RawKind::Variable(name) = &left.kind else {
                    return Err(Fault::new("S0212").at(left_position));
                };
                RawKind::Bind(name.clone(), boxed(self.expression(9)?))
            }
            _ => match Operator::from_token(operator) {
                Some(known) => {
                    RawKind::Infix(known, boxed(left), boxed(self.expression(binding_power(operator))?))
                }
                None => return Err(Fault::new("S0201").at(position).token(operator)),
            },
        };
        Raw::new(kind, position)
    }

    fn variable(&mut self, operator: &str) -> Result<Arc<str>> {
        let right = self.expression(80)?;
        match right.kind {
            RawKind::Variable(name) => Ok(name),
            _ => Err(Fault::new("S0214").at(right.position).token(operator)),
        }
    }

    fn condition(&mut self, left: Raw) -> Result<RawKind> {
        let then = Box::new(self.expression(0)?);
        let mut otherwise = None;
        if self.is(":") {
            self.expect(":", false)?;
            otherwise = Some(Box::new(self.expression(0)?));
        }
        Ok(RawKind::Condition { condition: Box::new(left), then, otherwise, newer: false })
    }

    fn predicate(&mut self, mut left: Raw, position: usize) -> Result<Raw> {
        if self.is("]") {
            // An empty predicate marks the step: singletons stay arrays.
            let mut step = &mut left;
            while let RawKind::Predicate(inner, _) = &mut step.kind {
                step = inner;
            }
            step.keep_array = true;
            self.expect("]", false)?;
            return Ok(left);
        }
        let right = self.expression(0)?;
        self.expect("]", true)?;
        Raw::new(RawKind::Predicate(Box::new(left), Box::new(right)), position)
    }

    fn block(&mut self) -> Result<Vec<Raw>> {
        let mut expressions = Vec::new();
        while !self.is(")") {
            expressions.push(self.expression(0)?);
            if !self.is(";") {
                break;
            }
            self.expect(";", false)?;
        }
        self.expect(")", true)?;
        Ok(expressions)
    }

    fn array(&mut self) -> Result<Vec<Raw>> {
        let mut items = Vec::new();
        while !self.is("]") || !items.is_empty() {
            let mut item = self.expression(0)?;
            if self.is("..") {
                let position = self.token.position;
                self.expect("..", false)?;
                let end = self.expression(0)?;
                item = Raw::new(RawKind::Infix(Operator::Range, Box::new(item), Box::new(end)), position)?;
            }
            items.push(item);
            if !self.is(",") {
                break;
            }
            self.expect(",", false)?;
        }
        self.expect("]", true)?;
        Ok(items)
    }

    fn pairs(&mut self) -> Result<Vec<(Raw, Raw)>> {
        let mut pairs = Vec::new();
        while !self.is("}") || !pairs.is_empty() {
            let key = self.expression(0)?;
            self.expect(":", false)?;
            pairs.push((key, self.expression(0)?));
            if !self.is(",") {
                break;
            }
            self.expect(",", false)?;
        }
        self.expect("}", true)?;
        Ok(pairs)
    }

    fn order_terms(&mut self) -> Result<Vec<(bool, Raw)>> {
        self.expect("(", false)?;
        let mut terms = Vec::new();
        loop {
            let descending = self.is(">");
            if descending || self.is("<") {
                self.advance(false)?;
            }
            terms.push((descending, self.expression(0)?));
            if !self.is(",") {
                break;
            }
            self.expect(",", false)?;
        }
        self.expect(")", false)?;
        Ok(terms)
    }

    fn transform(&mut self) -> Result<RawKind> {
        let pattern = Box::new(self.expression(0)?);
        self.expect("|", false)?;
        let update = Box::new(self.expression(0)?);
        let mut delete = None;
        if self.is(",") {
            self.expect(",", false)?;
            delete = Some(Box::new(self.expression(0)?));
        }
        self.expect("|", false)?;
        Ok(RawKind::Transform { pattern, update, delete })
    }

    fn call(&mut self, left: Raw, position: usize) -> Result<Raw> {
        let mut arguments = Vec::new();
        let mut partial = false;
        while !self.is(")") || !arguments.is_empty() {
            if self.is("?") {
                partial = true;
                arguments.push(Raw::new(RawKind::Keyword("?"), self.token.position)?);
                self.expect("?", false)?;
            } else {
                arguments.push(self.expression(0)?);
            }
            if !self.is(",") {
                break;
            }
            self.expect(",", false)?;
        }
        self.expect(")", true)?;
        let is_lambda = matches!(&left.kind, RawKind::Name(name) if matches!(&**name, "function" | "λ"));
        let kind = if is_lambda {
            self.lambda(arguments)?
        } else if partial {
            RawKind::Partial(Box::new(left), arguments)
        } else {
            RawKind::Call(Box::new(left), arguments)
        };
        Raw::new(kind, position)
    }

    fn lambda(&mut self, arguments: Vec<Raw>) -> Result<RawKind> {
        let mut parameters = Vec::with_capacity(arguments.len());
        for (number, argument) in arguments.into_iter().enumerate() {
            match argument.kind {
                RawKind::Variable(name) => parameters.push(name),
                _ => return Err(Fault::new("S0208").at(argument.position).value((number + 1).to_string())),
            }
        }
        let signature = if self.is("<") { Some(Arc::new(self.signature()?)) } else { None };
        self.expect("{", false)?;
        let body = Box::new(self.expression(0)?);
        self.expect("}", false)?;
        Ok(RawKind::Lambda { parameters, signature, body })
    }

    fn signature(&mut self) -> Result<Signature> {
        let start = self.token.position;
        let mut depth = 1;
        let mut text = String::from("<");
        while depth > 0 && !self.is("{") && !matches!(self.token.lexeme, Lexeme::End) {
            self.advance(false)?;
            match self.token.operator() {
                ">" => depth -= 1,
                "<" => depth += 1,
                _ => {}
            }
            match &self.token.lexeme {
                Lexeme::Name(name) | Lexeme::Variable(name) | Lexeme::Literal(Literal::Text(name)) => {
                    text.push_str(name);
                }
                Lexeme::Operator(operator) => text.push_str(operator),
                _ => text.push_str(&self.token.json()),
            }
        }
        self.expect(">", false)?;
        Signature::parse(&text).map_err(|fault| {
            let offset = fault.position.unwrap_or_default();
            fault.at(start + offset)
        })
    }
}
