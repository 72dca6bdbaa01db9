//! A state has failed: Retry, then Catch, then the line that held the state, and so on outwards.

use std::sync::Arc;

use stepwright_asl::program::{Catcher, Kind, QueryLanguage, Template};
use stepwright_types::error_name;
use stepwright_value::{Document, Object, Value};

use crate::branch::Phase;
use crate::breakpoints::{AfterFailure, Point};
use crate::event::{BranchId, EvaluationFailed, EventBody, Timer};
use crate::fault::{Fault, StateFailure, Trouble};
use crate::hold::Stop;
use crate::outcome::Failure;
use crate::stages::{self, Assigned};
use crate::turn::Turn;
use crate::{abort, lines, retry};

/// Settles the failure of the state in which the line is. `failure` may climb outwards, at most as deep as states nest.
pub(crate) fn settle(turn: &mut Turn<'_>, id: BranchId, failure: StateFailure) -> Result<(), Trouble> {
    if stops(turn, id, &failure)? {
        return Ok(());
    }
    settle_on(turn, id, failure)
}

/// As [`settle`], where breakpoints have been asked about this state.
pub(crate) fn settle_on(turn: &mut Turn<'_>, id: BranchId, failure: StateFailure) -> Result<(), Trouble> {
    let (mut id, mut failure) = (id, failure);
    loop {
        announce_evaluation(turn, id, &mut failure)?;
        if failure.failure.name() == error_name::RUNTIME {
            return fatal(turn, id, failure);
        }
        if retried(turn, id, &failure)? {
            return Ok(());
        }
        let before_id = turn.branch_last_id(id);
        announce_join(turn, id, &failure)?;
        match caught(turn, id, &failure) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // The catcher itself failed: its failure is not caught again in this state, which fails once more.
            Err(Trouble::State(inner)) if inner.failure.name() == error_name::RUNTIME => {
                return fatal(turn, id, inner);
            }
            Err(Trouble::State(inner)) => {
                failure = inner;
                announce_evaluation_after(turn, id, before_id, &mut failure)?;
                announce_join(turn, id, &failure)?;
            }
            Err(other) => return Err(other),
        }
        match outwards(turn, id, &failure)? {
            Some(outer) => id = outer,
            None => return Ok(()),
        }
        // What an inner state's evaluation was is told; outside, it is a failure like others.
        (failure.evaluation, failure.tail_id) = (None, None);
        if stops(turn, id, &failure)? {
            return Ok(());
        }
    }
}

fn stops(turn: &mut Turn<'_>, id: BranchId, failure: &StateFailure) -> Result<bool, Trouble> {
    if turn.breakpoints.is_none() {
        return Ok(false);
    }
    let then = what_follows(turn, id, failure)?;
    let point = Point::Failed { failure: &failure.failure, then };
    turn.stops(id, &point, || Stop::Failed(failure.clone()))
}

/// What will be done about a failure: see [`retried`] and [`caught`].
fn what_follows(turn: &Turn<'_>, id: BranchId, failure: &StateFailure) -> Result<AfterFailure, Trouble> {
    let branch = turn.branch(id)?;
    let state = turn.program.state(branch.state);
    let is_fatal = failure.failure.name() == error_name::RUNTIME;
    let retrier = retry::choose(&state.retry, failure).filter(|(index, retrier)| {
        i64::from(branch.attempts.get(*index).copied().unwrap_or(0)) < retrier.max_attempts
    });
    let mut catchers = state.catch.iter();
    let catcher = catchers.position(|catcher| retry::matches_any(&catcher.error_equals, failure));
    Ok(match (retrier, catcher, branch.parent) {
        _ if is_fatal => AfterFailure::End,
        (Some((index, _)), ..) => AfterFailure::Retry(index),
        (None, Some(index), _) => AfterFailure::Catch(index),
        (None, None, Some(_)) => AfterFailure::Outwards,
        (None, None, None) => AfterFailure::End,
    })
}

/// AWS: `States.Runtime` is neither retried nor caught. It ends the execution where it happens, without a word about the lines
/// around it.
fn fatal(turn: &mut Turn<'_>, id: BranchId, failure: StateFailure) -> Result<(), Trouble> {
    if let Some(trace) = turn.trace_of(id) {
        trace.failure = Some(failure.failure.clone());
    }
    let last_id = failure.tail_id.unwrap_or_else(|| turn.branch_last_id(id));
    turn.fail(last_id, failure.failure)
}

/// AWS: the failed evaluation of a JSONata field is an event. It points to what came before its state (of a Wait state, and
/// where the state has done something meanwhile: to the last event).
fn announce_evaluation(turn: &mut Turn<'_>, id: BranchId, failure: &mut StateFailure) -> Result<(), Trouble> {
    let branch = turn.branch(id)?;
    let kind = &turn.program.state(branch.state).kind;
    let untouched = branch.last_id == branch.entered_id && !matches!(kind, Kind::Wait(_));
    let previous_id = if untouched { branch.before_entered_id } else { branch.last_id };
    announce_evaluation_after(turn, id, previous_id, failure)
}

fn announce_evaluation_after(
    turn: &mut Turn<'_>,
    id: BranchId,
    previous_id: u32,
    failure: &mut StateFailure,
) -> Result<(), Trouble> {
    let Some(evaluation) = failure.evaluation.take() else { return Ok(()) };
    failure.tail_id = None;
    let program = turn.program.clone();
    let state = program.state(turn.state_of(id));
    let event = EvaluationFailed {
        failure: failure.failure.clone(),
        location: evaluation.location,
        state: state.name.clone(),
    };
    turn.emit_after(id, previous_id, EventBody::EvaluationFailed(Box::new(event)))
}

fn retried(turn: &mut Turn<'_>, id: BranchId, failure: &StateFailure) -> Result<bool, Trouble> {
    let program = turn.program.clone();
    let branch = turn.branch(id)?;
    let retriers = &program.state(branch.state).retry;
    let Some((index, retrier)) = retry::choose(retriers, failure) else { return Ok(false) };
    let used = branch.attempts.get(index).copied().unwrap_or(0);
    let is_left = i64::from(used) < retrier.max_attempts;
    if let Some(trace) = turn.trace_of(id) {
        trace.failure = Some(failure.failure.clone());
        trace.retry_index = Some(index);
        trace.retry_backoff_interval_s = is_left.then(|| retry::interval_s(retrier, used) as i64);
    }
    if !is_left {
        return Ok(false);
    }
    let delay_ms = retry::delay_ms(retrier, used, turn.entropy);
    cancel_lines_of(turn, id);
    let timer: Timer = turn.new_timer(delay_ms);
    let previous_id = turn.branch_last_id(id);
    turn.emit_after(id, previous_id, EventBody::RetryScheduled { retrier: index as u32, timer })?;
    turn.want_timer(Some(timer));
    Ok(true)
}

/// AWS: that a Parallel or Map state has failed is an event, unless nothing but a name could catch the failure of its own
/// fields.
fn announce_join(turn: &mut Turn<'_>, id: BranchId, failure: &StateFailure) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let branch = turn.branch(id)?;
    let body = match program.state(branch.state).kind {
        Kind::Parallel(_) => EventBody::ParallelFailed,
        Kind::Map(_) => EventBody::MapFailed,
        _ => return Ok(()),
    };
    let stopped = match &branch.phase {
        Phase::Joining(join) => join.stopped,
        Phase::Distributed(map) => map.stopped,
        _ => false,
    };
    if !stopped && !failure.wildcard {
        return Ok(());
    }
    turn.emit(id, body)
}

fn caught(turn: &mut Turn<'_>, id: BranchId, failure: &StateFailure) -> Result<bool, Trouble> {
    let program = turn.program.clone();
    let branch = turn.branch(id)?;
    let state_id = branch.state;
    let state = program.state(state_id);
    let found = state
        .catch
        .iter()
        .enumerate()
        .find(|(_, catcher)| retry::matches_any(&catcher.error_equals, failure));
    if let Some(trace) = turn.trace_of(id) {
        trace.failure = Some(failure.failure.clone());
        trace.catch_index = found.map(|(index, _)| index);
    }
    let Some((index, catcher)) = found else { return Ok(false) };
    let (output, assigned) = match caught_output(turn, id, (index, catcher), &failure.failure) {
        Ok(caught) => caught,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    turn.exit(id, state_id, output, Some(catcher.next), assigned)?;
    Ok(true)
}

/// `{"Error": …, "Cause": …}`. AWS: what the failure does not say is there, and empty.
pub(crate) fn error_output(failure: &Failure) -> Value {
    let text = |text: &Option<Arc<str>>| Value::from(text.as_deref().unwrap_or_default());
    let mut object = Object::with_capacity(2);
    object.insert("Error", text(&failure.error));
    object.insert("Cause", text(&failure.cause));
    object.into()
}

fn caught_output(
    turn: &mut Turn<'_>,
    id: BranchId,
    (index, catcher): (usize, &Catcher),
    failure: &Failure,
) -> Result<(Document, Assigned), Fault> {
    let program = turn.program.clone();
    let error = error_output(failure);
    let state = program.state(turn.state_of(id));
    let mut scene = turn.scene_of(id, state)?;
    let error_document = Document::from(error.clone());
    scene.set_error_output(error);
    let assign = |scene: &mut crate::scene::Scene<'_>, template: &Option<Template>| match template {
        None => Ok(Assigned::new()),
        Some(template) => {
            stages::assigned(scene, template, &error_document, &format!("Catch[{index}]/Assign"))
        }
    };
    let assigned = assign(&mut scene, &catcher.assign)?;
    let output = match scene.state.language {
        QueryLanguage::JsonPath => {
            stages::placed_result(scene.input(), &error_document, &catcher.result_path)?
        }
        QueryLanguage::Jsonata => match &catcher.output {
            None => error_document.clone(),
            Some(template) => scene.payload(template, &Value::Null, &format!("Catch[{index}]/Output"))?,
        },
    };
    Ok((output, assigned))
}

/// The line cannot go on. Its other lines are aborted, and the failure is that of the state outside; of the root, that
/// of the execution.
fn outwards(turn: &mut Turn<'_>, id: BranchId, failure: &StateFailure) -> Result<Option<BranchId>, Trouble> {
    let branch = turn.branch(id)?;
    let Some(parent) = branch.parent else {
        let last_id = failure.tail_id.unwrap_or_else(|| turn.branch_last_id(id));
        turn.fail(last_id, failure.failure.clone())?;
        return Ok(None);
    };
    let last_id = turn.branch_last_id(id);
    abort::lines_of(turn, parent, Some(id), last_id)?;
    // The outer state's next event points to what failed in here.
    turn.emit_after(parent, last_id, EventBody::JoinFailed)?;
    Ok(Some(parent))
}

fn cancel_lines_of(turn: &mut Turn<'_>, id: BranchId) {
    for line in lines::below(turn.execution, id) {
        turn.cancel_work_of(line);
    }
}
