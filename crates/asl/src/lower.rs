//! A checked definition to the [`Program`]: one file per kind of thing.
//!
//! The checks have refused what cannot be lowered; should something slip through, it is reported as
//! [`codes::NOT_COMPILED`] rather than guessed. Texts with open substitutions become literals or defaults.

mod choice;
mod fail;
mod map;
mod retry;
mod setting;
mod state;
mod task;
mod template;
mod wait;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::options::CompileOptions;
use crate::outline::{FlowView, Outline, StateView};
use crate::program::{Flow, FlowId, Kind, Program, Resource, State, StateId, Transition};

pub(crate) type Lowered<T> = Result<T, Box<Diagnostic>>;

/// What is known while one state is lowered.
pub(crate) struct Scope<'l, 'a> {
    pub(crate) outline: &'l Outline<'a>,
    pub(crate) options: &'l CompileOptions,
    pub(crate) state: &'l StateView<'a>,
    /// The variables that its fields read, as far as it is lowered.
    pub(crate) variables: BTreeSet<Arc<str>>,
    /// For states that stand alone: targets are placeholders, made as they are met.
    pub(crate) placeholders: Option<&'l mut Placeholders>,
}

/// States that are only names, for a state that is tested alone.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) first: u32,
}

impl Placeholders {
    fn id(&mut self, name: &str) -> StateId {
        let at = self.names.iter().position(|known| &**known == name).unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        StateId(self.first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)))
    }
}

impl<'l> Scope<'l, '_> {
    /// The members of the state itself.
    pub(crate) fn get(&self, field: &str) -> Option<&'l Node> {
        self.state.node.get(field)
    }

    pub(crate) fn failed(&self, what: &str, node: &Node) -> Box<Diagnostic> {
        let message = format!("{what} cannot be compiled");
        Box::new(Diagnostic::new(&codes::NOT_COMPILED, message, self.state.pointer.clone(), node.span))
    }

    /// The state that `node` names.
    pub(crate) fn target(&mut self, node: &Node) -> Lowered<StateId> {
        let name = node.as_str().ok_or_else(|| self.failed("A transition", node))?;
        if let Some(placeholders) = &mut self.placeholders {
            return Ok(placeholders.id(name));
        }
        let flow = self.outline.flow(self.state.flow);
        let known = flow.and_then(|flow| flow.by_name.get(name)).copied();
        match known {
            Some(id) => Ok(id),
            // A name that is not known yet: any state will do.
            None if self.options.is_open(name) => flow
                .and_then(|flow| flow.states.first())
                .copied()
                .ok_or_else(|| self.failed("A transition", node)),
            None => Err(self.failed("A transition", node)),
        }
    }

    pub(crate) fn transition(&mut self) -> Lowered<Option<Transition>> {
        if !self.state.kind.is_some_and(|kind| kind.has_transition()) {
            return Ok(None);
        }
        match self.get("Next") {
            Some(next) => Ok(Some(Transition::Next(self.target(next)?))),
            None => Ok(Some(Transition::End)),
        }
    }
}

/// Lowers a whole machine.
pub(crate) fn machine(outline: &Outline<'_>, options: &CompileOptions) -> Lowered<Program> {
    let mut flows = Vec::with_capacity(outline.flows.len());
    for view in &outline.flows {
        flows.push(Flow { start_at: start_at(view, options)?, owner: view.owner });
    }
    let mut states = Vec::with_capacity(outline.states.len());
    for view in &outline.states {
        let variables = BTreeSet::new();
        states.push(state::lower(Scope { outline, options, state: view, variables, placeholders: None })?);
    }
    let timeout_s = outline.flows.first().and_then(|flow| flow.node.get("TimeoutSeconds")).and_then(integer);
    let activities = activities(&states);
    Ok(Program { flows, states, timeout_s, activities })
}

/// Lowers a state that stands alone; what it leads to becomes Succeed states of these names behind the others.
pub(crate) fn single_state(outline: &Outline<'_>, options: &CompileOptions) -> Lowered<Program> {
    let mut placeholders =
        Placeholders { names: Vec::new(), first: u32::try_from(outline.states.len()).unwrap_or(u32::MAX) };
    let mut states = Vec::with_capacity(outline.states.len() + 1);
    for (index, view) in outline.states.iter().enumerate() {
        let alone = (index == 0).then_some(&mut placeholders);
        let variables = BTreeSet::new();
        states.push(state::lower(Scope { outline, options, state: view, variables, placeholders: alone })?);
    }
    states.extend(placeholders.names.into_iter().map(state::placeholder));
    let mut flows = vec![Flow { start_at: StateId(0), owner: None }];
    for view in outline.flows.iter().skip(1) {
        flows.push(Flow { start_at: start_at(view, options)?, owner: view.owner });
    }
    let activities = activities(&states);
    Ok(Program { flows, states, timeout_s: None, activities })
}

fn activities(states: &[State]) -> Vec<Arc<str>> {
    let arns = states.iter().filter_map(|state| match &state.kind {
        Kind::Task(task) => match &task.resource {
            Resource::Activity { arn } => Some(arn.clone()),
            _ => None,
        },
        _ => None,
    });
    arns.collect::<BTreeSet<Arc<str>>>().into_iter().collect()
}

fn start_at(flow: &FlowView<'_>, options: &CompileOptions) -> Lowered<StateId> {
    let name = flow.node.get("StartAt").and_then(Node::as_str).unwrap_or_default();
    let known = flow.by_name.get(name).copied();
    let open = || flow.states.first().copied().filter(|_| options.is_open(name));
    known.or_else(open).ok_or_else(|| {
        let message = "StartAt cannot be compiled";
        Box::new(Diagnostic::new(&codes::NOT_COMPILED, message, flow.pointer.clone(), flow.node.span))
    })
}

/// A whole number that a check has looked at.
pub(crate) fn integer(node: &Node) -> Option<i64> {
    let number = node.as_number()?;
    // Beyond 64 bits is as much as any limit allows.
    Some(number.as_i64().unwrap_or(if number.as_f64() < 0.0 { i64::MIN } else { i64::MAX }))
}

pub(crate) fn flow_of(scope: &Scope<'_, '_>) -> Lowered<FlowId> {
    scope.state.flows.first().copied().ok_or_else(|| scope.failed("The processor", scope.state.node))
}
