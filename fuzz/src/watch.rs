//! Looks after a run: an input that takes too long or too much memory is kept, and ends the process.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest time for one input.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Most memory for the process, in bytes.
const MEMORY_MAX: usize = 1 << 30;

/// The input that is being tried.
#[derive(Clone)]
pub struct Watch {
    current: Arc<Mutex<Option<(Instant, Vec<u8>)>>>,
    findings: PathBuf,
    _ends: Sender<()>,
}

impl Watch {
    /// Watches until it is dropped. Findings are written into `findings`.
    pub fn begin(findings: &Path) -> Watch {
        let (ends, ended) = mpsc::channel();
        let current = Arc::new(Mutex::new(None));
        let watch = Watch { current: current.clone(), findings: findings.to_owned(), _ends: ends };
        let findings = findings.to_owned();
        std::thread::spawn(move || {
            while ended.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                let Ok(current) = current.lock() else { return };
                let Some((begun, input)) = current.as_ref() else { continue };
                let why = if begun.elapsed() > TIME_MAX {
                    "slow"
                } else if resident_bytes() > MEMORY_MAX {
                    "large"
                } else {
                    continue;
                };
                let path = keep(&findings, why, input);
                eprintln!("{why} input: {path}");
                std::process::exit(1);
            }
        });
        watch
    }

    /// An input is going to be tried; with `trace`, it is written down first, for what ends the process at once.
    pub fn trying(&self, input: &[u8], trace: bool) {
        if trace {
            keep_as(&self.findings.join("current"), input);
        }
        if let Ok(mut current) = self.current.lock() {
            *current = Some((Instant::now(), input.to_vec()));
        }
    }

    /// The input has been tried.
    pub fn tried(&self) {
        if let Ok(mut current) = self.current.lock() {
            *current = None;
        }
    }

    /// Writes an input down; says where.
    pub fn keep(&self, why: &str, input: &[u8]) -> String {
        keep(&self.findings, why, input)
    }
}

fn keep(findings: &Path, why: &str, input: &[u8]) -> String {
    let hash = input.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let path = findings.join(format!("{why}-{hash:016x}"));
    keep_as(&path, input);
    path.display().to_string()
}

fn keep_as(path: &Path, input: &[u8]) {
    let written =
        path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, input));
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}

/// What the process holds; 0 where the system does not say.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
