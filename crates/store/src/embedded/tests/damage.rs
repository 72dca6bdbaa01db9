//! Every kind of harm that the log can come to, at every place: what was acknowledged is there, or the store is not opened.
//!
//! All records here were acknowledged. Only of the last one can a crash leave what looks as if it had never been finished.

use std::os::unix::fs::FileExt;

use super::super::log::all_paths;
use super::*;

const SECTOR: usize = 512;

/// A directory as a kill leaves it.
struct Crashed {
    directory: tempfile::TempDir,
    /// The last records, none of which is in the database, in order.
    records: Vec<Place>,
    /// How many records the catalogue has with all of them.
    acknowledged: u64,
}

/// Where a record lies.
#[derive(Clone, Debug)]
struct Place {
    file: PathBuf,
    offset: usize,
    bytes: usize,
}

fn copy(from: &Path, to: &Path, is_wanted: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if is_wanted(&name) {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// The records that begin in a file, with their positions.
fn records(file: &Path) -> Vec<(u64, Place)> {
    let bytes = fs::read(file).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let begins = (0..bytes.len()).step_by(BLOCK).filter(|at| bytes[*at..].starts_with(b"SwL1"));
    let place = |at: usize| {
        let length = (24 + number(at + 16) as usize).next_multiple_of(SECTOR);
        (u64::from(number(at + 8)), Place { file: file.to_owned(), offset: at, bytes: length })
    };
    begins.map(place).collect()
}

/// A store whose log was written over `before` times by records of so many bytes, then `unfolded` more: the database as it was
/// before those, the log as it was after.
fn crashed(bytes: usize, in_a_file: usize, before: u64, unfolded: u64) -> Crashed {
    let (live, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log_bytes = ((bytes + bytes / 16).next_multiple_of(BLOCK) + BLOCK) * in_a_file;
    let options = EmbeddedOptions { log_bytes: log_bytes as u64, ..EmbeddedOptions::new(live.path()) };
    let store = Embedded::open(options).unwrap();
    wait(store.acquire(SHARD)).unwrap();
    for number in 1..=before + unfolded {
        if number == before + 1 {
            let all = wait(store.records(CatalogKind::Tags, "", None, usize::MAX)).unwrap();
            assert_eq!(all.len() as u64, before);
            copy(live.path(), crashed.path(), |name| name.contains("stepwright.db"));
        }
        wait(store.commit(record(&format!("{number:05}"), bytes))).unwrap();
    }
    copy(live.path(), crashed.path(), |name| name.contains("stepwright.log"));
    let [one, other] = paths(crashed.path());
    let mut places = [records(&one), records(&other)].concat();
    places.sort_by_key(|(position, _)| *position);
    let records = places.split_off(places.len() - unfolded as usize).into_iter().map(|(_, place)| place);
    Crashed { records: records.collect(), directory: crashed, acknowledged: before + unfolded }
}

impl Crashed {
    fn again(&self) -> Crashed {
        let directory = tempfile::tempdir().unwrap();
        copy(self.directory.path(), directory.path(), |_| true);
        let moved = |place: &Place| {
            let file = directory.path().join(place.file.file_name().unwrap());
            Place { file, ..place.clone() }
        };
        let records = self.records.iter().map(moved).collect();
        Crashed { records, directory, acknowledged: self.acknowledged }
    }

    /// Opens with so many records of the catalogue; and again after a clean end.
    fn opens_with(&self, count: u64, what: &str) {
        for _ in 0..2 {
            let store = Embedded::open(EmbeddedOptions::new(self.directory.path()));
            let store = store.unwrap_or_else(|error| panic!("{what}: {error}"));
            let all = wait(store.records(CatalogKind::Tags, "", None, usize::MAX)).unwrap();
            let keys: Vec<_> = all.iter().map(|record| record.key.to_string()).collect();
            assert_eq!(keys, (1..=count).map(|number| format!("{number:05}")).collect::<Vec<_>>(), "{what}");
            store.close();
        }
    }

    /// Is refused with a way out, and nothing of the log is changed.
    fn is_refused(&self, what: &str) {
        let before = all_paths(self.directory.path()).map(|path| fs::read(path).ok());
        for _ in 0..2 {
            match Embedded::open(EmbeddedOptions::new(self.directory.path())) {
                Ok(_) => panic!("{what}: opened"),
                Err(OpenError::Lost { .. }) => {}
                Err(error) => panic!("{what}: {error}"),
            }
        }
        let after = all_paths(self.directory.path()).map(|path| fs::read(path).ok());
        assert!(before == after, "{what}: changed");
    }
}

fn edit(place: &Place, edit: impl FnOnce(&mut [u8])) {
    let file = fs::File::options().read(true).write(true).open(&place.file).unwrap();
    let mut bytes = vec![0; place.bytes];
    file.read_exact_at(&mut bytes, place.offset as u64).unwrap();
    edit(&mut bytes);
    file.write_all_at(&bytes, place.offset as u64).unwrap();
}

/// Whether a sector, of so many, was not written.
type IsMissing = fn(usize, usize) -> bool;

/// What a crash in the middle of a write leaves.
const TEARS: [(&str, IsMissing); 6] = [
    ("nothing of it", |_, _| true),
    ("the first sector only", |sector, _| sector != 0),
    ("all but the first sector", |sector, _| sector == 0),
    ("all but the last sector", |sector, sectors| sector + 1 == sectors),
    ("all but the last block", |sector, sectors| sector >= sectors.saturating_sub(1) / 8 * 8),
    ("every other sector", |sector, _| sector % 2 == 1),
];

/// Sizes of records, and how many fit into a file: small and large, also beyond a file.
const SIZES: [(usize, usize); 5] = [(200, 8), (1 << 10, 5), (20_000, 4), (1 << 20, 3), (16 << 20, 1)];

#[test]
fn a_torn_last_record_is_dropped_wherever_it_lies_and_whatever_lay_there_before() {
    for (bytes, in_a_file) in SIZES {
        let rounds =
            if bytes > 1 << 20 { &[2][..] } else { &[1, in_a_file as u64, 2 * in_a_file as u64 + 1] };
        for &before in rounds {
            let whole = crashed(bytes, in_a_file, before, 1);
            for (what, is_missing) in TEARS.into_iter().skip(if bytes > 1 << 20 { 4 } else { 0 }) {
                for stale in [false, true] {
                    let torn = whole.again();
                    // What an earlier record left there.
                    let mut other = Record::new();
                    let Unit { mutations, .. } = record("stale", bytes);
                    other.unit(&mutations);
                    let other = other.seal(2).to_vec();
                    edit(&torn.records[0], |place| {
                        let sectors = place.len() / SECTOR;
                        for sector in (0..sectors).filter(|sector| is_missing(*sector, sectors)) {
                            let at = sector * SECTOR..(sector + 1) * SECTOR;
                            let left = if stale { other.get(at.clone()) } else { None };
                            place[at].copy_from_slice(left.unwrap_or(&[0; SECTOR]));
                        }
                    });
                    let sectors = torn.records[0].bytes / SECTOR;
                    let is_touched = (0..sectors).any(|sector| is_missing(sector, sectors));
                    let count = torn.acknowledged - u64::from(is_touched);
                    torn.opens_with(count, &format!("{bytes} bytes after {before}: {what}, {stale}"));
                    if bytes > 1 << 20 {
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn whatever_is_whole_is_replayed() {
    for (bytes, in_a_file) in SIZES {
        let whole = crashed(bytes, in_a_file, 2 * in_a_file as u64 + 1, in_a_file as u64);
        whole.opens_with(whole.acknowledged, &format!("{bytes} bytes"));
    }
}

#[test]
fn damage_to_what_was_acknowledged_is_refused() {
    for (bytes, in_a_file) in SIZES {
        let unfolded = in_a_file.min(4);
        let whole = crashed(bytes, in_a_file, 2 * in_a_file as u64 + 1, unfolded as u64);
        for number in 0..unfolded {
            let is_last = number + 1 == unfolded;
            let length = whole.records[number].bytes;
            let places = [30, length / 2, 0, 9, 17, 21, SECTOR - 1, length - 1];
            for at in places.into_iter().take(if bytes > 1 << 20 { 2 } else { 8 }) {
                let damaged = whole.again();
                edit(&damaged.records[number], |place| place[at] ^= 0x20);
                damaged.is_refused(&format!("{bytes} bytes: record {number} of {unfolded} flipped at {at}"));
            }
            for (what, is_missing) in TEARS.iter().filter(|_| !is_last) {
                let damaged = whole.again();
                edit(&damaged.records[number], |place| {
                    let sectors = place.len() / SECTOR;
                    for sector in (0..sectors).filter(|sector| is_missing(*sector, sectors)) {
                        place[sector * SECTOR..(sector + 1) * SECTOR].fill(0);
                    }
                });
                let what = format!("{bytes} bytes: of record {number} of {unfolded} there is {what}");
                let sectors = length / SECTOR;
                match (0..sectors).any(|sector| is_missing(sector, sectors)) {
                    false => damaged.opens_with(damaged.acknowledged, &what),
                    true => damaged.is_refused(&what),
                }
            }
        }
    }
}

#[test]
fn missing_files_and_ends_of_files_are_refused() {
    for (bytes, in_a_file) in SIZES {
        let whole = crashed(bytes, in_a_file, 2 * in_a_file as u64 + 1, in_a_file as u64);
        let all: [&[usize]; 5] = [&[0, 1, 2], &[0], &[1], &[2], &[0, 1]];
        for gone in all.into_iter().take(if bytes > 1 << 20 { 1 } else { 5 }) {
            let damaged = whole.again();
            for number in gone {
                fs::remove_file(&all_paths(damaged.directory.path())[*number]).unwrap();
            }
            damaged.is_refused(&format!("{bytes} bytes: without {gone:?}"));
        }
        for (number, place) in whole.records.iter().enumerate() {
            for within in [0, place.bytes / 2] {
                let damaged = whole.again();
                let file = fs::File::options().write(true).open(&damaged.records[number].file).unwrap();
                file.set_len((place.offset + within) as u64).unwrap();
                damaged.is_refused(&format!("{bytes} bytes: cut off in record {number} after {within}"));
            }
        }
    }
}

#[test]
fn a_tail_of_zeros_is_refused_when_more_than_the_last_record_is_in_it() {
    for (bytes, in_a_file) in SIZES.into_iter().filter(|(_, in_a_file)| *in_a_file > 1) {
        let whole = crashed(bytes, in_a_file, 2 * in_a_file as u64, in_a_file as u64);
        for count in 1..=in_a_file {
            let damaged = whole.again();
            for place in damaged.records.iter().rev().take(count) {
                edit(place, |place| place.fill(0));
            }
            let what = format!("{bytes} bytes: zeros in place of the last {count}");
            match count {
                1 => damaged.opens_with(damaged.acknowledged - 1, &what),
                _ => damaged.is_refused(&what),
            }
        }
    }
}

/// Files of different moments do not belong together.
#[test]
fn older_files_are_refused() {
    let older = crashed(1 << 10, 5, 3, 1);
    let newer = crashed(1 << 10, 5, 20, 2);
    for names in [&["stepwright.log"][..], &["stepwright.log-0", "stepwright.log-1"], &["stepwright.db"]] {
        let mixed = newer.again();
        copy(older.directory.path(), mixed.directory.path(), |name| {
            names.iter().any(|wanted| name.starts_with(wanted))
        });
        if names == ["stepwright.db"] {
            let _ = fs::remove_file(mixed.directory.path().join("stepwright.db-wal"));
        }
        mixed.is_refused(&format!("{names:?} of before"));
    }
    // The database of a clean end beside the log of a later use.
    let closed = older.again();
    closed.opens_with(4, "before");
    let mixed = newer.again();
    let _ = fs::remove_file(mixed.directory.path().join("stepwright.db-wal"));
    copy(closed.directory.path(), mixed.directory.path(), |name| name == "stepwright.db");
    mixed.is_refused("the database of a clean end");
}

/// What is not needed may be harmed.
#[test]
fn damage_to_what_the_database_has_is_no_obstacle() {
    let whole = crashed(1 << 10, 5, 12, 2);
    let needed: Vec<_> = whole.records.iter().map(|place| (place.file.clone(), place.offset)).collect();
    let [one, other] = paths(whole.directory.path());
    let stale = [records(&one), records(&other)].concat().into_iter().map(|(_, place)| place);
    let stale: Vec<_> = stale.filter(|place| !needed.contains(&(place.file.clone(), place.offset))).collect();
    assert!(stale.len() > 3);
    let last = whole.records.last().unwrap();
    let step = last.bytes.next_multiple_of(BLOCK);
    for (number, place) in stale.iter().enumerate() {
        let damaged = whole.again();
        let file = damaged.directory.path().join(place.file.file_name().unwrap());
        edit(&Place { file, ..place.clone() }, |place| place[30] ^= 1);
        // Where the next record would be, nobody can say that there was none.
        let next = if place.file == last.file { last.offset + step } else { 0 };
        let may_be_next = place.offset == next;
        match may_be_next {
            true => damaged.is_refused(&format!("stale record {number}")),
            false => damaged.opens_with(damaged.acknowledged, &format!("stale record {number}")),
        }
    }
}
