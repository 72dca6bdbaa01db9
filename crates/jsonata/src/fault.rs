//! What goes wrong in an expression: the codes of JSONata, the fields that fill their messages, and the messages, worded
//! as jsonata-js words them because workflows and people match on them.

use crate::formats::FormatError;

pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

/// An error on its way out of parser or evaluator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault {
    /// `S0201`, `T0410`, `D3030`, ...; empty where jsonata-js fails with an error of its host language.
    pub(crate) code: &'static str,
    /// In characters from the start of the expression.
    pub(crate) position: Option<usize>,
    /// The token, operator or function concerned, as JSON text.
    pub(crate) token: Option<String>,
    /// The value concerned, as JSON text.
    pub(crate) value: Option<String>,
    /// The second value of a comparison, or the exponent of a power, as JSON text.
    pub(crate) value2: Option<String>,
    /// Which argument, counted from 1.
    pub(crate) index: Option<usize>,
    /// Type name (T0412) or function name (D3140).
    pub(crate) name: Option<&'static str>,
    /// The whole message, where it is not made from the code.
    pub(crate) message: Option<String>,
    /// Whether a limit ended the evaluation.
    pub(crate) limit: bool,
    /// Whether it is Java's own failure, which AWS only gives a number: the message.
    pub(crate) internal: bool,
    /// Whether the result is a function, which is no JSON.
    pub(crate) unsupported: bool,
}

impl Fault {
    pub(crate) fn new(code: &'static str) -> Box<Fault> {
        Box::new(Fault { code, ..Fault::default() })
    }

    /// An error of the host language in jsonata-js: a message without a code.
    pub(crate) fn host(message: &str) -> Box<Fault> {
        Box::new(Fault { message: Some(message.to_owned()), ..Fault::default() })
    }

    /// The result is a function. AWS's words.
    pub(crate) fn unsupported() -> Box<Fault> {
        let message = Some("returned an unsupported result type.".to_owned());
        Box::new(Fault { message, unsupported: true, ..Fault::default() })
    }

    /// A failure of the host language that AWS does not tell: `id` stands for it.
    pub(crate) fn internal(id: String) -> Box<Fault> {
        Box::new(Fault { message: Some(id), internal: true, ..Fault::default() })
    }

    fn over_limit(message: &str) -> Box<Fault> {
        Box::new(Fault { message: Some(message.to_owned()), limit: true, ..Fault::default() })
    }

    /// Too deep. AWS's words.
    pub(crate) fn stack() -> Box<Fault> {
        Fault::over_limit(
            "Stack overflow error: Check for non-terminating recursive function. \
             Consider rewriting as tail-recursive",
        )
    }

    /// Too many bytes. AWS's words.
    pub(crate) fn memory() -> Box<Fault> {
        Fault::over_limit("Expression evaluation memory limit exceeded: Check for excessive memory usage")
    }

    /// Too many steps, where AWS measures time.
    pub(crate) fn timeout() -> Box<Fault> {
        Fault::over_limit("Expression evaluation timeout: Check for infinite loop")
    }

    /// The caller wants it to end.
    pub(crate) fn interrupted() -> Box<Fault> {
        Fault::over_limit("Expression evaluation interrupted")
    }

    pub(crate) fn at(mut self: Box<Fault>, position: usize) -> Box<Fault> {
        self.position = Some(position);
        self
    }

    /// Names the token, unless an inner place has.
    pub(crate) fn token(mut self: Box<Fault>, token: &str) -> Box<Fault> {
        if self.token.is_none() {
            self.token = Some(json_string(token));
        }
        self
    }

    pub(crate) fn value(mut self: Box<Fault>, json: String) -> Box<Fault> {
        self.value = Some(json);
        self
    }

    pub(crate) fn value2(mut self: Box<Fault>, json: String) -> Box<Fault> {
        self.value2 = Some(json);
        self
    }

    pub(crate) fn index(mut self: Box<Fault>, index: usize) -> Box<Fault> {
        self.index = Some(index);
        self
    }

    pub(crate) fn name(mut self: Box<Fault>, name: &'static str) -> Box<Fault> {
        self.name = Some(name);
        self
    }

    pub(crate) fn message(mut self: Box<Fault>, message: String) -> Box<Fault> {
        self.message = Some(message);
        self
    }

    /// The message with its values.
    pub(crate) fn render(&self) -> String {
        if let Some(message) = &self.message {
            return message.clone();
        }
        let mut rest = template(self.code);
        let mut out = String::with_capacity(rest.len() + 32);
        while let Some(start) = rest.find('{') {
            out.push_str(&rest[..start]);
            let Some(end) = rest[start..].find('}') else { break };
            match &rest[start + 1..start + end] {
                "token" => out.push_str(self.token.as_deref().unwrap_or("undefined")),
                // A bare name: `Did you mean $sum?`
                "bare" => out.push_str(self.token.as_deref().unwrap_or("undefined").trim_matches('"')),
                "value" => out.push_str(self.value.as_deref().unwrap_or("undefined")),
                "value2" => out.push_str(self.value2.as_deref().unwrap_or("undefined")),
                "index" => {
                    out.push_str(&self.index.map_or("undefined".to_owned(), |index| index.to_string()))
                }
                "type" => {
                    out.push_str(&self.name.map_or("undefined".to_owned(), |name| format!("\"{name}\"")));
                }
                _ => out.push_str(self.name.unwrap_or("undefined")),
            }
            rest = &rest[start + end + 1..];
        }
        out.push_str(rest);
        out
    }
}

impl From<FormatError> for Box<Fault> {
    fn from(error: FormatError) -> Box<Fault> {
        let message = error.message();
        let code = if error.code == "D3137" { "" } else { error.code };
        Fault::new(code).message(message)
    }
}

/// `text` as JavaScript's `JSON.stringify` writes it.
pub(crate) fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    stepwright_value::write_string_as_javascript(text, &mut out);
    out
}

/// The wording of a code; `{...}` are the fields.
fn template(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'S') => syntax_template(code),
        Some(b'T') => type_template(code),
        _ => dynamic_template(code),
    }
}

fn syntax_template(code: &str) -> &'static str {
    match code {
        "S0101" => "String literal must be terminated by a matching quote",
        "S0102" => "Number out of range: {token}",
        "S0103" => "Unsupported escape sequence: \\{token}",
        "S0104" => "The escape sequence \\u must be followed by 4 hex digits",
        "S0105" => "Quoted property name must be terminated with a backquote (`)",
        "S0106" => "Comment has no closing tag",
        "S0201" => "Syntax error: {token}",
        "S0202" => "Expected {value}, got {token}",
        "S0203" => "Expected {value} before end of expression",
        "S0204" => "Unknown operator: {token}",
        "S0205" => "Unexpected token: {token}",
        "S0206" => "Unknown expression type: {token}",
        "S0207" => "Unexpected end of expression",
        "S0208" => "Parameter {value} of function definition must be a variable name (start with $)",
        "S0209" => "A predicate cannot follow a grouping expression in a step",
        "S0210" => "Each step can only have one grouping expression",
        "S0211" => "The symbol {token} cannot be used as a unary operator",
        "S0212" => "The left side of := must be a variable name (start with $)",
        "S0213" => "The literal value {value} cannot be used as a step within a path expression",
        "S0214" => "The right side of {token} must be a variable name (start with $)",
        "S0215" => "A context variable binding must precede any predicates on a step",
        "S0216" => "A context variable binding must precede the 'order-by' clause on a step",
        "S0217" => "The object representing the 'parent' cannot be derived from this expression",
        "S0301" => "Empty regular expressions are not allowed",
        "S0302" => "No terminating / in regular expression",
        "S0401" => "Type parameters can only be applied to functions and arrays",
        "S0402" => "Choice groups containing parameterized types are not supported",
        _ => "Syntax error",
    }
}

fn type_template(code: &str) -> &'static str {
    match code {
        "T0410" => "Argument {index} of function {token} does not match function signature",
        "T0411" => "Context value is not a compatible type with argument {index} of function {token}",
        "T0412" => "Argument {index} of function {token} must be an array of {type}",
        "T1003" => "Key in object structure must evaluate to a string; got: {value}",
        "T1005" => "Attempted to invoke a non-function. Did you mean ${bare}?",
        "T1006" => "Attempted to invoke a non-function",
        "T1007" => "Attempted to partially apply a non-function. Did you mean ${bare}?",
        "T1008" => "Attempted to partially apply a non-function",
        "T1010" => {
            "The matcher function argument passed to function {token} does not return the correct object structure"
        }
        "T2001" => "The left side of the {token} operator must evaluate to a number",
        "T2002" => "The right side of the {token} operator must evaluate to a number",
        "T2003" => "The left side of the range operator (..) must evaluate to an integer",
        "T2004" => "The right side of the range operator (..) must evaluate to an integer",
        "T2006" => "The right side of the function application operator ~> must be a function",
        "T2007" => "Type mismatch when comparing values {value} and {value2} in order-by clause",
        "T2008" => "The expressions within an order-by clause must evaluate to numeric or string values",
        "T2009" => {
            "The values {value} and {value2} either side of operator {token} must be of the same data type"
        }
        "T2010" => {
            "The expressions either side of operator {token} must evaluate to numeric or string values"
        }
        "T2011" => "The insert/update clause of the transform expression must evaluate to an object: {value}",
        "T2012" => {
            "The delete clause of the transform expression must evaluate to a string or array of strings: {value}"
        }
        "T2013" => {
            "The transform expression clones the input object using the $clone() function.  This has been overridden \
             in the current scope by a non-function."
        }
        _ => "Type error",
    }
}

fn dynamic_template(code: &str) -> &'static str {
    match code {
        "D1001" => "Number out of range: {value}",
        "D1002" => "Cannot negate a non-numeric value: {value}",
        "D1004" => "Regular expression matches zero length string",
        "D1009" => "Multiple key definitions evaluate to same key: {value}",
        "D2014" => {
            "The size of the sequence allocated by the range operator (..) must not exceed 1e7.  Attempted to \
             allocate {value}."
        }
        "D2015" => "The maximum sequence length of {value} was exceeded.",
        "D3001" => "Attempting to invoke string function on Infinity or NaN",
        "D3010" => "Second argument of replace function cannot be an empty string",
        "D3011" => "Fourth argument of replace function must evaluate to a positive number",
        "D3012" => "Attempted to replace a matched string with a non-string value",
        "D3020" => "Third argument of split function must evaluate to a positive number",
        "D3030" => "Unable to cast value to a number: {value}",
        "D3040" => "Third argument of match function must evaluate to a positive number",
        "D3050" => "The second argument of reduce function must be a function with at least two arguments",
        "D3060" => "The sqrt function cannot be applied to a negative number: {value}",
        "D3061" => {
            "The power function has resulted in a value that cannot be represented as a JSON number: base={value}, \
             exponent={value2}"
        }
        "D3070" => {
            "The single argument form of the sort function can only be applied to an array of strings or an array of \
             numbers.  Use the second argument to specify a comparison function"
        }
        "D3120" => "Syntax error in expression passed to function eval: {value}",
        "D3121" => "Dynamic error evaluating the expression passed to function eval: {value}",
        "D3138" => "The $single() function expected exactly 1 matching result.  Instead it matched more.",
        "D3139" => "The $single() function expected exactly 1 matching result.  Instead it matched 0.",
        "D3140" => "Malformed URL passed to ${name}(): {value}",
        _ => "Evaluation error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_their_values() {
        let check = |fault: Box<Fault>, expect: &str| assert_eq!(fault.render(), expect);
        check(
            Fault::new("T0410").token("sum").index(1),
            "Argument 1 of function \"sum\" does not match function signature",
        );
        check(Fault::new("T1005").token("sum"), "Attempted to invoke a non-function. Did you mean $sum?");
        check(
            Fault::new("T0412").token("sum").index(1).name("numbers"),
            "Argument 1 of function \"sum\" must be an array of \"numbers\"",
        );
        check(Fault::new("S0202").value(json_string("]")).token("(end)"), "Expected \"]\", got \"(end)\"");
    }
}
