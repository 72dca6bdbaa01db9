//! How deep flows may nest.

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    for state in context.outline.too_deep.iter().filter_map(|id| context.outline.state(*id)) {
        if state.kind.is_some_and(|kind| {
            matches!(kind, crate::fields::StateType::Parallel | crate::fields::StateType::Map)
        }) {
            report.push(Diagnostic::new(
                &codes::TOO_DEEPLY_NESTED,
                "States are nested too deeply",
                state.pointer.clone(),
                state.name_span,
            ));
        }
    }
}
