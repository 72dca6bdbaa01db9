//! The context object: `$$`, `$states.context`. Made only when a field asks for it.

use std::cell::OnceCell;
use std::sync::Arc;

use stepwright_asl::program::Kind;
use stepwright_types::timestamp;
use stepwright_value::{Object, Value};

use crate::branch::{Branch, MapItem};
use crate::execution::Execution;
use crate::identity::Identity;
use crate::test_state::Staging;

/// What the context object is made from, and the object once it was asked for.
pub(crate) struct Context<'a> {
    identity: &'a Identity,
    staging: Option<&'a Staging>,
    redrive_count: u32,
    redrive_ms: i64,
    branch: &'a Branch,
    state_name: &'a str,
    may_retry: bool,
    /// `Task.Token`.
    pub token: Option<Arc<str>>,
    /// `Map.Item` of the item that is being prepared, else that of the line.
    pub item: Option<Arc<MapItem>>,
    value: OnceCell<Value>,
}

impl<'a> Context<'a> {
    pub fn new(execution: &'a Execution, branch: &'a Branch) -> Context<'a> {
        let state = execution.program.state(branch.state);
        Context {
            identity: &execution.identity,
            staging: execution.staging.as_deref(),
            redrive_count: execution.redrive_count,
            redrive_ms: execution.redrive_ms,
            branch,
            state_name: &state.name,
            may_retry: matches!(state.kind, Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_)),
            token: None,
            item: branch.item.clone(),
            value: OnceCell::new(),
        }
    }

    pub fn value(&self) -> Value {
        self.value.get_or_init(|| self.make()).clone()
    }

    fn make(&self) -> Value {
        if let Some(given) = self.staging.and_then(|staging| staging.context.as_ref()) {
            let mut context = given.clone();
            if let Some(item) = &self.item {
                context.insert("Map", map_of(item));
            }
            return context.into();
        }
        let mut context = Object::with_capacity(5);
        context.insert("Execution", self.execution());
        if let Some(item) = &self.item {
            context.insert("Map", map_of(item));
        }
        let mut machine = Object::with_capacity(2);
        machine.insert("Id", self.identity.machine_arn.clone());
        machine.insert("Name", self.identity.machine_name.clone());
        context.insert("StateMachine", machine);
        let mut state = Object::with_capacity(3);
        state.insert("Name", self.state_name);
        state.insert("EnteredTime", timestamp::to_text(self.branch.entered_ms));
        // AWS: only where there can be retries.
        if self.may_retry {
            state.insert("RetryCount", self.branch.retry_count);
        }
        context.insert("State", state);
        if let Some(token) = &self.token {
            let task: Object = [("Token", token.clone())].into_iter().collect();
            context.insert("Task", task);
        }
        context.into()
    }

    fn execution(&self) -> Object {
        let mut execution = Object::with_capacity(7);
        let own = self.identity;
        execution.insert("Id", own.execution_arn.clone());
        execution.insert("Input", own.input.value().clone());
        execution.insert("StartTime", timestamp::to_text(own.start_ms));
        execution.insert("Name", own.execution_name.clone());
        if !self.identity.role_arn.is_empty() {
            execution.insert("RoleArn", self.identity.role_arn.clone());
        }
        // AWS: not in a test of one state.
        if self.staging.is_none() {
            execution.insert("RedriveCount", self.redrive_count);
        }
        if self.redrive_count > 0 {
            execution.insert("RedriveTime", timestamp::to_text(self.redrive_ms));
        }
        execution
    }
}

/// `Map`: the item that is being prepared or worked on.
fn map_of(item: &MapItem) -> Object {
    let mut map_item = Object::with_capacity(3);
    map_item.insert("Index", item.index);
    if let Some(key) = &item.key {
        map_item.insert("Key", key.clone());
    }
    map_item.insert("Value", item.value.clone());
    [("Item", map_item)].into_iter().collect()
}
