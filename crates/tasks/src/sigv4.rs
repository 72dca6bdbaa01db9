//! AWS Signature Version 4: the canonical form of a request, and its signature.
//!
//! Source: AWS IAM User Guide, "Create a signed AWS API request". Who signs and who verifies build the same canonical text
//! from what goes over the wire, so both use [`WireRequest`]. Left out: presigned URLs, chunked payloads, SigV4a, and the
//! way of S3 (which does not encode the path twice).

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The only algorithm here, as it stands in headers and in the string to sign.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs.
#[derive(Clone)]
pub struct Credentials {
    /// Such as `AKIDEXAMPLE`.
    pub access_key_id: String,
    /// Never shown, not even by `Debug`.
    pub secret_access_key: String,
    /// For temporary credentials: goes into `X-Amz-Security-Token`.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What a signature is good for: one day, one region, one service.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `YYYYMMDD`, in UTC.
    pub date: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// Such as `lambda`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// `20150830/us-east-1/iam/aws4_request`.
    pub fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// The key that signs within this scope. It may be kept for the day.
    pub fn signing_key(&self, secret_access_key: &str) -> [u8; 32] {
        let key = hmac_sha256(format!("AWS4{secret_access_key}").as_bytes(), self.date);
        let key = hmac_sha256(&key, self.region);
        let key = hmac_sha256(&key, self.service);
        hmac_sha256(&key, "aws4_request")
    }
}

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
        let mut headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), trimmed(value))).collect();
        headers.sort_by(|a, b| a.0.cmp(&b.0)); // stable: values of one name keep their order
        headers.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1.push(',');
                first.1.push_str(&next.1);
            }
            same
        });
        let signed_headers = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
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
fn trimmed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn hmac_sha256(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is good for HMAC: the error cannot occur, and an empty key would only make a wrong signature.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    //! The vectors are AWS's own: "aws-sig-v4-test-suite" and the examples of the IAM User Guide.

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const TIMESTAMP: &str = "20150830T123600Z";

    fn check(
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
        expected: &str,
    ) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let payload_sha256 = sha256_hex(body.as_bytes());
        let request = WireRequest { method, path, query, headers, payload_sha256: &payload_sha256 };
        let scope = Scope { date: "20150830", region: "us-east-1", service };
        let canonical = request.canonical();
        let signature = canonical.signature(&scope.signing_key(SECRET), TIMESTAMP, &scope);
        assert_eq!(signature, expected, "{method} {target}\n{}", canonical.text);
    }

    #[test]
    fn signing_key() {
        let scope = Scope { date: "20150830", region: "us-east-1", service: "iam" };
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex(&scope.signing_key(SECRET)), expected);
    }

    #[test]
    fn user_guide_example() {
        let headers = [
            ("Host", "iam.amazonaws.com"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("X-Amz-Date", TIMESTAMP),
        ];
        let expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        check("iam", "GET", "/?Action=ListUsers&Version=2010-05-08", &headers, "", expected);
    }

    #[test]
    fn test_suite() {
        let host = ("Host", "example.amazonaws.com");
        let date = ("X-Amz-Date", TIMESTAMP);
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let post = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        let ordered = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        let utf8 = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85";
        let form = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        let trim = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736";
        check("service", "GET", "/", &[host, date], "", vanilla);
        check("service", "GET", "/example/..", &[host, date], "", vanilla);
        check("service", "GET", "//", &[host, date], "", vanilla);
        check("service", "GET", "/./", &[host, date], "", vanilla);
        check("service", "POST", "/", &[date, host], "", post);
        check("service", "GET", "/?Param2=value2&Param1=value1", &[host, date], "", ordered);
        check("service", "GET", "/ሴ", &[host, date], "", utf8);
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        check("service", "POST", "/", &[kind, host, date], "Param1=value1", form);
        let blanks = [host, ("My-Header1", " value1"), ("My-Header2", " \"a   b   c\""), date];
        check("service", "GET", "/", &blanks, "", trim);
    }

    #[test]
    fn authorization_header() {
        let headers = [("host", "h"), ("x-amz-date", TIMESTAMP)];
        let request =
            WireRequest { method: "GET", path: "/", query: "", headers: &headers, payload_sha256: "" };
        let scope = Scope { date: "20150830", region: "us-east-1", service: "lambda" };
        assert_eq!(
            request.canonical().authorization("AKID", &scope, "00"),
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, \
             Signature=00"
        );
    }
}
