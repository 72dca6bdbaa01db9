//! One recorded case: its steps, the machines and executions in it, and the checks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_asl::program::Program;
use stepwright_machine::{Effect, ExecutionKind, Identity, Input, Outcome, TaskCall, TaskPhase};
use stepwright_types::arn::Account;
use stepwright_types::timestamp;
use stepwright_value::{Document, Object, Value, read};

use crate::compare::Placeholders;
use crate::harness::{self, Mode, START_MS, World};

pub enum Verdict {
    Passed,
    Different(Vec<String>),
    Skipped(String),
}

struct Machine {
    name: String,
    arn: String,
    kind: ExecutionKind,
    program: Result<Arc<Program>, String>,
}

struct Run<'c> {
    case: &'c Value,
    answers: BTreeMap<String, Value>,
    machines: BTreeMap<String, Machine>,
    histories: BTreeMap<String, Value>,
    behaviours: BTreeMap<String, String>,
    executions: usize,
}

pub fn run(case: &Value) -> Verdict {
    let mut run = Run {
        case,
        answers: BTreeMap::new(),
        machines: BTreeMap::new(),
        histories: BTreeMap::new(),
        behaviours: BTreeMap::new(),
        executions: 0,
    };
    let Some(steps) = case.get("steps").and_then(Value::as_array) else {
        return Verdict::Skipped("no steps".into());
    };
    for step in steps.iter() {
        if let Err(reason) = run.step(step) {
            return Verdict::Skipped(reason);
        }
    }
    run.check()
}

impl Run<'_> {
    fn step(&mut self, step: &Value) -> Result<(), String> {
        let Some(call) = step.get("call").and_then(Value::as_str) else { return Ok(()) };
        let id = step.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
        let args = self.resolve(step.get("args").unwrap_or(&Value::Null));
        let text = |name: &str| args.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let mut answer = Object::new();
        match call {
            "setup:Role" => {
                answer.insert("Arn", "arn:aws:iam::111111111111:role/snf_role_arn");
            }
            "lambda:CreateFunction" => {
                let name = text("FunctionName");
                answer
                    .insert("FunctionArn", format!("arn:aws:lambda:us-east-1:111111111111:function:{name}"));
                self.behaviours.insert(name, text("Behaviour"));
            }
            "stepfunctions:CreateStateMachine" => {
                let name = text("name");
                let arn = format!("arn:aws:states:us-east-1:111111111111:stateMachine:{name}");
                answer.insert("stateMachineArn", arn.clone());
                let kind = match text("type").as_str() {
                    "EXPRESS" => ExecutionKind::Express,
                    _ => ExecutionKind::Standard,
                };
                let program = harness::compile(&text("definition"));
                let machine = Machine { name, arn: arn.clone(), kind, program };
                self.machines.insert(arn, machine);
            }
            "stepfunctions:CreateActivity" => {
                let name = text("name");
                answer
                    .insert("activityArn", format!("arn:aws:states:us-east-1:111111111111:activity:{name}"));
            }
            "stepfunctions:StartExecution" | "stepfunctions:StartSyncExecution" => {
                let input = if args.get("input").is_some() { text("input") } else { "{}".to_owned() };
                let arn = self.start(&text("stateMachineArn"), &input)?;
                answer.insert("executionArn", arn);
            }
            "stepfunctions:GetExecutionHistory" => {
                let history =
                    self.histories.get(&text("executionArn")).cloned().ok_or("no such execution")?;
                answer.insert("events", history);
            }
            _ => {}
        }
        self.answers.insert(id, answer.into());
        Ok(())
    }

    fn start(&mut self, machine_arn: &str, input: &str) -> Result<String, String> {
        self.executions += 1;
        let machine = self.machines.get(machine_arn).ok_or("no such machine")?;
        let name = format!("execution-name-{}", self.executions);
        let account = Account::new("us-east-1", "111111111111");
        let arn = match machine.kind {
            ExecutionKind::Standard => account.execution(&machine.name, &name),
            ExecutionKind::Express => account.express_execution(&machine.name, &name, "run"),
        };
        let program = machine.program.clone().map_err(|error| format!("does not compile: {error}"))?;
        let identity = Identity {
            execution_arn: arn.as_str().into(),
            execution_name: name.into(),
            machine_arn: machine.arn.as_str().into(),
            machine_name: machine.name.as_str().into(),
            role_arn: "arn:aws:iam::111111111111:role/snf_role_arn".into(),
            start_ms: START_MS,
            input: Document::parse(input).map_err(|error| error.to_string())?,
            kind: machine.kind,
            account: Arc::new(account),
            locator: "locator".into(),
        };
        let mut world = World::new(program, identity, Mode::Stepwise);
        let replay = RefCell::new(self.replay());
        let behaviours = &self.behaviours;
        let mut unanswered = false;
        world.run(&mut |call| {
            let inputs = answer(call, &replay, behaviours);
            unanswered |= inputs.is_empty();
            inputs
        });
        if unanswered || world.effects.iter().any(|effect| matches!(effect, Effect::Queue(_))) {
            return Err("needs more of the outside world than was recorded".into());
        }
        let history = read(&world.history()).map_err(|error| error.to_string())?;
        if matches!(world.execution.outcome(), None | Some(Outcome::Succeeded { .. } | Outcome::Failed(_))) {
            self.histories.insert(arn.clone(), history);
        }
        Ok(arn)
    }

    /// What the outside world answered: by state, in order.
    fn replay(&self) -> BTreeMap<String, Vec<Value>> {
        let mut by_state: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let lists = self.case.get("replay").and_then(Value::as_object);
        let list = lists.and_then(|lists| {
            lists.values().nth(self.executions - 1).or_else(|| lists.values().next())?.as_array()
        });
        for entry in list.into_iter().flat_map(|list| list.iter()) {
            let state = entry.get("state").and_then(Value::as_str).unwrap_or("").to_owned();
            by_state.entry(state).or_default().push(entry.clone());
        }
        by_state
    }

    fn check(&self) -> Verdict {
        let placeholders = Placeholders::of(self.case);
        let concurrent = self.case.get("concurrent").and_then(Value::as_bool) == Some(true);
        let mut differences = Vec::new();
        let mut checked = 0;
        for check in
            self.case.get("checks").and_then(Value::as_array).into_iter().flat_map(|list| list.iter())
        {
            let key = check.get("key").and_then(Value::as_str).unwrap_or("");
            let Some(expected) = self.case.get("expected").and_then(|all| all.get(key)) else { continue };
            let value = check.get("value").unwrap_or(&Value::Null);
            if let Some(reference) = value.as_str().and_then(|text| text.strip_prefix("@{history")) {
                let id = format!("history{}", reference.trim_end_matches('}'));
                let (Some(wanted), Some(found)) =
                    (expected.get("events"), self.answers.get(&id).and_then(|answer| answer.get("events")))
                else {
                    return Verdict::Skipped(format!("no history for {key}"));
                };
                checked += 1;
                compare_histories(&placeholders, wanted, found, concurrent, &mut differences);
            } else if let (Some(rows), Some(wanted)) = (value.as_array(), expected.as_array()) {
                if key != "cases" {
                    continue;
                }
                for (row, wanted) in rows.iter().zip(wanted.iter()) {
                    checked += 1;
                    let found = self.resolve(row);
                    placeholders.compare(&format!("{key}[{checked}]"), wanted, &found, &mut differences);
                }
            }
        }
        match (checked, differences.is_empty()) {
            (0, _) => Verdict::Skipped("no history to compare".into()),
            (_, true) => Verdict::Passed,
            _ => Verdict::Different(differences),
        }
    }

    /// The value with its `@{…}` references replaced.
    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.whole(text) {
                Some(value) => value,
                None => self.resolve_text(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(members) => {
                let mut object = Object::new();
                members.iter().for_each(|(key, value)| {
                    object.insert(key.clone(), self.resolve(value));
                });
                object.into()
            }
            other => other.clone(),
        }
    }

    /// A text that is nothing but the output of a history.
    fn whole(&self, text: &str) -> Option<Value> {
        let inner = text.strip_prefix("@{")?.strip_suffix("}")?;
        let (id, _) = inner.split_once(".events[*].executionSucceededEventDetails.output")?;
        let events = self.answers.get(id)?.get("events")?.as_array()?;
        events.iter().find_map(|event| event.get("executionSucceededEventDetails")?.get("output").cloned())
    }

    fn resolve_text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("@{") {
            out.push_str(&rest[..start]);
            let Some(end) = rest[start..].find('}') else { break };
            out.push_str(&self.reference(&rest[start + 2..start + end]));
            rest = &rest[start + end + 1..];
        }
        out.push_str(rest);
        out
    }

    fn reference(&self, reference: &str) -> String {
        if let Some(days) = reference.strip_prefix("now+").and_then(|rest| rest.strip_suffix('d')) {
            let days: i64 = days.parse().unwrap_or(0);
            return timestamp::to_text(START_MS + days * 86_400_000)[..19].to_owned();
        }
        match reference {
            "now" => return timestamp::to_text(START_MS)[..19].to_owned(),
            "region" => return "us-east-1".into(),
            "account" => return "111111111111".into(),
            "account2" => return "222222222222".into(),
            _ => {}
        }
        let (id, path) = reference.split_once('.').unwrap_or((reference, ""));
        let found = self.answers.get(id).and_then(|answer| answer.get(path)).and_then(Value::as_str);
        let made_up = reference.replace(['.', '[', ']', '#', '|'], "-");
        let service = if id.starts_with("topic") { "sns" } else { "other" };
        match found {
            Some(found) => found.to_owned(),
            None if path.ends_with("Arn") => format!("arn:aws:{service}:us-east-1:111111111111:{made_up}"),
            None => made_up,
        }
    }
}

/// Events in order; of a recording without order (`concurrent`), each wanted event against some event of ours.
fn compare_histories(
    placeholders: &Placeholders,
    wanted: &Value,
    found: &Value,
    concurrent: bool,
    differences: &mut Vec<String>,
) {
    let (Some(wanted), Some(found)) = (wanted.as_array(), found.as_array()) else { return };
    let unordered = wanted.iter().any(|event| event.get("id").is_some_and(|id| id.as_array().is_some()));
    if !concurrent && !unordered {
        if wanted.len() != found.len() {
            let types = |list: &[Value]| {
                list.iter()
                    .map(|event| event.get("type").and_then(Value::as_str).unwrap_or("?").to_owned())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            differences.push(format!("{} events instead of {}", found.len(), wanted.len()));
            differences.push(format!("expected {}", types(wanted)));
            differences.push(format!("found    {}", types(found)));
        }
        for (wanted, found) in wanted.iter().zip(found.iter()) {
            let name = found.get("type").and_then(Value::as_str).unwrap_or("?");
            let id = found.get("id").cloned().unwrap_or_default();
            placeholders.compare(&format!("{id} {name}"), wanted, found, differences);
        }
        return;
    }
    let stripped = |event: &Value| {
        let mut event = event.as_object().cloned().unwrap_or_default();
        event.remove("id");
        event.remove("previousEventId");
        Value::from(event)
    };
    let mut left: Vec<Value> = found.iter().map(stripped).collect();
    for event in wanted.iter().map(stripped) {
        let at = left.iter().position(|candidate| {
            let mut none = Vec::new();
            placeholders.compare("", &event, candidate, &mut none);
            none.is_empty()
        });
        match at {
            Some(at) => {
                left.remove(at);
            }
            None => differences.push(format!("no event like {event}")),
        }
    }
    // A slip of the recordings leaves these out: see their README.
    let slips = ["ParallelStateSucceeded", "ParallelStateExited", "ParallelStateFailed"];
    let type_of = |event: &Value| event.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
    left.retain(|event| !unordered || !slips.contains(&type_of(event).as_str()));
    left.iter().for_each(|event| differences.push(format!("not in the recording: {event}")));
}

/// What a recorded answer, or the behaviour of a function, makes of a call.
fn answer(
    call: &TaskCall,
    replay: &RefCell<BTreeMap<String, Vec<Value>>>,
    _behaviours: &BTreeMap<String, String>,
) -> Vec<(i64, Input)> {
    let mut replay = replay.borrow_mut();
    let key =
        if replay.contains_key(&*call.state_name) { call.state_name.to_string() } else { String::new() };
    let Some(list) = replay.get_mut(&key) else { return Vec::new() };
    let mut inputs = Vec::new();
    while !list.is_empty() {
        let entry = list.remove(0);
        let kind = entry.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
        let task = call.task;
        let delay_ms = 1 + inputs.len() as i64;
        let json = |member: &str| match entry.get(member) {
            Some(Value::String(text)) => text.to_string(),
            Some(other) => other.to_json(),
            None => "null".to_owned(),
        };
        match kind.as_str() {
            "TaskSubmitted" => {
                let output = Document::parse(&json("output")).unwrap_or_default();
                inputs.push((delay_ms, Input::TaskSubmitted { task, output }));
                continue;
            }
            "TaskSucceeded" | "LambdaFunctionSucceeded" => {
                let output =
                    Document::parse(&json("output")).unwrap_or_else(|_| Value::from(json("output")).into());
                inputs.push((delay_ms, Input::TaskSucceeded { task, output }));
            }
            "TaskFailed" | "LambdaFunctionFailed" => {
                let error = json("error");
                let cause = entry.get("cause").map(|_| json("cause").into());
                let error = entry.get("error").map_or("", |_| &error).into();
                inputs.push((delay_ms, Input::TaskFailed { task, error, cause, phase: TaskPhase::Run }));
            }
            kind if kind.ends_with("TimedOut") => inputs.push((1, Input::TaskStarted { task })),
            _ => {}
        }
        break;
    }
    inputs
}
