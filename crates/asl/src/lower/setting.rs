//! Fields that are a literal, or computed.

use std::sync::Arc;

use super::{Lowered, Scope, integer, state, template};
use crate::node::Node;
use crate::program::{QueryLanguage, Setting};

/// The number in `field` of `holder`, or the path to it in `path_field`.
pub(super) fn whole(
    holder: &Node,
    field: &'static str,
    path_field: &'static str,
    scope: &mut Scope<'_, '_>,
) -> Lowered<Option<Setting<i64>>> {
    lower(holder, field, path_field, integer, 1, scope)
}

/// As [`whole`], with a fraction.
pub(super) fn decimal(
    holder: &Node,
    field: &'static str,
    path_field: &'static str,
    scope: &mut Scope<'_, '_>,
) -> Lowered<Option<Setting<f64>>> {
    lower(holder, field, path_field, |node| Some(node.as_number()?.as_f64()), 0.0, scope)
}

/// The text in `field` of `holder`, or the path to it in `path_field`.
pub(super) fn text(
    holder: &Node,
    field: &'static str,
    path_field: &'static str,
    scope: &mut Scope<'_, '_>,
) -> Lowered<Option<Setting<Arc<str>>>> {
    let unknown: Arc<str> = "".into();
    lower(holder, field, path_field, |node| node.as_text().cloned(), unknown, scope)
}

/// `literal` reads a literal; `unknown` stands in for one that is not known yet.
pub(super) fn lower<T>(
    holder: &Node,
    field: &'static str,
    path_field: &'static str,
    literal: impl Fn(&Node) -> Option<T>,
    unknown: T,
    scope: &mut Scope<'_, '_>,
) -> Lowered<Option<Setting<T>>> {
    if let Some(node) = holder.get(field) {
        let text = node.as_str().unwrap_or_default();
        if scope.state.language == QueryLanguage::Jsonata
            && let Some(expression) = template::expression(text, node, scope)?
        {
            return Ok(Some(Setting::Expression(expression, field)));
        }
        return match literal(node) {
            Some(value) => Ok(Some(Setting::Literal(value))),
            None if scope.options.is_open(text) => Ok(Some(Setting::Literal(unknown))),
            None => Err(scope.failed(field, node)),
        };
    }
    let node = holder.get(path_field).filter(|_| scope.state.language == QueryLanguage::JsonPath);
    let Some(node) = node else { return Ok(None) };
    match state::path(node, scope)? {
        Some(path) => Ok(Some(Setting::Path(path, path_field))),
        None => Ok(Some(Setting::Literal(unknown))),
    }
}
