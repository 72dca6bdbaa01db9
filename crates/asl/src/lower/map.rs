//! Map, inline and distributed.

use std::sync::Arc;

use stepwright_value::{Object, Value};

use super::{Lowered, Scope, flow_of, setting, state, template};
use crate::node::Node;
use crate::outline::{distributed, execution_type};
use crate::program::{
    Distributed, ExecutionType, ItemBatcher, ItemReader, Items, Map, QueryLanguage, ResultWriter,
};
use crate::resource_arn;

pub(super) fn lower(scope: &mut Scope<'_, '_>) -> Lowered<Map> {
    let node = scope.state.node;
    let jsonpath = scope.state.language == QueryLanguage::JsonPath;
    let selector = if node.has("ItemSelector") || !jsonpath { "ItemSelector" } else { "Parameters" };
    Ok(Map {
        processor: flow_of(scope)?,
        items: items(scope)?,
        item_selector: template::optional(selector, scope)?,
        max_concurrency: setting::whole(node, "MaxConcurrency", "MaxConcurrencyPath", scope)?,
        distributed: if distributed(node) { Some(Box::new(distribution(scope)?)) } else { None },
        asks_too_much: !distributed(node)
            && ["ItemReader", "ItemBatcher", "ResultWriter"].iter().any(|field| node.has(field)),
    })
}

fn items(scope: &mut Scope<'_, '_>) -> Lowered<Items> {
    if scope.state.language == QueryLanguage::Jsonata {
        return Ok(template::optional("Items", scope)?.map_or(Items::Input, Items::Template));
    }
    match scope.get("ItemsPath") {
        Some(node) if node.as_str() != Some("$") => {
            Ok(state::path(node, scope)?.map_or(Items::Input, Items::Path))
        }
        _ => Ok(Items::Input),
    }
}

fn distribution(scope: &mut Scope<'_, '_>) -> Lowered<Distributed> {
    let node = scope.state.node;
    let count = ("ToleratedFailureCount", "ToleratedFailureCountPath");
    let percentage = ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
    Ok(Distributed {
        execution_type: match execution_type(node) {
            Some("EXPRESS") => ExecutionType::Express,
            _ => ExecutionType::Standard,
        },
        label: node.get("Label").and_then(Node::as_text).cloned(),
        item_reader: node.get("ItemReader").map(|node| reader(node, scope)).transpose()?,
        item_batcher: node.get("ItemBatcher").map(|node| batcher(node, scope)).transpose()?,
        result_writer: node.get("ResultWriter").map(|node| writer(node, scope)).transpose()?,
        tolerated_failure_count: setting::whole(node, count.0, count.1, scope)?,
        tolerated_failure_percentage: setting::decimal(node, percentage.0, percentage.1, scope)?,
    })
}

fn reader(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<ItemReader> {
    let resource =
        node.get("Resource").and_then(Node::as_text).and_then(|arn| match scope.options.is_open(arn) {
            // Which of the two readers it will be is not known yet.
            true => {
                resource_arn::s3(arn).or_else(|| resource_arn::s3(&"arn:aws:states:::s3:getObject".into()))
            }
            false => resource_arn::s3(arn),
        });
    let empty = Node { span: node.span, kind: crate::node::NodeKind::Object(Vec::new()) };
    let config = node.get("ReaderConfig").unwrap_or(&empty);
    Ok(ItemReader {
        resource: resource.ok_or_else(|| scope.failed("ItemReader", node))?,
        arguments: template::arguments_of(node, scope)?,
        config: without(config, &["MaxItems", "MaxItemsPath"]),
        max_items: setting::whole(config, "MaxItems", "MaxItemsPath", scope)?,
        items_pointer: config.get("ItemsPointer").and_then(Node::as_text).cloned(),
    })
}

fn batcher(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<ItemBatcher> {
    let items = ("MaxItemsPerBatch", "MaxItemsPerBatchPath");
    let bytes = ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath");
    Ok(ItemBatcher {
        batch_input: node.get("BatchInput").map(|node| template::lower(node, scope)).transpose()?,
        max_items_per_batch: setting::whole(node, items.0, items.1, scope)?,
        max_input_bytes_per_batch: setting::whole(node, bytes.0, bytes.1, scope)?,
    })
}

fn writer(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<ResultWriter> {
    let resource = match node.get("Resource").and_then(Node::as_text) {
        Some(arn) if scope.options.is_open(arn) => resource_arn::s3(arn),
        Some(arn) => Some(resource_arn::s3(arn).ok_or_else(|| scope.failed("ResultWriter", node))?),
        None => None,
    };
    let arguments = template::arguments_of(node, scope)?;
    Ok(ResultWriter {
        resource,
        arguments,
        config: node.get("WriterConfig").map_or_else(Value::default, Node::to_value),
    })
}

/// The object without the members of these names.
fn without(node: &Node, names: &[&str]) -> Value {
    let kept = node.members().iter().filter(|member| !names.contains(&&*member.key));
    Value::Object(kept.map(|member| (Arc::clone(&member.key), member.value.to_value())).collect::<Object>())
}
