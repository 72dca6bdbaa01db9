//! Limits that executions share: which there are in a run, somebody who changes them, and the check that never more hold a place
//! than is allowed.
//!
//! That everybody who waits has a turn, and that no place is left over at the end, is what the end of every run checks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use stepwright_asl::program::Resource;
use stepwright_engine::limits::{Limit, LimitDefinition, Rate, SetLimitError};
use stepwright_machine::{Event, EventBody, Execution, Identity, TaskId};

use crate::dice::Dice;
use crate::machines;
use crate::simulation::life::Process;

/// What the tasks are called whose calls always end; a call that never does keeps its place for long.
const TASKS: [&str; 6] =
    ["flaky", "bad", "steady", "arn:aws:states:::lambda:invoke*", machines::ACTIVITY, "arn:aws:states:*"];

/// The limits of a run.
#[derive(Clone, Default, Debug)]
pub struct Shared {
    pub definitions: Vec<LimitDefinition>,
}

impl Shared {
    /// What a seed brings: for every second one, nothing.
    pub fn of(seed: u64) -> Shared {
        let mut dice = Dice::new(seed.rotate_left(23) ^ 0x6c69_6d69_7473);
        let count = dice.below(2) * dice.between(1, 4);
        Shared { definitions: (0..count).map(|number| limit(&mut dice, number)).collect() }
    }

    /// One at a time of everything.
    pub fn single() -> Shared {
        let limit = |name: &str| LimitDefinition {
            name: name.to_owned(),
            task: None,
            state_machine: None,
            key: None,
            concurrency: Some(1),
            rate: None,
        };
        let tasks = LimitDefinition { task: Some("*".to_owned()), ..limit("tasks") };
        let executions = LimitDefinition { state_machine: Some("*".to_owned()), ..limit("executions") };
        Shared { definitions: vec![tasks, executions] }
    }

    pub fn compiled(&self) -> Vec<Limit> {
        match Limit::compile_all(self.definitions.clone()) {
            Ok(limits) => limits,
            Err(error) => panic!("{error}"),
        }
    }

    /// How many each may have at most at a time.
    pub fn allowed(&self) -> BTreeMap<String, usize> {
        let count = |limit: &LimitDefinition| limit.concurrency.map_or(usize::MAX, |count| count as usize);
        self.definitions.iter().map(|limit| (limit.name.clone(), count(limit))).collect()
    }
}

fn limit(dice: &mut Dice, number: u64) -> LimitDefinition {
    let of_tasks = dice.percent(70);
    let task = TASKS[dice.below(TASKS.len() as u64) as usize].to_owned();
    let concurrency = dice.percent(85).then(|| dice.between(1, 4) as u32);
    let rate = (concurrency.is_none() || dice.percent(25))
        .then(|| Rate { count: dice.between(1, 5) as u32, per_s: dice.between(1, 10) as u32 });
    let key = match dice.below(4) {
        0 => Some("{% $string($states.input.n) %}".to_owned()),
        1 => Some("{% $states.nothing %}".to_owned()),
        _ => None,
    };
    LimitDefinition {
        name: format!("limit{number}"),
        task: of_tasks.then_some(task),
        state_machine: (!of_tasks).then(|| "*".to_owned()),
        key,
        concurrency,
        rate,
    }
}

/// Sets a limit anew while others run, with another number, or removes it.
pub async fn change(process: Arc<Process>, at_ms: u64, mut definition: LimitDefinition, remove: bool) {
    tokio::time::sleep(Duration::from_millis(at_ms)).await;
    let name = definition.name.clone();
    let result = match remove {
        true => process.engine.remove_limit(&name).await,
        false => {
            let concurrency = process.world.lock().dice.between(1, 5) as u32;
            definition.concurrency = Some(concurrency);
            // From before it is durable: it may be, and nobody has heard of it.
            if let Some(allowed) = process.world.lock().allowed.get_mut(&name) {
                *allowed = (*allowed).max(concurrency as usize);
            }
            process.engine.set_limit(definition).await
        }
    };
    process.note(format_args!("change {name}: {:?}", result.as_ref().map_err(ToString::to_string)));
    match result {
        Ok(()) | Err(SetLimitError::InFile(_) | SetLimitError::NotFound(_)) => {}
        Err(SetLimitError::Commit(error)) => process.failed("a change of a limit", &error.into()),
        Err(error) => process.world.violated(format!("a limit could not be changed: {error}")),
    }
}

/// Who has been seen to begin in this life, and has not ended: they hold places.
#[derive(Default)]
pub struct Holders {
    tasks: BTreeMap<(Arc<str>, TaskId), String>,
    executions: BTreeSet<Arc<str>>,
}

impl Holders {
    pub fn committed(&mut self, identity: &Identity, events: &[Event]) {
        let locator = &identity.locator;
        // A child of a map run runs in its parent's place.
        let is_child = identity.machine_name.contains('/');
        for event in events {
            match &event.body {
                EventBody::TaskStarted(started) => {
                    let name = match &*started.resource {
                        Resource::Lambda { arn } | Resource::Activity { arn } => arn.rsplit(':').next(),
                        Resource::Integration(integration) => Some(&*integration.arn),
                    };
                    let name = name.unwrap_or_default().to_owned();
                    self.tasks.insert((locator.clone(), started.task), name);
                }
                EventBody::StateEntered { .. } if !is_child => {
                    self.executions.insert(locator.clone());
                }
                _ => {}
            }
        }
    }

    pub fn stepped(&mut self, execution: &Execution) {
        let locator = &execution.identity().locator;
        self.tasks.retain(|(of, task), _| of != locator || execution.is_pending(*task));
        if execution.outcome().is_some() {
            self.executions.remove(locator);
        }
    }

    /// A limit that more have a place at than is allowed.
    pub fn violated(&self, shared: &Shared, allowed: &BTreeMap<String, usize>) -> Option<String> {
        shared.definitions.iter().filter(|limit| limit.key.is_none()).find_map(|limit| {
            let count = match &limit.task {
                None => self.executions.len(),
                Some(pattern) => self.tasks.values().filter(|name| is_meant(pattern, name)).count(),
            };
            let allowed = allowed.get(&limit.name).copied().unwrap_or(usize::MAX);
            (count > allowed)
                .then(|| format!("{count} have a place at {}, which allows {allowed}", limit.name))
        })
    }
}

fn is_meant(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}
