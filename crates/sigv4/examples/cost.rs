//! What it costs to verify one request: `cargo run --release -p stepwright-sigv4 --example cost`.
//!
//! The headers are those of a botocore request. With the signing key of the day kept, as the server does, and without. The
//! fastest of many batches counts, so that a busy machine matters little.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use stepwright_sigv4::{Claim, Rules, SERVICE_STATES, Scope, WireRequest, sha256_hex};

const BATCHES: u32 = 100;
const ROUNDS: u32 = 200;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: &str = "20150830T123600Z";

fn main() {
    for body_bytes in [128, 4 << 10, 256 << 10] {
        let body = vec![b'a'; body_bytes];
        let rounds = if body_bytes > 100_000 { ROUNDS / 40 } else { ROUNDS };
        println!(
            "body of {body_bytes} bytes: {:.2} µs with the key kept, {:.2} µs without",
            cost(&body, true, rounds),
            cost(&body, false, rounds)
        );
    }
}

fn cost(body: &[u8], key_is_kept: bool, rounds: u32) -> f64 {
    let scope = Scope { date: "20150830", region: "us-east-1", service: SERVICE_STATES };
    let kept = scope.signing_key(SECRET);
    let mut headers = vec![
        ("host", "127.0.0.1:8083"),
        ("x-amz-target", "AWSStepFunctions.StartExecution"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-date", NOW),
    ];
    let hash = sha256_hex(body);
    let wire = |headers: &[(&str, &str)], hash: &str| {
        WireRequest { method: "POST", path: "/", query: "", headers, payload_sha256: hash }.canonical()
    };
    let canonical = wire(&headers, &hash);
    let authorization =
        canonical.authorization("AKIDEXAMPLE", &scope, &canonical.signature(&kept, NOW, &scope));
    headers.extend([
        (
            "user-agent",
            "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7",
        ),
        ("amz-sdk-invocation-id", "f0f0f0f0-0000-4000-8000-000000000000"),
        ("amz-sdk-request", "attempt=1"),
        ("content-length", "128"),
        ("authorization", &authorization),
    ]);
    let rules = Rules {
        region: Some("us-east-1"),
        service: SERVICE_STATES,
        now_s: 1_440_938_160,
        skew_max_minutes: 5,
    };
    let verify = || {
        let claim = Claim::read(black_box(&headers)).unwrap();
        claim.check(&rules).unwrap();
        let hash = sha256_hex(black_box(body));
        let key = if key_is_kept { kept } else { claim.scope.signing_key(SECRET) };
        let request =
            WireRequest { method: "POST", path: "/", query: "", headers: &headers, payload_sha256: &hash };
        claim.check_signature(&request, &key).unwrap();
    };
    let batch = || {
        let begun = Instant::now();
        (0..rounds).for_each(|_| verify());
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    };
    (0..BATCHES).map(|_| batch()).fold(f64::INFINITY, f64::min)
}
