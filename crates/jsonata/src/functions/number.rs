//! Numbers: `$number`, `$round`, `$power` and their kin.

use super::{argument, number_argument};
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result};
use crate::value::{Val, number_text, to_message};

/// A double in [0, 1) from random bits, as JavaScript makes it.
pub(super) fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

pub(super) fn random<'a>(evaluator: &mut Evaluator<'a>, _: &[Val<'a>]) -> Result<Val<'a>> {
    Ok(Val::Float(unit_interval((evaluator.random)())))
}

pub(super) fn number<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let value = argument(arguments, 0);
    let refused = || Fault::new("D3030").value(to_message(&value)).index(1);
    Ok(match &value {
        Val::Undefined | Val::Int(_) | Val::Float(_) => value,
        Val::Bool(flag) => Val::Int(i64::from(*flag)),
        Val::Text(text) => parse(text.as_str()).ok_or_else(refused)?,
        _ => return Err(refused()),
    })
}

fn parse<'a>(text: &str) -> Option<Val<'a>> {
    if is_decimal(text) {
        if let Ok(int) = text.parse::<i64>() {
            return Some(Val::Int(int));
        }
        return text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Val::number);
    }
    parse_radix(text)
}

/// Whether `text` is a number as JSON has it, but that zeros may lead.
fn is_decimal(text: &str) -> bool {
    let mut rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let digits = |rest: &mut &[u8]| {
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *rest = &rest[count..];
        count > 0
    };
    if !digits(&mut rest) {
        return false;
    }
    if let [b'.', fraction @ ..] = rest {
        rest = fraction;
        if !digits(&mut rest) {
            return false;
        }
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        rest = exponent;
        if let [b'+' | b'-', unsigned @ ..] = rest {
            rest = unsigned;
        }
        if !digits(&mut rest) {
            return false;
        }
    }
    rest.is_empty()
}

/// `0x`, `0o` and `0b` numbers. jsonata-js only looks whether the text begins (`0x`), contains (`0o`) or ends with
/// (`0b`) such a number, so nonsense around it gives NaN instead of an error.
fn parse_radix<'a>(text: &str) -> Option<Val<'a>> {
    let valid = |part: &str, radix: u32| !part.is_empty() && part.chars().all(|char| char.is_digit(radix));
    let strip = |lower: &str, upper: &str| text.strip_prefix(lower).or_else(|| text.strip_prefix(upper));
    for (lower, upper, radix) in [("0x", "0X", 16), ("0o", "0O", 8), ("0b", "0B", 2)] {
        if let Some(digits) = strip(lower, upper).filter(|digits| valid(digits, radix)) {
            let value = digits
                .chars()
                .fold(0.0, |sum, char| sum * f64::from(radix) + f64::from(char.to_digit(radix).unwrap_or(0)));
            return Some(Val::number(value));
        }
    }
    let begins =
        strip("0x", "0X").is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_hexdigit()));
    let digit_after = |pair: &str, radix: u32| {
        text.match_indices(pair).any(|(at, _)| text[at + 2..].starts_with(|char: char| char.is_digit(radix)))
    };
    let contains = digit_after("0o", 8) || digit_after("0O", 8);
    let ends = ["0b", "0B"].iter().any(|pair| text.rfind(pair).is_some_and(|at| valid(&text[at + 2..], 2)));
    (begins || contains || ends).then_some(Val::Float(f64::NAN))
}

fn rounded<'a>(arguments: &[Val<'a>], round: fn(f64) -> f64) -> Result<Val<'a>> {
    match argument(arguments, 0) {
        int @ Val::Int(_) => Ok(int),
        _ => Ok(number_argument(arguments, 0)?.map_or(Val::Undefined, |value| Val::number(round(value)))),
    }
}

pub(super) fn floor<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    rounded(arguments, f64::floor)
}

pub(super) fn ceil<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    rounded(arguments, f64::ceil)
}

pub(super) fn abs<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    match argument(arguments, 0) {
        Val::Int(int) => Ok(int.checked_abs().map_or(Val::Float((int as f64).abs()), Val::Int)),
        _ => rounded(arguments, f64::abs),
    }
}

pub(super) fn sqrt<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    match number_argument(arguments, 0)? {
        Some(value) if value < 0.0 => Err(Fault::new("D3060").value(number_text(value)).index(1)),
        Some(value) => Ok(Val::number(value.sqrt())),
        None => Ok(Val::Undefined),
    }
}

pub(super) fn power<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(base) = number_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    if let (Some(Val::Int(base)), Some(Val::Int(exponent @ 0..=64))) = (arguments.first(), arguments.get(1))
        && let Some(exact) = base.checked_pow(*exponent as u32)
    {
        return Ok(Val::Int(exact));
    }
    let exponent = number_argument(arguments, 1)?.unwrap_or(f64::NAN);
    // JavaScript: one to an endless or unknown power is no number.
    let result = if base.abs() == 1.0 && !exponent.is_finite() { f64::NAN } else { base.powf(exponent) };
    if !result.is_finite() {
        let fault = Fault::new("D3061").value(number_text(base)).value2(number_text(exponent));
        return Err(fault.index(1));
    }
    Ok(Val::number(result))
}

pub(super) fn round<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let precision = number_argument(arguments, 1)?.map(f64::trunc).filter(|precision| *precision != 0.0);
    if let (int @ Val::Int(_), true) =
        (argument(arguments, 0), precision.is_none_or(|precision| precision > 0.0))
    {
        return Ok(int);
    }
    let Some(value) = number_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let shifted = precision.map_or(value, |precision| move_point(value, precision));
    let rounded = half_even(shifted);
    let result = precision.map_or(rounded, |precision| move_point(rounded, -precision));
    Ok(Val::number(if result == 0.0 { 0.0 } else { result }))
}

/// Halves to the even neighbour.
fn half_even(value: f64) -> f64 {
    let up = (value + 0.5).floor();
    // Adding a half to the largest double below a half gives one.
    let up = if up - value > 0.5 { up - 1.0 } else { up };
    if (up - value).abs() == 0.5 && (up % 2.0).abs() == 1.0 { up - 1.0 } else { up }
}

/// Moves the decimal point in the text of the number: multiplying by a power of ten would not be exact.
fn move_point(value: f64, places: f64) -> f64 {
    let text = number_text(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<f64>().unwrap_or(0.0) + places;
    if exponent.fract() != 0.0 || value.is_infinite() {
        return if value.is_infinite() { value } else { f64::NAN };
    }
    format!("{mantissa}e{}", exponent.clamp(-9999.0, 9999.0)).parse().unwrap_or(f64::NAN)
}
