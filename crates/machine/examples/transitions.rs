//! How fast the interpreter is: `cargo run --release -p stepwright-machine --example transitions`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwright_asl::CompileOptions;
use stepwright_asl::program::Program;
use stepwright_machine::{BehaviourFlags, Event, Execution, ExecutionKind, Identity, Input, codec, history};
use stepwright_types::arn::Account;
use stepwright_value::Document;

fn main() {
    let payload = format!(r#"{{"id":1,"text":"{}","values":[1,2,3]}}"#, "x".repeat(1000));
    let plain = program(&chain(1000, ""));
    let (events, took) = best(20, || run(&plain, &payload));
    report("Pass without fields", 1000, took, &events);
    let (events, took) = {
        let selecting = program(&chain(1000, r#","Parameters":{"id.$":"$.id","text.$":"$.text"}"#));
        best(10, || run(&selecting, &payload))
    };
    report("Pass with Parameters", 1000, took, &events);
    let (events, took) = {
        let jsonata = program(&chain(
            1000,
            r#","QueryLanguage":"JSONata","Output":{"id":"{% $states.input.id + 1 %}","text":"{% $states.input.text %}"}"#,
        ));
        best(10, || run(&jsonata, &payload))
    };
    report("Pass with JSONata Output", 1000, took, &events);
    for concurrency in [1, 0] {
        let map = program(&format!(
            r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","MaxConcurrency":{concurrency},"End":true,"ItemProcessor":{{"StartAt":"P","States":{{"P":{{"Type":"Pass","End":true}}}}}}}}}}}}"#
        ));
        let items =
            format!("[{}]", (0..1000).map(|n| format!("{{\"n\":{n}}}")).collect::<Vec<_>>().join(","));
        let (events, took) = best(20, || run(&map, &items));
        report(&format!("Map of 1000 items, MaxConcurrency {concurrency}"), 1000, took, &events);
    }
}

fn chain(states: usize, fields: &str) -> String {
    let list: Vec<String> = (0..states)
        .map(|n| {
            let next =
                if n + 1 == states { r#""End":true"#.to_owned() } else { format!(r#""Next":"S{}""#, n + 1) };
            format!(r#""S{n}":{{"Type":"Pass",{next}{fields}}}"#)
        })
        .collect();
    format!(r#"{{"StartAt":"S0","States":{{{}}}}}"#, list.join(","))
}

fn program(definition: &str) -> Arc<Program> {
    let compilation = stepwright_asl::compile(definition, &CompileOptions::default());
    compilation.program.clone().unwrap_or_else(|| panic!("{:?}", compilation.diagnostics))
}

fn run(program: &Arc<Program>, input: &str) -> (Vec<Event>, Duration) {
    let identity = Arc::new(Identity {
        execution_arn: "arn:aws:states:us-east-1:123456789012:execution:machine:run".into(),
        execution_name: "run".into(),
        machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:machine".into(),
        machine_name: "machine".into(),
        role_arn: "arn:aws:iam::123456789012:role/role".into(),
        start_ms: 0,
        input: Document::parse(input).expect("JSON"),
        kind: ExecutionKind::Standard,
        account: Arc::new(Account::new("us-east-1", "123456789012")),
        locator: "run".into(),
    });
    let mut seed = 0;
    let mut entropy = || {
        seed += 1;
        seed
    };
    let start = Instant::now();
    let mut execution = Execution::new(program.clone(), identity, BehaviourFlags::CURRENT);
    let step = execution.step(Input::Start, 0, &mut entropy).expect("legal");
    let took = start.elapsed();
    assert!(execution.outcome().is_some(), "one step is enough");
    (step.events, took)
}

fn best(rounds: usize, mut run: impl FnMut() -> (Vec<Event>, Duration)) -> (Vec<Event>, Duration) {
    let mut best = run();
    for _ in 0..rounds {
        let next = run();
        if next.1 < best.1 {
            best = next;
        }
    }
    best
}

fn report(name: &str, transitions: u32, took: Duration, events: &[Event]) {
    let time = |work: &mut dyn FnMut()| {
        (0..10)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed()
            })
            .min()
            .unwrap_or_default()
    };
    let segment = codec::encode_segment(events);
    let encode = time(&mut || drop(black_box(codec::encode_segment(events))));
    let decode = time(&mut || drop(black_box(codec::decode_segment(&segment))));
    let project = time(&mut || {
        let mut out = String::new();
        events.iter().for_each(|event| {
            history::to_aws(event, true, &mut out);
        });
        black_box(out);
    });
    println!(
        "{name:38} {took:>10.1?}  {:>9.0} transitions/s  {:>5} events  encode {encode:>9.1?} ({} bytes)  decode {decode:>9.1?}  project {project:>9.1?}",
        f64::from(transitions) / took.as_secs_f64(),
        events.len(),
        segment.len(),
    );
}
