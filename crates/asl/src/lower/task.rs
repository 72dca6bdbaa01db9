//! Task.

use super::{Lowered, Scope, setting, template};
use crate::program::{Resource, Task};
use crate::resource_arn;

pub(super) fn lower(scope: &mut Scope<'_, '_>) -> Lowered<Task> {
    let node = scope.state.node;
    Ok(Task {
        resource: resource(scope)?,
        credentials: template::optional("Credentials", scope)?,
        timeout_s: setting::whole(node, "TimeoutSeconds", "TimeoutSecondsPath", scope)?,
        heartbeat_s: setting::whole(node, "HeartbeatSeconds", "HeartbeatSecondsPath", scope)?,
    })
}

fn resource(scope: &Scope<'_, '_>) -> Lowered<Resource> {
    let node = scope.state.node;
    let arn = scope
        .get("Resource")
        .and_then(|node| node.as_text())
        .ok_or_else(|| scope.failed("Resource", node))?;
    match resource_arn::parse(arn) {
        Ok(resource) => Ok(resource),
        // A function, most often, whose ARN comes with the deployment.
        Err(_) if scope.options.is_open(arn) => Ok(Resource::Lambda { arn: arn.clone() }),
        Err(_) => Err(scope.failed("Resource", node)),
    }
}
