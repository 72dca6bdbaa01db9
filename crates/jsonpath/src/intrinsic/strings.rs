//! `States.Format`, `States.StringSplit`, `States.Base64Encode`, `States.Base64Decode`, `States.Hash`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use stepwright_value::{Value, java};

use super::function::{Outcome, Refused};
use crate::limits::{ENCODE_CHARS_MAX, OUTPUT_BYTES_MAX, fits};

/// Puts the text of each value in place of a `{}`. Every other brace must be escaped; a backslash escapes braces,
/// quotes and itself, wherever the template comes from.
pub(super) fn format(template: &Value, values: &[Value]) -> Outcome {
    let mut left = OUTPUT_BYTES_MAX;
    if !fits(template, &mut left) || !values.iter().all(|value| fits(value, &mut left)) {
        return Err(Refused::Invalid);
    }
    let pieces = pieces(&text_of(template))?;
    if pieces.len() != values.len() + 1 {
        return Err(Refused::Because("number of arguments do not match the occurrences of {}."));
    }
    let mut out = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        if let Some(value) = index.checked_sub(1).and_then(|before| values.get(before)) {
            java::write_text(value, &mut out);
        }
        out.push_str(piece);
    }
    Ok(out.into())
}

/// What stands around the `{}` of a template.
fn pieces(template: &str) -> Result<Vec<String>, Refused> {
    let unmatched = |open: &str, close: &str| {
        Refused::Otherwise("Invalid template in", format!(": matching '{open}' not found for '{close}'."))
    };
    let mut pieces = vec![];
    let mut piece = String::new();
    let mut rest = template.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\\' => piece.push(rest.next_if(|next| matches!(next, '\'' | '\\' | '{' | '}')).unwrap_or('\\')),
            '{' if rest.next_if_eq(&'}').is_some() => pieces.push(std::mem::take(&mut piece)),
            '{' => return Err(unmatched("}", "{")),
            '}' => return Err(unmatched("{", "}")),
            plain => piece.push(plain),
        }
    }
    pieces.push(piece);
    Ok(pieces)
}

fn text_of(value: &Value) -> String {
    let mut text = String::new();
    java::write_text(value, &mut text);
    text
}

/// The pieces between any of the characters of `delimiters`; empty ones are left out.
pub(super) fn split(text: &str, delimiters: &str) -> Value {
    let mut delimiters: Vec<char> = delimiters.chars().collect();
    delimiters.sort_unstable();
    text.split(|character| delimiters.binary_search(&character).is_ok())
        .filter(|piece| !piece.is_empty())
        .map(Value::from)
        .collect()
}

pub(super) fn base64_encode(text: &str) -> Outcome {
    within_limit(text)?;
    Ok(STANDARD.encode(text).into())
}

/// Characters that are not of the alphabet are skipped, the first `=` ends the text, and what is left over of a group
/// of four counts as far as it makes bytes. Bytes that are not UTF-8 become replacement characters.
pub(super) fn base64_decode(text: &str) -> Outcome {
    within_limit(text)?;
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for six in text.bytes().take_while(|byte| *byte != b'=').filter_map(six_bits) {
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

fn six_bits(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The digest of the UTF-8 bytes, in lower-case hexadecimal digits. Of an array AWS hashes the JSON text, of everything
/// else the text that Java gives; null it refuses.
pub(super) fn hash(data: &Value, algorithm: &str) -> Outcome {
    if data.is_null() || !fits(data, &mut OUTPUT_BYTES_MAX.clone()) {
        return Err(Refused::Invalid);
    }
    let mut text = String::new();
    match data {
        Value::Array(_) => java::write_json(data, &mut text),
        _ => java::write_text(data, &mut text),
    }
    within_limit(&text)?;
    let digest = match algorithm {
        "MD5" => Md5::digest(text).to_vec(),
        "SHA-1" => Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-384" => Sha384::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        _ => return Err(Refused::Invalid),
    };
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
}

/// Java counts UTF-16 units.
fn within_limit(text: &str) -> Result<(), Refused> {
    match text.encode_utf16().take(ENCODE_CHARS_MAX + 1).count() {
        0..=ENCODE_CHARS_MAX => Ok(()),
        _ => Err(Refused::Invalid),
    }
}
