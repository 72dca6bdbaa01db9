//! The official JSONata test suite, where it is present: `STEPWRIGHT_JSONATA_SUITE`, or `../shared/jsonata-suite` beside
//! the workspace. Cases that fail for a reason are listed in `tests/suite-expected-failures.txt`, one `group/case` per
//! line with its reason; the list may only shrink.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stepwright_jsonata::{Bindings, Environment, Expression, Limits};
use stepwright_value::{Value, read};

/// Stack for evaluations as deep as the suite has them, in an unoptimised build.
const STACK_BYTES: usize = 512 * 1024 * 1024;

#[test]
fn official_suite() {
    let Some(root) = suite_root() else {
        println!("skipped: the JSONata suite is not here (set STEPWRIGHT_JSONATA_SUITE)");
        return;
    };
    let run =
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || run(&root)).expect("a thread");
    run.join().expect("the suite runs");
}

fn suite_root() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/jsonata-suite");
    let root = std::env::var_os("STEPWRIGHT_JSONATA_SUITE").map_or(beside, PathBuf::from);
    root.join("groups").is_dir().then_some(root)
}

fn run(root: &Path) {
    let (mut total, mut failures) = (0, BTreeMap::new());
    for (name, case) in cases(root) {
        total += 1;
        if let Err(reason) = check(root, &name, &case) {
            failures.insert(name, reason);
        }
    }
    let listed: BTreeMap<&str, &str> = include_str!("suite-expected-failures.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    println!("{} of {total} cases pass", total - failures.len());
    let unexpected: Vec<_> =
        failures.iter().filter(|(name, _)| !listed.contains_key(name.as_str())).collect();
    for (name, reason) in &unexpected {
        println!("FAIL {name}: {reason}");
    }
    let mended: Vec<_> = listed.keys().filter(|name| !failures.contains_key(**name)).collect();
    assert!(unexpected.is_empty(), "{} cases fail", unexpected.len());
    assert!(mended.is_empty(), "these pass now and must leave the list: {mended:?}");
}

/// All cases as `group/file` or `group/file/number`, in order.
fn cases(root: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for group in sorted(&root.join("groups")) {
        for file in
            sorted(&group).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "json"))
        {
            let label = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{}/{}", label(&group), label(&file));
            let text = fs::read_to_string(&file).expect("readable");
            match read(&halves_replaced(&text)).expect("a JSON file") {
                Value::Array(cases) => {
                    found.extend(
                        cases.iter().enumerate().map(|(at, case)| (format!("{name}/{at}"), case.clone())),
                    );
                }
                case => found.push((name, case)),
            }
        }
    }
    found
}

/// Half surrogate pairs cannot be read; the characters in their place make the case fail, which the list says.
fn halves_replaced(text: &str) -> String {
    text.replace("\\ud800", "\\ufffd").replace("\\uD800", "\\ufffd")
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn check(root: &Path, name: &str, case: &Value) -> Result<(), String> {
    let text = |key: &str| case.get(key).and_then(Value::as_str);
    let source = match (text("expr"), text("expr-file")) {
        (Some(source), _) => source.to_owned(),
        (None, Some(file)) => {
            let group = name.split('/').next().unwrap_or_default();
            fs::read_to_string(root.join("groups").join(group).join(file)).expect("readable")
        }
        (None, None) => return Err("no expression".to_owned()),
    };
    let data = match text("dataset") {
        Some(dataset) => {
            let path = root.join("datasets").join(format!("{dataset}.json"));
            Some(read(&fs::read_to_string(path).expect("readable")).expect("a JSON file"))
        }
        None => case.get("data").cloned(),
    };
    let expected_code =
        text("code").or_else(|| case.get("error").and_then(|error| error.get("code")?.as_str()));
    let answer = evaluate(&source, data.as_ref(), case);
    compare(case, expected_code, answer)
}

fn evaluate(source: &str, data: Option<&Value>, case: &Value) -> Result<Option<Value>, (String, String)> {
    let expression = Expression::compile(source)
        .map_err(|error| (error.code.clone(), format!("{} {}", error.code, error)))?;
    let variables: Vec<(&str, &Value)> = match case.get("bindings").and_then(Value::as_object) {
        Some(object) => object.iter().map(|(key, value)| (&**key, value)).collect(),
        None => Vec::new(),
    };
    let mut limits = Limits { depth_max: 2_000, ..Limits::generous() };
    if let Some(depth) = case.get("depth").and_then(Value::as_i64) {
        limits.depth_max = depth as usize;
        if case.get("code").and_then(Value::as_str) == Some("U1001") {
            limits.fuel_max = 2_000_000;
        }
    }
    let mut state = 7u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    let mut environment = Environment { now_ms: 1_767_225_600_000, random: &mut random, goes_on: &|| true };
    expression.evaluate_with(data, &Bindings::new(&variables), &mut environment, &limits).map_err(|error| {
        // The suite's own harness has this code for what ran too deep or too long.
        let limit = error.kind == stepwright_jsonata::EvaluationErrorKind::Limit;
        let code = if limit { "U1001".to_owned() } else { error.code.clone().unwrap_or_default() };
        (code.clone(), format!("{code} {error}"))
    })
}

fn compare(
    case: &Value,
    expected_code: Option<&str>,
    answer: Result<Option<Value>, (String, String)>,
) -> Result<(), String> {
    let unordered = case.get("unordered").and_then(Value::as_bool).unwrap_or(false);
    match (expected_code, answer) {
        (Some(expected), Err((code, _))) if expected == code => Ok(()),
        (Some(expected), answer) => Err(format!("expected {expected}, got {answer:?}")),
        (None, Err((_, message))) if case.get("error").is_some() => {
            let expected = case.get("error").and_then(|error| error.get("message")?.as_str());
            match expected {
                Some(expected) if !message.trim_start().ends_with(expected) => {
                    Err(format!("expected {expected}, got {message}"))
                }
                _ => Ok(()),
            }
        }
        (None, Err((_, message))) => Err(message),
        (None, Ok(None)) if case.get("undefinedResult").is_some() => Ok(()),
        (None, Ok(Some(value))) => match case.get("result") {
            Some(expected) if *expected == value => Ok(()),
            Some(expected) if unordered && multiset(expected) == multiset(&value) => Ok(()),
            expected => Err(format!("expected {expected:?}, got {value}")),
        },
        (None, Ok(None)) => Err(format!("expected {:?}, got undefined", case.get("result"))),
    }
}

fn multiset(value: &Value) -> Vec<String> {
    let mut items: Vec<String> =
        value.as_array().map_or_else(Vec::new, |items| items.iter().map(Value::to_json).collect());
    items.sort();
    items
}
