//! `/limits`: the limits over executions, who holds and who waits; and changing them while the server runs.
//!
//! - `GET /limits`: all, with how many hold and wait. `GET /limits/NAME?max=N`: one, with the first N (100) of each.
//! - `PUT /limits/NAME` with `{"task" | "state_machine", "key", "concurrency", "rate": {"count", "per_s"}}`: sets it, in front of
//!   one of the same name in the configuration file, until it is removed.
//! - `DELETE /limits/NAME`: removes what was set.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};
use stepwright_engine::Engine;
use stepwright_engine::limits::{LimitDefinition, LimitReport, SetLimitError};
use stepwright_server::endpoint::{Reply, Request};
use stepwright_server::{Answering, Call, Place, Tenant};

/// Keys, and holders and waiters of each, that are shown.
const SHOWN: usize = 100;
const SHOWN_MAX: usize = 10_000;

/// The endpoint over an engine.
pub struct LimitsEndpoint(pub Arc<Engine>);

impl Tenant for LimitsEndpoint {
    fn place(&self) -> Place {
        Place::Path("limits")
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        Box::pin(async move { self.respond(&call.into()).await.into() })
    }
}

impl LimitsEndpoint {
    async fn respond(&self, request: &Request) -> Result<Reply, Reply> {
        let path: Vec<&str> = request.path.iter().skip(1).map(String::as_str).collect();
        match (&request.method, path.as_slice()) {
            (&Method::GET, []) => Ok(Reply::ok(json!({ "limits": self.0.limits().await }))),
            (&Method::GET, [name]) => self.show(name, shown(request)?).await,
            (&Method::PUT, [name]) => self.set(name, request).await,
            (&Method::DELETE, [name]) => {
                self.0.remove_limit(name).await.map_err(refused)?;
                Ok(Reply::ok(json!({})))
            }
            (_, []) => Err(Reply::wrong_method(request, "GET")),
            (_, [_]) => Err(Reply::wrong_method(request, "GET, PUT or DELETE")),
            _ => Err(Reply::not_found("There is /limits and /limits/NAME.")),
        }
    }

    async fn show(&self, name: &str, shown: usize) -> Result<Reply, Reply> {
        let report: Option<LimitReport> = self.0.limit(name, shown).await;
        let report = report.ok_or_else(|| Reply::not_found(SetLimitError::NotFound(name.to_owned())))?;
        Ok(Reply::ok(json!(report)))
    }

    async fn set(&self, name: &str, request: &Request) -> Result<Reply, Reply> {
        // The name is in the path; in the body it may stand as well.
        let mut members: Map<String, Value> = request.json()?;
        let named = members.entry("name").or_insert_with(|| name.into());
        if named.as_str() != Some(name) {
            let message = format!("the body names the limit {named}, the path {name:?}");
            return Err(Reply::refused(StatusCode::BAD_REQUEST, message));
        }
        let definition: LimitDefinition =
            serde_json::from_value(Value::Object(members)).map_err(|error| {
                Reply::refused(StatusCode::BAD_REQUEST, format!("the body cannot be used: {error}"))
            })?;
        self.0.set_limit(definition).await.map_err(refused)?;
        self.show(name, SHOWN).await
    }
}

fn shown(request: &Request) -> Result<usize, Reply> {
    let max = request
        .query
        .as_deref()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("max=")));
    match max.map(str::parse) {
        None => Ok(SHOWN),
        Some(Ok(max)) if (1..=SHOWN_MAX).contains(&max) => Ok(max),
        Some(_) => Err(Reply::refused(
            StatusCode::BAD_REQUEST,
            format!("max has to be a number from 1 to {SHOWN_MAX}"),
        )),
    }
}

fn refused(error: SetLimitError) -> Reply {
    let status = match &error {
        SetLimitError::Definition(_) => StatusCode::BAD_REQUEST,
        SetLimitError::NotFound(_) => StatusCode::NOT_FOUND,
        SetLimitError::TooMany | SetLimitError::InFile(_) => StatusCode::CONFLICT,
        SetLimitError::Commit(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Reply::refused(status, error)
}
