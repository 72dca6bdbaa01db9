//! Each field of the language at work, in both query languages: what `docs/language.md` points at.
//!
//! A row is a state, an input and the end: the execution's output, or the name of its error and the cause; with `@2s` before
//! it when it took time. Tasks are answered with the call that was made, so that a row shows what the fields led to.

mod choice;
mod context;
mod distributed;
mod errors;
mod flow;
#[path = "../harness/mod.rs"]
mod harness;
mod lines;
mod machine;
mod measured;
mod task;

use harness::{Mode, World};
use stepwright_asl::program::Resource;
use stepwright_machine::{ExecutionKind, Input, Outcome, TaskCall, TaskPhase};
use stepwright_value::{Document, Object, Value};

/// Runs a whole machine; see [`self`].
pub fn run(definition: &str, input: &str) -> String {
    let program = harness::compile(definition).unwrap_or_else(|why| panic!("{definition}: {why}"));
    let identity = harness::identity(input, ExecutionKind::Standard);
    let mut world = World::new(program, identity, Mode::CrashAfterEachStep);
    let mut calls = 0;
    world.run(&mut |call| {
        calls += 1;
        answer(call, calls).into_iter().map(|input| (0, input)).collect()
    });
    let end = end(&world);
    let seconds = (world.now_ms - harness::START_MS) / 1000;
    if seconds == 0 { end } else { format!("@{seconds}s {end}") }
}

fn end(world: &World) -> String {
    match world.execution.outcome() {
        Some(Outcome::Succeeded { output }) => output.text().to_owned(),
        Some(outcome) => outcome.failure().map_or_else(String::new, |failure| {
            format!("{}: {}", failure.name(), failure.cause.as_deref().unwrap_or_default())
        }),
        None => "waits".to_owned(),
    }
}

/// The call as the task's result. A parameter `fail` names an error instead, `until` says up to which call it comes; with
/// a parameter `silent` there is no answer.
fn answer(call: &TaskCall, calls: i64) -> Option<Input> {
    let task = call.task;
    let given = |name: &str| call.parameters.value().get(name).cloned();
    if given("silent").is_some() || given("MessageBody").is_some_and(|text| text.as_str() == Some("silent")) {
        return None;
    }
    if let Some(Value::String(error)) = given("fail")
        && given("until").is_none_or(|until| until.as_number().and_then(|n| n.as_i64()) >= Some(calls))
    {
        let cause = Some("cause".into());
        return Some(Input::TaskFailed { task, error, cause, phase: TaskPhase::Run });
    }
    let mut shown = Object::new();
    let resource = match &*call.resource {
        Resource::Lambda { arn } | Resource::Activity { arn } => arn.clone(),
        Resource::Integration(integration) => integration.arn.clone(),
    };
    let name = resource.rsplit(':').next().unwrap_or_default().to_owned();
    shown.insert("resource", Value::from(name));
    shown.insert("given", call.parameters.value().clone());
    if let Some(role) = &call.credentials {
        shown.insert("role", role.clone());
    }
    for (name, seconds) in [("timeout", call.timeout_s), ("heartbeat", call.heartbeat_s)] {
        if let Some(seconds) = seconds {
            shown.insert(name, seconds);
        }
    }
    Some(Input::TaskSucceeded { task, output: Document::from(Value::from(shown)) })
}

/// Runs machines whose first state `S` each row gives; it may go on to `T`, which ends the execution with what it is given,
/// and to `E`, which ends it with the variable `v`.
#[track_caller]
pub fn check(language: &str, rows: &[(&str, &str, &str)]) {
    let show = match language {
        "JSONata" => r#"{"Type":"Succeed","Output":"{% $v %}"}"#,
        _ => r#"{"Type":"Pass","Parameters":{"v.$":"$v"},"OutputPath":"$.v","End":true}"#,
    };
    let mut wrong = vec![];
    for (state, input, expected) in rows {
        let mut states = format!(r#""S":{state}"#);
        for (name, target) in [("T", r#"{"Type":"Succeed"}"#), ("E", show)] {
            if ["Next", "Default"].iter().any(|field| state.contains(&format!(r#""{field}":"{name}""#))) {
                states.push_str(&format!(r#","{name}":{target}"#));
            }
        }
        let definition = format!(r#"{{"QueryLanguage":"{language}","StartAt":"S","States":{{{states}}}}}"#);
        let found = run(&definition, input);
        if found != **expected {
            wrong.push(format!("{state}\n  gives    {found}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
