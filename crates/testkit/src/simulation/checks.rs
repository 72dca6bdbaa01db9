//! What must hold of the store: after every life, and at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwright_asl::program::{FlowId, Program, Resource};
use stepwright_engine::{Head, Tail};
use stepwright_machine::codec::{self, Snapshot};
use stepwright_machine::{
    BehaviourFlags, Event, EventBody, Execution, ExecutionKind, Identity, Outcome, TaskToken, token,
};
use stepwright_store::{Execution as Row, ExecutionQuery, Listing, Status, Store};
use stepwright_value::{Document, Value};

use crate::disk::now;
use crate::history;
use crate::machines::{self, Ending, Machine};
use crate::simulation::runs;
use crate::simulation::world::{Known, Name, Reply, World};

/// All executions of a machine, or of a map run.
pub fn rows(store: &dyn Store, of: Listing) -> Vec<Row> {
    let query = ExecutionQuery { of, status: None, oldest_first: false, after: None, limit: usize::MAX };
    let page = now(store.executions(query)).and_then(Result::ok);
    let rows = page.map(|page| page.items).unwrap_or_default();
    rows.into_iter().filter_map(|row| now(store.execution(row.key))?.ok()?).collect()
}

/// The executions that have not ended.
pub fn running(store: &dyn Store, world: &World) -> Vec<String> {
    let all = world.all_machines();
    let all = all.flat_map(|machine| rows(store, Listing::Machine(machine.arn().into())));
    all.chain(runs::children(store))
        .filter(|row| row.status == Status::Running)
        .map(|row| format!("{} of {}", row.name, row.machine))
        .chain(runs::open(store))
        .collect()
}

/// After a life: what was acknowledged is there.
pub fn after_life(store: &dyn Store, world: &World) -> Result<(), String> {
    let state = world.lock();
    for ((machine, name), known) in &state.executions {
        let row = now(store.execution_by_name(machine, name)).and_then(Result::ok).flatten();
        let told = known.started.is_some() || known.stopped || known.ended.is_some();
        match row {
            None if told => return Err(format!("{name} was acknowledged and is not there")),
            None => {}
            Some(row) => agrees(known, &row)?,
        }
    }
    drop(state);
    runs::after_life(store, world)
}

/// Whether the row is what callers were told.
fn agrees(known: &Known, row: &Row) -> Result<(), String> {
    let head = Head::decode(&row.head).map_err(|error| error.to_string())?;
    if let Some((input, start_ms)) = &known.started
        && (*input != head.input || *start_ms != row.start_ms)
    {
        return Err(format!("{} was acknowledged with another input or start", row.name));
    }
    if known.stopped && row.status != Status::Aborted && !known.may_be_redriven {
        return Err(format!("{} was stopped and is {:?}", row.name, row.status));
    }
    let tail = Tail::decode(&row.tail).map_err(|error| error.to_string())?;
    if let Some(ended) = &known.ended
        && !(known.may_be_redriven && ended.0 != Status::Succeeded)
        && *ended != (row.status, tail.output)
    {
        return Err(format!("{} had ended as {ended:?} and is {:?}", row.name, row.status));
    }
    Ok(())
}

/// At the end: every execution has ended, with a history that is sound and says what row, model and callers say.
pub fn at_the_end(store: &dyn Store, world: &World) -> Result<u64, String> {
    let mut answers = BTreeSet::new();
    let mut executions = 0;
    for machine in &world.all_machines().collect::<Vec<_>>() {
        let compilation = stepwright_asl::compile(&machine.definition, &Default::default());
        let program =
            compilation.program.clone().ok_or_else(|| format!("{} does not compile", machine.name))?;
        for row in rows(store, Listing::Machine(machine.arn().into())) {
            let told = |reason: String| format!("{} of {}: {reason}", row.name, machine.name);
            check_execution(store, world, &row, program.clone(), &mut answers).map_err(told)?;
            check_model(machine, &row, world).map_err(told)?;
            executions += 1;
        }
    }
    executions += runs::check(
        store,
        |row, program| {
            let told = |reason: String| format!("{} of {}: {reason}", row.name, row.machine);
            check_execution(store, world, row, program, &mut answers).map_err(told)
        },
        world,
    )?;
    Ok(executions)
}

/// The history of an execution is sound, and says what its row and its callers say.
fn check_execution(
    store: &dyn Store,
    world: &World,
    row: &Row,
    program: Arc<Program>,
    answers: &mut BTreeSet<u64>,
) -> Result<(), String> {
    let segments = now(store.segments(row.key, 1)).and_then(Result::ok).unwrap_or_default();
    let events = history::events(&segments)?;
    history::check(&events)?;
    let (identity, flow, flags) = identity(row)?;
    let execution = Execution::child(program, identity, flags, flow);
    let mut execution = execution.ok_or("a child of a processor that is not there")?;
    for segment in &segments {
        for event in history::events_of(segment)? {
            execution.evolve(&event).map_err(|error| error.to_string())?;
        }
        if let Ok(Snapshot::Here(snapshot)) = codec::snapshot_of(&segment.data)
            && snapshot != execution.snapshot()
        {
            return Err(format!("the snapshot in segment {} is not what the events lead to", segment.number));
        }
    }
    check_row(row, &execution, &events)?;
    check_redrives(row, &events, world)?;
    check_parent(row, store, world)?;
    check_answers(&events, world, answers)?;
    check_heartbeats(&locator(row), &events, world)?;
    let accepted = world.accepted();
    let of_row = accepted.iter().filter(|(token, _)| token.locator == locator(row));
    of_row.into_iter().try_for_each(|reply| check_reply(reply, &events))
}

fn locator(row: &Row) -> String {
    format!("{:x}", row.key.bits())
}

/// Who the execution of a row is, the flow that it runs, and how.
fn identity(row: &Row) -> Result<(Arc<Identity>, FlowId, BehaviourFlags), String> {
    let head = Head::decode(&row.head).map_err(|error| error.to_string())?;
    let flags = head.flags().map_err(|error| error.to_string())?;
    let account = machines::account();
    // Of a child of a map run: with the Map's label.
    let machine_name = row.machine.rsplit(':').next().unwrap_or_default();
    let identity = Identity {
        execution_arn: account.execution(machine_name, &row.name).into(),
        execution_name: row.name.clone(),
        machine_arn: row.machine.clone(),
        machine_name: machine_name.into(),
        role_arn: head.role_arn,
        start_ms: row.start_ms,
        input: Document::from_stored_text(&*head.input),
        kind: ExecutionKind::Standard,
        account: Arc::new(account),
        locator: locator(row).into(),
    };
    Ok((Arc::new(identity), FlowId(head.processor.map_or(0, |processor| processor.flow)), flags))
}

/// The row says what the history says.
fn check_row(row: &Row, execution: &Execution, events: &[Event]) -> Result<(), String> {
    let outcome = execution.outcome().ok_or("the history has no end")?;
    let tail = Tail::decode(&row.tail).map_err(|error| error.to_string())?;
    let status = match outcome {
        Outcome::Succeeded { .. } => Status::Succeeded,
        Outcome::Failed(_) => Status::Failed,
        Outcome::TimedOut(_) => Status::TimedOut,
        Outcome::Aborted(_) => Status::Aborted,
    };
    let output = match outcome {
        Outcome::Succeeded { output } => Some(output.text()),
        _ => None,
    };
    let failure = outcome.failure().cloned().unwrap_or_default();
    if (row.status, tail.output.as_deref(), tail.error, tail.cause)
        != (status, output, failure.error, failure.cause)
    {
        return Err(format!("the row says {:?}, the history {outcome:?}", row.status));
    }
    let (first_ms, last_ms) =
        (events.first().map(|event| event.timestamp_ms), events.last().map(|event| event.timestamp_ms));
    if row.stop_ms != last_ms || Some(row.start_ms) != first_ms {
        return Err("the times of row and history differ".to_owned());
    }
    if !execution.outstanding().is_empty() {
        return Err("something is outstanding after the end".to_owned());
    }
    Ok(())
}

/// How long a client token stands for its redrive. Milliseconds.
const TOKEN_MS: i64 = 15 * 60 * 1000;

/// Each redrive is one that somebody has asked for, once, and each that was acknowledged is there; the row counts them.
fn check_redrives(row: &Row, events: &[Event], world: &World) -> Result<(), String> {
    let redrives = events.iter().filter_map(|event| match &event.body {
        EventBody::ExecutionRedriven { token_hash, .. } => Some((*token_hash, event.timestamp_ms)),
        _ => None,
    });
    let redrives: Vec<_> = redrives.collect();
    let last_ms = redrives.last().map(|(_, at_ms)| *at_ms);
    if (row.listed.redrives as usize, row.listed.redriven_ms) != (redrives.len(), last_ms) {
        return Err(format!("the row counts {:?}, the history {redrives:?}", row.listed));
    }
    if row.listed.map_run.is_some() {
        // Nobody asks for that: it is redriven with its run.
        return Ok(());
    }
    let name: Name = (row.machine.clone(), row.name.clone());
    let mut asked_for = 0;
    for (token, redrive) in world.lock().redrives.iter().filter(|(_, redrive)| redrive.execution == name) {
        let hash = Some(token::hash(token));
        let there: Vec<i64> =
            redrives.iter().filter(|(found, _)| *found == hash).map(|(_, at_ms)| *at_ms).collect();
        asked_for += there.len();
        if there.windows(2).any(|pair| pair[1] - pair[0] < TOKEN_MS) {
            return Err(format!("{token} is there at {there:?}"));
        }
        if redrive.at_ms.is_some_and(|at_ms| !there.contains(&at_ms)) {
            return Err(format!(
                "{token} was acknowledged for {:?} and is there at {there:?}",
                redrive.at_ms
            ));
        }
    }
    match asked_for == redrives.len() {
        true => Ok(()),
        false => Err(format!("a redrive that nobody has asked for: {redrives:?}")),
    }
}

/// A child names the task that has started it, whose execution is there.
fn check_parent(row: &Row, store: &dyn Store, world: &World) -> Result<(), String> {
    let head = Head::decode(&row.head).map_err(|error| error.to_string())?;
    let Some((token, parent)) = head.started_by.zip(head.parent_arn) else { return Ok(()) };
    let known = world.lock().calls.get(&*token).map(|(execution, ..)| execution.clone());
    if known.as_deref() != Some(&*parent) {
        return Err(format!("it was started by {parent}, which has not called"));
    }
    let (machine, name) = match parent.rsplitn(3, ':').collect::<Vec<_>>()[..] {
        [name, machine, _] => (machines::account().state_machine(machine), name),
        _ => return Err(format!("{parent} is no parent")),
    };
    let found = now(store.execution_by_name(&machine, name)).and_then(Result::ok).flatten();
    found.map(drop).ok_or_else(|| format!("its parent {parent} is not there"))
}

/// The end is one that the model allows.
fn check_model(machine: &Machine, row: &Row, world: &World) -> Result<(), String> {
    let name: Name = (row.machine.clone(), row.name.clone());
    let may_be_stopped = world.lock().executions.get(&name).is_some_and(|known| known.may_be_stopped);
    let head = Head::decode(&row.head).map_err(|error| error.to_string())?;
    let tail = Tail::decode(&row.tail).map_err(|error| error.to_string())?;
    let input = Document::from_stored_text(&*head.input);
    let endings = machine.endings(&input);
    let expected = endings.iter().any(|ending| match ending {
        Ending::Succeeded(text) => {
            let output = tail.output.as_deref().map(Document::parse);
            let wanted = Document::parse(text).map(|document| document.value().clone());
            row.status == Status::Succeeded
                && matches!((output, wanted), (Some(Ok(output)), Ok(wanted)) if *output.value() == wanted)
        }
        Ending::Failed(error) => row.status == Status::Failed && tail.error.as_deref() == Some(error),
        Ending::TimedOut => row.status == Status::TimedOut,
    });
    if expected || (row.status == Status::Aborted && may_be_stopped) {
        return Ok(());
    }
    Err(format!("it ended as {:?} {tail:?}; expected {endings:?}", row.status))
}

/// Results are ones that were given, each in one place only.
fn check_answers(events: &[Event], world: &World, seen: &mut BTreeSet<u64>) -> Result<(), String> {
    let state = world.lock();
    for event in events {
        let EventBody::TaskSucceeded(succeeded) = &event.body else { continue };
        if matches!(&*succeeded.resource, Resource::Integration(integration) if &*integration.service == "states")
        {
            continue;
        }
        let answer = succeeded.output.value().get("answer").and_then(Value::as_number);
        let answer = answer.and_then(|number| u64::try_from(number.as_whole_i64()?).ok());
        let answer = answer.ok_or("a result that nobody gave")?;
        if !state.answers.contains(&answer) {
            return Err(format!("answer {answer} was not given"));
        }
        if !seen.insert(answer) {
            return Err(format!("answer {answer} was applied twice"));
        }
    }
    Ok(())
}

/// A task whose heartbeat was taken lives on for as long as its state says.
fn check_heartbeats(locator: &str, events: &[Event], world: &World) -> Result<(), String> {
    let mut lives_ms = BTreeMap::new();
    for event in events {
        match &event.body {
            EventBody::TaskScheduled(scheduled) => {
                lives_ms.insert(scheduled.task, scheduled.heartbeat_s.unwrap_or_default() * 1000);
            }
            EventBody::TaskTimedOut(timed_out) if timed_out.failure.name() == "States.HeartbeatTimeout" => {
                let task = timed_out.task;
                let life_ms = lives_ms.get(&task).copied().unwrap_or_default();
                let too_early = |sent_ms: &i64| event.timestamp_ms < sent_ms + life_ms;
                if let Some(sent_ms) = world.heartbeats_of(locator, task).iter().find(|sent| too_early(sent))
                {
                    let at_ms = event.timestamp_ms;
                    return Err(format!("{task:?} was alive at {sent_ms}, and timed out at {at_ms}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A reply that was taken is in the history, once.
fn check_reply((token, reply): &(TaskToken, Reply), events: &[Event]) -> Result<(), String> {
    let count = events.iter().filter(|event| match (&event.body, reply) {
        (EventBody::TaskSucceeded(found), Reply::Success(output)) => {
            found.task == token.task && found.output.text() == output
        }
        (EventBody::TaskFailed(found), Reply::Failure(error)) => {
            found.task == token.task && found.failure.name() == *error
        }
        _ => false,
    });
    match count.count() {
        1 => Ok(()),
        count => Err(format!("a reply that was taken is there {count} times: {reply:?}")),
    }
}
