//! The limits as they are shown: what applies, who holds, who waits, since when.

use std::sync::Arc;

use serde::Serialize;

use super::place::{Lane, Place};
use super::{Limit, LimitDefinition};
use crate::engine::Engine;

/// Where a limit comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration file.
    File,
    /// It was set at run time.
    RunTime,
    /// It was set at run time, and stands in front of one of the configuration file.
    RunTimeOverFile,
}

/// A limit and who is at it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LimitReport {
    #[serde(flatten)]
    pub definition: LimitDefinition,
    pub origin: Origin,
    /// How many hold and how many wait, over all keys.
    pub holders: usize,
    pub waiters: usize,
    /// Each value of the key with somebody at it, in the order of the values; empty in a listing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<LaneReport>,
}

/// Those who share what a limit allows.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LaneReport {
    /// `None`: the limit has no key, or it had no value.
    pub key: Option<Arc<str>>,
    pub holders: usize,
    pub waiters: usize,
    /// The first of them, in the order in which their executions started.
    pub holding: Vec<Visitor>,
    /// The first of them, in the order in which they will have their turn.
    pub waiting: Vec<Visitor>,
}

/// Somebody who holds or waits.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Visitor {
    pub execution_arn: Arc<str>,
    /// The Task state (of a worker's task: the activity); `None` when it is the execution itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Arc<str>>,
    /// Since when it holds or waits. Milliseconds since 1970.
    pub since_ms: i64,
    pub for_s: f64,
}

impl Engine {
    /// All limits, with how many are at them.
    pub async fn limits(&self) -> Vec<LimitReport> {
        let settings = self.limits.settings.lock().await;
        let limits = self.limits.current();
        limits.iter().map(|limit| self.report(limit, origin(&settings, limit))).collect()
    }

    /// A limit with those who are at it: at most `visitors_max` keys, and so many holders and waiters of each.
    pub async fn limit(&self, name: &str, visitors_max: usize) -> Option<LimitReport> {
        let settings = self.limits.settings.lock().await;
        let limits = self.limits.current();
        let limit = limits.iter().find(|limit| &*limit.name == name)?;
        let mut report = self.report(limit, origin(&settings, limit));
        let now_ms = self.clock.now_ms();
        let limiter = self.limits.lock();
        let lanes =
            limiter.lanes_of(name).filter(|(_, holders, waiters)| !holders.is_empty() || !waiters.is_empty());
        report.lanes = lanes
            .take(visitors_max)
            .map(|(Lane { key, .. }, holders, waiters)| LaneReport {
                key: key.clone(),
                holders: holders.len(),
                waiters: waiters.len(),
                holding: visitors(&holders, visitors_max, now_ms),
                waiting: visitors(&waiters, visitors_max, now_ms),
            })
            .collect();
        Some(report)
    }

    /// Of each limit: its name, how many hold, and how many wait; for metrics.
    pub fn limit_gauges(&self) -> Vec<(String, usize, usize)> {
        if !self.limits.is_active() {
            return Vec::new();
        }
        let limits = self.limits.current();
        let limiter = self.limits.lock();
        let counts = limits.iter().map(|limit| {
            let (holders, waiters) = limiter.counts_of(&limit.name);
            (limit.name.to_string(), holders, waiters)
        });
        counts.collect()
    }

    fn report(&self, limit: &Limit, origin: Origin) -> LimitReport {
        let (holders, waiters) = self.limits.lock().counts_of(&limit.name);
        LimitReport { definition: limit.definition.clone(), origin, holders, waiters, lanes: Vec::new() }
    }
}

fn origin(settings: &super::settings::Settings, limit: &Limit) -> Origin {
    let name = &limit.definition.name;
    let in_file = settings.file.iter().any(|other| other.definition.name == *name);
    match (settings.set.contains_key(name), in_file) {
        (false, _) => Origin::File,
        (true, false) => Origin::RunTime,
        (true, true) => Origin::RunTimeOverFile,
    }
}

fn visitors(places: &[&Place], max: usize, now_ms: i64) -> Vec<Visitor> {
    let visitor = |place: &&Place| {
        let since_ms = place.granted_ms.unwrap_or(place.since_ms);
        Visitor {
            execution_arn: place.execution_arn.clone(),
            state: place.state.clone(),
            since_ms,
            for_s: now_ms.saturating_sub(since_ms).max(0) as f64 / 1_000.0,
        }
    };
    places.iter().take(max).map(visitor).collect()
}
