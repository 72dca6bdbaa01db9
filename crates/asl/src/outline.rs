//! The skeleton of a definition: its flows and states, numbered.
//!
//! Made before anything is checked, from whatever is there, so that every check and the lowering speak of the same
//! states by the same numbers. What is not an object where a flow or a state should be is left out; the field checks
//! complain about it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::fields::StateType;
use crate::node::{Node, Span};
use crate::program::{FlowId, QueryLanguage, StateId};

/// Flows and states in the order of the text, each before what it holds.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) flows: Vec<FlowView<'a>>,
    pub(crate) states: Vec<StateView<'a>>,
    /// States that nest deeper than AWS allows: they are not looked into.
    pub(crate) too_deep: Vec<StateId>,
    pub(crate) language: QueryLanguage,
}

/// A flow: the machine, a branch, or a processor.
#[derive(Debug)]
pub(crate) struct FlowView<'a> {
    pub(crate) node: &'a Node,
    /// Empty for the machine, else `/States/Map/ItemProcessor`.
    pub(crate) pointer: String,
    pub(crate) owner: Option<StateId>,
    /// Its states in order.
    pub(crate) states: Vec<StateId>,
    /// Its states by name; of two of one name, the last.
    pub(crate) by_name: HashMap<&'a str, StateId>,
}

impl FlowView<'_> {
    /// Whether it says where it starts and has states: else AWS does not look at its transitions.
    pub(crate) fn is_whole(&self) -> bool {
        self.node.get("StartAt").is_some_and(|start| start.as_str().is_some())
            && self.node.get("States").is_some_and(Node::is_object)
    }
}

#[derive(Debug)]
pub(crate) struct StateView<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) name_span: Span,
    pub(crate) node: &'a Node,
    pub(crate) pointer: String,
    pub(crate) flow: FlowId,
    /// `None` when it is missing or unknown.
    pub(crate) kind: Option<StateType>,
    pub(crate) language: QueryLanguage,
    /// The flows it holds: the branches in order, or the processor.
    pub(crate) flows: Vec<FlowId>,
    /// Whether a distributed Map's own executions run it, and of which type they are.
    pub(crate) child_execution: Option<ChildExecution>,
}

/// The kind of executions that run the states within a distributed Map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ChildExecution {
    Standard,
    Express,
}

impl<'a> Outline<'a> {
    pub(crate) fn new(machine: &'a Node) -> Outline<'a> {
        let language = language_of(machine).unwrap_or(QueryLanguage::JsonPath);
        let mut outline = Outline { flows: Vec::new(), states: Vec::new(), too_deep: Vec::new(), language };
        outline.add_flow(machine, String::new(), None, None, 0);
        outline
    }

    pub(crate) fn state(&self, id: StateId) -> Option<&StateView<'a>> {
        self.states.get(id.0 as usize)
    }

    pub(crate) fn flow(&self, id: FlowId) -> Option<&FlowView<'a>> {
        self.flows.get(id.0 as usize)
    }

    fn add_flow(
        &mut self,
        node: &'a Node,
        pointer: String,
        owner: Option<StateId>,
        child_execution: Option<ChildExecution>,
        depth: usize,
    ) -> FlowId {
        let id = FlowId(u32::try_from(self.flows.len()).unwrap_or(u32::MAX));
        self.flows.push(FlowView { node, pointer, owner, states: Vec::new(), by_name: HashMap::new() });
        let members = node.get("States").map(Node::members).unwrap_or_default();
        for member in members.iter().filter(|member| member.value.is_object()) {
            self.add_state(&member.key, member.key_span, &member.value, id, child_execution, depth);
        }
        id
    }

    fn add_state(
        &mut self,
        name: &'a Arc<str>,
        name_span: Span,
        node: &'a Node,
        flow: FlowId,
        child_execution: Option<ChildExecution>,
        depth: usize,
    ) {
        let id = StateId(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
        let Some(view) = self.flows.get_mut(flow.0 as usize) else { return };
        view.states.push(id);
        view.by_name.insert(name, id);
        let pointer = format!("{}/States/{name}", view.pointer);
        let kind = node.get("Type").and_then(Node::as_str).and_then(StateType::from_name);
        let language = language_of(node).unwrap_or(self.language);
        self.states.push(StateView {
            name,
            name_span,
            node,
            pointer: pointer.clone(),
            flow,
            kind,
            language,
            flows: Vec::new(),
            child_execution,
        });
        if depth >= stepwright_types::limit::NESTING_MAX {
            self.too_deep.push(id);
            return;
        }
        let flows = match kind {
            Some(StateType::Parallel) => self.add_branches(node, &pointer, id, child_execution, depth),
            Some(StateType::Map) => self.add_processor(node, &pointer, id, child_execution, depth),
            _ => Vec::new(),
        };
        if let Some(state) = self.states.get_mut(id.0 as usize) {
            state.flows = flows;
        }
    }

    fn add_branches(
        &mut self,
        node: &'a Node,
        pointer: &str,
        owner: StateId,
        child_execution: Option<ChildExecution>,
        depth: usize,
    ) -> Vec<FlowId> {
        let branches = node.get("Branches").map(Node::items).unwrap_or_default();
        let objects = branches.iter().enumerate().filter(|(_, branch)| branch.is_object());
        objects
            .map(|(at, branch)| {
                self.add_flow(
                    branch,
                    format!("{pointer}/Branches[{at}]"),
                    Some(owner),
                    child_execution,
                    depth + 1,
                )
            })
            .collect()
    }

    fn add_processor(
        &mut self,
        node: &'a Node,
        pointer: &str,
        owner: StateId,
        child_execution: Option<ChildExecution>,
        depth: usize,
    ) -> Vec<FlowId> {
        let Some(member) = processor(node) else { return Vec::new() };
        let child_execution = match distributed(node) {
            true => Some(match execution_type(node) {
                Some("EXPRESS") => ChildExecution::Express,
                _ => ChildExecution::Standard,
            }),
            false => child_execution,
        };
        let pointer = format!("{pointer}/{}", member.key);
        vec![self.add_flow(&member.value, pointer, Some(owner), child_execution, depth + 1)]
    }
}

/// `ItemProcessor`, or the legacy `Iterator`, of a Map state.
pub(crate) fn processor(map: &Node) -> Option<&crate::node::Member> {
    map.member("ItemProcessor").or_else(|| map.member("Iterator")).filter(|member| member.value.is_object())
}

fn processor_config(map: &Node) -> Option<&Node> {
    processor(map)?.value.get("ProcessorConfig")
}

/// Whether a Map state is distributed.
pub(crate) fn distributed(map: &Node) -> bool {
    processor_config(map).and_then(|config| config.get("Mode")).and_then(Node::as_str) == Some("DISTRIBUTED")
}

/// `ExecutionType` of a Map state.
pub(crate) fn execution_type(map: &Node) -> Option<&str> {
    processor_config(map)?.get("ExecutionType")?.as_str()
}

/// The query language that a machine or state names. AWS takes every value but `JSONPath` for JSONata, and complains
/// of the value apart.
fn language_of(node: &Node) -> Option<QueryLanguage> {
    let value = node.get("QueryLanguage")?;
    Some(if value.as_str() == Some("JSONPath") { QueryLanguage::JsonPath } else { QueryLanguage::Jsonata })
}
