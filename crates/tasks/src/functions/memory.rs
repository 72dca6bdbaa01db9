//! How much memory a process and its descendants take, as `/proc` tells it.
//!
//! What counts is memory that is theirs alone (not programs and libraries, which are shared with everybody). It is looked at
//! often when little is left, and seldom otherwise: between two looks a process may take more than it has, for some
//! milliseconds.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// How long descendants are remembered before they are looked for again, and how many times longer than the look took.
const DESCENDANTS_FOR: Duration = Duration::from_millis(250);
const DESCENDANTS_FOR_LOOKS: u32 = 100;
/// Between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(100);
/// Processes take memory about this fast at most; MB in a millisecond.
const MB_PER_MS: u64 = 2;

/// The memory of all descendants of a process.
pub struct Memory {
    root: Pid,
    limit_bytes: u64,
    descendants: Vec<Pid>,
    look_for_at: Instant,
    page_bytes: u64,
}

/// What a look tells.
pub struct Look {
    /// Whether it is more than there may be.
    pub is_exceeded: bool,
    /// When to look again.
    pub again_after: Duration,
}

impl Memory {
    /// The memory of what `root` has started.
    pub fn new(root: Pid, limit_mb: u32) -> Memory {
        Memory {
            root,
            limit_bytes: u64::from(limit_mb) << 20,
            descendants: Vec::new(),
            look_for_at: Instant::now(),
            page_bytes: rustix::param::page_size() as u64,
        }
    }

    /// Looks.
    pub fn look(&mut self) -> Look {
        let begin = Instant::now();
        if begin >= self.look_for_at {
            self.descendants = descendants(self.root);
            self.look_for_at = Instant::now() + DESCENDANTS_FOR.max(begin.elapsed() * DESCENDANTS_FOR_LOOKS);
        }
        let taken: u64 = self.descendants.iter().map(|pid| self.anonymous_bytes(*pid)).sum();
        // Pages that a process shares with one it was copied from count twice above.
        let is_exceeded = taken > self.limit_bytes
            && self
                .descendants
                .iter()
                .map(|pid| proportional_bytes(*pid))
                .sum::<Option<u64>>()
                .unwrap_or(taken)
                > self.limit_bytes;
        let left_mb = self.limit_bytes.saturating_sub(taken) >> 20;
        let again_after = Duration::from_millis(left_mb / MB_PER_MS).clamp(PAUSE_MIN, PAUSE_MAX);
        Look { is_exceeded, again_after }
    }

    fn anonymous_bytes(&self, pid: Pid) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_nonzero())).unwrap_or_default();
        let mut pages = text.split(' ').map(|text| text.trim().parse::<u64>().unwrap_or_default());
        let (resident, shared) = (pages.nth(1).unwrap_or_default(), pages.next().unwrap_or_default());
        resident.saturating_sub(shared) * self.page_bytes
    }
}

/// The part of a process's own memory that falls to it where it is shared. `None` where the system does not tell.
fn proportional_bytes(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.as_raw_nonzero())).ok()?;
    kilobytes(&text, "Pss_Anon:").map(|kilobytes| kilobytes << 10)
}

/// The most that a process has taken so far. Bytes.
pub fn peak_bytes(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    kilobytes(&text, "VmHWM:").map(|kilobytes| kilobytes << 10)
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The children of a process.
pub fn children(of: Pid) -> Vec<Pid> {
    let parents = parents();
    parents.iter().filter(|(_, parent)| *parent == of).map(|(child, _)| *child).collect()
}

fn descendants(of: Pid) -> Vec<Pid> {
    let parents = parents();
    let mut found = vec![of];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(child, _)| *child));
        next += 1;
    }
    found.remove(0);
    found
}

/// All processes with their parents. Not every system lists the children of a process.
fn parents() -> Vec<(Pid, Pid)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pairs = entries.filter_map(|entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        let text = fs::read_to_string(entry.path().join("stat")).ok()?;
        Some((pid, Pid::from_raw(parent_in(&text)?)?))
    });
    pairs.collect()
}

/// The parent in `PID (NAME) STATE PARENT …`; the name may have anything in it.
fn parent_in(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_proc() {
        assert_eq!(parent_in("12 (a) b) c) S 7 12 12 0"), Some(7));
        assert_eq!(parent_in("12"), None);
        assert_eq!(kilobytes("Name:\tx\nVmHWM:\t    1736 kB\n", "VmHWM:"), Some(1736));
        assert_eq!(kilobytes("Name:\tx\n", "VmHWM:"), None);
    }

    #[test]
    fn children_and_peak() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("a process");
        let own = rustix::process::getpid();
        assert!(children(own).iter().any(|pid| pid.as_raw_nonzero().get() == child.id() as i32));
        assert!(descendants(own).iter().any(|pid| pid.as_raw_nonzero().get() == child.id() as i32));
        assert!(peak_bytes(own.as_raw_nonzero().get()).is_some_and(|bytes| bytes > 100_000));
        child.kill().expect("ended");
        child.wait().expect("gone");
    }
}
