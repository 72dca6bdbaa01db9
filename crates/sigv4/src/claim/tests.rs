//! One good request, and what becomes of it when one thing is changed.

use super::*;
use crate::{SERVICE_STATES, sha256_hex};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW_S: i64 = 1_440_938_160;
const NOW: &str = "20150830T123600Z";
const BODY: &str = "{}";

fn rules() -> Rules<'static> {
    Rules { region: Some("us-east-1"), service: SERVICE_STATES, now_s: NOW_S, skew_max_minutes: 5 }
}

/// The headers of a signed request.
fn signed(more: &[(&'static str, &str)]) -> Vec<(String, String)> {
    let mut headers =
        vec![("host", "localhost:8083"), ("x-amz-date", NOW), ("x-amz-target", "AWSStepFunctions.X")];
    headers.extend_from_slice(more);
    let payload_sha256 = sha256_hex(BODY.as_bytes());
    let request = WireRequest {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        payload_sha256: &payload_sha256,
    };
    let scope = Scope { date: "20150830", region: "us-east-1", service: SERVICE_STATES };
    let canonical = request.canonical();
    let signature = canonical.signature(&scope.signing_key(SECRET), NOW, &scope);
    let authorization = canonical.authorization("AKID", &scope, &signature);
    headers.push(("authorization", &authorization));
    headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn verify(
    headers: &[(String, String)],
    rules: &Rules<'_>,
    body: &str,
    token: Option<&str>,
) -> Result<(), Refusal> {
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let claim = Claim::read(&headers)?;
    claim.check(rules)?;
    if claim.access_key_id != "AKID" {
        return Err(Refusal::UnknownKey);
    }
    claim.check_token(token)?;
    let payload_sha256 = sha256_hex(body.as_bytes());
    let request = WireRequest {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        payload_sha256: &payload_sha256,
    };
    claim.check_signature(&request, &claim.scope.signing_key(SECRET))
}

/// A good request with one header's text changed; the message begins with `expected`.
fn check_changed(header: &str, from: &str, to: &str, expected: &str) {
    let mut headers = signed(&[]);
    for (_, value) in headers.iter_mut().filter(|(name, _)| name == header) {
        assert!(value.contains(from), "{value} has no {from}");
        *value = value.replace(from, to);
    }
    let refusal = verify(&headers, &rules(), BODY, None).expect_err(to);
    assert!(refusal.to_string().starts_with(expected), "{refusal}");
}

#[test]
fn good_requests() {
    assert_eq!(verify(&signed(&[]), &rules(), BODY, None), Ok(()));
    let hash = sha256_hex(BODY.as_bytes());
    assert_eq!(verify(&signed(&[("x-amz-content-sha256", &hash)]), &rules(), BODY, None), Ok(()));
    assert_eq!(verify(&signed(&[("x-amz-security-token", "tok")]), &rules(), BODY, Some("tok")), Ok(()));
    // Headers that were not signed may come along, others may come twice.
    let mut headers = signed(&[("my-header", "a  b "), ("my-header", "c")]);
    headers.push(("user-agent".into(), "x".into()));
    assert_eq!(verify(&headers, &rules(), BODY, None), Ok(()));
}

#[test]
fn clocks() {
    for (skew_s, expected) in [
        (300, None),
        (-300, None),
        (
            301,
            Some(
                "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)",
            ),
        ),
        (
            -301,
            Some(
                "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)",
            ),
        ),
    ] {
        let answer = verify(&signed(&[]), &Rules { now_s: NOW_S + skew_s, ..rules() }, BODY, None);
        assert_eq!(answer.err().map(|refusal| refusal.to_string()).as_deref(), expected, "{skew_s}");
    }
}

#[test]
fn wrong_signatures() {
    const WRONG: &str = "The request signature we calculated does not match the signature you provided.";
    let refused = verify(&signed(&[]), &rules(), "{ }", None);
    assert_eq!(refused, Err(Refusal::wrong_signature()));
    check_changed("authorization", "Signature=", "Signature=0", WRONG);
    check_changed("host", "localhost", "example.com", WRONG);
    check_changed("x-amz-target", "X", "Y", WRONG);
    check_changed("x-amz-date", "T123600", "T123601", WRONG);
    // Said to be signed, but not there.
    check_changed("authorization", "SignedHeaders=host", "SignedHeaders=expect;host", WRONG);
}

#[test]
fn scopes() {
    for (from, to, expected) in [
        ("us-east-1", "eu-west-1", "Credential should be scoped to a valid region, not 'eu-west-1'. "),
        ("/states/", "/lambda/", "Credential should be scoped to correct service: 'states'. "),
        (
            "aws4_request",
            "aws5",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. ",
        ),
        (
            "20150830",
            "20150829",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != \
             '20150830', from '20150830T123600Z'. ",
        ),
        ("AKID/", "AKID/x/", "Credential must have exactly 5 slash-delimited elements"),
        ("AKID", "AKIE", "The security token included in the request is invalid."),
    ] {
        check_changed("authorization", from, to, expected);
    }
}

#[test]
fn incomplete_headers() {
    for (from, to, expected) in [
        ("Credential=", "Credentia=", "'Credentia' is not a parameter of the Authorization header:"),
        (
            "Credential=AKID/20150830/us-east-1/states/aws4_request",
            "",
            "Authorization header requires 'Credential' parameter. Authorization=",
        ),
        ("Signature=", "Signature", "'Signature"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA", "Unsupported AWS 'algorithm': 'AWS4-ECDSA'."),
        (
            "AWS4-HMAC-SHA256",
            "Bearer",
            "'Bearer' not a valid key=value pair (missing equal-sign) in Authorization header:",
        ),
        (
            "host;x-amz-date",
            "x-amz-date",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        ("x-amz-date;", "", "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization."),
        (";x-amz-target", "", "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."),
        ("Credential=", "Credential=a, Credential=", "Authorization header has 'Credential' twice."),
    ] {
        check_changed("authorization", from, to, expected);
    }
    check_changed("x-amz-date", NOW, "20150830", "Date must be in ISO-8601 'basic format'. Got '20150830'.");
    let without = |name: &str| signed(&[]).into_iter().filter(|(other, _)| other != name).collect::<Vec<_>>();
    assert_eq!(verify(&without("authorization"), &rules(), BODY, None), Err(Refusal::Unsigned));
    let refusal = verify(&without("x-amz-date"), &rules(), BODY, None).expect_err("no date").to_string();
    assert!(refusal.contains("existence of either a 'X-Amz-Date' or a 'Date' header"), "{refusal}");
    for twice in SINGLE_HEADERS.into_iter().filter(|name| !name.contains("sha256") && !name.contains("token"))
    {
        let mut headers = signed(&[]);
        let again = headers.iter().find(|(name, _)| name == twice).cloned().expect(twice);
        headers.push(again);
        let refusal = verify(&headers, &rules(), BODY, None).expect_err(twice);
        assert!(matches!(refusal, Refusal::Incomplete(_)), "{refusal}");
    }
}

#[test]
fn payloads() {
    let other = sha256_hex(b"other");
    for said in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &other] {
        let refusal =
            verify(&signed(&[("x-amz-content-sha256", said)]), &rules(), BODY, None).expect_err(said);
        assert!(refusal.to_string().contains("X-Amz-Content-Sha256"), "{refusal}");
    }
}

#[test]
fn session_tokens() {
    let with = signed(&[("x-amz-security-token", "tok")]);
    assert_eq!(verify(&with, &rules(), BODY, None), Err(Refusal::UnknownKey));
    assert_eq!(verify(&with, &rules(), BODY, Some("other")), Err(Refusal::UnknownKey));
    assert_eq!(verify(&signed(&[]), &rules(), BODY, Some("tok")), Err(Refusal::UnknownKey));
}

/// Whatever stands in the headers: a refusal, no panic, and never an acceptance.
#[test]
fn random_headers() {
    let mut state = 7_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit.max(1)
    };
    for _ in 0..2_000 {
        let mut headers = signed(&[]);
        let before = headers.clone();
        for _ in 0..=below(3) {
            let which = below(headers.len());
            let (_, value) = &mut headers[which];
            let mut characters: Vec<char> = value.chars().collect();
            let at = below(characters.len() + 1);
            match below(4) {
                0 => characters.truncate(at),
                1 => characters.insert(at, ['/', ';', '=', ',', ' ', 'é', '\u{0}', 'Z'][below(8)]),
                2 => drop(characters.splice(at.., "AWS4-HMAC-SHA256 Credential=".chars())),
                _ => characters.rotate_left(at),
            }
            *value = characters.into_iter().collect();
        }
        // White space around values and between parameters means nothing.
        let bare = |headers: &[(String, String)]| -> Vec<String> {
            headers.iter().map(|(_, value)| value.replace([' ', ','], "")).collect()
        };
        if bare(&headers) != bare(&before) {
            assert!(verify(&headers, &rules(), BODY, None).is_err(), "{headers:?}");
        }
    }
}
