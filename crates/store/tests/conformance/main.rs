//! What every store promises, checked against every adapter; and what the embedded one promises beyond that.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod build;
mod care;
mod differential;
mod directory;
mod embedded;
mod faulty;
mod old_directories;
mod suite;

use std::sync::Arc;

use stepwright_store::Store;
use stepwright_store::embedded::{Embedded, EmbeddedOptions};
use stepwright_store::faulty::{Faulty, FaultyOptions};
use stepwright_store::memory::Memory;
use tempfile::TempDir;

/// A new, empty store of each adapter, with what must outlive it.
mod adapter {
    use super::*;

    pub fn memory() -> (Arc<dyn Store>, Option<TempDir>) {
        (Memory::new(), None)
    }

    pub fn faulty() -> (Arc<dyn Store>, Option<TempDir>) {
        (Faulty::new(FaultyOptions::default()), None)
    }

    pub fn embedded() -> (Arc<dyn Store>, Option<TempDir>) {
        let directory = tempfile::tempdir().unwrap();
        (Embedded::open(EmbeddedOptions::new(directory.path())).unwrap(), Some(directory))
    }
}

macro_rules! for_every_adapter {
    ($($case:ident,)*) => {
        for_every_adapter!(memory: $($case,)*);
        for_every_adapter!(embedded: $($case,)*);
        for_every_adapter!(faulty: $($case,)*);
    };
    ($adapter:ident: $($case:ident,)*) => {
        mod $adapter {
            $(#[test]
            fn $case() {
                let (store, _directory) = crate::adapter::$adapter();
                crate::suite::$case(&*store);
            })*
        }
    };
}

mod promises {
    for_every_adapter! {
        a_shard_is_taken_under_a_rising_epoch,
        a_unit_needs_the_current_epoch,
        an_execution_is_created_and_found,
        an_execution_ends_and_is_reopened,
        an_execution_created_and_ended_in_one_unit_has_its_last_status,
        a_name_is_unique_within_a_machine,
        a_refused_unit_leaves_nothing,
        units_take_effect_in_the_order_of_their_calls,
        executions_are_listed_newest_first,
        executions_are_listed_oldest_first,
        machines_with_executions_are_listed,
        executions_are_searched,
        executions_are_counted_by_status,
        executions_are_listed_in_pages,
        executions_are_listed_under_version_alias_and_map_run,
        some_segments_are_read_in_both_directions,
        segments_are_read_from_a_number_on,
        the_same_segment_is_not_appended_twice,
        events_beyond_the_limit_are_invalid,
        keys_of_other_shards_are_invalid,
        timers_are_a_set,
        dispatches_are_a_set,
        queued_items_keep_their_order,
        permits_are_replaced_and_dropped,
        a_deleted_execution_leaves_nothing,
        sequence_numbers_are_not_handed_out_again,
        records_are_counted_and_guarded,
        records_are_listed_by_prefix,
        shards_do_not_see_each_other,
        an_empty_unit_is_committed,
    }
}
