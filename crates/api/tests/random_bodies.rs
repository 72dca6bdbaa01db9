//! 10,000 random bodies for each operation, against the real engine on a store in memory: whatever comes in gets an answer
//! that says what is wrong with it. Never a fault of the service, never a panic.
//!
//! Bodies are made from the service model (`constraints.json`): right members with wrong values, values of the right kind
//! that lead somewhere, then bytes changed, cut off or put in. A failure names its seed and operation;
//! `RANDOM_BODIES_SEED=N cargo test -p stepwright-api random_bodies` repeats it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use serde_json::{Map, Value, json};
use stepwright_api::asl_definitions::AslDefinitions;
use stepwright_api::engine_backend::{EngineBackend, StoredDefinitions};
use stepwright_api::model::Operation;
use stepwright_api::{Api, Parts};
use stepwright_engine::{Engine, EngineOptions, Entropy, SystemClock};
use stepwright_server::environment::System;
use stepwright_server::{Options, Server};
use stepwright_store::memory::Memory;
use stepwright_tasks::Targets;
use stepwright_types::arn::Account;

use crate::support::Client;

const BODIES: usize = 10_000;
/// Those that go over a connection, too.
const SENT_BODIES: usize = 200;
const DEPTH_MAX: u32 = 3;
const BASE: &str = "arn:aws:states:us-east-1:123456789012";

/// Numbers that look random (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Makes bodies.
struct Bodies {
    model: Value,
    /// Texts that lead somewhere: names, ARNs, tokens, definitions.
    texts: Vec<String>,
}

impl Bodies {
    fn new() -> Bodies {
        let mut texts: Vec<String> =
            ["a", "", "{}", "[1]", "null", "\u{0}", "é\u{10ffff}", "$.x", "{% 1/0 %}", "DEBUG", "STRICT"]
                .map(str::to_owned)
                .to_vec();
        for kind in [
            "stateMachine:m",
            "stateMachine:e",
            "activity:a",
            "execution:m:x",
            "execution:f:x",
            "stateMachine:m:1",
            "stateMachine:m:live",
            "express:e:x:y",
            "mapRun:m/l:x",
        ] {
            texts.push(format!("{BASE}:{kind}"));
        }
        texts.push("arn:aws:iam::123456789012:role/any".to_owned());
        for states in [
            json!({"A": {"Type": "Pass", "End": true}}),
            json!({"A": {"Type": "Fail", "Error": "E"}}),
            json!({"A": {"Type": "Map", "Items": "{% [1..3] %}", "End": true, "ItemProcessor": {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}}}),
            json!({"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {}, "End": true}}),
            json!({"A": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.x %}", "Next": "A"}]}}),
            json!({"A": {"Type": "Nonsense"}}),
        ] {
            texts.push(json!({"StartAt": "A", "QueryLanguage": "JSONata", "States": states}).to_string());
            texts.push(states["A"].to_string());
        }
        Bodies { model: serde_json::from_str(include_str!("constraints.json")).unwrap(), texts }
    }

    fn body(&self, operation: &str, dice: &mut Dice) -> Vec<u8> {
        let input = self.model["operations"][operation].as_str().unwrap().to_owned();
        let mut bytes = match dice.below(20) {
            0 => self.anything(DEPTH_MAX, dice).to_string().into_bytes(),
            1 => (0..dice.below(200)).map(|_| dice.next() as u8).collect(),
            _ => self.of_shape(&input, dice).to_string().into_bytes(),
        };
        while dice.percent(15) {
            let at = dice.below(bytes.len() + 1);
            match dice.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, *dice.one(b"\"\\{}[],:0e-\x00\xff")),
                2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }

    fn of_shape(&self, name: &str, dice: &mut Dice) -> Value {
        if dice.percent(4) {
            return self.anything(DEPTH_MAX, dice);
        }
        let shape = &self.model["shapes"][name];
        match shape["type"].as_str().unwrap_or("text") {
            "structure" => {
                let required = shape["required"].as_array().unwrap();
                let mut members = Map::new();
                for (member, shape) in shape["members"].as_object().unwrap() {
                    let is_required = required.iter().any(|name| name == member);
                    if dice.percent(if is_required { 97 } else { 25 }) {
                        let value = self.fitting(member, dice);
                        let value = value.unwrap_or_else(|| self.of_shape(shape.as_str().unwrap(), dice));
                        members.insert(member.clone(), value);
                    }
                }
                Value::Object(members)
            }
            "list" => {
                let item = shape["item"].as_str().unwrap();
                (0..dice.below(4)).map(|_| self.of_shape(item, dice)).collect()
            }
            "enumeration" => dice.one(shape["enum"].as_array().unwrap()).clone(),
            "integer" | "long" | "float" => self.number(dice),
            "boolean" => json!(dice.percent(50)),
            _ => json!(self.text(dice)),
        }
    }

    /// A text that a member of this name may have; mostly, so that some bodies get past the first check.
    fn fitting(&self, member: &str, dice: &mut Dice) -> Option<Value> {
        let begins: &[&str] = match member {
            "routingConfiguration" if dice.percent(50) => {
                let version = format!("{BASE}:stateMachine:m:1");
                return Some(json!([{"stateMachineVersionArn": version, "weight": dice.one(&[100, 0])}]));
            }
            "definition" => &["{\"QueryLanguage\"", "{\"StartAt\"", "{\"Type\"", "{\"End\""],
            "roleArn" => &["arn:aws:iam"],
            "input" | "output" => &["{}", "[1]", "null"],
            "name" => &["a"],
            _ if member.ends_with("Arn") => &["arn:aws:states"],
            _ => return None,
        };
        let fitting: Vec<&String> =
            self.texts.iter().filter(|text| begins.iter().any(|begin| text.starts_with(begin))).collect();
        let fits = dice.percent(80) && !fitting.is_empty();
        fits.then(|| json!(dice.one(&fitting)))
    }

    fn text(&self, dice: &mut Dice) -> String {
        let mut text = dice.one(&self.texts).clone();
        if dice.percent(10) {
            let _ = write!(text, "{}", dice.one(&[":1", "/x", "🦀", "%00", "\n", "\u{202e}", ":🦀:"]));
        }
        if dice.percent(10) {
            let cut = dice.below(text.chars().count() + 1);
            text = text.chars().take(cut).collect();
        }
        if dice.percent(2) { text.repeat(dice.below(2_000)) } else { text }
    }

    fn number(&self, dice: &mut Dice) -> Value {
        match dice.below(4) {
            0 => json!(dice.one(&[0, 1, 5, 100])),
            1 => json!(dice.next() as i64),
            2 => json!(-1.5e300),
            _ => json!(dice.below(100)),
        }
    }

    fn anything(&self, depth: u32, dice: &mut Dice) -> Value {
        match dice.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(dice.percent(50)),
            2 => self.number(dice),
            3 => json!(self.text(dice)),
            4 => (0..dice.below(5)).map(|_| self.anything(depth - 1, dice)).collect(),
            _ => (0..dice.below(5)).map(|_| (self.text(dice), self.anything(depth - 1, dice))).collect(),
        }
    }
}

/// The service as it is, without a disk.
async fn service() -> (Arc<Api>, Arc<Engine>) {
    let store = Memory::new();
    let account = Arc::new(Account::new("us-east-1", "123456789012"));
    let engine = Engine::open(EngineOptions {
        store: store.clone(),
        definitions: Arc::new(StoredDefinitions(store.clone())),
        targets: Arc::new(Targets::new()),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(Entropy::from_system()),
        account: account.clone(),
        calls_max: 100,
        cores: None,
        limits: Vec::new(),
        snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
        express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
        retention: stepwright_engine::retention::Retention::default(),
        observer: None,
        history_log: None,
    })
    .await
    .unwrap();
    let backend = Arc::new(EngineBackend::new(engine.clone()));
    let api = Arc::new(Api::new(Parts {
        account: (*account).clone(),
        backend: backend.clone(),
        definitions: Arc::new(AslDefinitions),
        catalog: backend,
        catalog_lifetime: None,
        environment: Arc::new(System),
    }));
    // Polls are answered at once.
    api.stop_polls();
    (api, engine)
}

/// What the texts of [`Bodies`] lead to.
async fn populate(api: &Api) {
    let definition = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}).to_string();
    let fails = json!({"StartAt": "A", "States": {"A": {"Type": "Fail"}}}).to_string();
    let machine = |name: &str, kind: &str| {
        let definition = if name == "f" { &fails } else { &definition };
        json!({"name": name, "type": kind, "definition": definition, "publish": true,
            "roleArn": "arn:aws:iam::123456789012:role/any"})
    };
    let route = json!([{"stateMachineVersionArn": format!("{BASE}:stateMachine:m:1"), "weight": 100}]);
    for (operation, request) in [
        (Operation::CreateStateMachine, machine("m", "STANDARD")),
        (Operation::CreateStateMachine, machine("e", "EXPRESS")),
        (Operation::CreateStateMachine, machine("f", "STANDARD")),
        (
            Operation::StartExecution,
            json!({"stateMachineArn": format!("{BASE}:stateMachine:f"), "name": "x"}),
        ),
        (Operation::CreateStateMachineAlias, json!({"name": "live", "routingConfiguration": route})),
        (Operation::CreateActivity, json!({"name": "a"})),
        (
            Operation::StartExecution,
            json!({"stateMachineArn": format!("{BASE}:stateMachine:m"), "name": "x"}),
        ),
    ] {
        // Some bodies take them away; whatever can be made again is.
        let _ = api.call(operation, request.to_string().into()).await;
    }
}

fn seed() -> u64 {
    std::env::var("RANDOM_BODIES_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_161_123)
}

#[tokio::test]
async fn called() {
    let (api, engine) = service().await;
    let (bodies, seed) = (Bodies::new(), seed());
    for (number, operation) in Operation::ALL.into_iter().enumerate() {
        let mut dice = Dice(seed.wrapping_add(number as u64));
        let mut accepted = 0;
        for count in 0..BODIES {
            if count % 100 == 0 {
                populate(&api).await;
            }
            let body = bodies.body(operation.name(), &mut dice);
            let shown = || format!("{operation:?} {}", String::from_utf8_lossy(&body));
            let called =
                tokio::time::timeout(Duration::from_secs(30), api.call(operation, body.clone().into())).await;
            match called.unwrap_or_else(|_| panic!("no answer: {}", shown())) {
                Ok(answer) => {
                    accepted += 1;
                    assert!(serde_json::from_slice::<Value>(&answer).is_ok(), "{}", shown());
                }
                Err(error) => assert!(error.kind.http_status() < 500, "{error:?}: {}", shown()),
            }
        }
        // Bodies that are all refused at the door would test nothing. (There are no tokens and no map runs to be had.)
        let name = operation.name();
        let is_tested = accepted > 0 || name.contains("MapRun") || name.contains("SendTask");
        assert!(is_tested, "{operation:?}: all were refused (seed {seed})");
    }
    assert_eq!(engine.failure_reason(), None);
}

#[tokio::test]
async fn sent() {
    let (api, _engine) = service().await;
    populate(&api).await;
    let server = Server::bind(([127, 0, 0, 1], 0).into(), vec![api], Options::default()).await.unwrap();
    let server = Arc::new(server);
    let running = server.clone();
    tokio::spawn(async move { running.run().await });
    let mut client = Client::connect(server.local_address()).await;
    let (bodies, mut dice) = (Bodies::new(), Dice(seed()));
    for operation in Operation::ALL {
        for _ in 0..SENT_BODIES {
            let body = bodies.body(operation.name(), &mut dice);
            let request = Request::post("/")
                .header("host", "localhost")
                .header("x-amz-target", format!("AWSStepFunctions.{}", operation.name()))
                .body(Full::from(body.clone()))
                .unwrap();
            let answer = client.request(request).await;
            let shown = String::from_utf8_lossy(&body);
            assert!(answer.status == 200 || answer.status == 400, "{}: {operation:?} {shown}", answer.status);
            assert!(answer.json().is_object(), "{operation:?} {shown}");
        }
    }
}
