//! How many resources an account may have.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::api::Api;
use crate::catalog::{Activity, MachineEntry, Record};
use crate::error::ApiError;
use crate::model::ErrorName;

/// Records that are read at a time when they are counted.
const PAGE: usize = 1_000;

/// The most that there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaLimits {
    pub state_machines: usize,
    pub activities: usize,
    /// Of one state machine.
    pub versions: usize,
    /// Of one state machine.
    pub aliases: usize,
}

impl Default for QuotaLimits {
    /// AWS's defaults (Developer Guide, "Quotas").
    fn default() -> QuotaLimits {
        QuotaLimits { state_machines: 100_000, activities: 100_000, versions: 1_000, aliases: 100 }
    }
}

/// The quotas of each account in each region.
pub struct Quotas {
    state_machines: Quota,
    activities: Quota,
    limits: QuotaLimits,
}

/// A quota for one kind of record.
struct Quota {
    max: usize,
    /// No more than so many are there, by the prefix of their keys; nothing before they are counted for the first time.
    at_most: Mutex<HashMap<String, usize>>,
}

/// Accounts whose counts are remembered; those of more are made anew.
const ACCOUNTS: usize = 1_000;

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas::new(QuotaLimits::default())
    }
}

impl Quotas {
    pub fn new(limits: QuotaLimits) -> Quotas {
        let quota = |max| Quota { max, at_most: Mutex::default() };
        Quotas { state_machines: quota(limits.state_machines), activities: quota(limits.activities), limits }
    }

    /// Refuses one more version of a state machine that has so many.
    pub(crate) fn check_versions(&self, count: usize) -> Result<(), ApiError> {
        Self::check_one(count, self.limits.versions, "versions")
    }

    /// Refuses one more alias of a state machine that has so many.
    pub(crate) fn check_aliases(&self, count: usize) -> Result<(), ApiError> {
        Self::check_one(count, self.limits.aliases, "aliases")
    }

    fn check_one(count: usize, max: usize, what: &str) -> Result<(), ApiError> {
        if count < max {
            return Ok(());
        }
        let message = format!("The maximum number of {what} has been reached: {max}");
        Err(ApiError::service(ErrorName::ServiceQuotaExceededException, message))
    }

    /// Refuses one more state machine where the quota is reached.
    pub(crate) async fn check_state_machines(&self, api: &Api) -> Result<(), ApiError> {
        if self.state_machines.admits::<MachineEntry>(api, &api.account.state_machine("")).await? {
            return Ok(());
        }
        let max = self.state_machines.max;
        let message = format!("The maximum number of state machines has been reached: {max}");
        Err(ApiError::service(ErrorName::StateMachineLimitExceeded, message))
    }

    /// Refuses one more activity where the quota is reached.
    pub(crate) async fn check_activities(&self, api: &Api) -> Result<(), ApiError> {
        if self.activities.admits::<Activity>(api, &api.account.activity("")).await? {
            return Ok(());
        }
        let max = self.activities.max;
        let message = format!("The maximum number of activities has been reached: {max}");
        Err(ApiError::service(ErrorName::ActivityLimitExceeded, message))
    }
}

impl Quota {
    /// Whether there is room for one more. Records are counted only when those that this process has let in since
    /// the last count could have filled the quota.
    async fn admits<T: Record>(&self, api: &Api, prefix: &str) -> Result<bool, ApiError> {
        if self.admit(prefix) {
            return Ok(true);
        }
        let count = self.count::<T>(api, prefix).await?;
        if count >= self.max {
            return Ok(false);
        }
        let mut at_most = self.at_most.lock().unwrap_or_else(PoisonError::into_inner);
        if at_most.len() >= ACCOUNTS {
            at_most.clear();
        }
        at_most.insert(prefix.to_owned(), count + 1);
        Ok(true)
    }

    /// Whether there is room for one more as far as is known.
    fn admit(&self, prefix: &str) -> bool {
        let mut at_most = self.at_most.lock().unwrap_or_else(PoisonError::into_inner);
        match at_most.get_mut(prefix) {
            Some(at_most) if *at_most < self.max => {
                *at_most += 1;
                true
            }
            _ => false,
        }
    }

    async fn count<T: Record>(&self, api: &Api, prefix: &str) -> Result<usize, ApiError> {
        let store = api.catalog.store();
        let mut count = 0;
        let mut after: Option<String> = None;
        while count < self.max {
            let page = store.list(T::KIND, prefix, after.as_deref(), PAGE).await?;
            count += page.len();
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.key.to_string()),
                _ => break,
            }
        }
        Ok(count)
    }
}
