//! AWS's published vectors (`vectors.txt`): each is signed, and its signature verified.

use stepwright_sigv4::{Claim, Rules, Scope, WireRequest, sha256_hex};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TIMESTAMP: &str = "20150830T123600Z";
const NOW_S: i64 = 1_440_938_160;

#[test]
fn published_vectors() {
    let mut count = 0;
    for line in include_str!("vectors.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let fields: Vec<&str> =
            line.split(" |").map(|field| field.strip_prefix(' ').unwrap_or(field)).collect();
        let [name, method, target, headers, body, expected] = *fields else { panic!("{line}") };
        check(name, method, target, headers, body, expected);
        count += 1;
    }
    assert_eq!(count, 24);
}

fn check(name: &str, method: &str, target: &str, more: &str, body: &str, expected: &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = vec![("host", "example.amazonaws.com"), ("x-amz-date", TIMESTAMP)];
    let more: Vec<(String, &str)> = more
        .split('¦')
        .filter_map(|header| header.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    headers.extend(more.iter().map(|(name, value)| (name.as_str(), *value)));
    let payload_sha256 = sha256_hex(body.as_bytes());
    let scope = Scope { date: "20150830", region: "us-east-1", service: "service" };
    let key = scope.signing_key(SECRET);
    let request = WireRequest { method, path, query, headers: &headers, payload_sha256: &payload_sha256 };
    let canonical = request.canonical();
    let signature = canonical.signature(&key, TIMESTAMP, &scope);
    assert_eq!(signature, expected, "{name}\n{}", canonical.text);

    let authorization = canonical.authorization("AKIDEXAMPLE", &scope, &signature);
    headers.push(("authorization", &authorization));
    let request = WireRequest { method, path, query, headers: &headers, payload_sha256: &payload_sha256 };
    let claim = Claim::read(&headers).expect(name);
    let rules = Rules { region: Some("us-east-1"), service: "service", now_s: NOW_S, skew_max_minutes: 5 };
    assert_eq!(claim.check(&rules), Ok(()), "{name}");
    assert_eq!(claim.check_signature(&request, &key), Ok(()), "{name}");
    let mut other = key;
    other[0] ^= 1;
    assert!(claim.check_signature(&request, &other).is_err(), "{name}");
}

/// The example of the IAM User Guide, and its signing key.
#[test]
fn user_guide() {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("host", "iam.amazonaws.com"),
        ("x-amz-date", TIMESTAMP),
    ];
    let query = "Action=ListUsers&Version=2010-05-08";
    let scope = Scope { date: "20150830", region: "us-east-1", service: "iam" };
    let key = scope.signing_key(SECRET);
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    let payload_sha256 = sha256_hex(b"");
    let request =
        WireRequest { method: "GET", path: "/", query, headers: &headers, payload_sha256: &payload_sha256 };
    let canonical = request.canonical();
    let signature = canonical.signature(&key, TIMESTAMP, &scope);
    assert_eq!(signature, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    assert_eq!(
        canonical.authorization("AKID", &scope, "00"),
        "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature=00"
    );
}
