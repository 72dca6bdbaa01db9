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

#[cfg(test)]
mod tests {
    #[test]
    fn too_deep() {
        let mut states = r#""S":{"Type":"Pass","End":true}"#.to_owned();
        let mut start = "S".to_owned();
        for level in 0..66 {
            states = format!(
                r#""M{level}":{{"Type":"Map","End":true,"ItemProcessor":{{"StartAt":"{start}","States":{{{states}}}}}}}"#
            );
            start = format!("M{level}");
        }
        let text = format!(r#"{{"StartAt":"{start}","States":{{{states}}}}}"#);
        let compilation = crate::compile(&text, &crate::CompileOptions::default());
        assert_eq!(
            compilation.diagnostics.first().and_then(|found| found.aws_code),
            Some("TOO_DEEPLY_NESTED")
        );
    }
}
