//! Directories that the embedded store opens, and those that it refuses and leaves as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use stepwright_store::embedded::{Embedded, EmbeddedOptions, OpenError};
use stepwright_store::{CatalogKind, ExecutionQuery, Expect, Listing, Mutation, Store, StoreError};

use crate::build::*;

fn open(directory: &Path) -> Result<std::sync::Arc<Embedded>, OpenError> {
    Embedded::open(EmbeddedOptions::new(directory))
}

fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// Opening fails with a message that contains `message`, and changes nothing.
fn refused(directory: &Path, message: &str) {
    let before = contents(directory);
    let error = open(directory).err().expect("refused").to_string();
    assert!(error.contains(message), "{error}");
    assert!(error.contains(&*directory.to_string_lossy()), "{error}");
    assert_eq!(contents(directory), before);
}

/// A directory with a closed store of one execution.
fn store() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let holder = Holder::new(&*store);
    holder.commit([create(1, "a"), append(1, 1)]);
    let record = Mutation::Catalog {
        kind: CatalogKind::Activity,
        key: "record".into(),
        data: Some(b"record data".to_vec()),
        expect: Expect::Absent,
    };
    holder.commit([record]);
    store.close();
    directory
}

/// Changes the database behind the store's back, so that its pages are as they were written.
fn change(directory: &Path, sql: &str) {
    let file = directory.join("stepwright.db");
    Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    if bytes[20] != 8 {
        return;
    }
    for (number, page) in (1_u64..).zip(bytes.chunks_mut(PAGE)).filter(|(_, page)| page.len() == PAGE) {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&number.to_le_bytes());
        hasher.update(&page[..PAGE - 8]);
        page[PAGE - 8..PAGE - 4].copy_from_slice(&hasher.finalize().to_le_bytes());
    }
    fs::write(&file, bytes).unwrap();
}

const PAGE: usize = 4096;

/// A flipped bit anywhere in the database is an error where it is read, and never another answer.
#[test]
fn a_damaged_page_is_an_error_and_never_another_answer() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let holder = Holder::new(&*store);
    let name = |number: u64| format!("name {number}");
    for number in 1..=150 {
        holder.commit([create(number, &name(number)), append(number, 1), append(number, 2)]);
    }
    holder.commit((1..50).map(|number| Mutation::DeleteExecution(key(number))).collect::<Vec<_>>());
    store.close();
    let file = directory.path().join("stepwright.db");
    let whole = fs::read(&file).unwrap();
    let mut refused = 0;
    for page in 0..whole.len() / PAGE {
        let at = page * PAGE + page * 379 % PAGE;
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (page % 8);
        fs::write(&file, damaged).unwrap();
        let Ok(store) = open(directory.path()) else {
            refused += 1;
            continue;
        };
        let mut errors = 0;
        let mut check = |is_right: Result<bool, StoreError>| match is_right {
            Ok(is_right) => assert!(is_right, "page {page}"),
            Err(StoreError::Corrupt(_)) => errors += 1,
            Err(error) => panic!("page {page}: {error}"),
        };
        for number in 50..=150 {
            check(
                wait(store.execution(key(number)))
                    .map(|found| found.is_some_and(|row| *row.name == name(number))),
            );
            check(wait(store.execution_by_name("machine", &name(number))).map(|found| found.is_some()));
            check(wait(store.segments(key(number), 1)).map(|segments| segments.len() == 2));
        }
        let query = ExecutionQuery {
            of: Listing::Machine("machine".into()),
            status: None,
            oldest_first: false,
            after: None,
            limit: 1_000,
        };
        check(wait(store.executions(query)).map(|page| page.items.len() == 101));
        store.close();
    }
    assert!(refused > 5, "the schema, and what is read at the start");
    fs::write(&file, whole).unwrap();
    assert!(open(directory.path()).is_ok());
}

#[test]
fn a_directory_is_created_with_its_parents() {
    let directory = tempfile::tempdir().unwrap();
    let nested = directory.path().join("one/two");
    open(&nested).unwrap().close();
    assert!(open(&nested).is_ok());
}

#[test]
fn other_files_in_the_directory_are_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.txt"), "mine").unwrap();
    open(directory.path()).unwrap().close();
    assert_eq!(contents(directory.path())["notes.txt"], b"mine");
}

#[test]
fn a_directory_in_use_is_refused_whatever_was_deleted_in_it() {
    let directory = store();
    let _first = open(directory.path()).unwrap();
    for name in [
        "stepwright.lock",
        "stepwright.log-0",
        "stepwright.log-1",
        "stepwright.log-mark",
        "stepwright.db-wal",
    ] {
        fs::remove_file(directory.path().join(name)).unwrap();
        assert!(matches!(open(directory.path()), Err(OpenError::InUse { .. })), "without {name}");
    }
    fs::remove_file(directory.path().join("stepwright.db")).unwrap();
    let error = open(directory.path()).err().unwrap();
    assert!(matches!(error, OpenError::InUse { .. }), "without anything: {error}");
}

#[test]
fn the_same_database_is_not_opened_in_two_directories() {
    let (one, other) = (store(), tempfile::tempdir().unwrap());
    fs::hard_link(one.path().join("stepwright.db"), other.path().join("stepwright.db")).unwrap();
    let first = open(one.path()).unwrap();
    assert!(matches!(open(other.path()), Err(OpenError::InUse { .. })));
    first.close();
}

#[test]
fn a_directory_in_use_is_refused() {
    let directory = store();
    let first = open(directory.path()).unwrap();
    let error = open(directory.path()).err().unwrap();
    let told = error.to_string();
    assert!(matches!(error, OpenError::InUse { .. }), "{told}");
    assert!(told.contains("in use by this process: stop it, or name another directory"), "{told}");
    assert!(told.contains(&*directory.path().to_string_lossy()));
    assert!(Holder::new(&*first).execution(key(1)).is_some());
    first.close();
    assert!(open(directory.path()).is_ok(), "closing gives it free");
}

#[test]
fn what_is_not_a_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "text").unwrap();
    assert!(matches!(open(&directory.path().join("file")), Err(OpenError::Io { .. })));
    assert_eq!(contents(directory.path())["file"], b"text");
}

#[test]
fn a_file_of_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stepwright.db");
    for (data, message) in [
        (&b""[..], "it is empty"),
        (b"a text", "it is not a database"),
        (&[b'x'; 5000], "it is not a database"),
        (b"SQLite format 3\0", "its header is not as it was written"),
    ] {
        fs::write(&file, data).unwrap();
        refused(directory.path(), message);
    }
    fs::remove_file(&file).unwrap();
    change(directory.path(), "CREATE TABLE theirs (data); INSERT INTO theirs VALUES (1)");
    refused(directory.path(), "it is the database of another program");
    change(directory.path(), "PRAGMA journal_mode = WAL; PRAGMA user_version = 1");
    refused(directory.path(), "it is the database of another program");
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let directory = store();
    change(directory.path(), "PRAGMA user_version = 1000");
    refused(directory.path(), "has schema version 1000");
}

#[test]
fn a_damaged_header_is_refused() {
    let directory = store();
    let file = directory.path().join("stepwright.db");
    let whole = fs::read(&file).unwrap();
    for (offset, message) in
        [(3, "first bytes are damaged"), (16, "its header"), (18, "its header"), (21, "its header")]
    {
        let mut damaged = whole.clone();
        damaged[offset] ^= 0x40;
        fs::write(&file, damaged).unwrap();
        refused(directory.path(), message);
    }
    fs::write(&file, &whole[..60]).unwrap();
    refused(directory.path(), "its header");
    fs::write(&file, &whole).unwrap();
    assert!(open(directory.path()).is_ok());
}

#[test]
fn a_log_without_its_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("stepwright.db-wal"), "the log").unwrap();
    refused(directory.path(), "its log is there");
}

#[test]
fn what_a_killed_creation_left_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("stepwright.db.new"), "half").unwrap();
    fs::write(directory.path().join("stepwright.db.new-journal"), "half").unwrap();
    open(directory.path()).unwrap().close();
    let left: Vec<String> = contents(directory.path()).into_keys().collect();
    assert_eq!(left, ["stepwright.db", "stepwright.lock"]);
}

#[test]
fn damaged_blobs_are_found_when_they_are_read() {
    let directory = store();
    let flip = |column: &str| format!("substr({column}, 1, 3) || x'ff' || substr({column}, 5)");
    change(
        directory.path(),
        &format!(
            "UPDATE segment SET data = CAST({} AS BLOB); UPDATE record SET data = CAST({} AS BLOB);
             UPDATE execution SET head = CAST({} AS BLOB)",
            flip("data"),
            flip("data"),
            flip("head")
        ),
    );
    let store = open(directory.path()).unwrap();
    assert!(matches!(wait(store.segments(key(1), 1)), Err(StoreError::Corrupt(_))));
    assert!(matches!(wait(store.execution(key(1))), Err(StoreError::Corrupt(_))));
    assert!(matches!(wait(store.execution_by_name("machine", "a")), Err(StoreError::Corrupt(_))));
    assert!(matches!(wait(store.record(CatalogKind::Activity, "record")), Err(StoreError::Corrupt(_))));
    // The listing does not read them, and the store goes on.
    let holder = Holder::new(&*store);
    assert_eq!(holder.list(None, None, 9).0, [1]);
    assert!(holder.try_commit([create(2, "a")]).is_err());
    holder.commit([create(2, "b")]);
}
