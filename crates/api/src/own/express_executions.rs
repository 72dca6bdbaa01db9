//! `/express-executions`: the EXPRESS executions that ended lately, of which AWS's API shows nothing. In memory: they are gone
//! when the process ends.
//!
//! - `GET /express-executions?stateMachineArn=…&maxResults=…`: newest first, 100 unless told otherwise.
//! - `GET /express-executions/ARN`: one of them, with its history.

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};
use stepwright_server::endpoint::{Reply, Request};
use stepwright_server::{Answering, Call, Place, Tenant};

use crate::backend::{Backend, RecentExpress};
use crate::model::{Enumeration as _, Timestamp};

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The endpoint over what runs the executions.
pub struct ExpressExecutionsEndpoint(pub Arc<dyn Backend>);

impl Tenant for ExpressExecutionsEndpoint {
    fn place(&self) -> Place {
        Place::Path("express-executions")
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        Box::pin(std::future::ready(self.respond(&call.into()).into()))
    }
}

impl ExpressExecutionsEndpoint {
    fn respond(&self, request: &Request) -> Reply {
        match (&request.method, request.path.get(1..).unwrap_or_default()) {
            (&Method::GET, []) => self.list(request),
            (&Method::GET, [execution_arn]) => self.one(execution_arn),
            (_, [] | [_]) => Reply::wrong_method(request, "GET"),
            _ => Reply::not_found("There is /express-executions and /express-executions/ARN."),
        }
    }

    fn list(&self, request: &Request) -> Reply {
        let machine_arn = request.parameter("stateMachineArn").filter(|arn| !arn.is_empty());
        let limit = request.parameter("maxResults").and_then(|text| text.parse().ok());
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let recent = self.0.recent_express(machine_arn.as_deref(), limit);
        let executions: Vec<Value> = recent.iter().map(summary).collect();
        Reply::ok(json!({ "executions": executions }))
    }

    fn one(&self, execution_arn: &str) -> Reply {
        let Some(found) = self.0.recent_express_execution(execution_arn) else {
            return Reply::not_found(format!(
                "No EXPRESS execution {execution_arn} has ended lately, or others came after it."
            ));
        };
        let events = found.events.iter().map(|event| serde_json::from_str(event).unwrap_or_default());
        let events: Vec<Value> = events.collect();
        let mut answer = summary(&found.summary);
        let members = [
            ("input", Some(found.input.text().into())),
            ("output", found.output.map(|output| output.text().into())),
            ("error", found.error.map(Value::from)),
            ("cause", found.cause.map(Value::from)),
            ("events", Some(events.into())),
            ("eventsTruncated", Some(found.events_truncated.into())),
        ];
        if let Some(object) = answer.as_object_mut() {
            object.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        Reply::ok(answer)
    }
}

fn summary(execution: &RecentExpress) -> Value {
    json!({
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status.as_str(),
        "startDate": Timestamp(execution.start_ms),
        "stopDate": Timestamp(execution.stop_ms),
    })
}
