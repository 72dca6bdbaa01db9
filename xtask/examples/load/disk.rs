//! What the disk allows: a bare log.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use crate::Options;

const RECORD: [u8; 1024] = [b'r'; 1024];

pub fn run(directory: &Path, options: &Options) -> Result<()> {
    let path = directory.join("bare-log");
    let mut file = std::fs::File::create(&path)?;
    let batch = RECORD.repeat(options.clients);
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < options.time {
        let each = Instant::now();
        file.write_all(&batch)?;
        file.sync_data()?;
        times.push(each.elapsed());
    }
    let records = times.len() * options.clients;
    times.sort_unstable();
    let median = times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1e3;
    let per_second = records as f64 / begun.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    println!("{}", json!({ "per_second": per_second, "p50_ms": median }));
    Ok(())
}
