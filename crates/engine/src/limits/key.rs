//! Whom a limit concerns, and under which key.

use stepwright_asl::program::Resource;
use stepwright_jsonata::{Bindings, Environment, Limits as Bounds};
use stepwright_machine::{Execution, TaskId};
use stepwright_tasks::lambda::FunctionName;
use stepwright_types::arn::Account;
use stepwright_value::{Document, Value};

use super::definition::{Concerns, Limit};
use super::place::Lane;

/// A longer key is none.
const KEY_BYTES_MAX: usize = 512;

/// What a key's expression may use: it is evaluated while the execution is being driven.
const BOUNDS: Bounds =
    Bounds { depth_max: 100, bytes_max: 1 << 20, fuel_max: 100_000, sequence_max: 100_000 };

/// A task, or (without one) an execution, as limits see it.
pub(super) struct Subject<'a> {
    pub execution: &'a Execution,
    pub task: Option<TaskId>,
    /// The texts of which a pattern has to match one.
    pub names: Vec<String>,
}

impl Subject<'_> {
    /// What the limit makes of it; `None` when it is not concerned.
    pub fn lane(&self, limit: &Limit, now_ms: i64, random: &mut dyn FnMut() -> u64) -> Option<Lane> {
        let glob = match (&limit.concerns, self.task) {
            (Concerns::Tasks(glob), Some(_)) | (Concerns::Executions(glob), None) => glob,
            _ => return None,
        };
        if !self.names.iter().any(|name| glob.matches(name)) {
            return None;
        }
        let key = limit.key.as_ref().and_then(|_| match self.key(limit, now_ms, random) {
            Ok(key) => Some(key),
            Err(reason) => {
                tracing::warn!(
                    limit = &*limit.name,
                    execution = &*self.execution.identity().execution_arn,
                    reason,
                    "the limit's key has no value, and the limit without a key applies: mend its expression"
                );
                None
            }
        });
        Some(Lane { limit: limit.name.clone(), key: key.map(Into::into) })
    }

    fn key(&self, limit: &Limit, now_ms: i64, random: &mut dyn FnMut() -> u64) -> Result<String, String> {
        let expression = limit.key.as_ref().ok_or("there is no expression")?;
        let states = self.execution.states_of(self.task).ok_or("the task is gone")?;
        let variables = [("states", &states)];
        let mut environment = Environment { now_ms, random, goes_on: &|| true };
        let value = expression.evaluate(&Bindings::new(&variables), &mut environment, &BOUNDS);
        let key = match value.map_err(|error| error.message)? {
            None => return Err("the expression returned nothing (undefined)".to_owned()),
            Some(value) => value.as_str().map_or_else(|| value.to_json(), str::to_owned),
        };
        match key.len() {
            0..=KEY_BYTES_MAX => Ok(key),
            bytes => Err(format!("the key has {bytes} bytes, at most {KEY_BYTES_MAX} are possible")),
        }
    }
}

/// What a task is called: the resource's ARN; of a Lambda function and of an activity, its ARN and name.
pub(super) fn names_of_task(resource: &Resource, parameters: &Document, account: &Account) -> Vec<String> {
    match resource {
        Resource::Activity { arn } => vec![last_part(arn), arn.to_string()],
        Resource::Lambda { arn } => {
            let mut names = vec![arn.to_string()];
            names.extend(names_of_function(arn, account));
            names
        }
        Resource::Integration(integration) => {
            let mut names = vec![integration.arn.to_string()];
            if &*integration.service == "lambda" {
                let function = parameters.value().get("FunctionName").and_then(Value::as_str);
                names.extend(function.into_iter().flat_map(|function| names_of_function(function, account)));
            }
            names
        }
    }
}

/// ARN without qualifier, name, and the text as it was given.
fn names_of_function(text: &str, account: &Account) -> Vec<String> {
    let mut names = vec![text.to_owned()];
    if let Some(function) = FunctionName::parse(text) {
        names.push(function.arn(&account.region, &account.account_id));
        names.push(function.name);
    }
    names
}

/// ARN and name of the state machine. A child of a map run (AWS: `MACHINE/LABEL`) has none: it runs in its parent's place.
pub(super) fn names_of_machine(execution: &Execution) -> Vec<String> {
    let identity = execution.identity();
    if identity.machine_name.contains('/') {
        return Vec::new();
    }
    vec![identity.machine_arn.to_string(), identity.machine_name.to_string()]
}

fn last_part(arn: &str) -> String {
    arn.rsplit(':').next().unwrap_or_default().to_owned()
}
