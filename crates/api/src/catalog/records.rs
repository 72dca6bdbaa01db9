//! Typed catalogue records with a cache in front of the store.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use stepwright_formats::FormatError;
use stepwright_formats::catalog as format;
use stepwright_store::{CatalogKind, CatalogRecord, Expect, StoreError};

use super::store::{CatalogStore, CatalogWrite, WriteError};

/// Encoded records that the cache holds at most; beyond it the cache is emptied. Bytes.
const CACHE_BYTES_MAX: usize = 128 << 20;
/// Records that the cache holds at most.
const CACHE_RECORDS_MAX: usize = 20_000;

/// Something that is kept as a catalogue record.
pub trait Record: Sized + Send + Sync + 'static {
    const KIND: CatalogKind;

    /// How it is stored.
    type Stored: format::Record;

    fn to_stored(&self) -> Self::Stored;

    /// Refuses words that this release does not know.
    fn from_stored(stored: Self::Stored) -> Result<Self, FormatError>;

    /// The record's key.
    fn key(&self) -> String;

    /// A write of this record.
    fn put(&self, expect: Expect) -> CatalogWrite {
        let data = Some(format::write(&self.to_stored()));
        CatalogWrite { kind: Self::KIND, key: self.key(), data, expect }
    }

    /// The deletion of the record with this key.
    fn delete(key: impl Into<String>, expect: Expect) -> CatalogWrite {
        CatalogWrite { kind: Self::KIND, key: key.into(), data: None, expect }
    }
}

/// The catalogue.
pub struct Catalog {
    store: Arc<dyn CatalogStore>,
    /// How long a record may be answered from memory; `None` when no other process writes to the store.
    lifetime: Option<Duration>,
    cache: RwLock<Cache>,
}

#[derive(Default)]
struct Cache {
    /// Counts the writes, so that what was read before a write is not kept after it.
    generation: u64,
    bytes: usize,
    records: HashMap<CatalogKind, HashMap<String, Cached>>,
}

struct Cached {
    record: Arc<dyn Any + Send + Sync>,
    read_at: Instant,
}

impl Catalog {
    /// `lifetime`: how long a record may be answered from memory although another process may have changed it; `None`
    /// when this process alone writes.
    pub fn new(store: Arc<dyn CatalogStore>, lifetime: Option<Duration>) -> Catalog {
        Catalog { store, lifetime, cache: RwLock::default() }
    }

    /// Where the records are kept.
    pub fn store(&self) -> &dyn CatalogStore {
        &*self.store
    }

    /// A record, from memory where it is known.
    pub async fn read<T: Record>(&self, key: &str) -> Result<Option<Arc<T>>, StoreError> {
        let generation = match self.cached(key) {
            Ok(record) => return Ok(Some(record)),
            Err(generation) => generation,
        };
        let Some(stored) = self.store.get(T::KIND, key).await? else { return Ok(None) };
        let record = Arc::new(decode::<T>(&stored)?);
        self.keep(generation, key, stored.data.len(), record.clone());
        Ok(Some(record))
    }

    /// A record from the store, with what to expect when it is written back.
    pub async fn read_for_write<T: Record>(&self, key: &str) -> Result<Option<(T, Expect)>, StoreError> {
        let stored = self.store.get(T::KIND, key).await?;
        stored.map(|stored| Ok((decode(&stored)?, Expect::Revision(stored.revision)))).transpose()
    }

    /// Records in key order whose key starts with `prefix`, after the key `after`.
    pub async fn list<T: Record>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        self.store.list(T::KIND, prefix, after, limit).await?.iter().map(decode).collect()
    }

    /// Writes all or nothing.
    pub async fn write(&self, writes: Vec<CatalogWrite>) -> Result<(), WriteError> {
        let touched: Vec<(CatalogKind, String)> =
            writes.iter().map(|write| (write.kind, write.key.clone())).collect();
        let written = self.store.write(writes).await;
        // Also after a failure: a conflict means that what is known here is old.
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.generation += 1;
        for (kind, key) in touched {
            if let Some(records) = cache.records.get_mut(&kind) {
                records.remove(&key);
            }
        }
        written
    }

    /// The record in memory, or the generation to pass to [`Catalog::keep`].
    fn cached<T: Record>(&self, key: &str) -> Result<Arc<T>, u64> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        cache
            .records
            .get(&T::KIND)
            .and_then(|records| records.get(key))
            .filter(|cached| self.lifetime.is_none_or(|lifetime| cached.read_at.elapsed() < lifetime))
            .and_then(|cached| cached.record.clone().downcast::<T>().ok())
            .ok_or(cache.generation)
    }

    fn keep<T: Record>(&self, generation: u64, key: &str, bytes: usize, record: Arc<T>) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.generation != generation {
            return;
        }
        let count: usize = cache.records.values().map(HashMap::len).sum();
        if cache.bytes + bytes > CACHE_BYTES_MAX || count >= CACHE_RECORDS_MAX {
            cache.records.clear();
            cache.bytes = 0;
        }
        cache.bytes += bytes;
        let cached = Cached { record, read_at: Instant::now() };
        cache.records.entry(T::KIND).or_default().insert(key.to_owned(), cached);
    }
}

/// A record as it was stored.
pub(crate) fn decode<T: Record>(stored: &CatalogRecord) -> Result<T, StoreError> {
    let record = format::read(&stored.data).and_then(T::from_stored);
    record.map_err(|error| StoreError::Corrupt(format!("{:?} {}: {error}", T::KIND, stored.key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Activity, Alias, Machine, MachineEntry, Tags, Version};

    /// What is written of a record that was read.
    fn again<T: Record>(data: &[u8]) -> Vec<u8> {
        let stored = CatalogRecord { key: "key".into(), data: data.to_vec(), revision: 1 };
        let record: T = decode(&stored).expect("a record of the first version");
        record.put(Expect::Anything).data.expect("data")
    }

    #[test]
    fn records_of_the_first_version_are_read_as_a_whole() {
        for line in include_str!("../../../formats/tests/catalog/version-0.txt").lines() {
            let (kind, json) = line.split_once(' ').expect("a kind and a record");
            let written = match kind {
                "StateMachine" => again::<MachineEntry>(json.as_bytes()),
                "Revision" => again::<Machine>(json.as_bytes()),
                "Activity" => again::<Activity>(json.as_bytes()),
                "Tags" => again::<Tags>(json.as_bytes()),
                "Version" => again::<Version>(json.as_bytes()),
                "Alias" => again::<Alias>(json.as_bytes()),
                _ => continue,
            };
            assert_eq!(String::from_utf8_lossy(&written), format!("\x01{json}"));
        }
    }

    #[test]
    fn words_that_are_not_known_are_refused() {
        let data = br#"{"arn":"a","name":"n","created_ms":1,"encryption":{"type":"LATER"}}"#;
        let stored = CatalogRecord { key: "a".into(), data: data.to_vec(), revision: 1 };
        let refused = decode::<Activity>(&stored).map(|_| ()).expect_err("nobody wrote this").to_string();
        assert!(refused.contains("a word that this release does not know"), "{refused}");
    }
}
