//! `States.Format`, `States.StringSplit`, `States.Base64Encode`, `States.Base64Decode`, `States.Hash`.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use stepwright_value::Value;

use super::function::Outcome;
use crate::limits::{ENCODE_CHARS_MAX, OUTPUT_BYTES_MAX};

/// Java's basic decoder: padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Puts each value in place of a `{}`. Other braces stay, as do those at `escaped_braces`, in order.
pub(super) fn format(template: &str, escaped_braces: &[usize], values: &[Value]) -> Outcome {
    let is_escaped = |at: &usize| escaped_braces.binary_search(at).is_ok();
    let mut out = String::new();
    let mut values = values.iter();
    let mut from = 0;
    for (at, _) in template.match_indices("{}") {
        if is_escaped(&at) || is_escaped(&(at + 1)) {
            continue;
        }
        out.push_str(template.get(from..at).unwrap_or_default());
        from = at + 2;
        match values.next() {
            Some(Value::String(text)) => out.push_str(text),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err("Values must be strings, numbers, booleans or null".into());
            }
            Some(plain) => plain.write(&mut out),
            None => return Err("There are more placeholders than values".into()),
        }
        if out.len() > OUTPUT_BYTES_MAX {
            return Err("The string is too long".into());
        }
    }
    if values.next().is_some() {
        return Err("There are more values than placeholders".into());
    }
    out.push_str(template.get(from..).unwrap_or_default());
    Ok(out.into())
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
    Ok(BASE64.encode(text).into())
}

/// Bytes that are not UTF-8 become replacement characters.
pub(super) fn base64_decode(text: &str) -> Outcome {
    within_limit(text)?;
    let bytes = BASE64.decode(text).map_err(|error| format!("The string is not valid Base64: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// The digest of the text's UTF-8 bytes, in lower-case hexadecimal digits.
pub(super) fn hash(text: &str, algorithm: &str) -> Outcome {
    within_limit(text)?;
    let digest = match algorithm {
        "MD5" => Md5::digest(text).to_vec(),
        "SHA-1" => Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-384" => Sha384::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        _ => {
            return Err(
                "Invalid argument 2: the algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512".into()
            );
        }
    };
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
}

fn within_limit(text: &str) -> Result<(), String> {
    match text.chars().count() {
        0..=ENCODE_CHARS_MAX => Ok(()),
        _ => Err(format!("The string must not have more than {ENCODE_CHARS_MAX} characters")),
    }
}
