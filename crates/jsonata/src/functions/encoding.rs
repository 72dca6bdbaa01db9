//! Base64 and URL encoding.

use super::text_argument;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result, json_string};
use crate::value::Val;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text as bytes, one for each UTF-16 code unit: jsonata-js keeps the low byte of what is beyond Latin-1.
pub(super) fn base64_encode<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len() / 3 * 4)?);
    let bytes: Vec<u8> = text.encode_utf16().map(|unit| unit as u8).collect();
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    evaluator.text(out)
}

/// As lenient as Node.js: both alphabets, and what is no digit is passed over.
pub(super) fn base64_decode<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len())?);
    let mut out = String::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let digit = match byte {
            b'-' => Some(62),
            b'_' => Some(63),
            _ => ALPHABET.iter().position(|candidate| *candidate == byte),
        };
        let Some(digit) = digit else { continue };
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(char::from((bits >> count & 0xFF) as u8));
        }
    }
    evaluator.text(out)
}

/// What `encodeURIComponent` leaves as it is, besides letters and digits.
const COMPONENT_KEPT: &str = "-_.!~*'()";
/// What `encodeURI` leaves as it is, besides; and what `decodeURI` does not decode.
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

fn decode<'a>(
    evaluator: &mut Evaluator<'a>,
    arguments: &[Val<'a>],
    not_decoded: &str,
    name: &'static str,
) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    drop(evaluator.meter.hold(text.len())?);
    match decode_text(text, not_decoded) {
        Some(decoded) => evaluator.text(decoded),
        None => Err(Fault::new("D3140").value(json_string(text)).name(name)),
    }
}

fn decode_text(text: &str, not_decoded: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match escaped(rest, 0)? {
            0x00..=0x7F => 1,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return None,
        };
        let bytes = (0..length).map(|at| escaped(rest, at)).collect::<Option<Vec<u8>>>()?;
        let char = std::str::from_utf8(&bytes).ok()?;
        let (taken, after) = rest.split_at(length * 3);
        out.push_str(if not_decoded.contains(char) { taken } else { char });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// Byte number `at` of a run of `%XX`.
fn escaped(text: &str, at: usize) -> Option<u8> {
    let part = text.get(at * 3..at * 3 + 3)?;
    let hex = part.strip_prefix('%')?;
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
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
    decode(evaluator, arguments, "", "decodeUrlComponent")
}

pub(super) fn decode_url<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    decode(evaluator, arguments, RESERVED, "decodeUrl")
}
