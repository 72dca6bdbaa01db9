//! Every constraint of the service model: for each member of each request, one value inside the limit and one outside.
//!
//! `constraints.json` is the model's side (`cargo xtask codegen`). What is outside has to be refused in the service's words; what
//! is inside has to pass the constraint, and `constraints.txt` keeps what it is answered then: many values that the model
//! allows are refused by the service's own checks. To renew it: `UPDATE_EXPECTED=1 cargo test -p stepwright-api constraint`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use stepwright_api::backend::ActivityTask;
use stepwright_value::Document;

use crate::support::{PASS, ROLE, TestServer, text};

const UPDATE: &str = "UPDATE_EXPECTED";

/// A request with one value that matters.
struct Probe {
    /// As the service writes it: `tags.1.member.key`.
    path: String,
    /// What is tried, for people.
    what: String,
    request: Value,
    /// What follows `1 validation error detected: `; `None` when the value is inside the limit.
    violation: Option<String>,
}

struct Model(Value);

impl Model {
    fn shape(&self, name: &str) -> &Value {
        let shape = &self.0["shapes"][name];
        assert!(shape.is_object(), "{name}");
        shape
    }

    fn members(&self, structure: &str) -> Vec<(String, String)> {
        let members = self.shape(structure)["members"].as_object().unwrap();
        members.iter().map(|(name, shape)| (name.clone(), shape.as_str().unwrap().to_owned())).collect()
    }

    /// A value that satisfies all constraints of the shape.
    fn sample(&self, name: &str) -> Value {
        let shape = self.shape(name);
        match shape["type"].as_str().unwrap() {
            "structure" if name == "EncryptionConfiguration" => {
                json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "key"})
            }
            "structure" if name == "CloudWatchLogsLogGroup" => {
                json!({"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:a:*"})
            }
            "structure" => {
                let members = self.members(name).into_iter();
                members.map(|(member, shape)| (member, self.sample(&shape))).collect()
            }
            "list" => json!([self.sample(shape["item"].as_str().unwrap())]),
            "enumeration" => shape["enum"][0].clone(),
            "integer" | "long" | "float" => shape.get("min").cloned().unwrap_or(json!(1)),
            "boolean" => json!(false),
            _ if name == "SensitiveData" || name == "Definition" => json!("{}"),
            _ => json!("a"),
        }
    }

    /// All probes of a structure that stands at `path`; `put` makes a request with the structure's value.
    fn structure(
        &self,
        name: &str,
        path: &str,
        base: &Value,
        put: &dyn Fn(Value) -> Value,
        probes: &mut Vec<Probe>,
    ) {
        let required = self.shape(name)["required"].as_array().unwrap();
        for (member, shape) in self.members(name) {
            let here = if path.is_empty() { member.clone() } else { format!("{path}.{member}") };
            let with = |value: Value| {
                let mut changed = base.clone();
                changed[&member] = value;
                put(changed)
            };
            if required.contains(&json!(member)) {
                probes.push(Probe {
                    path: here.clone(),
                    what: "absent".to_owned(),
                    request: with(Value::Null),
                    violation: Some(violation(" null", &here, "not be null")),
                });
            }
            let known = base.get(&member).filter(|value| !value.is_null());
            let known = known.cloned().unwrap_or_else(|| self.sample(&shape));
            self.value(&shape, &here, &known, &with, probes);
        }
    }

    /// All probes of a value of this shape.
    fn value(
        &self,
        name: &str,
        path: &str,
        known: &Value,
        put: &dyn Fn(Value) -> Value,
        probes: &mut Vec<Probe>,
    ) {
        let shape = self.shape(name);
        let mut add = |what: String, value: Value, violation: Option<String>| {
            probes.push(Probe { path: path.to_owned(), what, request: put(value), violation });
        };
        match shape["type"].as_str().unwrap() {
            "structure" => self.structure(name, path, known, put, probes),
            "list" => {
                let (item, first) = (shape["item"].as_str().unwrap(), &known[0]);
                if let Some(max) = shape["max"].as_u64() {
                    let many = |count: u64| Value::Array(vec![first.clone(); count as usize]);
                    add(format!("{max} items"), many(max), None);
                    let constraint = format!("have length less than or equal to {max}");
                    let shown = vec![described(item, first); max as usize + 1].join(", ");
                    let refused = violation(&format!(" '[{shown}]'"), path, &constraint);
                    add(format!("{} items", max + 1), many(max + 1), Some(refused));
                }
                if shape["min"] == 1 {
                    let refused = violation(" '[]'", path, "have length greater than or equal to 1");
                    add("no items".to_owned(), json!([]), Some(refused));
                }
                let here = format!("{path}.1.member");
                let refused = violation(" null", &here, "not be null");
                add("an item that is null".to_owned(), json!([null]), Some(refused));
                self.value(item, &here, first, &|value| put(json!([value])), probes);
            }
            "enumeration" => {
                let values = shape["enum"].as_array().unwrap();
                for value in values {
                    add(format!("{value}"), value.clone(), None);
                }
                let all: Vec<&str> = values.iter().map(|value| value.as_str().unwrap()).collect();
                let constraint = format!("satisfy enum value set: [{}]", all.join(", "));
                for wrong in ["", "none of them"] {
                    let refused = violation(&format!(" '{wrong}'"), path, &constraint);
                    add(format!("{wrong:?}"), json!(wrong), Some(refused));
                }
            }
            "integer" | "long" | "float" => number(shape, path, &mut add),
            "boolean" => {
                add("true".to_owned(), json!(true), None);
            }
            _ => self.text(name, path, &mut add),
        }
    }

    fn text(&self, name: &str, path: &str, add: &mut dyn FnMut(String, Value, Option<String>)) {
        let shape = self.shape(name);
        let is_sensitive = shape["sensitive"] == true;
        let shown = |text: &str| match (is_sensitive, text.len() > SHOWN_BYTES_MAX) {
            (true, _) => String::new(),
            (false, true) => format!(" '{}'", &text[..SHOWN_BYTES_MAX]),
            (false, false) => format!(" '{text}'"),
        };
        if let Some(max) = shape["max"].as_u64() {
            let longest = fill(name, max as usize);
            add(format!("{max} characters"), json!(longest), None);
            let longer = "a".repeat(max as usize + 1);
            let constraint = format!("have length less than or equal to {max}");
            let refused = violation(&shown(&longer), path, &constraint);
            add(format!("{} characters", max + 1), json!(longer), Some(refused));
        }
        match shape["min"].as_u64() {
            Some(1) => {
                add("one character".to_owned(), json!("a"), None);
                let mut refused = violation(&shown(""), path, "have length greater than or equal to 1");
                let mut count = 1;
                if let Some(pattern) = shape["pattern"].as_str() {
                    count = 2;
                    let constraint = format!("satisfy regular expression pattern: {pattern}");
                    refused = format!("{refused}; {}", violation(&shown(""), path, &constraint));
                }
                add(format!("no characters ({count})"), json!(""), Some(refused));
            }
            _ => add("no characters".to_owned(), json!(""), None),
        }
        if let Some(pattern) = shape["pattern"].as_str() {
            let (good, bad): (&[&str], &[&str]) = match name {
                "CharacterRestrictedName" => (&["1-", ".", "a_9"], &["123", "a b", "é", "a\n"]),
                "ClientToken" => (&["!", "~a\""], &["a b", "é", "\u{7f}"]),
                "TraceHeader" => (&["a b\n", "\u{0}\u{7f}"], &["é", "\u{80}"]),
                new => panic!("{new} has a pattern: say what it allows"),
            };
            for text in good {
                add(format!("{text:?}"), json!(text), None);
            }
            for text in bad {
                let constraint = format!("satisfy regular expression pattern: {pattern}");
                let refused = violation(&shown(text), path, &constraint);
                add(format!("{text:?}"), json!(text), Some(refused));
            }
        }
    }
}

/// As `model/check.rs` cuts off what it repeats.
const SHOWN_BYTES_MAX: usize = 8_192;

fn number(shape: &Value, path: &str, add: &mut dyn FnMut(String, Value, Option<String>)) {
    if let Some(max) = shape["max"].as_i64() {
        add(format!("{max}"), json!(max), None);
        let above = max + 1;
        let constraint = format!("have value less than or equal to {max}");
        add(format!("{above}"), json!(above), Some(violation(&format!(" '{above}'"), path, &constraint)));
    }
    if let Some(min) = shape["min"].as_i64() {
        add(format!("{min}"), json!(min), None);
        let below = min - 1;
        let constraint = format!("have value greater than or equal to {min}");
        add(format!("{below}"), json!(below), Some(violation(&format!(" '{below}'"), path, &constraint)));
    }
}

fn violation(value: &str, path: &str, constraint: &str) -> String {
    format!("Value{value} at '{path}' failed to satisfy constraint: Member must {constraint}")
}

/// An item as the message about its list shows it.
fn described(shape: &str, item: &Value) -> String {
    let members = item.as_object().unwrap().iter();
    let members = members.map(|(name, value)| {
        format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    format!("{shape}({})", members.collect::<Vec<_>>().join(", "))
}

/// A text of so many characters, JSON where JSON is wanted.
fn fill(shape: &str, chars: usize) -> String {
    match shape {
        "SensitiveData" => format!("\"{}\"", "a".repeat(chars - 2)),
        "Definition" => format!("{}{PASS}", " ".repeat(chars - PASS.len())),
        _ => "a".repeat(chars),
    }
}

/// Requests that succeed, as far as this server can serve them; everything they name is there.
fn requests(names: &BTreeMap<&str, String>) -> BTreeMap<&'static str, Value> {
    let [machine, version, alias, activity, execution] =
        ["machine", "version", "alias", "activity", "execution"].map(|name| names[name].clone());
    let map_run = machine.replace(":stateMachine:", ":mapRun:") + "/label:1";
    let routing = json!([{"stateMachineVersionArn": version, "weight": 100}]);
    [
        ("CreateActivity", json!({"name": "new"})),
        ("CreateStateMachine", json!({"name": "new", "definition": PASS, "roleArn": ROLE})),
        ("CreateStateMachineAlias", json!({"name": "new", "routingConfiguration": routing})),
        ("DeleteActivity", json!({"activityArn": activity})),
        ("DeleteStateMachine", json!({"stateMachineArn": machine})),
        ("DeleteStateMachineAlias", json!({"stateMachineAliasArn": alias})),
        ("DeleteStateMachineVersion", json!({"stateMachineVersionArn": version})),
        ("DescribeActivity", json!({"activityArn": activity})),
        ("DescribeExecution", json!({"executionArn": execution})),
        ("DescribeMapRun", json!({"mapRunArn": map_run})),
        ("DescribeStateMachine", json!({"stateMachineArn": machine})),
        ("DescribeStateMachineAlias", json!({"stateMachineAliasArn": alias})),
        ("DescribeStateMachineForExecution", json!({"executionArn": execution})),
        ("GetActivityTask", json!({"activityArn": activity})),
        ("GetExecutionHistory", json!({"executionArn": execution})),
        ("ListActivities", json!({})),
        ("ListExecutions", json!({"stateMachineArn": machine})),
        ("ListMapRuns", json!({"executionArn": execution})),
        ("ListStateMachineAliases", json!({"stateMachineArn": machine})),
        ("ListStateMachineVersions", json!({"stateMachineArn": machine})),
        ("ListStateMachines", json!({})),
        ("ListTagsForResource", json!({"resourceArn": machine})),
        ("PublishStateMachineVersion", json!({"stateMachineArn": machine})),
        ("RedriveExecution", json!({"executionArn": execution})),
        ("SendTaskFailure", json!({"taskToken": "good"})),
        ("SendTaskHeartbeat", json!({"taskToken": "good"})),
        ("SendTaskSuccess", json!({"taskToken": "good", "output": "{}"})),
        ("StartExecution", json!({"stateMachineArn": machine})),
        ("StartSyncExecution", json!({"stateMachineArn": machine})),
        ("StopExecution", json!({"executionArn": execution})),
        ("TagResource", json!({"resourceArn": machine, "tags": [{"key": "k", "value": "v"}]})),
        ("TestState", json!({"definition": PASS, "roleArn": ROLE})),
        ("UntagResource", json!({"resourceArn": machine, "tagKeys": ["k"]})),
        ("UpdateMapRun", json!({"mapRunArn": map_run})),
        ("UpdateStateMachine", json!({"stateMachineArn": machine, "definition": PASS})),
        ("UpdateStateMachineAlias", json!({"stateMachineAliasArn": alias, "routingConfiguration": routing})),
        ("ValidateStateMachineDefinition", json!({"definition": PASS})),
    ]
    .into_iter()
    .collect()
}

/// A server with one of everything.
async fn furnished() -> (TestServer, BTreeMap<&'static str, String>) {
    let mut server = TestServer::start().await;
    let request = json!({"name": "m", "definition": PASS, "roleArn": ROLE, "publish": true});
    let created = server.ok("CreateStateMachine", request).await;
    let version = text(&created, "stateMachineVersionArn");
    let routing = json!([{"stateMachineVersionArn": version, "weight": 100}]);
    let alias =
        server.ok("CreateStateMachineAlias", json!({"name": "live", "routingConfiguration": routing})).await;
    let activity = server.ok("CreateActivity", json!({"name": "a"})).await;
    let machine = text(&created, "stateMachineArn");
    let execution = server.ok("StartExecution", json!({"stateMachineArn": machine, "name": "e"})).await;
    let names = [
        ("machine", machine),
        ("version", version),
        ("alias", text(&alias, "stateMachineAliasArn")),
        ("activity", text(&activity, "activityArn")),
        ("execution", text(&execution, "executionArn")),
    ];
    (server, names.into_iter().collect())
}

/// Without what differs from one run to the next, and without long texts.
fn shortened(answer: &str) -> String {
    let mut out = String::new();
    let mut rest = answer;
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|character| *character == first).count();
        let bytes = run * first.len_utf8();
        match run {
            0..20 => out.push_str(&rest[..bytes]),
            _ => out.push_str(&format!("<{run} times {first}>")),
        }
        rest = &rest[bytes..];
    }
    out
}

#[tokio::test]
async fn each_constraint_of_the_model_is_checked() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let model = std::fs::read_to_string(here.join("constraints.json")).unwrap();
    let model = Model(serde_json::from_str(&model).unwrap());
    let operations = model.0["operations"].as_object().unwrap();
    assert_eq!(operations.len(), 37);
    let mut answers = String::new();
    let mut checked = 0;
    for (operation, input) in operations {
        let (mut server, names) = furnished().await;
        let base = &requests(&names)[operation.as_str()];
        let mut probes = Vec::new();
        model.structure(input.as_str().unwrap(), "", base, &|request| request, &mut probes);
        for Probe { path, what, mut request, violation } in probes {
            checked += 1;
            if request["name"] == "new" {
                // What a probe has created is not in the way of the next one.
                request["name"] = json!(format!("new-{checked}"));
            }
            let task = ActivityTask { token: "t".to_owned(), input: Document::from_stored_text("{}") };
            server.backend.tasks.lock().unwrap().push_back(task);
            let answer = server.send(operation, request.to_string()).await;
            let (status, error) = (answer.status, (answer.status != 200).then(|| answer.error()));
            match violation {
                Some(violation) => {
                    let count = violation.matches(" failed to satisfy constraint").count();
                    let plural = if count == 1 { "" } else { "s" };
                    let message = format!("{count} validation error{plural} detected: {violation}");
                    let expected = ("ValidationException".to_owned(), message);
                    assert_eq!(error, Some(expected), "{operation} {path}: {what}");
                    assert_eq!(status, 400);
                }
                None => {
                    let told = error.map_or("200".to_owned(), |(name, message)| format!("{name}: {message}"));
                    assert!(!told.contains("failed to satisfy"), "{operation} {path}: {what}: {told}");
                    let _ = writeln!(answers, "{operation} {path}: {what}: {}", shortened(&told));
                }
            }
        }
    }
    assert!(checked > 500, "{checked} probes");
    let expected_file = here.join("constraints.txt");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&expected_file, &answers).unwrap();
    }
    let expected = std::fs::read_to_string(&expected_file).unwrap();
    for (answer, expected) in answers.lines().zip(expected.lines()) {
        assert_eq!(answer, expected);
    }
    assert_eq!(answers.lines().count(), expected.lines().count());
}

#[tokio::test]
async fn members_of_another_type_are_refused() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/constraints.json");
    let model = Model(serde_json::from_str(&std::fs::read_to_string(here).unwrap()).unwrap());
    let (mut server, names) = furnished().await;
    let requests = requests(&names);
    for (operation, input) in model.0["operations"].as_object().unwrap() {
        for (member, shape) in model.members(input.as_str().unwrap()) {
            let wrong = match model.shape(&shape)["type"].as_str().unwrap() {
                "text" | "enumeration" => vec![json!(1), json!({}), json!(["a"])],
                "integer" | "long" => vec![json!("1"), json!(1.5), json!(1e30), json!([1])],
                "float" => vec![json!("1"), json!([1])],
                "boolean" => vec![json!("true"), json!(1)],
                "list" => vec![json!({}), json!("a"), json!([[]])],
                _ => vec![json!([]), json!("a")],
            };
            for value in wrong {
                let mut request = requests[operation.as_str()].clone();
                request[&member] = value;
                let refused = server.refused(operation, request.clone()).await;
                assert_eq!(refused.0, "SerializationException", "{operation} {request}");
            }
        }
    }
}
