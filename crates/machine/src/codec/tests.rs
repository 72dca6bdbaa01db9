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

/// What each version wrote is read: `segments-VERSION-NAME.hex` beside the history that is shown of it.
#[test]
fn segments_of_all_versions_are_read() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    for version in 1..=VERSION {
        for name in ["dist", "flow", "late", "stop"] {
            let read = |kind| {
                let path = directory.join(format!("segments-{version}-{name}.{kind}"));
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            };
            let mut shown = String::from("[");
            for line in read("hex").lines() {
                let segment = bytes(line);
                assert_eq!(segment[0], version);
                let events = decode_segment(&segment).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(decode_segment(&encode_segment(&events)), Ok(events.clone()));
                for event in events.iter().filter(|event| event.id > 0) {
                    shown.push_str(if shown.len() > 1 { "," } else { "" });
                    crate::history::to_aws(event, true, &mut shown);
                }
            }
            shown.push(']');
            let shown = Document::parse(&shown).expect("JSON");
            let expected = Document::parse(&read("json")).expect("JSON");
            assert_eq!(shown.value(), expected.value(), "{name} of version {version}");
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(digit).collect()
}

#[test]
fn segments_lead_to_the_newest_snapshot() {
    let events = events();
    for snapshot in [Snapshot::None, Snapshot::Here(b"state"), Snapshot::Before(1), Snapshot::Before(70_000)]
    {
        let segment = encode_segment_with(&events, snapshot);
        assert_eq!(snapshot_of(&segment), Ok(snapshot));
        assert_eq!(decode_segment(&segment).as_ref(), Ok(&events));
        for length in 0..segment.len() {
            let _ = snapshot_of(&segment[..length]);
            assert!(decode_segment(&segment[..length]).is_err(), "{length}");
        }
    }
    assert_eq!(snapshot_of(&[9]), Err(CodecError::Version { found: 9 }));
    let many = vec![events[0].clone(); 3];
    let long = Event { body: EventBody::StateAborted { kind: StateKind::Wait }, ..events[1].clone() };
    let assigned = (0..200).map(|_| ("x".into(), Document::default())).collect();
    let EventBody::StateExited(exited) = &events[1].body else { panic!("{:?}", events[1]) };
    let wide = EventBody::StateExited(Box::new(StateExited { assigned, ..(**exited).clone() }));
    let all = [many, vec![Event { body: wide, ..long.clone() }, long]].concat();
    assert_eq!(decode_segment(&encode_segment(&all)), Ok(all));
}
