//! File descriptors: as many as the system lets us have, and how many of them connections may take.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not for connections: the store, calls of functions and their processes.
const OTHERS: u64 = 1_024;

/// Raises the limit of this process as far as it may, and returns it; `None` means none.
pub fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return maximum;
    }
    current
}

/// How many of `wanted` connections there are descriptors for.
pub fn connections(wanted: u32, descriptors: Option<u64>) -> u32 {
    let Some(descriptors) = descriptors else { return wanted };
    let free = descriptors.saturating_sub(OTHERS).max(descriptors / 2).max(1);
    wanted.min(u32::try_from(free).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_some_for_others() {
        for (descriptors, expected) in
            [(None, 8_192), (Some(1 << 20), 8_192), (Some(4_096), 3_072), (Some(1_024), 512), (Some(0), 1)]
        {
            assert_eq!(connections(8_192, descriptors), expected, "{descriptors:?}");
        }
    }
}
