//! How many items and children of a run are where.

use stepwright_store::Status;

/// Of items, or of children.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub aborted: u64,
    /// They did not succeed, and the run's redrive will come to them.
    pub pending_redrive: u64,
    /// Of items: all there are, as far as that is known. Of children: those that have been started.
    pub total: u64,
}

impl Counts {
    /// Those of which nothing has begun.
    pub fn pending(&self) -> u64 {
        let begun = self.running
            + self.succeeded
            + self.failed
            + self.timed_out
            + self.aborted
            + self.pending_redrive;
        self.total.saturating_sub(begun)
    }

    /// Those that ended otherwise than well.
    pub fn unsuccessful(&self) -> u64 {
        self.failed + self.timed_out + self.aborted
    }

    pub fn add(&mut self, status: Status, count: u64) {
        let place = self.place(status);
        *place = place.saturating_add(count);
    }

    pub fn remove(&mut self, status: Status, count: u64) {
        let place = self.place(status);
        *place = place.saturating_sub(count);
    }

    fn place(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Running => &mut self.running,
            Status::Succeeded => &mut self.succeeded,
            Status::Failed => &mut self.failed,
            Status::TimedOut => &mut self.timed_out,
            Status::Aborted => &mut self.aborted,
            Status::PendingRedrive => &mut self.pending_redrive,
        }
    }

    pub(crate) fn write(&self) -> String {
        let numbers = [
            self.running,
            self.succeeded,
            self.failed,
            self.timed_out,
            self.aborted,
            self.pending_redrive,
            self.total,
        ];
        numbers.map(|number| number.to_string()).join(" ")
    }

    pub(crate) fn read(text: &str) -> Option<Counts> {
        let mut numbers = text.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Counts {
            running: next()?,
            succeeded: next()?,
            failed: next()?,
            timed_out: next()?,
            aborted: next()?,
            pending_redrive: next()?,
            total: next()?,
        })
    }
}
