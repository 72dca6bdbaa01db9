//! What `Debug` shows of a member that the service model marks sensitive.

use std::fmt;

/// Stands for a value that is not to be shown.
pub(super) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(sensitive)")
    }
}
