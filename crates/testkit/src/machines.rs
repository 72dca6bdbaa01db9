//! State machines for simulations, each with what may come of it.
//!
//! Functions, activities and callbacks are those of [`crate::simulation`]: they take `{"n": n}` and answer `{"n": n + 1}`, unless
//! they fail. What the functions are called says how they behave.

use stepwright_types::arn::Account;
use stepwright_value::{Document, Value};

/// The account in which everything is simulated.
pub fn account() -> Account {
    Account::new("us-east-1", "111111111111")
}

/// How an execution may end, apart from being stopped.
#[derive(Clone, PartialEq, Debug)]
pub enum Ending {
    /// With this output: JSON text.
    Succeeded(String),
    /// With this error.
    Failed(&'static str),
    TimedOut,
}

/// A state machine, and its model.
#[derive(Clone)]
pub struct Machine {
    pub name: &'static str,
    pub definition: String,
    /// What may come of an input that has the number `n`.
    endings: fn(n: i64, input: &Document) -> Vec<Ending>,
}

impl Machine {
    pub fn arn(&self) -> String {
        account().state_machine(self.name)
    }

    /// How an execution with this input may end.
    pub fn endings(&self, input: &Document) -> Vec<Ending> {
        let number = input.value().get("n").and_then(Value::as_number).and_then(|n| n.as_whole_i64());
        (self.endings)(number.unwrap_or_default(), input)
    }
}

/// A Task state that calls a function; `rest` is the rest of its fields.
fn function(name: &str, rest: &str) -> String {
    let arn = format!("arn:aws:lambda:us-east-1:111111111111:function:{name}");
    let result = r#""ResultSelector":{"n.$":"$.n"}"#;
    format!(r#"{{"Type":"Task","Resource":"{arn}","Parameters":{{"n.$":"$.n"}},{result},{rest}}}"#)
}

/// A Task state that a worker does.
fn activity(rest: &str) -> String {
    let arn = account().activity(ACTIVITY);
    let result = r#""ResultSelector":{"n.$":"$.n"}"#;
    format!(r#"{{"Type":"Task","Resource":"{arn}","Parameters":{{"n.$":"$.n"}},{result},{rest}}}"#)
}

/// A Task state that waits for a callback.
fn callback(rest: &str) -> String {
    let parameters = r#"{"FunctionName":"ask","Payload":{"token.$":"$$.Task.Token","n.$":"$.n"}}"#;
    let result = r#""ResultSelector":{"n.$":"$.n"}"#;
    format!(
        r#"{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{parameters},{result},{rest}}}"#
    )
}

fn states(start_at: &str, states: &[(&str, &str)]) -> String {
    let states: Vec<String> = states.iter().map(|(name, state)| format!(r#""{name}":{state}"#)).collect();
    format!(r#"{{"StartAt":"{start_at}","States":{{{}}}}}"#, states.join(","))
}

fn retry(errors: &str) -> String {
    format!(
        r#""Retry":[{{"ErrorEquals":[{errors}],"IntervalSeconds":1,"BackoffRate":1.0,"MaxAttempts":1000}}]"#
    )
}

/// The activity of these machines.
pub const ACTIVITY: &str = "work";

const CATCH: &str = r#""Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]"#;
const CAUGHT: (&str, &str) = ("Caught", r#"{"Type":"Pass","Result":{"caught":true},"End":true}"#);

fn n(n: i64) -> Ending {
    Ending::Succeeded(format!(r#"{{"n":{n}}}"#))
}

fn caught() -> Ending {
    Ending::Succeeded(r#"{"caught":true}"#.to_owned())
}

fn same(_: i64, input: &Document) -> Vec<Ending> {
    vec![Ending::Succeeded(input.text().to_owned())]
}

/// Machines whose executions need nothing from outside but time.
pub fn quiet() -> Vec<Machine> {
    let pass = |next: &str| format!(r#"{{"Type":"Pass",{next}}}"#);
    let passes = states(
        "A",
        &[
            ("A", &pass(r#""Next":"B""#)),
            ("B", &pass(r#""ResultPath":"$.m","Result":1,"OutputPath":"$$.Execution.Input","Next":"C""#)),
            ("C", &pass(r#""End":true"#)),
        ],
    );
    let counts = states(
        "Begin",
        &[
            ("Begin", &pass(r#""Parameters":{"n.$":"$.n","i":0},"Next":"More""#)),
            (
                "More",
                r#"{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThanPath":"$.n","Next":"Count"}],"Default":"Done"}"#,
            ),
            ("Count", &pass(r#""Parameters":{"n.$":"$.n","i.$":"States.MathAdd($.i,1)"},"Next":"Pause""#)),
            ("Pause", r#"{"Type":"Wait","Seconds":1,"Next":"More"}"#),
            ("Done", r#"{"Type":"Succeed"}"#),
        ],
    );
    let wait = states("W", &[("W", r#"{"Type":"Wait","SecondsPath":"$.n","End":true}"#)]);
    // 20 seconds after the simulations begin.
    let until = states("W", &[("W", r#"{"Type":"Wait","Timestamp":"2024-10-27T03:33:40Z","End":true}"#)]);
    let fail = states(
        "A",
        &[
            ("A", &pass(r#""Next":"F""#)),
            ("F", r#"{"Type":"Fail","Error":"Planned","Cause":"it was meant to"}"#),
        ],
    );
    vec![
        Machine { name: "passes", definition: passes, endings: same },
        Machine {
            name: "counts",
            definition: counts,
            endings: |n, _| vec![Ending::Succeeded(format!(r#"{{"n":{n},"i":{n}}}"#))],
        },
        Machine { name: "waits", definition: wait, endings: same },
        Machine { name: "waits-until", definition: until, endings: same },
        Machine { name: "fails", definition: fail, endings: |_, _| vec![Ending::Failed("Planned")] },
    ]
}

/// Machines that call functions.
pub fn calling() -> Vec<Machine> {
    let flaky = states("T", &[("T", &function("flaky", &format!(r#"{},"End":true"#, retry("\"Flaky\""))))]);
    let impatient = format!(
        r#""TimeoutSeconds":5,"Retry":[{{"ErrorEquals":["States.Timeout"],"IntervalSeconds":2,"MaxAttempts":2}}],{CATCH},"End":true"#
    );
    let impatient = states("T", &[("T", &function("silent", &impatient)), CAUGHT]);
    let uncaught = states("T", &[("T", &function("bad", r#""End":true"#))]);
    let mute = states("T", &[("T", &function("mute", r#""End":true"#))]);
    let limited = mute.replacen('{', r#"{"TimeoutSeconds":10,"#, 1);
    let jsonata = r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{
        "A":{"Type":"Pass","Assign":{"total":"{% $states.input.n * 2 %}"},"Next":"W"},
        "W":{"Type":"Wait","Seconds":"{% $total % 5 %}","Next":"T"},
        "T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,
            "Arguments":{"FunctionName":"steady","Payload":{"n":"{% $total %}"}},
            "Output":"{% {'n': $states.result.n + $total} %}"}}}"#;
    vec![
        Machine { name: "calls", definition: flaky, endings: |input, _| vec![n(input + 1)] },
        Machine {
            name: "impatient",
            definition: impatient,
            endings: |input, _| vec![n(input + 1), caught()],
        },
        Machine {
            name: "uncaught",
            definition: uncaught,
            endings: |input, _| vec![n(input + 1), Ending::Failed("Bad")],
        },
        Machine {
            name: "limited",
            definition: limited,
            endings: |input, _| vec![n(input + 1), Ending::TimedOut],
        },
        Machine {
            name: "jsonata",
            definition: jsonata.to_owned(),
            endings: |input, _| vec![n(4 * input + 1)],
        },
    ]
}

/// Machines that wait for workers and callbacks.
pub fn answered() -> Vec<Machine> {
    let deadlines = r#""TimeoutSeconds":60,"HeartbeatSeconds":8"#;
    let again = retry(r#""States.Timeout","States.HeartbeatTimeout""#);
    let watched = states("T", &[("T", &callback(&format!(r#"{deadlines},{CATCH},"End":true"#))), CAUGHT]);
    let patient = states("T", &[("T", &callback(r#""End":true"#))]);
    let works =
        states("T", &[("T", &activity(&format!(r#"{deadlines},{again},{CATCH},"End":true"#))), CAUGHT]);
    let once = states("T", &[("T", &activity(r#""TimeoutSeconds":3,"End":true"#))]);
    vec![
        Machine { name: "asks", definition: watched, endings: |input, _| vec![n(input + 1), caught()] },
        Machine {
            name: "asks-patiently",
            definition: patient,
            endings: |input, _| vec![n(input + 1), Ending::Failed("Refused")],
        },
        Machine { name: "works", definition: works, endings: |input, _| vec![n(input + 1), caught()] },
        Machine {
            name: "works-once",
            definition: once,
            endings: |input, _| {
                vec![n(input + 1), Ending::Failed("Refused"), Ending::Failed("States.Timeout")]
            },
        },
    ]
}

/// A Task state that starts an execution of [`child`] and waits for its end.
fn job(rest: &str) -> String {
    let parameters = format!(r#"{{"StateMachineArn":"{}","Input":{{"n.$":"$.n"}}}}"#, child().arn());
    format!(
        r#"{{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync","Parameters":{parameters},{rest}}}"#
    )
}

/// What the parents start, and nobody else: ends soon, fails, or would never end.
pub fn child() -> Machine {
    let definition = states(
        "Which",
        &[
            (
                "Which",
                r#"{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":4,"Next":"Soon"},
                    {"Variable":"$.n","NumericLessThan":6,"Next":"Fails"}],"Default":"Never"}"#,
            ),
            ("Soon", r#"{"Type":"Wait","SecondsPath":"$.n","End":true}"#),
            ("Fails", r#"{"Type":"Fail","Error":"Planned"}"#),
            ("Never", r#"{"Type":"Wait","Seconds":9000000,"End":true}"#),
        ],
    );
    let endings = |number, _: &Document| match number {
        ..4 => vec![n(number)],
        4..6 => vec![Ending::Failed("Planned")],
        6.. => vec![],
    };
    Machine { name: "child", definition, endings }
}

/// Machines whose executions start executions of [`child`].
pub fn parents() -> Vec<Machine> {
    let deadline = r#""TimeoutSeconds":20"#;
    let caring = states("J", &[("J", &job(&format!(r#"{deadline},{CATCH},"End":true"#))), CAUGHT]);
    let strict = states("J", &[("J", &job(&format!(r#"{deadline},"End":true"#)))]);
    let branches =
        [line("J", &job(&format!(r#"{deadline},"End":true"#))), line("K", &function("bad", r#""End":true"#))];
    let rest = format!(r#""ResultSelector":{{"n.$":"$[0].n"}},{CATCH},"End":true"#);
    let racing = states("S", &[("S", &parallel(&branches, &rest)), CAUGHT]);
    vec![
        Machine { name: "parent", definition: caring, endings: |input, _| vec![n(input), caught()] },
        Machine {
            name: "parent-strict",
            definition: strict,
            endings: |input, _| {
                vec![n(input), Ending::Failed("States.TaskFailed"), Ending::Failed("States.Timeout")]
            },
        },
        Machine { name: "parent-racing", definition: racing, endings: |input, _| vec![n(input), caught()] },
    ]
}

/// A line of one state, which must have another name than all others.
fn line(name: &str, state: &str) -> String {
    states(name, &[(name, state)])
}

/// A Parallel state with these branches.
fn parallel(branches: &[String], rest: &str) -> String {
    format!(r#"{{"Type":"Parallel","Branches":[{}],{rest}}}"#, branches.join(","))
}

/// A machine that does a Map state for the numbers from 1 to `items`.
fn map(items: u32, processor: &str, rest: &str) -> String {
    let numbers = format!(
        r#"{{"Type":"Pass","Parameters":{{"items.$":"States.ArrayRange(1,{items},1)"}},"Next":"Each"}}"#
    );
    let selector = r#""ItemsPath":"$.items","ItemSelector":{"n.$":"$$.Map.Item.Value"}"#;
    let each = format!(r#"{{"Type":"Map",{selector},"ItemProcessor":{processor},{rest}}}"#);
    states("Items", &[("Items", &numbers), ("Each", &each), CAUGHT])
}

fn branches() -> String {
    let flaky = function("flaky", &format!(r#"{},"End":true"#, retry("\"Flaky\"")));
    let branches = [
        line("A", r#"{"Type":"Pass","End":true}"#),
        line("B", r#"{"Type":"Wait","SecondsPath":"$.n","End":true}"#),
        line("C", &flaky),
    ];
    line("All", &parallel(&branches, r#""ResultSelector":{"n.$":"$[2].n"},"End":true"#))
}

/// Whatever fails first takes the others with it.
fn races() -> String {
    let branches = [
        line("D", r#"{"Type":"Wait","Seconds":6,"End":true}"#),
        line("E", &function("bad", r#""End":true"#)),
        line("F", &activity(r#""TimeoutSeconds":20,"End":true"#)),
        line("G", &callback(r#""TimeoutSeconds":20,"HeartbeatSeconds":6,"End":true"#)),
    ];
    let rest = format!(r#""ResultSelector":{{"n.$":"$[1].n"}},{CATCH},"End":true"#);
    states("S", &[("S", &parallel(&branches, &rest)), CAUGHT])
}

fn maps() -> String {
    let item = states(
        "T",
        &[
            ("T", &function("flaky", &format!(r#"{},"Next":"W""#, retry("\"Flaky\"")))),
            ("W", r#"{"Type":"Wait","Seconds":1,"End":true}"#),
        ],
    );
    map(5, &item, &format!(r#""MaxConcurrency":2,{CATCH},"End":true"#))
}

fn nests() -> String {
    let works = activity(&format!(r#""TimeoutSeconds":9,{},"End":true"#, retry(r#""States.Timeout""#)));
    let pair = [line("H", &works), line("I", &callback(r#""End":true"#))];
    let pair = line("Both", &parallel(&pair, r#""End":true"#));
    map(3, &pair, &format!(r#""ResultPath":null,"OutputPath":"$$.Execution.Input",{CATCH},"End":true"#))
}

/// Machines with several lines.
pub fn wide() -> Vec<Machine> {
    vec![
        Machine { name: "branches", definition: branches(), endings: |input, _| vec![n(input + 1)] },
        Machine { name: "races", definition: races(), endings: |input, _| vec![n(input + 1), caught()] },
        Machine {
            name: "maps",
            definition: maps(),
            endings: |_, _| {
                vec![Ending::Succeeded(r#"[{"n":2},{"n":3},{"n":4},{"n":5},{"n":6}]"#.to_owned())]
            },
        },
        Machine {
            name: "nests",
            definition: nests(),
            endings: |_, input| vec![Ending::Succeeded(input.text().to_owned()), caught()],
        },
    ]
}

/// A processor whose items are executions of their own.
fn distributed(kind: &str, states: &str) -> String {
    let config = format!(r#"{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"{kind}"}},"#);
    states.replacen('{', &config, 1)
}

/// Machines with distributed Maps.
pub fn spread() -> Vec<Machine> {
    let flaky = format!(r#"{},"Next":"W""#, retry("\"Flaky\""));
    let wait = r#"{"Type":"Wait","Seconds":1,"End":true}"#;
    let flaky = states("T", &[("T", &function("flaky", &flaky)), ("W", wait)]);
    let bad = line("T", &function("bad", r#""End":true"#));
    let first = r#"{"Type":"Pass","OutputPath":"$.Items[0]","Next":"T"}"#;
    let batches = states("P", &[("P", first), ("T", &function("bad", r#""End":true"#))]);
    let same_or_caught = format!(
        r#""ResultPath":null,"OutputPath":"$$.Execution.Input",{CATCH},"MaxConcurrency":2,"End":true"#
    );
    let some = format!(r#""ToleratedFailureCount":2,{same_or_caught}"#);
    let half =
        format!(r#""ToleratedFailurePercentage":50,"ItemBatcher":{{"MaxItemsPerBatch":2}},{same_or_caught}"#);
    let either = |_: i64, input: &Document| vec![Ending::Succeeded(input.text().to_owned()), caught()];
    vec![
        Machine {
            name: "spreads",
            definition: map(
                6,
                &distributed("STANDARD", &flaky),
                &format!(r#""MaxConcurrency":3,{CATCH},"End":true"#),
            ),
            endings: |_, _| all_of(6),
        },
        Machine {
            name: "spreads-fast",
            definition: map(
                30,
                &distributed("EXPRESS", &flaky),
                &format!(r#""Label":"fast","MaxConcurrency":7,{CATCH},"End":true"#),
            ),
            // Where calls have to wait for their turn, a child may reach the five minutes of EXPRESS.
            endings: |_, _| [all_of(30), vec![caught()]].concat(),
        },
        Machine {
            name: "spreads-badly",
            definition: map(5, &distributed("STANDARD", &bad), &some),
            endings: either,
        },
        Machine {
            name: "spreads-batches",
            definition: map(9, &distributed("EXPRESS", &batches), &half),
            endings: either,
        },
    ]
}

/// The numbers from 1 to `items`, each with 1 added.
fn all_of(items: i64) -> Vec<Ending> {
    let results: Vec<String> = (2..items + 2).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    vec![Ending::Succeeded(format!("[{}]", results.join(",")))]
}

/// A machine that makes more events than the interpreter takes in one step.
pub fn long() -> Machine {
    let definition = states(
        "Begin",
        &[
            ("Begin", r#"{"Type":"Pass","Parameters":{"n.$":"$.n","i":0},"Next":"More"}"#),
            (
                "More",
                r#"{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThan":3000,"Next":"Count"}],"Default":"Done"}"#,
            ),
            (
                "Count",
                r#"{"Type":"Pass","Parameters":{"n.$":"$.n","i.$":"States.MathAdd($.i,1)"},"Next":"More"}"#,
            ),
            ("Done", r#"{"Type":"Succeed"}"#),
        ],
    );
    let endings = |n, _: &Document| vec![Ending::Succeeded(format!(r#"{{"n":{n},"i":3000}}"#))];
    Machine { name: "counts-far", definition, endings }
}

/// All that are quick.
pub fn all() -> Vec<Machine> {
    [quiet(), calling(), answered(), wide(), parents(), spread()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_compile() {
        for machine in all().into_iter().chain([child()]) {
            let compilation = stepwright_asl::compile(&machine.definition, &Default::default());
            assert!(
                compilation.program.is_some(),
                "{}: {:?}\n{}",
                machine.name,
                compilation.aws_error(),
                machine.definition
            );
        }
    }
}
