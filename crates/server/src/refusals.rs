//! Requests that were refused before it was known who calls. Anybody can make as many as they like, so they stay out of the
//! audit log: so many a second have a record in a file of their own (and in the log, under `audit`), the rest is counted.

use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::{Audit, Record};
use crate::audit_file::AuditFile;

/// Records in a second.
const RECORDS_MAX: u32 = 20;
/// How often the log tells that there are some.
const WARNING_INTERVAL_MS: i64 = 60_000;

/// The refusals of a server.
pub(crate) struct Refusals {
    file: Option<Arc<AuditFile>>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// The second that is being counted, since 1970.
    second: i64,
    records: u32,
    /// Those without a record since the last one that has one.
    suppressed: u64,
    /// Since the last warning.
    unreported: u64,
    warned_ms: Option<i64>,
}

impl Refusals {
    pub fn new(file: Option<Arc<AuditFile>>) -> Refusals {
        Refusals { file, counts: Mutex::default() }
    }

    /// Notes a refusal.
    pub fn note(&self, error: &'static str, now_ms: i64, record: impl FnOnce() -> Record<'static>) {
        metrics::counter!("stepwright_refused_callers_total", "error" => error).increment(1);
        let suppressed = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.warn(now_ms);
            counts.admit(now_ms.div_euclid(1_000))
        };
        let audit = Audit { file: self.file.as_deref() };
        if let Some(suppressed) = suppressed
            && audit.is_wanted()
        {
            audit.write(&Record { suppressed: (suppressed > 0).then_some(suppressed), ..record() });
        }
    }
}

impl Counts {
    /// Whether the next one has a record, and how many before it had none.
    fn admit(&mut self, second: i64) -> Option<u64> {
        if self.second != second {
            (self.second, self.records) = (second, 0);
        }
        if self.records == RECORDS_MAX {
            self.suppressed += 1;
            return None;
        }
        self.records += 1;
        Some(std::mem::take(&mut self.suppressed))
    }

    fn warn(&mut self, now_ms: i64) {
        self.unreported += 1;
        if self.warned_ms.is_none_or(|warned_ms| now_ms - warned_ms >= WARNING_INTERVAL_MS) {
            self.warned_ms = Some(now_ms);
            let count = std::mem::take(&mut self.unreported);
            tracing::warn!(count, "callers have been refused: metric stepwright_refused_callers_total");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_records_a_second() {
        let mut counts = Counts::default();
        for _ in 0..RECORDS_MAX {
            assert_eq!(counts.admit(1), Some(0));
        }
        assert_eq!((counts.admit(1), counts.admit(1)), (None, None));
        assert_eq!((counts.admit(2), counts.admit(2)), (Some(2), Some(0)));
    }
}
