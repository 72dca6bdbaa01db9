//! Directories that earlier formats wrote: each is opened, and everything in it is compared.
//!
//! Below `directories`, one for each format and way to end; `contents.txt` is what is in it. A new format adds one (run with
//! `STEPWRIGHT_BLESS=1` to write its contents); none is ever changed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use stepwright_store::embedded::{Embedded, EmbeddedOptions};
use stepwright_store::{CatalogKind, ExecutionKey, ShardId, Store};

use crate::build::wait;

const SHARD: ShardId = ShardId(0);

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Everything in the store.
fn contents(store: &Embedded) -> String {
    let mut out = String::new();
    for kind in CatalogKind::ALL {
        for record in wait(store.records(kind, "", None, usize::MAX)).unwrap() {
            writeln!(out, "{kind:?} {} {} {}", record.key, record.revision, text(&record.data)).unwrap();
        }
    }
    for sequence in 0..200 {
        let key = ExecutionKey::new(SHARD, sequence).unwrap();
        if let Some(row) = wait(store.execution(key)).unwrap() {
            let named = wait(store.execution_by_name(&row.machine, &row.name)).unwrap();
            assert_eq!(named.as_ref(), Some(&row));
            writeln!(out, "{key:?} {} {} {:?}", row.machine, row.name, row.status).unwrap();
            writeln!(out, "  {} {:?} {:?}", row.start_ms, row.stop_ms, row.listed).unwrap();
            writeln!(out, "  {} | {}", text(&row.head), text(&row.tail)).unwrap();
        }
        for segment in wait(store.segments(key, 0)).unwrap() {
            writeln!(out, "  segment {} {}", segment.number, text(&segment.data)).unwrap();
        }
    }
    writeln!(out, "{:#?}", wait(store.timers(SHARD)).unwrap()).unwrap();
    writeln!(out, "{:#?}", wait(store.dispatches(SHARD)).unwrap()).unwrap();
    writeln!(out, "{:#?}", wait(store.queued(SHARD)).unwrap()).unwrap();
    writeln!(out, "{:#?}", wait(store.permits(SHARD)).unwrap()).unwrap();
    out
}

fn directories() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/directories");
    fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_format_is_read() {
    let directories = directories();
    assert!(directories.len() >= 2);
    for written in directories {
        let expected = written.join("contents.txt");
        let directory = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(&written).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
        }
        // As it was written, and then as this version writes it.
        for _ in 0..2 {
            let store = Embedded::open(EmbeddedOptions::new(directory.path()));
            let store = store.unwrap_or_else(|error| panic!("{}: {error}", written.display()));
            let contents = contents(&store);
            if std::env::var_os("STEPWRIGHT_BLESS").is_some() && !expected.exists() {
                fs::write(&expected, &contents).unwrap();
            }
            let expected = fs::read_to_string(&expected).unwrap();
            for (line, expected) in contents.lines().zip(expected.lines()) {
                assert_eq!(line, expected, "{}", written.display());
            }
            assert_eq!(contents.len(), expected.len(), "{}", written.display());
            store.close();
        }
    }
}
