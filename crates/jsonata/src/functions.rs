//! The built-in functions: their names, signatures and what they do. Arguments have been fitted to the signature before
//! a function sees them, except in partial applications, where jsonata-js does not look either.

mod aggregate;
mod array;
mod aws;
mod encoding;
mod formatting;
mod higher_order;
mod matching;
mod number;
mod object;
mod reflection;
mod text;

use std::sync::OnceLock;

pub(crate) use matching::{byte_of_unit, capture_groups, coerce, unit_of_byte};

use crate::evaluate::{Evaluator, Function};
use crate::fault::{Fault, Result};
use crate::syntax::Signature;
use crate::value::Val;

type Run = for<'a, 'v> fn(&mut Evaluator<'a>, &'v [Val<'a>]) -> Result<Val<'a>>;

/// A built-in function.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    signature: &'static str,
    /// How many arguments it takes, as JavaScript counts: what decides how a higher-order function calls it.
    pub(crate) arity: usize,
    /// How many it declares, for partial application.
    pub(crate) parameters: usize,
    pub(crate) run: Run,
    parsed: OnceLock<Option<Signature>>,
}

impl Builtin {
    const fn new(name: &'static str, signature: &'static str, arity: usize, run: Run) -> Builtin {
        let parameters = if arity == 0 { 1 } else { arity };
        Builtin { name, signature, arity, parameters, run, parsed: OnceLock::new() }
    }

    pub(crate) fn signature(&self) -> &Signature {
        static ANY: OnceLock<Signature> = OnceLock::new();
        let parsed = self.parsed.get_or_init(|| Signature::parse(self.signature).ok());
        // All signatures below are well-formed; a test sees to it.
        parsed.as_ref().unwrap_or_else(|| ANY.get_or_init(Signature::default))
    }

    /// jsonata-js reads parameter names from the source text of a function, which fails for a default value.
    pub(crate) fn check_partial(&self) -> Result<()> {
        if self.name == "string" { Err(Fault::new("S0208").value("2".to_owned())) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// The function `name`; `aws` says which set.
pub(crate) fn find(name: &str, aws: bool) -> Option<&'static Builtin> {
    let own = if aws { AWS.iter() } else { PLAIN.iter() };
    own.chain(&SHARED).find(|builtin| builtin.name == name)
}

/// Name, signature, and whether it is AWS's own.
pub(crate) fn of_aws() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    let listed = |own| move |builtin: &'static Builtin| (builtin.name, builtin.signature, own);
    let named = SHARED.iter().filter(|builtin| !builtin.name.is_empty());
    AWS.iter().map(listed(true)).chain(named.map(listed(false)))
}

impl Function<'_> {
    pub(crate) fn is_eval(&self) -> bool {
        matches!(self, Function::Builtin(builtin) if builtin.name == "eval")
    }
}

/// Argument `at` as a text; `None` when it is undefined.
fn text_argument<'v>(arguments: &'v [Val<'_>], at: usize) -> Result<Option<&'v str>> {
    match arguments.get(at) {
        None | Some(Val::Undefined) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| Fault::host("str is not a string")),
    }
}

/// Argument `at` as a number; `None` when it is undefined.
fn number_argument(arguments: &[Val<'_>], at: usize) -> Result<Option<f64>> {
    match arguments.get(at) {
        None | Some(Val::Undefined) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| Fault::host("value is not a number")),
    }
}

/// What AWS makes of a failure of Java within a function.
fn internal(evaluator: &mut Evaluator<'_>) -> Box<Fault> {
    let id = aws::random_uuid(evaluator);
    Fault::internal(id)
}

fn argument<'a>(arguments: &[Val<'a>], at: usize) -> Val<'a> {
    arguments.get(at).cloned().unwrap_or_default()
}

/// jsonata-js alone.
static PLAIN: [Builtin; 2] =
    [Builtin::new("random", "<:n>", 0, number::random), Builtin::new("eval", "<sx?:x>", 2, reflection::eval)];

/// AWS alone.
static AWS: [Builtin; 6] = [
    Builtin::new("random", "<n?:n>", 1, aws::random),
    Builtin::new("partition", "<a<x>n?:a>", 2, aws::partition),
    Builtin::new("range", "<n?n?n?:a>", 3, aws::range),
    // More than two are refused by the function itself, which must tell a missing algorithm from an undefined one.
    Builtin::new("hash", "<s+:s>", 2, aws::hash),
    Builtin::new("uuid", "<:s>", 0, aws::uuid),
    Builtin::new("parse", "<s?:x>", 1, aws::parse),
];

static SHARED: [Builtin; 64] = [
    Builtin::new("sum", "<a<n>:n>", 1, aggregate::sum),
    Builtin::new("count", "<a:n>", 1, aggregate::count),
    Builtin::new("max", "<a<n>:n>", 1, aggregate::max),
    Builtin::new("min", "<a<n>:n>", 1, aggregate::min),
    Builtin::new("average", "<a<n>:n>", 1, aggregate::average),
    Builtin::new("string", "<x-b?:s>", 1, text::string),
    Builtin::new("substring", "<s-nn?:s>", 3, text::substring),
    Builtin::new("substringBefore", "<s-s:s>", 2, text::substring_before),
    Builtin::new("substringAfter", "<s-s:s>", 2, text::substring_after),
    Builtin::new("lowercase", "<s-:s>", 1, text::lowercase),
    Builtin::new("uppercase", "<s-:s>", 1, text::uppercase),
    Builtin::new("length", "<s-:n>", 1, text::length),
    Builtin::new("trim", "<s-:s>", 1, text::trim),
    Builtin::new("pad", "<s-ns?:s>", 3, text::pad),
    Builtin::new("join", "<a<s>s?:s>", 2, text::join),
    Builtin::new("match", "<s-f<s:o>n?:a<o>>", 3, matching::find_all),
    Builtin::new("contains", "<s-(sf):b>", 2, matching::contains),
    Builtin::new("replace", "<s-(sf)(sf)n?:s>", 4, matching::replace),
    Builtin::new("split", "<s-(sf)n?:a<s>>", 3, matching::split),
    Builtin::new("formatNumber", "<n-so?:s>", 3, formatting::format_number),
    Builtin::new("formatBase", "<n-n?:s>", 2, formatting::format_base),
    Builtin::new("formatInteger", "<n-s:s>", 2, formatting::format_integer),
    Builtin::new("parseInteger", "<s-s:n>", 2, formatting::parse_integer),
    Builtin::new("toMillis", "<s-s?:n>", 2, formatting::to_millis),
    Builtin::new("fromMillis", "<n-s?s?:s>", 3, formatting::from_millis),
    Builtin::new("now", "<s?s?:s>", 2, formatting::now),
    Builtin::new("millis", "<:n>", 0, formatting::millis),
    Builtin::new("number", "<(nsb)-:n>", 1, number::number),
    Builtin::new("floor", "<n-:n>", 1, number::floor),
    Builtin::new("ceil", "<n-:n>", 1, number::ceil),
    Builtin::new("round", "<n-n?:n>", 2, number::round),
    Builtin::new("abs", "<n-:n>", 1, number::abs),
    Builtin::new("sqrt", "<n-:n>", 1, number::sqrt),
    Builtin::new("power", "<n-n:n>", 2, number::power),
    Builtin::new("boolean", "<x-:b>", 1, reflection::boolean),
    Builtin::new("not", "<x-:b>", 1, reflection::not),
    Builtin::new("exists", "<x:b>", 1, reflection::exists),
    Builtin::new("type", "<x:s>", 1, reflection::type_name),
    Builtin::new("error", "<s?:x>", 1, reflection::error),
    Builtin::new("assert", "<bs?:x>", 2, reflection::assert),
    Builtin::new("clone", "<(oa)-:o>", 1, reflection::clone),
    Builtin::new("map", "<af>", 2, higher_order::map),
    Builtin::new("filter", "<af>", 2, higher_order::filter),
    Builtin::new("single", "<af?>", 2, higher_order::single),
    Builtin::new("reduce", "<afj?:j>", 3, higher_order::reduce),
    Builtin::new("sift", "<o-f?:o>", 2, higher_order::sift),
    Builtin::new("each", "<o-f:a>", 2, higher_order::each),
    Builtin::new("sort", "<af?:a>", 2, higher_order::sort),
    Builtin::new("zip", "<a+>", 0, array::zip),
    Builtin::new("append", "<xx:a>", 2, array::append),
    Builtin::new("reverse", "<a:a>", 1, array::reverse),
    Builtin::new("shuffle", "<a:a>", 1, array::shuffle),
    Builtin::new("distinct", "<x:x>", 1, array::distinct),
    Builtin::new("keys", "<x-:a<s>>", 1, object::keys),
    Builtin::new("lookup", "<x-s:x>", 2, object::lookup),
    Builtin::new("spread", "<x-:a<o>>", 1, object::spread),
    // Objects, and arrays of them: the function looks itself.
    Builtin::new("merge", "<a:o>", 1, object::merge),
    Builtin::new("base64encode", "<s-:s>", 1, encoding::base64_encode),
    Builtin::new("base64decode", "<s-:s>", 1, encoding::base64_decode),
    Builtin::new("encodeUrlComponent", "<s-:s>", 1, encoding::encode_url_component),
    Builtin::new("encodeUrl", "<s-:s>", 1, encoding::encode_url),
    Builtin::new("decodeUrlComponent", "<s-:s>", 1, encoding::decode_url_component),
    Builtin::new("decodeUrl", "<s-:s>", 1, encoding::decode_url),
    Builtin::new("", "<:x>", 0, reflection::nothing),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_well_formed() {
        for builtin in PLAIN.iter().chain(&AWS).chain(&SHARED) {
            assert!(Signature::parse(builtin.signature).is_ok(), "{builtin:?}");
        }
    }
}
