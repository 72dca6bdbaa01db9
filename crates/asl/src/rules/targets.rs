//! Every transition leads to a state of the same flow, and every state is led to.

use std::collections::HashSet;

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::location::Location;
use crate::node::Node;
use crate::outline::{FlowView, StateView};
use crate::spelling;

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    let flows = context.outline.flows.iter().skip(usize::from(context.alone));
    for flow in flows.filter(|flow| flow.is_whole()) {
        let mut led_to: HashSet<&str> = HashSet::new();
        let open = has_open_target(context, flow);
        let at = Location::from_text(&flow.pointer);
        if let Some(start) = flow.node.get("StartAt") {
            target(context, flow, start, &at.key("StartAt"), &mut led_to, report);
        }
        for state in flow.states.iter().filter_map(|id| context.outline.state(*id)) {
            for_each_target(state, |node, at| target(context, flow, node, at, &mut led_to, report));
        }
        if !open {
            unreachable(context, flow, &led_to, report);
        }
    }
}

/// Whether a transition of the flow leads to a state whose name is not known yet.
pub(crate) fn has_open_target(context: &Context<'_>, flow: &FlowView<'_>) -> bool {
    let is_open = |node: &Node| node.as_str().is_some_and(|name| context.options.is_open(name));
    let mut open = flow.node.get("StartAt").is_some_and(is_open);
    for state in flow.states.iter().filter_map(|id| context.outline.state(*id)) {
        for_each_target(state, |node, _| open |= is_open(node));
    }
    open
}

/// Gives every transition of a state: the name of the target, and where it stands.
pub(crate) fn for_each_target<'s>(state: &'s StateView<'_>, mut each: impl FnMut(&'s Node, &Location<'_>)) {
    let at = Location::from_text(&state.pointer);
    if let Some(next) = state.node.get("Next") {
        each(next, &at.key("Next"));
    }
    for field in ["Choices", "Catch"] {
        let list = at.key(field);
        for (index, item) in state.node.get(field).map(Node::items).unwrap_or_default().iter().enumerate() {
            if let Some(next) = item.get("Next") {
                each(next, &list.index(index).key("Next"));
            }
        }
    }
    if let Some(default) = state.node.get("Default") {
        each(default, &at.key("Default"));
    }
}

fn target<'s>(
    context: &Context<'_>,
    flow: &FlowView<'s>,
    node: &'s Node,
    at: &Location<'_>,
    led_to: &mut HashSet<&'s str>,
    report: &mut Report,
) {
    let Some(name) = node.as_str().filter(|name| !context.options.is_open(name)) else { return };
    led_to.insert(name);
    // One that is no object is there, if wrong.
    if flow.node.get("States").is_some_and(|states| states.has(name)) {
        return;
    }
    let message = format!("Missing 'Next' target: {name}");
    let mut diagnostic = Diagnostic::new(&codes::MISSING_TARGET, message, at.to_string(), node.span)
        .follows(flow.states.is_empty());
    let names = flow.states.iter().filter_map(|id| context.outline.state(*id)).map(|state| &**state.name);
    let elsewhere = context.outline.states.iter().find(|state| &**state.name == name);
    if let Some(close) = spelling::closest(name, names) {
        let mut quoted = String::new();
        stepwright_value::write_string(close, &mut quoted);
        diagnostic = diagnostic.help(format!("Did you mean {close}?")).fix(node.span, quoted);
    } else if let Some(state) = elsewhere {
        diagnostic = diagnostic
            .help("A transition cannot leave its branch or Map processor, nor enter another.")
            .note("There is a state of this name in another flow", state.name_span);
    }
    report.push(diagnostic);
}

fn unreachable(context: &Context<'_>, flow: &FlowView<'_>, led_to: &HashSet<&str>, report: &mut Report) {
    // Most likely it is the state that was meant.
    let astray = led_to.iter().any(|name| !flow.by_name.contains_key(*name));
    for state in flow.states.iter().filter_map(|id| context.outline.state(*id)) {
        if led_to.contains(&**state.name) {
            continue;
        }
        report.push(
            Diagnostic::new(
                &codes::UNREACHABLE_STATE,
                format!("State \"{}\" is not reachable.", state.name),
                state.pointer.clone(),
                state.name_span,
            )
            .help("No transition leads to it: lead one there, or remove the state.")
            .follows(astray),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{machine, state};

    #[test]
    fn table() {
        machine(
            r#"{"StartAt":"pass1","States":{"pass1":{"Type":"Pass","Next":"pass3"},"pass2":{"Type":"Pass","End":true}}}"#,
            &[
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at /States/pass1/Next",
                "MISSING_TRANSITION_TARGET: State \"pass2\" is not reachable. at /States/pass2",
            ],
        );
        machine(
            r#"{"StartAt":"Not sure","States":{"Pass One":{"Type":"Pass","Next":"Success"},"Success":{"Type":"Succeed"}}}"#,
            &[
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: Not sure at /StartAt",
                "MISSING_TRANSITION_TARGET: State \"Pass One\" is not reachable. at /States/Pass One",
            ],
        );
        state(
            r#""Type":"Choice","Default":"U","Choices":[{"Variable":"$","IsNull":true,"Next":"V"}]"#,
            &[
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: V at /Choices[0]/Next",
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: U at /Default",
                "MISSING_END_STATE: Workflow has no terminal state at ",
            ],
        );
        // A branch cannot be left.
        state(
            r#""Type":"Parallel","Next":"T","Branches":[{"StartAt":"P","States":{"P":{"Type":"Pass","Next":"T"}}}]"#,
            &["MISSING_TRANSITION_TARGET: Missing 'Next' target: T at /Branches[0]/States/P/Next"],
        );
    }
}
