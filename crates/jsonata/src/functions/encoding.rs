//! Base64 and URL encoding.

use super::text_argument;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result, json_string};
use crate::value::Val;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text's UTF-8.
pub(super) fn base64_encode<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len() / 3 * 4)?);
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    evaluator.text(out)
}

/// As strict as `java.util.Base64`'s basic decoder. What is no UTF-8 becomes U+FFFD.
pub(super) fn base64_decode<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len())?);
    match decode_base64(text) {
        Some(bytes) => evaluator.text(String::from_utf8_lossy(&bytes).into_owned()),
        None => Err(super::internal(evaluator)),
    }
}

/// The bytes; `None` for a character outside the alphabet or wrong padding. All padding may be missing.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let (digits, padding) = text.split_at(text.find('=').unwrap_or(text.len()));
    let fits = match digits.len() % 4 {
        0 => padding.is_empty(),
        2 => matches!(padding, "" | "=="),
        3 => matches!(padding, "" | "="),
        _ => false,
    };
    if !fits {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for at in 0..4 {
            let digit = match chunk.get(at) {
                Some(byte) => ALPHABET.iter().position(|candidate| candidate == byte)?,
                None => 0,
            };
            bits = bits << 6 | digit as u32;
        }
        bytes.extend((0..chunk.len() - 1).map(|at| (bits >> (16 - 8 * at) & 0xFF) as u8));
    }
    Some(bytes)
}

/// What `encodeURIComponent` leaves as it is, besides letters and digits.
const COMPONENT_KEPT: &str = "-_.!~*'()";
/// What `encodeURI` leaves as it is, besides.
const RESERVED: &str = ";/?:@&=+$,#";

fn encode<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>], also_kept: &str) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len() * 3)?);
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii_alphanumeric() || COMPONENT_KEPT.contains(char) || also_kept.contains(char) {
            out.push(char);
        } else {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    evaluator.text(out)
}

fn decode<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>], name: &'static str) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len())?);
    match decode_text(text) {
        Some(decoded) => evaluator.text(decoded),
        None => Err(Fault::new("D3140").value(json_string(text)).name(name)),
    }
}

/// As `java.net.URLDecoder` reads it: a plus is a space, and what is no UTF-8 becomes U+FFFD. `None` for a percent sign
/// without two hexadecimal digits.
fn decode_text(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '+']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('+') {
            out.push(' ');
            rest = after;
            continue;
        }
        let mut bytes = Vec::new();
        while rest.starts_with('%') {
            bytes.push(escaped(rest)?);
            rest = &rest[3..];
        }
        out.push_str(&String::from_utf8_lossy(&bytes));
    }
    out.push_str(rest);
    Some(out)
}

/// The byte of the `%XX` at the start of `text`.
fn escaped(text: &str) -> Option<u8> {
    let hex = text.get(1..3)?;
    // Java reads an integer there, which may have a plus sign.
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) && !hex.starts_with('+') {
        return None;
    }
    u8::from_str_radix(hex, 16).ok()
}

pub(super) fn encode_url_component<'a>(
    evaluator: &mut Evaluator<'a>,
    arguments: &[Val<'a>],
) -> Result<Val<'a>> {
    encode(evaluator, arguments, "")
}

pub(super) fn encode_url<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    encode(evaluator, arguments, RESERVED)
}

pub(super) fn decode_url_component<'a>(
    evaluator: &mut Evaluator<'a>,
    arguments: &[Val<'a>],
) -> Result<Val<'a>> {
    decode(evaluator, arguments, "decodeUrlComponent")
}

pub(super) fn decode_url<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    decode(evaluator, arguments, "decodeUrl")
}
