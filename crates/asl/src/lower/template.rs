//! Templates of both query languages.

use std::sync::Arc;

use stepwright_jsonata::Expression;
use stepwright_jsonpath::{Intrinsic, Path, Template as JsonPathTemplate};
use stepwright_value::{Object, Value};

use super::{Lowered, Scope};
use crate::expression;
use crate::node::{Node, NodeKind};
use crate::program::{JsonataTemplate, QueryLanguage, Template};

/// The template in the state's field `name`; none for an empty name.
pub(super) fn optional(name: &str, scope: &mut Scope<'_, '_>) -> Lowered<Option<Template>> {
    match scope.get(name) {
        Some(node) => Ok(Some(lower(node, scope)?)),
        None => Ok(None),
    }
}

/// The template in the field `name` of `holder`, which is `Parameters` in JSONPath and `Arguments` in JSONata.
pub(super) fn arguments_of(holder: &Node, scope: &mut Scope<'_, '_>) -> Lowered<Option<Template>> {
    let name = match scope.state.language {
        QueryLanguage::JsonPath => "Parameters",
        QueryLanguage::Jsonata => "Arguments",
    };
    holder.get(name).map(|node| lower(node, scope)).transpose()
}

pub(super) fn lower(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<Template> {
    match scope.state.language {
        QueryLanguage::JsonPath => jsonpath(node, scope).map(Template::JsonPath),
        QueryLanguage::Jsonata => jsonata(node, scope).map(Template::Jsonata),
    }
}

fn jsonpath(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<JsonPathTemplate> {
    let value = closed(node, scope);
    let template = JsonPathTemplate::compile(&value).map_err(|_| scope.failed("The template", node))?;
    scope.variables.extend(template.free_variables().into_iter().map(Arc::from));
    Ok(template)
}

/// The value, in which `.$` fields that are not known yet are plain texts.
fn closed(node: &Node, scope: &Scope<'_, '_>) -> Value {
    match &node.kind {
        NodeKind::Array(items) => Value::Array(items.iter().map(|item| closed(item, scope)).collect()),
        NodeKind::Object(members) => {
            let mut object = Object::with_capacity(members.len());
            for member in members {
                let text = member.value.as_str().unwrap_or_default();
                let open = scope.options.is_open(text)
                    && Path::parse(text).is_err()
                    && Intrinsic::parse(text).is_err();
                let key = member.key.strip_suffix(".$").filter(|_| open).map(Arc::from);
                object.insert(key.unwrap_or_else(|| member.key.clone()), closed(&member.value, scope));
            }
            Value::Object(object)
        }
        _ => node.to_value(),
    }
}

fn jsonata(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<JsonataTemplate> {
    Ok(match &node.kind {
        NodeKind::String(text) => match expression(text, node, scope)? {
            Some(expression) => JsonataTemplate::Expression(expression),
            None => JsonataTemplate::Literal(Value::String(text.clone())),
        },
        NodeKind::Array(items) => {
            let items =
                items.iter().map(|item| jsonata(item, scope)).collect::<Lowered<Vec<JsonataTemplate>>>()?;
            match items.iter().all(|item| matches!(item, JsonataTemplate::Literal(_))) {
                true => JsonataTemplate::Literal(node.to_value()),
                false => JsonataTemplate::Array(items),
            }
        }
        NodeKind::Object(_) => object(node, scope)?,
        _ => JsonataTemplate::Literal(node.to_value()),
    })
}

fn object(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<JsonataTemplate> {
    let mut members: Vec<(Arc<str>, JsonataTemplate)> = Vec::with_capacity(node.members().len());
    for member in node.members() {
        let value = jsonata(&member.value, scope)?;
        // A key that comes again keeps its place and takes the new value.
        match members.iter_mut().find(|(key, _)| *key == member.key) {
            Some((_, earlier)) => *earlier = value,
            None => members.push((member.key.clone(), value)),
        }
    }
    Ok(match members.iter().all(|(_, value)| matches!(value, JsonataTemplate::Literal(_))) {
        true => JsonataTemplate::Literal(node.to_value()),
        false => JsonataTemplate::Object(members),
    })
}

/// The expression in `text`; `None` when it is a literal, or not known yet.
pub(super) fn expression(
    text: &str,
    node: &Node,
    scope: &mut Scope<'_, '_>,
) -> Lowered<Option<Arc<Expression>>> {
    let Some(source) = expression::source(text) else { return Ok(None) };
    match expression::compile(source) {
        Ok(expression) => {
            let free = expression.free_variables().iter().filter(|name| name.as_ref() != "states");
            scope.variables.extend(free.cloned());
            Ok(Some(expression))
        }
        Err(_) if scope.options.is_open(text) => Ok(None),
        Err(_) => Err(scope.failed("The expression", node)),
    }
}
