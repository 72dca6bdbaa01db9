//! Function signatures (`<s-nn?:s>`): which types the arguments may have, which are optional, and which are taken from
//! the context when they are not given.

use crate::fault::{Fault, Result};

/// The type of an argument, as signatures name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Symbol {
    Array,
    String,
    Number,
    Boolean,
    Null,
    Function,
    Object,
    Missing,
}

impl Symbol {
    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn from_char(char: char) -> Option<Symbol> {
        Some(match char {
            'a' => Symbol::Array,
            's' => Symbol::String,
            'n' => Symbol::Number,
            'b' => Symbol::Boolean,
            'l' => Symbol::Null,
            'f' => Symbol::Function,
            'o' => Symbol::Object,
            'm' => Symbol::Missing,
            _ => return None,
        })
    }
}

/// How often an argument may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    Optional,
    Many,
}

#[derive(Debug, Clone)]
struct Parameter {
    accepts: u8,
    count: Count,
    /// Taken from the context when missing.
    context: bool,
    /// The parameter is an array: anything else is wrapped.
    array: bool,
    subtype: Option<String>,
}

/// A parsed signature.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signature {
    parameters: Vec<Parameter>,
}

/// What to do with the arguments of a call that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Take the next argument as it is.
    Take,
    /// The next argument is null where an array is wanted, which Java takes for nothing.
    Nothing,
    /// Take the next argument into an array of its own.
    Wrap,
    /// Take the next argument, an array whose items must have the subtype of parameter `.0`.
    Check(usize),
    /// The next argument has not the subtype of parameter `.0`.
    Refuse(usize),
    /// Take the context.
    Context,
    /// The context does not fit.
    RefuseContext,
    /// Nothing was given for an optional parameter. As in jsonata-js the next argument is looked at and passed over.
    Skip,
}

const ANY: u8 = 0xFF;

impl Signature {
    /// Parses `text`, which begins with `<`. Errors carry their offset in `text` as position.
    pub(crate) fn parse(text: &str) -> Result<Signature> {
        let chars: Vec<char> = text.chars().collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while let Some(char) = chars.get(at).copied() {
            if char == ':' {
                break;
            }
            match char {
                's' | 'n' | 'b' | 'l' | 'o' => {
                    let own = Symbol::from_char(char).map_or(0, Symbol::bit);
                    parameters.push(Parameter::new(own | Symbol::Missing.bit(), false));
                }
                'a' => parameters.push(Parameter::new(ANY, true)),
                'f' => parameters.push(Parameter::new(Symbol::Function.bit(), false)),
                'j' => parameters.push(Parameter::new(ANY & !Symbol::Function.bit(), false)),
                'x' => parameters.push(Parameter::new(ANY, false)),
                '-' => {
                    if let Some(last) = parameters.last_mut() {
                        last.context = true;
                        last.count = Count::Optional;
                    }
                }
                '?' | '+' => {
                    if let Some(last) = parameters.last_mut() {
                        last.count = if char == '?' { Count::Optional } else { Count::Many };
                    }
                }
                '(' => at = choice(&chars, at, &mut parameters)?,
                '<' => at = subtype(&chars, at, &mut parameters)?,
                _ => {}
            }
            at += 1;
        }
        Ok(Signature { parameters })
    }

    /// Fits `arguments` to the parameters: one [`Action`] for each argument that the function shall see.
    pub(crate) fn fit(&self, arguments: &[Symbol], context: Symbol) -> Result<Vec<Action>> {
        let mut counts = vec![0; self.parameters.len()];
        if !self.fits_from(0, arguments, &mut counts) {
            return Err(self.mismatch(arguments));
        }
        let mut actions = Vec::with_capacity(arguments.len().max(self.parameters.len()));
        let mut rest = arguments;
        for (number, (parameter, count)) in self.parameters.iter().zip(counts).enumerate() {
            if count == 0 {
                actions.push(match parameter.context {
                    true if parameter.accepts & context.bit() != 0 => Action::Context,
                    true => Action::RefuseContext,
                    false => Action::Skip,
                });
                continue;
            }
            let (mine, others) = rest.split_at(count.min(rest.len()));
            rest = others;
            actions.extend(mine.iter().map(|symbol| parameter.action(number, *symbol, count)));
        }
        Ok(actions)
    }

    /// Whether `arguments` fit one to one and need neither wrapping nor a look at items.
    pub(crate) fn fits_plainly(&self, arguments: impl ExactSizeIterator<Item = Symbol>) -> bool {
        arguments.len() == self.parameters.len()
            && self.parameters.iter().zip(arguments).all(|(parameter, symbol)| {
                parameter.accepts & symbol.bit() != 0
                    && (!parameter.array
                        || symbol == Symbol::Missing
                        || (symbol == Symbol::Array && parameter.subtype.is_none()))
            })
    }

    /// The type that the items of the array for parameter `number` must have.
    pub(crate) fn item_symbol(&self, number: usize) -> Option<Symbol> {
        let subtype = self.parameters.get(number)?.subtype.as_ref()?;
        subtype.chars().next().and_then(Symbol::from_char)
    }

    /// The subtype of parameter `number` in the plural, for messages.
    pub(crate) fn item_name(&self, number: usize) -> Option<&'static str> {
        Some(match self.parameters.get(number)?.subtype.as_deref()? {
            "a" => "arrays",
            "b" => "booleans",
            "f" => "functions",
            "n" => "numbers",
            "o" => "objects",
            "s" => "strings",
            _ => return None,
        })
    }

    /// How many arguments each parameter takes: as many as possible, fewer where the rest would not fit.
    fn fits_from(&self, number: usize, arguments: &[Symbol], counts: &mut [usize]) -> bool {
        let Some(parameter) = self.parameters.get(number) else { return arguments.is_empty() };
        let run = arguments.iter().take_while(|symbol| parameter.accepts & symbol.bit() != 0).count();
        let (least, most) = match parameter.count {
            Count::One => (1, 1),
            Count::Optional => (0, 1),
            Count::Many => (1, usize::MAX),
        };
        let mut count = run.min(most);
        loop {
            if count < least {
                return false;
            }
            if let Some(slot) = counts.get_mut(number) {
                *slot = count;
            }
            if self.fits_from(number + 1, arguments.get(count..).unwrap_or_default(), counts) {
                return true;
            }
            if count == 0 {
                return false;
            }
            count -= 1;
        }
    }

    /// Which argument is the first that does not fit: each longer run of parameters is tried until one fails.
    fn mismatch(&self, arguments: &[Symbol]) -> Box<Fault> {
        let mut good = 0;
        for length in 1..=self.parameters.len() {
            let prefix = Signature { parameters: self.parameters.get(..length).unwrap_or_default().to_vec() };
            match prefix.longest_prefix(arguments) {
                Some(end) => good = end,
                None => break,
            }
        }
        Fault::new("T0410").index(good + 1)
    }

    /// The end of the greedy match of all parameters at the start of `arguments`.
    fn longest_prefix(&self, arguments: &[Symbol]) -> Option<usize> {
        let mut counts = vec![0; self.parameters.len()];
        (0..=arguments.len())
            .rev()
            .find(|end| self.fits_from(0, arguments.get(..*end).unwrap_or_default(), &mut counts))
    }
}

impl Parameter {
    fn new(accepts: u8, array: bool) -> Parameter {
        Parameter { accepts, count: Count::One, context: false, array, subtype: None }
    }

    fn action(&self, number: usize, symbol: Symbol, count: usize) -> Action {
        if !self.array || symbol == Symbol::Missing {
            return Action::Take;
        }
        if symbol == Symbol::Null && count == 1 && self.subtype.as_deref() != Some("x") {
            return Action::Nothing;
        }
        let Some(subtype) = &self.subtype else {
            return if symbol == Symbol::Array { Action::Take } else { Action::Wrap };
        };
        if symbol == Symbol::Array {
            return Action::Check(number);
        }
        // The whole match must be the subtype, so several arguments in one parameter never are.
        let same = count == 1
            && subtype.len() == 1
            && subtype.chars().next().and_then(Symbol::from_char) == Some(symbol);
        if same { Action::Wrap } else { Action::Refuse(number) }
    }
}

/// Where the bracket that opens at `start` is closed; the end of the text if it is not.
fn closing(chars: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 1;
    let mut at = start;
    while at < chars.len() {
        at += 1;
        match chars.get(at) {
            Some(char) if *char == close => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Some(char) if *char == open => depth += 1,
            _ => {}
        }
    }
    at
}

fn choice(chars: &[char], at: usize, parameters: &mut Vec<Parameter>) -> Result<usize> {
    let end = closing(chars, at, '(', ')');
    let inner = chars.get(at + 1..end.min(chars.len())).unwrap_or_default();
    if inner.contains(&'<') {
        let text: String = inner.iter().collect();
        return Err(Fault::new("S0402").at(at).value(crate::fault::json_string(&text)));
    }
    let accepts =
        inner.iter().filter_map(|char| Symbol::from_char(*char)).fold(0, |bits, symbol| bits | symbol.bit());
    parameters.push(Parameter::new(accepts | Symbol::Missing.bit(), false));
    Ok(end)
}

fn subtype(chars: &[char], at: usize, parameters: &mut [Parameter]) -> Result<usize> {
    match parameters.last_mut() {
        Some(last) if last.array || last.accepts == Symbol::Function.bit() => {
            let end = closing(chars, at, '<', '>');
            let text = chars.get(at + 1..end.min(chars.len())).unwrap_or_default().iter().collect();
            last.subtype = Some(text);
            Ok(end)
        }
        _ => Err(Fault::new("S0401").at(at)),
    }
}
