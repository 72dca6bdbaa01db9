//! Recorded answers of AWS against the interpreter: every case of kind `execution` that is there.
//!
//! The cases are looked for in `conformance/cases` and `../shared/conformance/cases`, relative to the workspace; without them
//! the test passes with nothing done. `CONFORMANCE_FILTER` chooses by a part of the file name, and then the differences are
//! printed. What the outside world answered is taken from the recording (`replay`).

mod case;
mod compare;
#[path = "../harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Cases that differ, by a part of their name, with the reason.
const KNOWN: &[(&str, &str)] = &[
    ("timestamp_too_far_in_future_boundary__a90282f5", "was read while the execution ran"),
    ("max_concurrency_path_negative", "was read while the execution ran"),
    // The MapStateExited of a distributed Map pointed to MapRunSucceeded until 2024; since then, to MapRunStarted.
    ("map_state_config_distributed_item_selector", "younger recordings differ"),
    ("map_state_config_distributed_parameters", "younger recordings differ"),
    ("map_state_legacy_config_distributed", "younger recordings differ"),
    ("map_state_tolerated_failure", "younger recordings differ"),
    ("map_item_reader", "items are read elsewhere"),
    ("map_item_batching", "items are read elsewhere"),
    ("reference_in_map_state_max_items_path", "items are read elsewhere"),
    ("map_state_result_writer", "results are written elsewhere"),
];

#[test]
fn histories_are_those_of_aws() {
    let Some(directory) = cases() else { return };
    let filter = std::env::var("CONFORMANCE_FILTER").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("cases")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(&filter)))
        .collect();
    files.sort();
    let mut folders: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    let mut unexpected = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("case");
        let value = stepwright_value::read(&text).expect("JSON");
        if value.get("kind").and_then(|kind| kind.as_str()) != Some("execution") {
            continue;
        }
        let folder = value.get("folder").and_then(|folder| folder.as_str()).unwrap_or("?").to_owned();
        let counts = folders.entry(folder).or_default();
        match case::run(&value) {
            case::Verdict::Passed => counts[0] += 1,
            case::Verdict::Skipped(reason) => {
                counts[2] += 1;
                if std::env::var("CONFORMANCE_SKIPPED").is_ok() {
                    println!("skipped {name}: {reason}");
                }
            }
            case::Verdict::Different(differences) => {
                counts[1] += 1;
                println!("different {name}: {}", differences.first().map_or("", String::as_str));
                if !filter.is_empty() {
                    differences.iter().skip(1).for_each(|difference| println!("    {difference}"));
                }
                if !KNOWN.iter().any(|(known, _)| name.contains(known)) {
                    unexpected.push(name);
                }
            }
        }
    }
    let mut sums = [0; 3];
    for (folder, counts) in &folders {
        println!("{folder:24} {:4} passed {:4} different {:4} skipped", counts[0], counts[1], counts[2]);
        (0..3).for_each(|at| sums[at] += counts[at]);
    }
    println!("{:24} {:4} passed {:4} different {:4} skipped", "all", sums[0], sums[1], sums[2]);
    assert!(unexpected.is_empty(), "{} cases differ: {unexpected:#?}", unexpected.len());
}

fn cases() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    ["conformance/cases", "../shared/conformance/cases"]
        .into_iter()
        .map(|place| workspace.join(place))
        .find(|place| place.is_dir())
}
