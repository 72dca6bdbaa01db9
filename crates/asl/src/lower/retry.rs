//! Retriers and catchers.

use std::sync::Arc;

use super::{Lowered, Scope, integer, state, template};
use crate::node::Node;
use crate::program::{Catcher, QueryLanguage, ResultPath, Retrier};

/// What a retrier does that says nothing (Amazon States Language, "Retrying after error").
const INTERVAL_S: i64 = 1;
const MAX_ATTEMPTS: i64 = 3;
const BACKOFF_RATE: f64 = 2.0;

pub(super) fn retriers(scope: &Scope<'_, '_>) -> Vec<Retrier> {
    let nodes = scope.get("Retry").map(Node::items).unwrap_or_default();
    nodes
        .iter()
        .map(|node| Retrier {
            error_equals: error_equals(node),
            interval_s: node.get("IntervalSeconds").and_then(integer).unwrap_or(INTERVAL_S),
            max_attempts: node.get("MaxAttempts").and_then(integer).unwrap_or(MAX_ATTEMPTS),
            backoff_rate: node
                .get("BackoffRate")
                .and_then(Node::as_number)
                .map_or(BACKOFF_RATE, |rate| rate.as_f64()),
            max_delay_s: node.get("MaxDelaySeconds").and_then(integer),
            jitter: node.get("JitterStrategy").and_then(Node::as_str) == Some("FULL"),
        })
        .collect()
}

pub(super) fn catchers(scope: &mut Scope<'_, '_>) -> Lowered<Vec<Catcher>> {
    let nodes = scope.get("Catch").map(Node::items).unwrap_or_default();
    nodes.iter().map(|node| catcher(node, scope)).collect()
}

fn catcher(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<Catcher> {
    let next = node.get("Next").ok_or_else(|| scope.failed("The catcher", node))?;
    let jsonata = scope.state.language == QueryLanguage::Jsonata;
    let next = scope.target(next)?;
    let result_path = match node.get("ResultPath").filter(|_| !jsonata) {
        Some(node) => state::result_path(node, scope)?,
        None => ResultPath::Whole,
    };
    let output =
        node.get("Output").filter(|_| jsonata).map(|output| template::lower(output, scope)).transpose()?;
    let assign = node.get("Assign").map(|assign| template::lower(assign, scope)).transpose()?;
    Ok(Catcher { error_equals: error_equals(node), next, result_path, output, assign })
}

fn error_equals(node: &Node) -> Vec<Arc<str>> {
    let names = node.get("ErrorEquals").map(Node::items).unwrap_or_default();
    names.iter().filter_map(|name| name.as_text().cloned()).collect()
}
