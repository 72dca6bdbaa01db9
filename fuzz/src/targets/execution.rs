//! The interpreter: a definition that compiles is run with the world answering this and that. Events replayed give the same
//! execution, and no execution goes on for ever.

use std::sync::Arc;

use stepwright_asl::{CompileOptions, compile};
use stepwright_machine::{
    BehaviourFlags, Effect, Event, Execution, ExecutionKind, Identity, Input, TaskPhase, codec, history,
};
use stepwright_types::arn::Account;
use stepwright_value::Document;

const STEPS_MAX: usize = 200;

pub fn run(data: &[u8]) {
    let Some(text) = super::text(data, 1 << 14) else { return };
    let Some(program) = compile(text, &CompileOptions::default()).program else { return };
    let Ok(input) =
        Document::parse(r#"{"n":1,"s":"x","a":[1,2,{"b":null}],"t":"2024-10-27T03:34:00Z","ok":true}"#)
    else {
        return;
    };
    let identity = Arc::new(identity(input.clone()));
    let mut replayed = Execution::new(program.clone(), identity.clone(), BehaviourFlags::CURRENT);
    let mut execution = Execution::new(program, identity, BehaviourFlags::CURRENT);
    let mut inbox = vec![Input::Start];
    let mut now_ms = 1_730_000_000_000;
    for seed in 0..STEPS_MAX as u64 {
        let Some(next) = inbox.pop() else { break };
        let mut entropy = || seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let Ok(step) = execution.step(next, now_ms, &mut entropy) else { break };
        replay(&mut replayed, &step.events);
        assert!(replayed == execution, "replay differs");
        let mut restored = replayed.unstarted();
        assert!(restored.restore(&execution.snapshot()).is_ok(), "own snapshot");
        assert!(restored == execution && restored.snapshot() == replayed.snapshot(), "a snapshot differs");
        inbox.extend(step.effects.into_iter().filter_map(|effect| answer(effect, seed, &input, &mut now_ms)));
    }
}

fn replay(execution: &mut Execution, events: &[Event]) {
    let read = codec::decode_segment(&codec::encode_segment(events));
    assert!(read.is_ok(), "own segment: {read:?}");
    for event in read.iter().flatten() {
        assert!(execution.evolve(event).is_ok(), "own event: {event:?}");
        history::to_aws(event, true, &mut String::new());
    }
}

fn answer(effect: Effect, seed: u64, output: &Document, now_ms: &mut i64) -> Option<Input> {
    match effect {
        Effect::Dispatch(call) if seed % 3 == 1 => {
            let (task, phase) = (call.task, TaskPhase::Run);
            Some(Input::TaskFailed { task, error: "E".into(), cause: None, phase })
        }
        Effect::Dispatch(call) => Some(Input::TaskSucceeded { task: call.task, output: output.clone() }),
        Effect::SetTimer { timer, due_ms } => {
            *now_ms = due_ms.max(*now_ms);
            Some(Input::TimerFired { timer })
        }
        Effect::Continue => Some(Input::Continue),
        _ => None,
    }
}

pub fn identity(input: Document) -> Identity {
    Identity {
        execution_arn: "arn:aws:states:us-east-1:111111111111:execution:machine:run".into(),
        execution_name: "run".into(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:machine".into(),
        machine_name: "machine".into(),
        role_arn: "arn:aws:iam::111111111111:role/role".into(),
        start_ms: 1_730_000_000_000,
        input,
        kind: ExecutionKind::Standard,
        account: Arc::new(Account::new("us-east-1", "111111111111")),
        locator: "machine/run".into(),
    }
}
