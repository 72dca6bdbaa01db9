//! Wait.

use stepwright_types::timestamp;

use super::{Lowered, Scope, setting};
use crate::program::Wait;

pub(super) fn lower(scope: &mut Scope<'_, '_>) -> Lowered<Wait> {
    let node = scope.state.node;
    if let Some(seconds) = setting::whole(node, "Seconds", "SecondsPath", scope)? {
        return Ok(Wait::Seconds(seconds));
    }
    let read = |node: &crate::node::Node| node.as_str().and_then(timestamp::from_text);
    match setting::lower(node, "Timestamp", "TimestampPath", read, 0, scope)? {
        Some(timestamp) => Ok(Wait::Timestamp(timestamp)),
        None => Err(scope.failed("The Wait state", node)),
    }
}
