//! A branch or a Map's processor must not assign a variable of the flow around it.

use std::collections::{BTreeSet, HashSet};

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::{Member, Node};
use crate::outline::{FlowView, StateView, distributed};
use crate::program::{FlowId, QueryLanguage, StateId};
use crate::rules::targets::for_each_target;

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    let assigned = assigned_by_flow(context);
    for state in &context.outline.states {
        for member in assignments(state) {
            let name = name(state, member);
            // Looked up first, so that long flows are searched only for names that do meet.
            let meets = |owner: &StateId| {
                let flow = context.outline.state(*owner).map(|owner| owner.flow.0 as usize);
                flow.and_then(|flow| assigned.get(flow)).is_some_and(|names| names.contains(&name))
            };
            let mut meeting = owners(context, state.flow).filter(meets);
            if !meeting.any(|owner| defined_before(context, owner, &name)) {
                continue;
            }
            let message = format!("The variable name '{name}' was already defined in a parent scope.");
            let at = format!("{}/Assign", state.pointer);
            report.push(Diagnostic::new(&codes::SHADOWED_VARIABLE, message, at, member.key_span).help(
                "Inner flows can read the variables around them, but not assign them: use another name.",
            ));
        }
    }
}

/// The names that the states of each flow assign.
pub(crate) fn assigned_by_flow(context: &Context<'_>) -> Vec<HashSet<String>> {
    let names = |flow: &FlowView<'_>| {
        let states = flow.states.iter().filter_map(|id| context.outline.state(*id));
        states.flat_map(|state| assignments(state).map(|member| name(state, member))).collect()
    };
    context.outline.flows.iter().map(names).collect()
}

/// The states around `flow` whose variables it sees, the nearest first.
fn owners<'c>(context: &'c Context<'_>, flow: FlowId) -> impl Iterator<Item = StateId> + 'c {
    let owner = move |flow: FlowId| {
        let id = context.outline.flow(flow)?.owner?;
        // The executions of a distributed Map have variables of their own.
        context.outline.state(id).filter(|state| !distributed(state.node)).map(|_| id)
    };
    std::iter::successors(owner(flow), move |id| owner(context.outline.state(*id)?.flow))
}

/// Whether a state that runs before `owner`, in its flow, assigns the variable on the way there. What the owner assigns itself
/// comes after its branches.
fn defined_before(context: &Context<'_>, owner: StateId, name: &str) -> bool {
    let Some(flow) = context.outline.state(owner).and_then(|state| context.outline.flow(state.flow)) else {
        return false;
    };
    let others = flow.states.iter().filter(|id| **id != owner).filter_map(|id| context.outline.state(*id));
    let ways = others.flat_map(|state| ways_behind(state, name));
    ways.filter_map(|target| flow.by_name.get(target)).any(|first| leads_to(context, flow, *first, owner))
}

/// Where a state leads to when it has assigned the variable: `Assign` of the state goes with `Next` or `Default`, that of a rule or
/// a catcher with its own `Next`.
fn ways_behind<'s>(state: &'s StateView<'_>, name: &str) -> Vec<&'s str> {
    let assigns = |node: &Node| {
        let members = node.get("Assign").map(Node::members).unwrap_or_default();
        members.iter().any(|member| self::name(state, member) == name)
    };
    let mut ways = Vec::new();
    if assigns(state.node) {
        ways.extend(["Next", "Default"].into_iter().filter_map(|field| state.node.get(field)?.as_str()));
    }
    let lists = ["Choices", "Catch"].into_iter().filter_map(|field| state.node.get(field));
    let items = lists.flat_map(Node::items).filter(|item| assigns(item));
    ways.extend(items.filter_map(|item| item.get("Next")?.as_str()));
    ways
}

/// Whether one state is another, or leads to it.
fn leads_to(context: &Context<'_>, flow: &FlowView<'_>, from: StateId, to: StateId) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        let Some(state) = context.outline.state(id) else { continue };
        for_each_target(state, |node, _| {
            let target = node.as_str().and_then(|name| flow.by_name.get(name));
            open.extend(target.filter(|id| seen.insert(**id)));
        });
    }
    false
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

#[cfg(test)]
mod tests {
    use crate::rules::testing::machine;

    #[test]
    fn table() {
        let with = |first: &str, second: &str| {
            format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Assign":{{"{first}":1}},"Next":"M"}},"M":{{"Type":"Map","Assign":{{"own":1}},"End":true,"ItemProcessor":{{"StartAt":"P","States":{{"P":{{"Type":"Pass","Assign":{{"{second}":1}},"End":true}}}}}}}}}}}}"#
            )
        };
        let shadowed = "DUPLICATE_VARIABLE_NAME: The variable name 'x' was already defined in a parent scope. at /States/M/ItemProcessor/States/P/Assign";
        machine(&with("x", "x"), &[shadowed]);
        machine(&with("x", "y"), &[]);
        // What counts is the way on which the variable is assigned.
        let choice = |rule: &str, state: &str, target: &str| {
            format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Choice"{state},"Choices":[{{"Variable":"$","IsNull":true{rule},"Next":"{target}"}}],"Default":"P"}},"Z":{{"Type":"Succeed"}},
                "Y":{{"Type":"Pass","Next":"{target}"}},"P":{{"Type":"Parallel","End":true,"Branches":[{{"StartAt":"X","States":{{"X":{{"Type":"Pass","Assign":{{"x":2}},"End":true}}}}}}]}}}}}}"#
            )
            .replace(r#""Y":{"Type":"Pass","Next":"Z"},"#, "")
        };
        let (assign, shadowed) = (
            r#","Assign":{"x":1}"#,
            "DUPLICATE_VARIABLE_NAME: The variable name 'x' was already defined in a parent scope. at /States/P/Branches[0]/States/X/Assign",
        );
        machine(&choice(assign, "", "Z"), &[]);
        machine(&choice("", assign, "Z"), &[shadowed]);
        // What the Map assigns itself comes after its iterations.
        machine(&with("x", "own"), &[]);
    }
}
