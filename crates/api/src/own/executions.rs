//! `/executions`: a search over the executions of all STANDARD state machines, newest first. The parameters are said in
//! `docs/search.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};
use stepwright_engine::{Engine, terms};
use stepwright_machine::ExecutionKind;
use stepwright_server::endpoint::{Reply, Request};
use stepwright_server::{Answering, Call, Place, Tenant};
use stepwright_store::{CatalogKind, Counts, Execution, ExecutionKey, Search, Status};
use stepwright_types::timestamp;

use crate::catalog::{self, Tags};
use crate::engine_backend::{express_child_arn, status_of};
use crate::model::{Enumeration as _, Timestamp};

const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
/// Catalogue records that are read at a time.
const RECORDS: usize = 256;
const PARAMETERS: [&str; 11] = [
    "namePrefix",
    "stateMachine",
    "status",
    "from",
    "until",
    "error",
    "tag",
    "parent",
    "maxResults",
    "nextToken",
    "counts",
];

/// The endpoint over an engine.
pub struct ExecutionsEndpoint(pub Arc<Engine>);

impl Tenant for ExecutionsEndpoint {
    fn place(&self) -> Place {
        Place::Path("executions")
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        Box::pin(async move { self.respond(&call.into()).await.into() })
    }
}

impl ExecutionsEndpoint {
    async fn respond(&self, request: &Request) -> Result<Reply, Reply> {
        if request.path.len() > 1 {
            return Err(Reply::not_found("There is /executions."));
        }
        if request.method != Method::GET {
            return Err(Reply::wrong_method(request, "GET"));
        }
        known(request)?;
        let search = self.search(request).await?;
        let found = self.0.search(search.clone()).await.map_err(failed)?;
        let mut executions = Vec::with_capacity(found.items.len());
        let mut kinds = BTreeMap::new();
        for row in &found.items {
            executions.push(self.shown(row, &mut kinds).await?);
        }
        let mut answer = json!({ "executions": executions });
        if let Some((start_ms, key)) = found.next {
            answer["nextToken"] = format!("{start_ms}/{}", key.bits()).into();
        }
        if request.parameter("counts").as_deref() == Some("true") {
            answer["counts"] = counts(&self.0.counts(search.machines).await.map_err(failed)?);
        }
        Ok(Reply::ok(answer))
    }

    /// What is asked for.
    async fn search(&self, request: &Request) -> Result<Search, Reply> {
        let parameter = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
        let mut search = Search { limit: limit(parameter("maxResults"))?, ..Search::default() };
        search.name_prefix = parameter("namePrefix").map(Into::into);
        search.status = parameter("status").map(|name| status(&name)).transpose()?;
        search.from_ms = parameter("from").map(|text| time("from", &text)).transpose()?;
        search.until_ms = parameter("until").map(|text| time("until", &text)).transpose()?;
        search.after = parameter("nextToken").map(|token| cursor(&token)).transpose()?;
        for (name, field) in [("error", terms::ERROR), ("parent", terms::PARENT)] {
            search.terms.extend(parameter(name).map(|value| (field.into(), value.into())));
        }
        let machine = parameter("stateMachine").map(|machine| match machine.contains(':') {
            true => machine,
            false => self.0.account().state_machine(&machine),
        });
        search.machines = match (machine, parameter("tag")) {
            (None, None) => None,
            (Some(machine), None) => Some([machine.into()].into()),
            (machine, Some(tag)) => {
                let mut tagged = self.tagged(&tag).await?;
                tagged.retain(|arn| machine.as_ref().is_none_or(|machine| **arn == **machine));
                Some(tagged)
            }
        };
        Ok(search)
    }

    /// The state machines with a tag: `key`, or `key=value`.
    async fn tagged(&self, tag: &str) -> Result<BTreeSet<Arc<str>>, Reply> {
        let (key, value) = tag.split_once('=').map_or((tag, None), |(key, value)| (key, Some(value)));
        let mut tagged = BTreeSet::new();
        let mut after: Option<Arc<str>> = None;
        loop {
            let records = self.0.store().records(CatalogKind::Tags, "", after.as_deref(), RECORDS).await;
            let records = records.map_err(failed)?;
            for record in &records {
                let tags: Tags = catalog::decode(record).map_err(failed)?;
                let has =
                    tags.entries.iter().any(|(has, is)| has == key && value.is_none_or(|value| is == value));
                if has {
                    tagged.insert(tags.arn.into());
                }
            }
            after = records.last().map(|record| record.key.clone());
            if records.len() < RECORDS {
                return Ok(tagged);
            }
        }
    }

    /// `kinds`: the types of the children of map runs that were asked for already.
    async fn shown(
        &self,
        row: &Execution,
        kinds: &mut BTreeMap<Arc<str>, ExecutionKind>,
    ) -> Result<Value, Reply> {
        let mut kind = ExecutionKind::Standard;
        if let Some(map_run) = &row.listed.map_run {
            if !kinds.contains_key(map_run) {
                let run = self.0.describe_map_run(map_run).await.map_err(failed)?;
                let found = run.map_or(ExecutionKind::Standard, |run| run.record.kind);
                kinds.insert(map_run.clone(), found);
            }
            kind = kinds.get(map_run).copied().unwrap_or(kind);
        }
        let machine = row.machine.rsplit(':').next().unwrap_or_default();
        let arn = match kind {
            ExecutionKind::Express => express_child_arn(row),
            ExecutionKind::Standard => self.0.account_of(&row.machine).execution(machine, &row.name),
        };
        let mut shown = Map::new();
        shown.insert("executionArn".into(), arn.into());
        shown.insert("stateMachineArn".into(), (&*row.machine).into());
        shown.insert("name".into(), (&*row.name).into());
        shown.insert("status".into(), status_of(row.status).as_str().into());
        shown.insert("startDate".into(), json!(Timestamp(row.start_ms)));
        shown.extend(row.stop_ms.map(|stop_ms| ("stopDate".into(), json!(Timestamp(stop_ms)))));
        shown.extend(row.listed.map_run.as_ref().map(|arn| ("mapRunArn".into(), (&**arn).into())));
        Ok(Value::Object(shown))
    }
}

fn known(request: &Request) -> Result<(), Reply> {
    let names = request.query.as_deref().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    for (name, value) in names.map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
        if !PARAMETERS.contains(&name) {
            return Err(refused(format!("there is no parameter {name:?}, only {}", PARAMETERS.join(", "))));
        }
        // An empty variable of a script must not find everything.
        if value.is_empty() {
            return Err(refused(format!("{name} is empty: leave it out, or say what to look for")));
        }
        if name == "counts" && !["true", "false"].contains(&value) {
            return Err(refused("counts is true or false".to_owned()));
        }
    }
    Ok(())
}

fn counts(counts: &Counts) -> Value {
    let counts =
        counts.iter().map(|(status, count)| (status_of(*status).as_str().to_owned(), (*count).into()));
    Value::Object(counts.collect())
}

fn limit(text: Option<String>) -> Result<usize, Reply> {
    let Some(text) = text else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
    limit.ok_or_else(|| refused(format!("maxResults has to be a number from 1 to {PAGE_MAX}")))
}

fn status(name: &str) -> Result<Status, Reply> {
    let found = Status::ALL.into_iter().find(|status| status_of(*status).as_str() == name);
    found.ok_or_else(|| {
        let names = Status::ALL.map(|status| status_of(status).as_str()).join(", ");
        refused(format!("status {name:?} is none of {names}"))
    })
}

/// Milliseconds since 1970, or a timestamp.
fn time(name: &str, text: &str) -> Result<i64, Reply> {
    let time = text.parse().ok().or_else(|| timestamp::from_text(text));
    time.ok_or_else(|| {
        refused(format!("{name} has to be a time such as 2030-01-31T12:00:00Z, or milliseconds since 1970"))
    })
}

fn cursor(token: &str) -> Result<(i64, ExecutionKey), Reply> {
    let parts = token.split_once('/');
    let cursor = parts.and_then(|(start_ms, key)| {
        Some((start_ms.parse().ok()?, ExecutionKey::from_bits(key.parse().ok()?)?))
    });
    cursor.ok_or_else(|| refused("nextToken is not one that was given out".to_owned()))
}

fn refused(message: String) -> Reply {
    Reply::refused(StatusCode::BAD_REQUEST, message)
}

fn failed(error: impl std::fmt::Display) -> Reply {
    Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, error)
}
