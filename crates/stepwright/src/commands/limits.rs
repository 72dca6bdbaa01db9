//! `stepwright limits`: the limits over executions of a server.

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::cli::{Limits, LimitsCommand, SetLimit};
use crate::exit::{Exit, Failure};
use crate::{output, table};

pub fn run(arguments: Limits) -> Result<Exit, Failure> {
    let command = arguments.command.unwrap_or(LimitsCommand::List);
    let (method, path, body) = match &command {
        LimitsCommand::List => (Method::GET, "/limits".to_owned(), None),
        LimitsCommand::Show { name } => (Method::GET, path(name), None),
        LimitsCommand::Set(set) => (Method::PUT, path(&set.name), Some(definition(set))),
        LimitsCommand::Remove { name } => (Method::DELETE, path(name), None),
    };
    let answer = arguments.connection.client()?.own(method, &path, body.as_ref())?;
    let text = match command {
        _ if arguments.connection.json => format!("{answer:#}\n"),
        LimitsCommand::List => {
            list(answer.get("limits").and_then(Value::as_array).map_or(&[], Vec::as_slice))
        }
        LimitsCommand::Show { .. } | LimitsCommand::Set(_) => show(&answer),
        LimitsCommand::Remove { .. } => String::new(),
    };
    output::write(&text)?;
    Ok(Exit::Success)
}

fn path(name: &str) -> String {
    format!("/limits/{}", stepwright_sigv4::percent_encode(name, None))
}

fn definition(set: &SetLimit) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    put("task", set.task.as_deref().map(Value::from));
    put("state_machine", set.state_machine.as_deref().map(Value::from));
    put("key", set.key.as_deref().map(Value::from));
    put("concurrency", set.concurrency.map(Value::from));
    put("rate", set.rate.map(|(count, per_s)| json!({ "count": count, "per_s": per_s })));
    Value::Object(members)
}

/// One line for each limit, in columns.
fn list(limits: &[Value]) -> String {
    if limits.is_empty() {
        return "There are no limits.\n".to_owned();
    }
    let mut rows = vec![table::row(["NAME", "HOLD", "WAIT", "ALLOWS", "OF", "FROM"])];
    rows.extend(limits.iter().map(|limit| {
        let (holders, waiters) = (text(limit, "holders"), text(limit, "waiters"));
        table::row([&text(limit, "name"), &holders, &waiters, &allows(limit), &concerns(limit), &from(limit)])
    }));
    table::draw(&rows)
}

/// A limit with all who are at it.
fn show(limit: &Value) -> String {
    let mut lines = vec![
        format!("{}: {} of {}, from {}", text(limit, "name"), allows(limit), concerns(limit), from(limit)),
        format!("{} hold a place, {} wait", text(limit, "holders"), text(limit, "waiters")),
    ];
    let none = Vec::new();
    for lane in limit.get("lanes").and_then(Value::as_array).unwrap_or(&none) {
        if limit.get("key").is_some() {
            let key = lane
                .get("key")
                .and_then(Value::as_str)
                .map_or("without a key".to_owned(), |key| format!("key {key}"));
            lines.push(format!("{key}: {} hold, {} wait", text(lane, "holders"), text(lane, "waiters")));
        }
        for (member, verb, all) in [("holding", "holds", "holders"), ("waiting", "waits", "waiters")] {
            let visitors = lane.get(member).and_then(Value::as_array).unwrap_or(&none);
            lines.extend(visitors.iter().map(|visitor| {
                let since_s = visitor.get("for_s").and_then(Value::as_f64).unwrap_or_default();
                let state = visitor.get("state").and_then(Value::as_str).map(|state| format!("  {state}"));
                let arn = text(visitor, "execution_arn");
                format!("  {verb} {since_s:>9.1} s  {arn}{}", state.unwrap_or_default())
            }));
            let more = lane.get(all).and_then(Value::as_u64).unwrap_or_default() as usize;
            if more > visitors.len() {
                lines.push(format!("  … and {} more", more - visitors.len()));
            }
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn text(value: &Value, member: &str) -> String {
    match value.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// What a limit allows: `5 at a time, 100 in 60 s, for each key`.
fn allows(limit: &Value) -> String {
    let concurrency = limit.get("concurrency").map(|count| format!("{count} at a time"));
    let rate = limit.get("rate").map(|rate| format!("{} in {} s", text(rate, "count"), text(rate, "per_s")));
    let key = limit.get("key").map(|_| "for each key".to_owned());
    [concurrency, rate, key].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn concerns(limit: &Value) -> String {
    match limit.get("task") {
        Some(_) => format!("task {}", text(limit, "task")),
        None => format!("state machine {}", text(limit, "state_machine")),
    }
}

fn from(limit: &Value) -> String {
    match text(limit, "origin").as_str() {
        "file" => "file".to_owned(),
        "run_time" => "run time".to_owned(),
        "run_time_over_file" => "run time (over file)".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_text() {
        let limit = |name: &str, origin: &str| {
            json!({"name": name, "task": "charge*", "concurrency": 2, "rate": {"count": 100, "per_s": 60},
                "origin": origin, "holders": 2, "waiters": 3})
        };
        let listed = list(&[limit("payments", "file"), limit("x", "run_time_over_file")]);
        assert_eq!(
            listed,
            "NAME      HOLD  WAIT  ALLOWS                       OF            FROM\n\
             payments  2     3     2 at a time, 100 in 60 s     task charge*  file\n\
             x         2     3     2 at a time, 100 in 60 s     task charge*  run time (over file)\n"
                .replace("60 s     task", "60 s  task")
                .replace("ALLOWS                       OF", "ALLOWS                    OF")
        );
        assert_eq!(list(&[]), "There are no limits.\n");
        let mut shown = limit("payments", "run_time");
        shown["lanes"] = json!([{"key": null, "holders": 1, "waiters": 2,
            "holding": [{"execution_arn": "arn:a", "state": "Charge", "since_ms": 1, "for_s": 1.26}],
            "waiting": [{"execution_arn": "arn:b", "since_ms": 1, "for_s": 61.0}]}]);
        assert_eq!(
            show(&shown),
            "payments: 2 at a time, 100 in 60 s of task charge*, from run time\n2 hold a place, 3 wait\n  \
             holds       1.3 s  arn:a  Charge\n  waits      61.0 s  arn:b\n  … and 1 more\n"
        );
    }
}
