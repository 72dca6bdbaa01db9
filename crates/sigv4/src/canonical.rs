//! The canonical form of a request, and its signature.

use std::borrow::Cow;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::ALGORITHM;
use crate::scope::{Scope, hmac_sha256};

/// A request as it goes over the wire.
#[derive(Clone, Copy, Debug)]
pub struct WireRequest<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// The path as sent, with its percent escapes, without the query.
    pub path: &'a str,
    /// The query as sent, without `?`; may be empty.
    pub query: &'a str,
    /// The headers to sign, names in any case; `host` and `x-amz-date` must be among them.
    pub headers: &'a [(&'a str, &'a str)],
    /// SHA-256 of the body in hexadecimal digits, or what `X-Amz-Content-Sha256` says instead.
    pub payload_sha256: &'a str,
}

/// The canonical form of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The canonical request.
    pub text: String,
    /// `host;x-amz-date`.
    pub signed_headers: String,
}

impl WireRequest<'_> {
    /// The text that both sides build.
    pub fn canonical(&self) -> Canonical {
        let mut headers: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            self.headers.iter().map(|(name, value)| (lower_case(name), trimmed(value))).collect();
        headers.sort_by(|a, b| a.0.cmp(&b.0)); // stable: values of one name keep their order
        headers.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                let values = first.1.to_mut();
                values.push(',');
                values.push_str(&next.1);
            }
            same
        });
        let signed_headers = headers.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(";");
        let mut text =
            format!("{}\n{}\n{}\n", self.method, canonical_path(self.path), canonical_query(self.query));
        for (name, value) in &headers {
            text.push_str(name);
            text.push(':');
            text.push_str(value);
            text.push('\n');
        }
        let _ = write!(text, "\n{signed_headers}\n{}", self.payload_sha256);
        Canonical { text, signed_headers }
    }
}

impl Canonical {
    /// The signature in hexadecimal digits. `timestamp` is the value of `X-Amz-Date`: `YYYYMMDDTHHMMSSZ`.
    pub fn signature(&self, key: &[u8; 32], timestamp: &str, scope: &Scope<'_>) -> String {
        let text =
            format!("{ALGORITHM}\n{timestamp}\n{}\n{}", scope.text(), sha256_hex(self.text.as_bytes()));
        hex(&hmac_sha256(key, &text))
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self, access_key_id: &str, scope: &Scope<'_>, signature: &str) -> String {
        format!(
            "{ALGORITHM} Credential={access_key_id}/{}, SignedHeaders={}, Signature={signature}",
            scope.text(),
            self.signed_headers
        )
    }
}

/// SHA-256 in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Percent-encodes all but letters, digits and `-._~`; `keep` names one more byte to leave as it is.
pub fn percent_encode(text: &str, keep: Option<u8>) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || Some(byte) == keep {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Dot segments and doubled slashes resolved, then encoded once more than on the wire.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    let end = if directory && !segments.is_empty() { "/" } else { "" };
    percent_encode(&format!("/{}{end}", segments.join("/")), Some(b'/'))
}

/// Names and values are encoded on the wire already; here they are only ordered, by name and then by value.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (reencoded(name), reencoded(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Escapes what the wire should have escaped and leaves escapes as they are.
fn reencoded(text: &str) -> String {
    percent_encode(text, Some(b'%'))
}

/// White space around a header's value goes, runs of blanks in it become one.
fn trimmed(value: &str) -> Cow<'_, str> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let bytes = value.as_bytes();
    let is_trimmed = !bytes.first().is_some_and(is_blank)
        && !bytes.last().is_some_and(is_blank)
        && bytes.windows(2).all(|pair| !pair.iter().all(is_blank))
        && bytes.iter().all(|byte| *byte == b' ' || !is_blank(byte));
    match is_trimmed {
        true => value.into(),
        false => value.split_ascii_whitespace().collect::<Vec<_>>().join(" ").into(),
    }
}

fn lower_case(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => name.to_ascii_lowercase().into(),
        false => name.into(),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]));
    text
}
