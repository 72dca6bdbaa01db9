//! How many resources an account may have.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::Api;
use crate::catalog::{Activity, MachineEntry, Record};
use crate::error::ApiError;
use crate::model::ErrorName;

/// Records that are read at a time when they are counted.
const PAGE: usize = 1_000;

/// The quotas of an account.
pub struct Quotas {
    state_machines: Quota,
    activities: Quota,
}

/// A quota for one kind of record.
struct Quota {
    max: usize,
    /// No more than so many are there; `usize::MAX` before they are counted for the first time.
    at_most: AtomicUsize,
}

impl Default for Quotas {
    /// AWS's defaults.
    fn default() -> Quotas {
        Quotas::new(100_000, 100_000)
    }
}

impl Quotas {
    /// So many state machines and activities, at most.
    pub fn new(state_machines: usize, activities: usize) -> Quotas {
        let quota = |max| Quota { max, at_most: AtomicUsize::new(usize::MAX) };
        Quotas { state_machines: quota(state_machines), activities: quota(activities) }
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
        if self.at_most.load(Ordering::Relaxed) >= self.max {
            let count = self.count::<T>(api, prefix).await?;
            if count >= self.max {
                return Ok(false);
            }
            self.at_most.store(count, Ordering::Relaxed);
        }
        self.at_most.fetch_add(1, Ordering::Relaxed);
        Ok(true)
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
