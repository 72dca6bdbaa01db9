//! States that lead to no end, and states that no execution comes to.

use std::collections::{HashMap, HashSet};

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;
use crate::outline::FlowView;
use crate::program::StateId;
use crate::rules::targets::{for_each_target, has_open_target};
use crate::rules::terminal_state::ends;

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    for flow in context.outline.flows.iter().filter(|flow| !has_open_target(context, flow)) {
        let edges = edges(context, flow);
        let reached = closure(start(flow).into_iter().collect(), &edges);
        islands(context, flow, &reached, report);
        traps(context, flow, &edges, &reached, report);
    }
}

fn start(flow: &FlowView<'_>) -> Option<StateId> {
    flow.by_name.get(flow.node.get("StartAt").and_then(Node::as_str)?).copied()
}

fn edges(context: &Context<'_>, flow: &FlowView<'_>) -> HashMap<StateId, Vec<StateId>> {
    let mut edges: HashMap<StateId, Vec<StateId>> = HashMap::new();
    for id in &flow.states {
        let Some(state) = context.outline.state(*id) else { continue };
        let targets = edges.entry(*id).or_default();
        for_each_target(state, |node, _| {
            targets.extend(node.as_str().and_then(|name| flow.by_name.get(name)));
        });
    }
    edges
}

/// Where one gets to from `from`, itself included.
fn closure(from: Vec<StateId>, edges: &HashMap<StateId, Vec<StateId>>) -> HashSet<StateId> {
    let mut seen: HashSet<StateId> = from.iter().copied().collect();
    let mut open = from;
    while let Some(id) = open.pop() {
        let next = edges.get(&id).map(Vec::as_slice).unwrap_or_default();
        open.extend(next.iter().copied().filter(|id| seen.insert(*id)));
    }
    seen
}

/// AWS refuses a state that nothing leads to, but not a circle of states that nothing outside leads to.
fn islands(context: &Context<'_>, flow: &FlowView<'_>, reached: &HashSet<StateId>, report: &mut Report) {
    for state in
        flow.states.iter().filter(|id| !reached.contains(id)).filter_map(|id| context.outline.state(*id))
    {
        let message = format!("No execution ever comes to the state '{}'", state.name);
        report.push(
            Diagnostic::new(&codes::ISLAND, message, state.pointer.clone(), state.name_span)
                .help("Only states that are not reached themselves lead to it."),
        );
    }
}

fn traps(
    context: &Context<'_>,
    flow: &FlowView<'_>,
    edges: &HashMap<StateId, Vec<StateId>>,
    reached: &HashSet<StateId>,
    report: &mut Report,
) {
    let mut back: HashMap<StateId, Vec<StateId>> = HashMap::new();
    for (from, targets) in edges {
        for target in targets {
            back.entry(*target).or_default().push(*from);
        }
    }
    let finals =
        flow.states.iter().copied().filter(|id| context.outline.state(*id).is_some_and(ends)).collect();
    let ending = closure(finals, &back);
    let trapped = flow.states.iter().find(|id| reached.contains(id) && !ending.contains(id));
    if let Some(state) = trapped.and_then(|id| context.outline.state(*id)) {
        let message = format!("From the state '{}' no way leads to an end", state.name);
        report.push(
            Diagnostic::new(&codes::NO_WAY_OUT, message, state.pointer.clone(), state.name_span)
                .help("The execution goes round in circles until something fails: give the loop an exit."),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::machine;

    #[test]
    fn table() {
        machine(
            r#"{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$","IsNull":true,"Next":"B"}],"Default":"C"},"B":{"Type":"Pass","Next":"B"},"C":{"Type":"Succeed"}}}"#,
            &["SW1107: From the state 'B' no way leads to an end at /States/B"],
        );
        machine(
            r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"B"}}}"#,
            &[
                "SW1108: No execution ever comes to the state 'B' at /States/B",
                "SW1108: No execution ever comes to the state 'C' at /States/C",
            ],
        );
    }
}
