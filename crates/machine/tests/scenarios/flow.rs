//! Pass, Choice, Wait, Succeed, Fail; input and output; variables.

use crate::{check, plain};

#[test]
fn the_input_text_stays_as_it_was_written() {
    check(
        plain(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Succeed"}}}"#,
            r#"{ "a":  1.0 }"#,
        ),
        &[
            "1<-0 ExecutionStarted { \"a\":  1.0 }",
            "2<-0 PassStateEntered A { \"a\":  1.0 }",
            "3<-2 PassStateExited A { \"a\":  1.0 }",
            "4<-3 SucceedStateEntered B { \"a\":  1.0 }",
            "5<-4 SucceedStateExited B { \"a\":  1.0 }",
            "6<-5 ExecutionSucceeded { \"a\":  1.0 }",
        ],
    );
}

#[test]
fn json_path_stages() {
    check(
        plain(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$.in","Parameters":{"x.$":"$.v","n":1},
            "ResultPath":"$.out","OutputPath":"$.out.x","Assign":{"kept.$":"$.x"},"Next":"B"},
            "B":{"Type":"Pass","Parameters":{"k.$":"$kept","i.$":"$$.State.Name"},"End":true}}}"#,
            r#"{"in":{"v":[7]}}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"in\":{\"v\":[7]}}",
            "2<-0 PassStateEntered A {\"in\":{\"v\":[7]}}",
            "3<-2 PassStateExited A [7] assignedVariables={\"kept\":\"[7]\"}",
            "4<-3 PassStateEntered B [7]",
            "5<-4 PassStateExited B {\"k\":[7],\"i\":\"B\"}",
            "6<-5 ExecutionSucceeded {\"k\":[7],\"i\":\"B\"}",
        ],
    );
}

#[test]
fn choice_takes_the_first_rule_that_holds() {
    let definition = r#"{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[
        {"And":[{"Variable":"$.n","IsNumeric":true},{"Variable":"$.n","NumericGreaterThan":5}],"Next":"Big"},
        {"Variable":"$.n","IsPresent":true,"Next":"Small"}],"Default":"None"},
        "Big":{"Type":"Succeed"},"Small":{"Type":"Succeed"},"None":{"Type":"Fail","Error":"E","CausePath":"$.why"}}}"#;
    check(
        plain(definition, r#"{"n":6}"#),
        &[
            "1<-0 ExecutionStarted {\"n\":6}",
            "2<-0 ChoiceStateEntered C {\"n\":6}",
            "3<-2 ChoiceStateExited C {\"n\":6}",
            "4<-3 SucceedStateEntered Big {\"n\":6}",
            "5<-4 SucceedStateExited Big {\"n\":6}",
            "6<-5 ExecutionSucceeded {\"n\":6}",
        ],
    );
    check(
        plain(definition, r#"{"n":"x"}"#),
        &[
            "1<-0 ExecutionStarted {\"n\":\"x\"}",
            "2<-0 ChoiceStateEntered C {\"n\":\"x\"}",
            "3<-2 ChoiceStateExited C {\"n\":\"x\"}",
            "4<-3 SucceedStateEntered Small {\"n\":\"x\"}",
            "5<-4 SucceedStateExited Small {\"n\":\"x\"}",
            "6<-5 ExecutionSucceeded {\"n\":\"x\"}",
        ],
    );
    check(
        plain(definition, r#"{"why":"no n"}"#),
        &[
            "1<-0 ExecutionStarted {\"why\":\"no n\"}",
            "2<-0 ChoiceStateEntered C {\"why\":\"no n\"}",
            "3<-2 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'C' (entered at the event id #2). Invalid path '$.n': The choice state's condition path references an invalid value.",
        ],
    );
}

#[test]
fn nothing_matches() {
    check(
        plain(
            r#"{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":1,"Next":"S"}]},"S":{"Type":"Succeed"}}}"#,
            r#"{"n":2}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"n\":2}",
            "2<-0 ChoiceStateEntered C {\"n\":2}",
            "3<-2 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'C' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.",
        ],
    );
}

#[test]
fn waits() {
    check(
        plain(
            r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":3,"Next":"B"},
            "B":{"Type":"Wait","TimestampPath":"$.at","Next":"C"},
            "C":{"Type":"Wait","QueryLanguage":"JSONata","Seconds":"{% $states.input.n * 2 %}","End":true}}}"#,
            r#"{"at":"2024-10-27T03:34:00Z","n":2}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "2<-0 WaitStateEntered A {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "@3s 3<-2 WaitStateExited A {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "4<-3 WaitStateEntered B {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "@40s 5<-4 WaitStateExited B {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "6<-5 WaitStateEntered C {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "@44s 7<-6 WaitStateExited C {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
            "8<-7 ExecutionSucceeded {\"at\":\"2024-10-27T03:34:00Z\",\"n\":2}",
        ],
    );
}

#[test]
fn jsonata_outputs_and_variables() {
    check(
        plain(
            r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{
            "A":{"Type":"Pass","Assign":{"x":"{% $states.input.a + 1 %}"},"Output":{"b":"{% $states.input.a %}"},"Next":"B"},
            "B":{"Type":"Pass","Assign":{"x":"{% $x + 1 %}","y":"{% $x %}"},"Output":"{% [$x, $states.context.State.Name] %}","Next":"C"},
            "C":{"Type":"Succeed","Output":"{% $x & '/' & $y %}"}}}"#,
            r#"{"a":1}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"a\":1}",
            "2<-0 PassStateEntered A {\"a\":1}",
            "3<-2 PassStateExited A {\"b\":1} assignedVariables={\"x\":\"2\"}",
            "4<-3 PassStateEntered B {\"b\":1}",
            "5<-4 PassStateExited B [2,\"B\"] assignedVariables={\"x\":\"3\",\"y\":\"2\"}",
            "6<-5 SucceedStateEntered C [2,\"B\"]",
            "7<-6 SucceedStateExited C \"3/2\"",
            "8<-7 ExecutionSucceeded \"3/2\"",
        ],
    );
}
