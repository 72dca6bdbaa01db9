//! Variables that are read and never assigned.

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::outline::distributed;
use crate::program::{FlowId, Program};
use crate::rules::variable_scopes::assigned_by_flow;
use crate::spelling;

pub(crate) fn check(context: &Context<'_>, program: &Program, report: &mut Report) {
    let assigned = assigned_by_flow(context);
    for (view, state) in context.outline.states.iter().zip(&program.states) {
        for variable in &state.variable_references {
            let visible = || scopes(context, view.flow).filter_map(|flow| assigned.get(flow.0 as usize));
            if visible().any(|names| names.contains(&**variable)) {
                continue;
            }
            let message =
                format!("The variable '${variable}' is never assigned where this state could see it");
            let mut diagnostic =
                Diagnostic::new(&codes::UNASSIGNED_VARIABLE, message, view.pointer.clone(), view.name_span);
            let names: Vec<&String> = visible().flatten().collect();
            if let Some(close) = spelling::closest(variable, names.iter().map(|name| name.as_str())) {
                diagnostic = diagnostic.help(format!("Did you mean ${close}?"));
            }
            report.push(diagnostic);
        }
    }
}

/// The flow and the flows around it whose variables it sees.
fn scopes<'c>(context: &'c Context<'_>, flow: FlowId) -> impl Iterator<Item = FlowId> + 'c {
    std::iter::successors(Some(flow), move |flow| {
        let owner = context.outline.state(context.outline.flow(*flow)?.owner?)?;
        (!distributed(owner.node)).then_some(owner.flow)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::machine;

    #[test]
    fn table() {
        let machine_with = |variable: &str| {
            format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Assign":{{"total":1}},"Next":"M"}},"M":{{"Type":"Map","End":true,"ItemProcessor":{{"StartAt":"P","States":{{"P":{{"Type":"Pass","InputPath":"{variable}","End":true}}}}}}}}}}}}"#
            )
        };
        machine(&machine_with("$total"), &[]);
        machine(
            &machine_with("$totel"),
            &[
                "SW1102: The variable '$totel' is never assigned where this state could see it at /States/M/ItemProcessor/States/P",
            ],
        );
    }
}
