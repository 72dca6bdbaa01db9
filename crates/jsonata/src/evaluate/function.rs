//! What a function value can be.

use crate::evaluate::Env;
use crate::functions::Builtin;
use crate::program::{Call, Lambda, Name, Transform};
use crate::regex::Regex;
use crate::value::{FunctionRef, Text, Val};

/// A function.
pub(crate) enum Function<'a> {
    Builtin(&'static Builtin),
    /// `function($x) {...}`, with some parameters bound already where `unbound` names the rest.
    Lambda {
        lambda: &'a Lambda,
        unbound: Option<Vec<Name>>,
        env: Env<'a>,
        input: Val<'a>,
    },
    /// A built-in function with some arguments given; `None` is still to come.
    PartialBuiltin {
        builtin: &'static Builtin,
        arguments: Vec<Option<Val<'a>>>,
    },
    /// A call in tail position that has yet to be made.
    TailCall {
        call: &'a Call,
        env: Env<'a>,
        input: Val<'a>,
    },
    /// A regular expression: text to match.
    Regex(&'a Regex),
    /// The `next` of a match: the following match in the same text, from a byte position.
    NextMatch {
        regex: &'a Regex,
        text: Text<'a>,
        start: usize,
    },
    Transform {
        transform: &'a Transform,
        env: Env<'a>,
    },
    /// `$f ~> $g`.
    Chain(FunctionRef<'a>, FunctionRef<'a>),
}

impl<'a> Function<'a> {
    /// How many arguments the function takes, as JavaScript counts them.
    pub(crate) fn arity(&self) -> usize {
        match self {
            Function::Builtin(builtin) => builtin.arity,
            Function::Lambda { lambda, unbound, .. } => {
                unbound.as_ref().map_or(lambda.parameters.len(), Vec::len)
            }
            Function::PartialBuiltin { arguments, .. } => {
                arguments.iter().filter(|argument| argument.is_none()).count()
            }
            Function::Regex(_) => 2,
            Function::TailCall { .. } | Function::NextMatch { .. } => 0,
            Function::Transform { .. } | Function::Chain(..) => 1,
        }
    }

    /// How deep values are nested that this function holds.
    pub(crate) fn nesting(&self) -> u16 {
        let scope = |env: &Env<'a>| env.as_ref().map_or(0, |frame| frame.nesting());
        let inner = match self {
            Function::Lambda { env, input, .. } | Function::TailCall { env, input, .. } => {
                scope(env).max(input.nesting())
            }
            Function::Transform { env, .. } => scope(env),
            Function::PartialBuiltin { arguments, .. } => {
                arguments.iter().flatten().map(Val::nesting).max().unwrap_or(0)
            }
            Function::Chain(first, second) => first.function.nesting().max(second.function.nesting()),
            _ => return 0,
        };
        inner + 1
    }
}
