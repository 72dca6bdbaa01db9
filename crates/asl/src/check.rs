//! The walk over a definition that asks every rule.
//!
//! Fields first, one object at a time in the order of the text; then names and transitions, also where fields had errors: so AWS
//! reports them, in one answer. Warnings about one object come with its errors; those about the whole come last, for definitions
//! without errors (see `rules::warnings`).

use crate::diagnostic::Report;
use crate::fields::{Field, Holder, Only, Shape};
use crate::location::Location;
use crate::node::{Member, Node};
use crate::options::CompileOptions;
use crate::outline::{Outline, StateView};
use crate::program::{FlowId, QueryLanguage};
use crate::rules;

/// What rules may look at.
pub(crate) struct Context<'a> {
    pub(crate) outline: &'a Outline<'a>,
    pub(crate) options: &'a CompileOptions,
    /// Whether the machine is only a frame around a state that stands alone.
    pub(crate) alone: bool,
}

/// One object of a definition.
pub(crate) struct Site<'s> {
    pub(crate) context: &'s Context<'s>,
    pub(crate) holder: Holder,
    pub(crate) node: &'s Node,
    pub(crate) at: &'s Location<'s>,
    pub(crate) language: QueryLanguage,
    /// The state it belongs to, or is.
    pub(crate) state: Option<&'s StateView<'s>>,
}

/// One field of an object.
pub(crate) struct FieldSite<'s> {
    pub(crate) site: &'s Site<'s>,
    pub(crate) field: Field,
    pub(crate) member: &'s Member,
    /// Of the value.
    pub(crate) at: &'s Location<'s>,
}

impl Site<'_> {
    /// Whether `field` belongs to the site's query language.
    pub(crate) fn speaks(&self, field: &Field) -> bool {
        match field.only {
            Only::Both => true,
            Only::JsonPath => self.language == QueryLanguage::JsonPath,
            Only::Jsonata => self.language == QueryLanguage::Jsonata,
        }
    }
}

impl FieldSite<'_> {
    pub(crate) fn value(&self) -> &Node {
        &self.member.value
    }

    pub(crate) fn jsonata(&self) -> bool {
        self.site.language == QueryLanguage::Jsonata
    }

    /// Whether the value has a substitution in it, and so cannot be judged.
    pub(crate) fn is_open(&self) -> bool {
        self.value().as_str().is_some_and(|text| self.site.context.options.is_open(text))
    }
}

/// Asks all rules about a machine.
pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    flow(context, FlowId(0), &Location::ROOT, report);
    rules::nesting::check(context, report);
    transitions(context, report);
}

/// Asks about names and transitions.
fn transitions(context: &Context<'_>, report: &mut Report) {
    rules::state_names::check(context, report);
    rules::labels::check(context, report);
    rules::variable_scopes::check(context, report);
    rules::targets::check(context, report);
    if !context.alone {
        rules::terminal_state::check(context, report);
    }
}

/// Asks the rules about a state that stands alone: where it leads to is not looked at.
pub(crate) fn check_state(context: &Context<'_>, report: &mut Report) {
    if let Some(state) = context.outline.states.first() {
        let states = Location::ROOT.key("States");
        state_site(context, state, &states.key(state.name), report);
    }
    rules::nesting::check(context, report);
    transitions(context, report);
}

fn flow(context: &Context<'_>, id: FlowId, at: &Location<'_>, report: &mut Report) {
    let Some(view) = context.outline.flow(id) else { return };
    let owner = view.owner.and_then(|id| context.outline.state(id));
    let holder = match owner.and_then(|owner| owner.kind) {
        None => Holder::Machine,
        Some(crate::fields::StateType::Map) => Holder::Processor,
        Some(_) => Holder::Branch,
    };
    let language = context.outline.language;
    let site = Site { context, holder, node: view.node, at, language, state: owner };
    object(&site, report);
    let Some(states) = view.node.get("States") else { return };
    let states_at = at.key("States");
    let mut views = view.states.iter().filter_map(|id| context.outline.state(*id));
    for member in states.members() {
        let at = states_at.key(&member.key);
        if !member.value.is_object() {
            rules::field_types::wrong_type("Object", member.value.span, &at, report);
        } else if let Some(state) = views.next() {
            state_site(context, state, &at, report);
        }
    }
}

fn state_site(context: &Context<'_>, state: &StateView<'_>, at: &Location<'_>, report: &mut Report) {
    let holder = state.kind.map_or(Holder::UnknownState, Holder::State);
    let site = Site { context, holder, node: state.node, at, language: state.language, state: Some(state) };
    object(&site, report);
}

/// Asks about one object, and then about what it holds.
fn object(site: &Site<'_>, report: &mut Report) {
    rules::required_fields::check(site, report);
    rules::unsupported_fields::check(site, report);
    rules::query_language::check(site, report);
    rules::exclusive_fields::check(site, report);
    match site.holder {
        Holder::State(_) => {
            rules::task_times::check(site, report);
            rules::integration_parameters::check(site, report);
            rules::no_timeout::check(site, report);
            rules::map_modes::check_map(site, report);
            rules::dead_handlers::check(site, report);
        }
        Holder::Retrier => rules::many_retries::check(site, report),
        Holder::ChoiceRule | Holder::NestedRule => rules::choice_rules::check(site, report),
        Holder::ProcessorConfig => rules::map_modes::check(site, report),
        Holder::Credentials => rules::credentials::check(site, report),
        Holder::ReaderConfig => rules::reader_config::check(site, report),
        Holder::ResultWriter => rules::result_writer::check(site, report),
        _ => {}
    }
    let mut flows = site.state.filter(|_| site.holder.is_state()).map(|state| state.flows.iter().copied());
    for member in site.node.members() {
        let Some(field) = site.holder.field(&member.key).filter(|field| site.speaks(field)) else { continue };
        let at = site.at.key(&member.key);
        let place = FieldSite { site, field, member, at: &at };
        rules::field(&place, report);
        match field.shape {
            Shape::Object(Holder::Processor) if member.value.is_object() => {
                if let Some(id) = flows.as_mut().and_then(Iterator::next) {
                    flow(site.context, id, &at, report);
                }
            }
            Shape::List(Holder::Branch, _) => {
                for (index, branch) in member.value.items().iter().enumerate() {
                    if branch.is_object()
                        && let Some(id) = flows.as_mut().and_then(Iterator::next)
                    {
                        flow(site.context, id, &at.index(index), report);
                    }
                }
            }
            Shape::Object(holder) if member.value.is_object() => {
                nested(site, holder, &member.value, &at, report)
            }
            Shape::List(holder, _) => {
                for (index, item) in member.value.items().iter().enumerate() {
                    if item.is_object() {
                        nested(site, holder, item, &at.index(index), report);
                    }
                }
            }
            _ => {}
        }
    }
}

fn nested(site: &Site<'_>, holder: Holder, node: &Node, at: &Location<'_>, report: &mut Report) {
    object(
        &Site { context: site.context, holder, node, at, language: site.language, state: site.state },
        report,
    );
}
