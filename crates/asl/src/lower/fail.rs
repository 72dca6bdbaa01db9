//! Fail.

use std::sync::Arc;

use stepwright_jsonpath::Intrinsic;

use super::{Lowered, Scope, setting};
use crate::program::{Fail, QueryLanguage, Setting};

pub(super) fn lower(scope: &mut Scope<'_, '_>) -> Lowered<Fail> {
    Ok(Fail { error: text("Error", "ErrorPath", scope)?, cause: text("Cause", "CausePath", scope)? })
}

fn text(
    field: &'static str,
    path_field: &'static str,
    scope: &mut Scope<'_, '_>,
) -> Lowered<Option<Setting<Arc<str>>>> {
    let node = scope.get(path_field).filter(|_| scope.state.language == QueryLanguage::JsonPath);
    if let Some(node) = node
        && let Some(text) = node.as_str().filter(|text| text.starts_with("States."))
    {
        let intrinsic = Intrinsic::parse(text).map_err(|_| scope.failed(path_field, node))?;
        scope.variables.extend(intrinsic.free_variables().into_iter().map(Arc::from));
        return Ok(Some(Setting::Intrinsic(Box::new(intrinsic), path_field)));
    }
    setting::text(scope.state.node, field, path_field, scope)
}
