//! A branch or a Map's processor must not assign a variable of the flow around it.

use std::collections::BTreeSet;

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::{Member, Node};
use crate::outline::{StateView, distributed};
use crate::program::{FlowId, QueryLanguage};

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    let assigned: Vec<BTreeSet<String>> = context
        .outline
        .flows
        .iter()
        .map(|flow| {
            let states = flow.states.iter().filter_map(|id| context.outline.state(*id));
            states.flat_map(|state| assignments(state).map(|member| name(state, member))).collect()
        })
        .collect();
    for state in &context.outline.states {
        for member in assignments(state) {
            let name = name(state, member);
            let outer = outer_flows(context, state.flow)
                .any(|flow| assigned.get(flow.0 as usize).is_some_and(|names| names.contains(&name)));
            if outer {
                let message = format!("The variable name '{name}' was already defined in a parent scope.");
                let at = format!("{}/Assign", state.pointer);
                report.push(Diagnostic::new(&codes::SHADOWED_VARIABLE, message, at, member.key_span).help(
                    "Inner flows can read the variables around them, but not assign them: use another name.",
                ));
            }
        }
    }
}

/// The flows around `flow` whose variables it sees, the nearest first.
fn outer_flows<'c>(context: &'c Context<'_>, flow: FlowId) -> impl Iterator<Item = FlowId> + 'c {
    let around = move |flow: FlowId| {
        let owner = context.outline.state(context.outline.flow(flow)?.owner?)?;
        // The executions of a distributed Map have variables of their own.
        (!distributed(owner.node)).then_some(owner.flow)
    };
    std::iter::successors(around(flow), move |flow| around(*flow))
}

/// The assignments of a state, its rules and its catchers.
pub(crate) fn assignments<'s>(state: &'s StateView<'_>) -> impl Iterator<Item = &'s Member> {
    let lists = ["Choices", "Catch"];
    let inner = lists.into_iter().filter_map(|field| state.node.get(field)).flat_map(Node::items);
    std::iter::once(state.node).chain(inner).filter_map(|node| node.get("Assign")).flat_map(Node::members)
}

pub(crate) fn name(state: &StateView<'_>, member: &Member) -> String {
    match state.language {
        QueryLanguage::JsonPath => member.key.strip_suffix(".$").unwrap_or(&member.key).to_owned(),
        QueryLanguage::Jsonata => member.key.to_string(),
    }
}
