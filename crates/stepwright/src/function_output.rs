//! What functions print, shown while it is printed: the section `[lambda]` of `stepwright.toml`, and who follows the lines.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use stepwright_logs::Log;
use stepwright_tasks::functions::{CredentialsSource, LogFilter, LogLine, Logs};
use tokio::sync::watch;

use crate::row::clean;

/// Lines that are read together.
const LINES_MAX: usize = 1_000;
/// Between two looks at what is new.
const PAUSE: Duration = Duration::from_millis(20);

/// `[lambda]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Whose AWS credentials functions get that do not say.
    pub credentials: CredentialsSource,
    /// Whether what functions print is shown.
    pub print: Option<bool>,
}

/// Reads the lines one after the other.
pub struct Follower {
    logs: Arc<Logs>,
    news: watch::Receiver<u64>,
    after: u64,
}

impl Follower {
    pub fn new(logs: &Arc<Logs>) -> Follower {
        Follower { logs: logs.clone(), news: logs.news(), after: 0 }
    }

    /// Returns when there are lines that have not been read.
    pub async fn news(&mut self) {
        let after = self.after;
        if self.news.wait_for(|last| *last > after).await.is_err() {
            std::future::pending().await // nobody is left who could write
        }
    }

    /// The lines since the last time, and how many of them are gone.
    pub fn lines(&mut self) -> (Vec<LogLine>, u64) {
        // Up to here everything is there, or gone already.
        let known = *self.news.borrow();
        let lines = self.logs.lines_after(self.after, &LogFilter::default(), LINES_MAX);
        let last = lines.last().map_or(known.max(self.after), |line| line.number);
        let lost = (last - self.after) - lines.len() as u64;
        self.after = last;
        (lines, lost)
    }
}

/// What `run` shows of the lines: those of the functions themselves, behind the state that called.
pub fn for_people(lines: &[LogLine], lost: u64) -> String {
    let mut text = String::new();
    if lost > 0 {
        text.push_str(&format!("({lost} lines of functions are left out)\n"));
    }
    for line in lines.iter().filter(|line| !line.is_platform) {
        let origin = &line.origin;
        let place = origin.caller.as_ref().map_or(&origin.function_name, |caller| &caller.state_name);
        for part in line.text.lines() {
            text.push_str(&format!("{} | {}\n", clean(place), clean(part)));
        }
    }
    text
}

/// Logs what functions print for as long as the runtime lives: into the server's own log, and into Lambda's log groups.
pub fn follow(logs: &Arc<Logs>, is_printed: bool, groups: Option<Arc<Log>>) {
    if !is_printed && groups.is_none() {
        return;
    }
    let mut follower = Follower::new(logs);
    tokio::spawn(async move {
        loop {
            follower.news().await;
            tokio::time::sleep(PAUSE).await;
            loop {
                let (lines, lost) = follower.lines();
                if lost > 0 {
                    tracing::warn!(
                        lines = lost,
                        "what functions print is not shown in full: they print too fast"
                    );
                }
                if is_printed {
                    lines.iter().for_each(print);
                }
                if let Some(groups) = &groups {
                    groups.functions(&lines);
                }
                if lines.len() < LINES_MAX {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    });
}

/// The platform's lines have nothing that the histories do not have.
fn print(line: &LogLine) {
    let (function, request_id) = (&line.origin.function_name, &line.origin.request_id);
    let text = clean(&line.text);
    if line.is_platform {
        tracing::debug!(function, request_id, "{text}");
    } else {
        tracing::info!(function, request_id, "{text}");
    }
}
