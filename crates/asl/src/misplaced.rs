//! What stands in the wrong place of a definition, for people: a field of the machine inside `States`, a state outside of it or
//! inside another state. It is moved to where it was meant to stand, so that nothing is said of what follows from it.
//!
//! AWS does none of this: it complains of each consequence.

use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, STATE_TYPES, StateType};
use crate::location::Location;
use crate::node::{Member, Node, NodeKind};

/// Moves what is misplaced in a machine, and reports it. Recursion is bounded by the reader's limit of depth.
pub(crate) fn put_right(machine: &mut Node, report: &mut Report) {
    flow(machine, Holder::Machine, &Location::ROOT, report);
}

fn flow(node: &mut Node, holder: Holder, at: &Location<'_>, report: &mut Report) {
    fields_in_states(node, holder, at, report);
    let mut found = take_states(node, holder);
    for member in &found {
        let message = format!("The state '{}' stands outside of States", member.key);
        misplaced(member, message, "Move it into States; a closing brace may stand too early.", at, report);
    }
    let Some(states) = states_of(node) else { return };
    let states_at = at.key("States");
    for state in states.iter_mut() {
        let name = state.key.clone();
        let state_at = states_at.key(&name);
        let holder = kind(&state.value).map_or(Holder::UnknownState, Holder::State);
        for member in take_states(&mut state.value, holder) {
            let message = format!("The state '{}' stands inside of the state '{name}'", member.key);
            misplaced(&member, message, "Move it behind; a closing brace may be missing.", &state_at, report);
            found.push(member);
        }
    }
    states.append(&mut found);
    for state in states.iter_mut() {
        let name = state.key.clone();
        inner_flows(&mut state.value, &states_at.key(&name), report);
    }
}

/// Fields of the flow that stand among its states.
fn fields_in_states(node: &mut Node, holder: Holder, at: &Location<'_>, report: &mut Report) {
    let Some(states) = states_of(node) else { return };
    let is_field = |member: &Member| {
        member.key.as_ref() != "States" && !member.value.is_object() && holder.field(&member.key).is_some()
    };
    let found: Vec<Member> = states.extract_if(.., |member| is_field(member)).collect();
    for member in found {
        let message = format!("The field '{}' stands inside of States", member.key);
        misplaced(&member, message, "It belongs beside States.", &at.key("States"), report);
        if let NodeKind::Object(members) = &mut node.kind {
            members.push(member);
        }
    }
}

/// Takes out the members that look like states and are no fields.
fn take_states(node: &mut Node, holder: Holder) -> Vec<Member> {
    let NodeKind::Object(members) = &mut node.kind else { return Vec::new() };
    let is_state = |member: &Member| holder.field(&member.key).is_none() && kind(&member.value).is_some();
    members.extract_if(.., |member| is_state(member)).collect()
}

fn inner_flows(state: &mut Node, at: &Location<'_>, report: &mut Report) {
    let NodeKind::Object(members) = &mut state.kind else { return };
    for member in members {
        let at = at.key(&member.key);
        match (&*member.key, &mut member.value.kind) {
            ("ItemProcessor" | "Iterator", _) => flow(&mut member.value, Holder::Processor, &at, report),
            ("Branches", NodeKind::Array(branches)) => {
                for (index, branch) in branches.iter_mut().enumerate() {
                    flow(branch, Holder::Branch, &at.index(index), report);
                }
            }
            _ => {}
        }
    }
}

fn states_of(flow: &mut Node) -> Option<&mut Vec<Member>> {
    let NodeKind::Object(members) = &mut flow.kind else { return None };
    let states = members.iter_mut().rev().find(|member| &*member.key == "States")?;
    match &mut states.value.kind {
        NodeKind::Object(states) => Some(states),
        _ => None,
    }
}

/// The type of what looks like a state.
fn kind(node: &Node) -> Option<StateType> {
    let name = node.get("Type")?.as_str().filter(|name| STATE_TYPES.contains(name))?;
    StateType::from_name(name)
}

fn misplaced(member: &Member, message: String, help: &str, at: &Location<'_>, report: &mut Report) {
    let finding = Diagnostic::new(&codes::MISPLACED, message, at.to_string(), member.key_span);
    report.push(finding.help(help));
}

#[cfg(test)]
mod tests {
    use crate::{CompileOptions, diagnose};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = diagnose(text, &CompileOptions::default()).diagnostics;
        let found: Vec<String> =
            found.iter().map(|finding| format!("{} at {}", finding.message, finding.pointer)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn one_mistake_is_said_once() {
        // Everything behind is JSONata, and would be wrong in JSONPath.
        check(
            r#"{"StartAt":"A","States":{"QueryLanguage":"JSONata","A":{"Type":"Pass","Output":"{% 1 %}","Next":"B"},
                "B":{"Type":"Choice","Choices":[{"Condition":"{% true %}","Output":1,"Next":"C"}]},"C":{"Type":"Succeed","Output":2}}}"#,
            &["The field 'QueryLanguage' stands inside of States at /States"],
        );
        for field in [r#""Comment":"c""#, r#""TimeoutSeconds":5"#, r#""Version":"1.0""#] {
            let text = format!(r#"{{"StartAt":"A","States":{{{field},"A":{{"Type":"Succeed"}}}}}}"#);
            let name = field.split('"').nth(1).expect("a name");
            check(&text, &[&format!("The field '{name}' stands inside of States at /States")]);
        }
        check(
            r#"{"States":{"StartAt":"A","A":{"Type":"Succeed"}}}"#,
            &["The field 'StartAt' stands inside of States at /States"],
        );
        // A closing brace too early, and one that is missing.
        check(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}},"B":{"Type":"Pass","End":true}}"#,
            &["The state 'B' stands outside of States at /"],
        );
        check(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B","B":{"Type":"Pass","Next":"C"}},"C":{"Type":"Succeed"}}}"#,
            &["The state 'B' stands inside of the state 'A' at /States/A"],
        );
        check(
            r#"{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"A","States":{"Comment":"c","A":{"Type":"Pass","End":true}}}}}}"#,
            &["The field 'Comment' stands inside of States at /States/M/ItemProcessor/States"],
        );
        // A state may have any name.
        check(r#"{"StartAt":"Comment","States":{"Comment":{"Type":"Succeed"}}}"#, &[]);
    }

    #[test]
    fn consequences_are_left_out() {
        check(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"Bb"},"B":{"Type":"Pass","End":true}}}"#,
            &["Missing 'Next' target: Bb at /States/A/Next"],
        );
        check(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass"}}}"#,
            &["This object should have only one of the following fields: [Next, End] at /States/A"],
        );
        check(
            r#"{"StartAt":"A","States":{"A":{"End":true}}}"#,
            &["The field 'Type' is required at /States/A"],
        );
        check(r#"{"StartAt":"A","States":{}}"#, &["Value cannot be empty at /States"]);
        // All that is wrong by itself is said in one go.
        check(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Catch":[],"Next":"B"},"B":{"Type":"Wait","Next":"C"},"C":{"Type":"Succeed","End":true},"D":{"Type":"Succeed"}}}"#,
            &[
                "Field 'Catch' is not supported at /States/A",
                "This object should have only one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp] at /States/B",
                "Field 'End' is not supported at /States/C",
                "State \"D\" is not reachable. at /States/D",
            ],
        );
    }
}
