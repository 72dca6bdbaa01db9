//! Events that do not fit: named errors, never a panic, whatever the bytes.

use stepwright_machine::{BehaviourFlags, Event, Execution, ExecutionKind, Input, codec};

use crate::harness::{Mode, World, identity};
use crate::{Reply, Scenario, run};

const DEFINITION: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
    {"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"T","States":{"T":{"Type":"Task",
        "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","TimeoutSeconds":9,
        "Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"End":true}}},"End":true}}},
    {"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"Next":"A"},"A":{"Type":"Pass","Assign":{"x":1},"End":true}}}],"End":true}}}"#;

fn world() -> World {
    let replies = [("T", Reply::Ok("1")), ("T", Reply::Fail("E", "why")), ("T", Reply::Ok("2"))];
    let scenario =
        Scenario { definition: DEFINITION, input: "[1,2]", replies: &replies, ..Scenario::default() };
    run(scenario, Mode::Stepwise)
}

fn fresh(world: &World) -> Execution {
    let old = &world.execution;
    Execution::new(old.program().clone(), old.identity().clone(), BehaviourFlags::CURRENT)
}

/// Applies what fits, and then asks for more.
fn survive(mut execution: Execution, events: &[Event]) -> usize {
    let refused = events.iter().filter(|event| execution.evolve(event).is_err()).count();
    let _ = execution.outstanding();
    for input in [Input::Continue, Input::Stop { error: None, cause: None }] {
        let _ = execution.step(input, 1_800_000_000_000, &mut || 7);
    }
    refused
}

#[test]
fn events_in_the_wrong_order() {
    let world = world();
    assert_eq!(survive(fresh(&world), &world.events), 0);
    for left_out in 0..world.events.len() {
        let mut events = world.events.clone();
        events.remove(left_out);
        // The numbers fit, the rest does not.
        (1..).zip(&mut events).for_each(|(sequence, event)| event.sequence = sequence);
        survive(fresh(&world), &events);
        events.reverse();
        (1..).zip(&mut events).for_each(|(sequence, event)| event.sequence = sequence);
        survive(fresh(&world), &events);
    }
}

#[test]
fn damaged_bytes() {
    let world = world();
    let bytes = codec::encode_segment(&world.events);
    for at in 0..bytes.len() {
        for value in [0, 1, 2, 0x7F, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            if let Ok(events) = codec::decode_segment(&damaged) {
                survive(fresh(&world), &events);
            }
        }
    }
}

#[test]
fn damaged_snapshots() {
    let mut world = World::new(
        fresh(&world()).program().clone(),
        identity("[1,2]", ExecutionKind::Standard),
        Mode::Stepwise,
    );
    world.step(Input::Start, &mut |_| Vec::new());
    let snapshot = world.execution.snapshot();
    for length in 0..snapshot.len() {
        assert!(fresh(&world).restore(&snapshot[..length]).is_err(), "{length}");
    }
    for at in 0..snapshot.len() {
        for value in [0, 1, 2, 0x7F, 0xFF] {
            let mut damaged = snapshot.clone();
            damaged[at] = value;
            let mut execution = fresh(&world);
            if execution.restore(&damaged).is_ok() {
                survive(execution, &world.events);
            }
        }
    }
}
