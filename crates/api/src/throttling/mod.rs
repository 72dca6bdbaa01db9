//! How many requests each operation takes: token buckets, off unless they are switched on, changeable at any time.
//!
//! One bucket for each operation, shared by all callers, as AWS has one for each account and region. `StartExecution` has two,
//! for STANDARD and for EXPRESS state machines. What Task states ask of this service itself is not counted.
//!
//! - `bucket` is the bucket; - `profile` AWS's numbers.
//!
//! Left out: AWS's bucket for state transitions.

mod bucket;
mod profile;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::Operation;
use bucket::Bucket;
pub use bucket::Rate;

/// What `StartExecution` of EXPRESS state machines is called here.
pub const START_EXPRESS: &str = "StartExecution-Express";

const COUNT: usize = Operation::ALL.len();

/// Which rates apply where nothing else is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// None.
    #[default]
    Off,
    /// AWS's defaults.
    Aws,
}

/// What is configured: a profile, and rates of single operations in front of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub profile: Profile,
    /// By the operation's name, or [`START_EXPRESS`].
    pub operations: BTreeMap<String, Rate>,
}

/// Why settings cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SettingsError {
    #[error(
        "there is no operation {0:?}; names are those of the API, such as StartExecution, or {START_EXPRESS}"
    )]
    UnknownOperation(String),
    #[error("{0}: bucket and refill_per_s have to be 1 or more")]
    Empty(String),
}

/// The buckets of a server.
pub struct Throttling {
    region: String,
    /// In the order of [`Operation::ALL`], then that of [`START_EXPRESS`].
    buckets: [Bucket; COUNT + 1],
}

impl Throttling {
    /// Takes no notice of anything until it gets settings. The region decides which of AWS's numbers apply.
    pub fn new(region: &str) -> Throttling {
        Throttling { region: region.to_owned(), buckets: std::array::from_fn(|_| Bucket::default()) }
    }

    /// Replaces all rates; every bucket is full then.
    pub fn set(&self, settings: &Settings) -> Result<(), SettingsError> {
        for (name, rate) in &settings.operations {
            self.check(name, *rate)?;
        }
        for (name, bucket) in self.all() {
            let own = settings.operations.get(name).copied();
            bucket.set(own.or_else(|| self.rate_of(settings.profile, name)));
        }
        Ok(())
    }

    /// Replaces the rate of one operation (`None`: no limit), whose bucket is full then.
    pub fn set_operation(&self, name: &str, rate: Option<Rate>) -> Result<(), SettingsError> {
        let place = place_of(name).ok_or_else(|| SettingsError::UnknownOperation(name.to_owned()))?;
        if let Some(rate) = rate {
            self.check(name, rate)?;
        }
        if let Some(bucket) = self.buckets.get(place) {
            bucket.set(rate);
        }
        Ok(())
    }

    /// The rates that apply now; an operation without one is not there.
    pub fn rates(&self) -> BTreeMap<&'static str, Rate> {
        self.all().filter_map(|(name, bucket)| Some((name, bucket.rate()?))).collect()
    }

    /// Whether a request may be served; `StartExecution` is asked for once its state machine is known.
    pub(crate) fn admits(&self, operation: Operation, now_ms: impl FnOnce() -> i64) -> bool {
        operation == Operation::StartExecution || self.take(operation as usize, operation.name(), now_ms)
    }

    /// Whether an execution may be started.
    pub(crate) fn admits_start(&self, is_express: bool, now_ms: impl FnOnce() -> i64) -> bool {
        match is_express {
            true => self.take(COUNT, START_EXPRESS, now_ms),
            false => self.take(Operation::StartExecution as usize, Operation::StartExecution.name(), now_ms),
        }
    }

    fn take(&self, place: usize, name: &'static str, now_ms: impl FnOnce() -> i64) -> bool {
        let taken = self.buckets.get(place).is_none_or(|bucket| bucket.take(now_ms));
        if !taken {
            metrics::counter!("stepwright_throttled_requests_total", "operation" => name).increment(1);
        }
        taken
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &Bucket)> {
        let names = Operation::ALL.into_iter().map(Operation::name).chain([START_EXPRESS]);
        names.zip(&self.buckets)
    }

    fn check(&self, name: &str, rate: Rate) -> Result<(), SettingsError> {
        match place_of(name) {
            None => Err(SettingsError::UnknownOperation(name.to_owned())),
            Some(_) if !rate.is_usable() => Err(SettingsError::Empty(name.to_owned())),
            Some(_) => Ok(()),
        }
    }

    fn rate_of(&self, profile: Profile, name: &str) -> Option<Rate> {
        match (profile, Operation::from_name(name)) {
            (Profile::Off, _) => None,
            (Profile::Aws, Some(operation)) => profile::aws(operation, &self.region),
            (Profile::Aws, None) => Some(profile::START_EXPRESS),
        }
    }
}

fn place_of(name: &str) -> Option<usize> {
    match name {
        START_EXPRESS => Some(COUNT),
        _ => Operation::from_name(name).map(|operation| operation as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_operation_is_its_number() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(place_of(operation.name()), Some(place));
        }
    }

    #[test]
    fn settings_in_front_of_a_profile() {
        let throttling = Throttling::new("us-east-1");
        assert!(throttling.rates().is_empty());
        let own = Rate::new(7, 3);
        let operations = BTreeMap::from([("ListExecutions".to_owned(), own)]);
        throttling
            .set(&Settings { profile: Profile::Aws, operations: operations.clone() })
            .expect("settings");
        let rates = throttling.rates();
        assert_eq!(rates.len(), Operation::ALL.len(), "all but StartSyncExecution, and one more for EXPRESS");
        assert_eq!(rates.get("ListExecutions"), Some(&own));
        assert_eq!(rates.get("StartExecution"), Some(&Rate::new(1_300, 300)));
        assert_eq!(rates.get(START_EXPRESS), Some(&Rate::new(6_000, 6_000)));
        throttling.set(&Settings { profile: Profile::Off, operations }).expect("settings");
        assert_eq!(throttling.rates().into_keys().collect::<Vec<_>>(), ["ListExecutions"]);
        assert_eq!(throttling.set_operation("ListExecutions", None), Ok(()));
        assert!(throttling.rates().is_empty());
        let unknown = BTreeMap::from([("Listexecutions".to_owned(), own)]);
        let refused = throttling.set(&Settings { operations: unknown, ..Settings::default() });
        assert_eq!(refused, Err(SettingsError::UnknownOperation("Listexecutions".to_owned())));
        let empty = throttling.set_operation("TestState", Some(Rate::new(0, 1)));
        assert_eq!(empty, Err(SettingsError::Empty("TestState".to_owned())));
    }

    #[test]
    fn executions_of_both_types_have_their_own_bucket() {
        let throttling = Throttling::new("eu-central-1");
        throttling.set(&Settings { profile: Profile::Aws, ..Settings::default() }).expect("settings");
        let count = |express| (0..10_000).filter(|_| throttling.admits_start(express, || 1)).count();
        assert_eq!((count(false), count(true)), (800, 6_000));
        assert!(throttling.admits(Operation::StartExecution, || 1), "not decided yet");
        let stops = (0..1_000).filter(|_| throttling.admits(Operation::StopExecution, || 1)).count();
        assert_eq!(stops, 500);
    }
}
