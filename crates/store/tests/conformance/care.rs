//! What an operator does with a directory.

use std::fs;
use std::path::Path;

use stepwright_store::Status;
use stepwright_store::embedded::care::{self, Loss};
use stepwright_store::embedded::{Embedded, EmbeddedOptions, OpenError};

use crate::build::*;

fn options(directory: &Path) -> EmbeddedOptions {
    EmbeddedOptions::new(directory)
}

fn names(directory: &Path) -> usize {
    let store = Embedded::open(options(directory)).unwrap();
    let listed = Holder::new(&*store).list(None, None, usize::MAX).0;
    store.close();
    listed.len()
}

fn commit(store: &Embedded, sequences: std::ops::RangeInclusive<u64>) {
    let holder = Holder::new(store);
    for sequence in sequences {
        holder.commit([create(sequence, &format!("name {sequence}")), append(sequence, 1)]);
    }
}

#[test]
fn a_backup_has_everything_that_was_acknowledged_while_the_store_is_in_use_and_is_restored() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (backup, restored) = (elsewhere.path().join("backup"), elsewhere.path().join("restored"));
    let store = Embedded::open(options(directory.path())).unwrap();
    commit(&store, 1..=40);
    care::backup(&options(directory.path()), &backup).unwrap();
    commit(&store, 41..=50);
    assert!(matches!(care::backup(&options(directory.path()), &backup), Err(OpenError::Exists { .. })));
    #[cfg(unix)]
    for path in [backup.clone(), backup.join("stepwright.db")] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{} is for its owner alone", path.display());
    }
    assert!(matches!(care::restore(&backup, directory.path()), Err(OpenError::Exists { .. })));
    assert!(matches!(care::compact(&options(directory.path())), Err(OpenError::InUse { .. })));
    assert!(matches!(care::examine(&options(directory.path())), Err(OpenError::InUse { .. })));
    assert!(care::verify(&options(directory.path())).unwrap().is_in_use);
    store.close();
    care::restore(&backup, &restored).unwrap();
    assert_eq!([names(&restored), names(directory.path()), names(&backup)], [40, 50, 40]);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backup = elsewhere.path().join("backup");
    let store = Embedded::open(options(directory.path())).unwrap();
    commit(&store, 1..=9);
    store.close();
    care::backup(&options(directory.path()), &backup).unwrap();
    let file = backup.join("stepwright.db");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 4096;
    bytes[last + 9] ^= 1;
    fs::write(&file, bytes).unwrap();
    let found = care::verify(&options(&backup)).unwrap().findings;
    assert!(found.iter().any(|finding| finding.contains("does not match its checksum")), "{found:?}");
    let refused = care::restore(&backup, &elsewhere.path().join("restored"));
    assert!(matches!(refused, Err(OpenError::Damaged { .. })));
    assert!(!elsewhere.path().join("restored").exists());
}

#[test]
fn sizes_and_verification_see_everything_and_compaction_gives_back_what_was_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(options(directory.path())).unwrap();
    commit(&store, 1..=400);
    let holder = Holder::new(&*store);
    holder.commit([end(400, Status::Succeeded)]);
    holder.commit(
        (1..400).map(|number| stepwright_store::Mutation::DeleteExecution(key(number))).collect::<Vec<_>>(),
    );
    store.close();
    let sizes = care::sizes(&options(directory.path())).unwrap();
    assert!(sizes.free > 0 && sizes.tables.iter().any(|(name, _)| name == "execution"));
    assert_eq!(sizes.executions.iter().map(|(_, count)| count).sum::<u64>(), 1);
    let (before, after) = care::compact(&options(directory.path())).unwrap();
    assert!(after < before);
    assert_eq!(care::sizes(&options(directory.path())).unwrap().free, 0);
    let verified = care::verify(&options(directory.path())).unwrap();
    assert_eq!((verified.findings.len(), verified.is_in_use), (0, false));
    assert!(verified.rows >= 2 && verified.pages > 10);
    assert_eq!(names(directory.path()), 1);
}

#[test]
fn a_repair_says_what_it_gives_up_and_keeps_the_rest() {
    let (directory, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Embedded::open(options(directory.path())).unwrap();
    commit(&store, 1..=5);
    Holder::new(&*store).list(None, None, 9);
    let copy = |name: &str| {
        fs::copy(directory.path().join(name), crashed.path().join(name)).unwrap();
    };
    ["stepwright.db", "stepwright.db-wal"].into_iter().for_each(copy);
    commit(&store, 6..=9);
    ["stepwright.log-0", "stepwright.log-1", "stepwright.log-mark"].into_iter().for_each(copy);
    store.close();
    // The first of those four, behind the record that took the shard.
    let file = crashed.path().join("stepwright.log-0");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(6).position(|window| window == b"name 6").unwrap();
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = Embedded::open(options(crashed.path())).err().unwrap().to_string();
    assert!(error.contains("is damaged, and everything up to") && error.contains("store repair"), "{error}");
    let Loss { readable, executions, kept, newest, .. } =
        care::examine(&options(crashed.path())).unwrap().unwrap();
    assert_eq!((readable, newest - kept), (3, 4));
    let named: Vec<_> =
        (7..=9).map(|number| format!("start of execution name {number} of machine")).collect();
    assert_eq!(executions, named);
    assert!(Embedded::open(options(crashed.path())).is_err(), "looking changes nothing");
    care::repair(&options(crashed.path())).unwrap();
    assert!(care::examine(&options(crashed.path())).unwrap().is_none());
    assert_eq!(names(crashed.path()), 5);
}
