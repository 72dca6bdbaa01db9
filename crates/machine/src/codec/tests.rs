//! Own segments come back; damaged ones are refused without a panic.

use std::sync::Arc;

use stepwright_asl::program::{Resource, StateId};
use stepwright_value::Document;

use super::*;
use crate::event::{BranchId, StateExited, StateKind, TaskFailed, TaskId, Timer, TimerId};
use crate::input::TaskPhase;
use crate::outcome::Failure;

fn events() -> Vec<Event> {
    let payload = Document::parse("{\"a\": [1,  2.0]}").expect("JSON");
    let name: Arc<str> = "State".into();
    let exited = StateExited {
        kind: StateKind::Pass,
        state: StateId(3),
        name: name.clone(),
        output: payload.clone(),
        next: Some(StateId(300)),
        assigned: vec![("x".into(), payload.clone())],
    };
    let failed = TaskFailed {
        task: TaskId(1),
        resource: Arc::new(Resource::Lambda { arn: "arn".into() }),
        failure: Failure { error: Some("E".into()), cause: None },
        phase: TaskPhase::Run,
    };
    let bodies = [
        EventBody::StateEntered { kind: StateKind::Pass, state: StateId(3), name, input: payload },
        EventBody::StateExited(Box::new(exited)),
        EventBody::TaskFailed(Box::new(failed)),
        EventBody::RetryScheduled { retrier: 0, timer: Timer { id: TimerId(9), due_ms: i64::MAX } },
        EventBody::MapSucceeded,
    ];
    let numbered = bodies.into_iter().zip(7..);
    numbered
        .map(|(body, sequence)| Event {
            sequence,
            id: sequence + 1000,
            previous_id: sequence + 999,
            timestamp_ms: 1_730_000_000_000 - i64::from(sequence),
            branch: BranchId(sequence % 3),
            body,
        })
        .collect()
}

#[test]
fn segments_come_back() {
    let events = events();
    let bytes = encode_segment(&events);
    assert_eq!(decode_segment(&bytes), Ok(events));
    assert_eq!(decode_segment(&encode_segment(&[])), Ok(vec![]));
    // The payload is there once, as it was written.
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(text.matches("{\"a\": [1,  2.0]}").count(), 1);
}

#[test]
fn damaged_segments_are_refused() {
    let bytes = encode_segment(&events());
    for length in 0..bytes.len() {
        assert!(decode_segment(&bytes[..length]).is_err(), "{length}");
    }
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            // Whatever it reads as, it must not panic.
            let _ = decode_segment(&damaged);
        }
    }
    assert_eq!(decode_segment(&[9]), Err(CodecError::Version { found: 9 }));
}
