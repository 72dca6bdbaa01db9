//! What must hold for every history.

use std::collections::{BTreeMap, BTreeSet};

use stepwright_machine::event::StateKind;
use stepwright_machine::{BranchId, Event, EventBody, TaskId, codec};
use stepwright_store::Segment;

/// The events of an execution's segments, which are numbered from 1 without a gap.
pub fn events(segments: &[Segment]) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for (expected, segment) in (1..).zip(segments) {
        if segment.number != expected {
            return Err(format!("segment {} instead of {expected}", segment.number));
        }
        events.extend(events_of(segment)?);
    }
    Ok(events)
}

/// The events of one segment.
pub fn events_of(segment: &Segment) -> Result<Vec<Event>, String> {
    codec::decode_segment(&segment.data).map_err(|error| error.to_string())
}

/// Checks the events of an execution that has ended: numbers and times, its ends and redrives, tasks with their answers, states with
/// their exits.
pub fn check(events: &[Event]) -> Result<(), String> {
    check_numbers(events)?;
    check_end(events)?;
    check_tasks(events)?;
    check_states(events)
}

fn check_numbers(events: &[Event]) -> Result<(), String> {
    let mut visible = BTreeSet::from([0]);
    let mut latest_ms = i64::MIN;
    for (sequence, event) in (1..).zip(events) {
        if event.sequence != sequence {
            return Err(format!("event {} at place {sequence}", event.sequence));
        }
        if event.timestamp_ms < latest_ms {
            return Err(format!("event {sequence} is earlier than the one before it"));
        }
        latest_ms = event.timestamp_ms;
        if event.id == 0 {
            continue;
        }
        if event.id as usize != visible.len() {
            return Err(format!("id {} instead of {}", event.id, visible.len()));
        }
        if !visible.contains(&event.previous_id) {
            return Err(format!("event {} comes after event {}", event.id, event.previous_id));
        }
        // AWS: what ends from outside points to nothing.
        let from_outside =
            matches!(event.body, EventBody::ExecutionTimedOut(_) | EventBody::ExecutionAborted(_));
        if event.previous_id == 0 && event.id > 2 && !from_outside {
            return Err(format!("event {} comes after no other", event.id));
        }
        visible.insert(event.id);
    }
    Ok(())
}

fn check_end(events: &[Event]) -> Result<(), String> {
    let is_start = |event: &Event| matches!(event.body, EventBody::ExecutionStarted(_));
    if events.iter().filter(|event| is_start(event)).count() != 1 || !events.first().is_some_and(is_start) {
        return Err("it does not begin with its only start".to_owned());
    }
    let is_redrive = |event: &Event| matches!(event.body, EventBody::ExecutionRedriven { .. });
    // After an end comes nothing but a redrive, and a redrive comes after nothing but an end.
    for (event, next) in events.iter().zip(events.iter().skip(1)) {
        if event.body.is_final() != is_redrive(next) {
            return Err(format!("event {} follows event {}", next.sequence, event.sequence));
        }
    }
    if !events.last().is_some_and(|event| event.body.is_final()) {
        return Err("the last event is no end".to_owned());
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    started: u32,
    submitted: u32,
    answered: u32,
}

fn check_tasks(events: &[Event]) -> Result<(), String> {
    let mut tasks: BTreeMap<TaskId, Seen> = BTreeMap::new();
    for event in events {
        let (task, count): (TaskId, fn(&mut Seen) -> &mut u32) = match &event.body {
            EventBody::TaskScheduled(scheduled) => {
                if tasks.insert(scheduled.task, Seen::default()).is_some() {
                    return Err(format!("{:?} is scheduled twice", scheduled.task));
                }
                continue;
            }
            EventBody::TaskStarted(started) => (started.task, |seen| &mut seen.started),
            EventBody::TaskSubmitted(submitted) => (submitted.task, |seen| &mut seen.submitted),
            EventBody::TaskSucceeded(succeeded) => (succeeded.task, |seen| &mut seen.answered),
            EventBody::TaskFailed(failed) => (failed.task, |seen| &mut seen.answered),
            EventBody::TaskTimedOut(timed_out) => (timed_out.task, |seen| &mut seen.answered),
            _ => continue,
        };
        let seen = tasks.get_mut(&task).ok_or_else(|| format!("{task:?} was not scheduled"))?;
        if seen.answered > 0 {
            return Err(format!("{task:?} goes on after its answer, at event {}", event.sequence));
        }
        *count(seen) += 1;
        if seen.started > 1 || seen.submitted > 1 || seen.submitted > seen.started {
            return Err(format!("{task:?} starts twice or is submitted out of turn"));
        }
    }
    Ok(())
}

fn check_states(events: &[Event]) -> Result<(), String> {
    let mut inside: BTreeMap<BranchId, &str> = BTreeMap::new();
    let mut failed: BTreeSet<BranchId> = BTreeSet::new();
    for event in events {
        match &event.body {
            // A redrive enters Fail states again.
            EventBody::ExecutionRedriven { .. } => inside.retain(|branch, _| !failed.contains(branch)),
            EventBody::StateEntered { name, kind, .. } => {
                if *kind == StateKind::Fail {
                    failed.insert(event.branch);
                }
                if let Some(other) = inside.insert(event.branch, name) {
                    return Err(format!("{name} is entered inside {other}"));
                }
            }
            EventBody::StateExited(exited) if inside.remove(&event.branch) != Some(&*exited.name) => {
                return Err(format!("{} is left but was not entered", exited.name));
            }
            _ => {}
        }
    }
    Ok(())
}
