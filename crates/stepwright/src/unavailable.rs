//! States that call what this version cannot: told when a definition is judged or run, before an execution finds out.

use stepwright_asl::program::{Kind, Program, Resource, State};

use crate::row::clean;

/// States that are named; of more, only the number.
const STATES_MAX: usize = 10;

/// One line for people; `None` where everything can be called.
pub fn line(name: &str, program: &Program) -> Option<String> {
    let found: Vec<String> = program.states.iter().filter_map(unavailable).collect();
    if found.is_empty() {
        return None;
    }
    let named = found.get(..STATES_MAX.min(found.len())).unwrap_or_default().join(", ");
    let more = match found.len() - STATES_MAX.min(found.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "note: {name} calls what this version cannot run: {named}{more} (`run --mock STATE=JSON` answers in their place)\n"
    ))
}

/// `STATE (SERVICE:ACTION)`
fn unavailable(state: &State) -> Option<String> {
    let Kind::Task(task) = &state.kind else { return None };
    let Resource::Integration(integration) = &task.resource else { return None };
    let (service, action) = (&*integration.service, &*integration.action);
    let is_available =
        matches!((service, action), ("lambda", "invoke") | ("states", "startExecution") | ("aws-sdk:sfn", _));
    let name = || format!("{} ({})", clean(&state.name), clean(&format!("{service}:{action}")));
    (!is_available).then(name)
}
