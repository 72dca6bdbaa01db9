//! Executions with long histories: what a step reads does not grow with them, and every moment of them can be had again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stepwright_engine::Engine;
use stepwright_machine::Execution;
use stepwright_machine::codec::{self, Snapshot};
use stepwright_store::memory::Memory;
use stepwright_store::{
    CatalogKind, CatalogRecord, CommitError, Dispatch, Epoch, Execution as Row, ExecutionKey, ExecutionQuery,
    Mutation, Page, Pending, Permit, QueueItem, Segment, ShardId, Status, Store, StoreError, Timer, Unit,
};
use stepwright_testkit::now;
use stepwright_value::Document;

use super::{WORK, World, start, status};

/// Asks a worker again and again, until it answers that it is enough. `$.p` goes through all states.
fn asking() -> String {
    format!(
        r#"{{"StartAt":"T","States":{{
          "T":{{"Type":"Task","Resource":"{WORK}","ResultPath":"$.r","Next":"C"}},
          "C":{{"Type":"Choice","Choices":[{{"Variable":"$.r","BooleanEquals":true,"Next":"E"}}],"Default":"T"}},
          "E":{{"Type":"Succeed"}}}}}}"#
    )
}

async fn answer(engine: &Arc<Engine>, text: &str) {
    let task = engine.activity_task(&WORK.into(), None).await.expect("a task");
    engine.task_succeeded(&task.token, Document::parse(text).expect("JSON")).await.expect("taken");
}

fn key() -> ExecutionKey {
    ExecutionKey::new(ShardId(0), 1).expect("a key")
}

/// Counts the bytes of the segments that are read.
struct Counted {
    store: Arc<Memory>,
    bytes: AtomicUsize,
}

impl Store for Counted {
    fn acquire(&self, shard: ShardId) -> Pending<'_, Result<(Epoch, u64), StoreError>> {
        self.store.acquire(shard)
    }

    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>> {
        self.store.commit(unit)
    }

    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Row>, StoreError>> {
        self.store.execution(key)
    }

    fn execution_by_name(&self, machine: &str, name: &str) -> Pending<'_, Result<Option<Row>, StoreError>> {
        self.store.execution_by_name(machine, name)
    }

    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Row>, StoreError>> {
        self.store.executions(query)
    }

    fn search(
        &self,
        search: stepwright_store::Search,
    ) -> Pending<'_, Result<stepwright_store::Found, StoreError>> {
        self.store.search(search)
    }

    fn counts(
        &self,
        machines: Option<std::collections::BTreeSet<Arc<str>>>,
    ) -> Pending<'_, Result<stepwright_store::Counts, StoreError>> {
        self.store.counts(machines)
    }

    fn machines(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Arc<str>>, StoreError>> {
        self.store.machines(prefix, after, limit)
    }

    fn segments(&self, _: ExecutionKey, _: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        panic!("nobody needs all segments at once")
    }

    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        Box::pin(async move {
            let segments = self.store.some_segments(key, from, newest_first, limit).await?;
            let bytes = segments.iter().map(|segment| segment.data.len()).sum();
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            Ok(segments)
        })
    }

    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>> {
        self.store.timers(shard)
    }

    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.store.dispatches(shard)
    }

    fn dispatches_of(&self, keys: &[ExecutionKey]) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.store.dispatches_of(keys)
    }

    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>> {
        self.store.queued(shard)
    }

    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>> {
        self.store.permits(shard)
    }

    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        self.store.record(kind, key)
    }

    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        self.store.records(kind, prefix, after, limit)
    }
}

#[test]
fn what_a_step_reads_does_not_grow() {
    for payload in [10, 100_000] {
        let mut world = World::new(&asking());
        world.live(async |engine| {
            start(&engine, "e", &format!(r#"{{"p":"{}"}}"#, "x".repeat(payload))).await.expect("starts");
        });
        let mut reads = Vec::new();
        for _ in 0..6 {
            world.live(async |engine| {
                for _ in 0..100 {
                    answer(&engine, "false").await;
                }
            });
            // It is nowhere but in the store now.
            let counted = Arc::new(Counted { store: world.store.clone(), bytes: AtomicUsize::new(0) });
            world.disk = counted.clone();
            world.live(async |engine| answer(&engine, "false").await);
            world.disk = world.store.clone();
            reads.push(counted.bytes.load(Ordering::Relaxed));
        }
        // What is read is what came after a snapshot, which is written whenever so much has gathered.
        let most = 4 * stepwright_engine::SNAPSHOT_AFTER + 10 * payload;
        assert!(reads.iter().all(|bytes| *bytes < most), "{payload}: {reads:?}, at most {most}");
        world.live(async |engine| {
            answer(&engine, "true").await;
            assert_eq!(status(&engine, "e").await, Status::Succeeded);
        });
    }
}

#[test]
fn every_moment_can_be_had_again() {
    let mut world = World::new(&asking());
    world.live(async |engine| {
        start(&engine, "e", r#"{"p":7}"#).await.expect("starts");
        for _ in 0..200 {
            answer(&engine, "false").await;
        }
        let events = engine.history(key()).await.expect("a history").events;
        let last = events.last().expect("an event").id;
        assert!(last > 1_000, "{last}");
        let whole = engine.execution_at(key(), u32::MAX).await.expect("a read").expect("the execution");
        let mut replayed: Execution = whole.unstarted();
        for event in &events {
            replayed.evolve(event).expect("own event");
            if event.id > 0 && (event.id % 97 == 0 || event.id < 9 || event.id + 9 > last) {
                let found =
                    engine.execution_at(key(), event.id).await.expect("a read").expect("the execution");
                assert!(found == replayed, "event {}", event.id);
                assert_eq!(found.snapshot(), replayed.snapshot(), "event {}", event.id);
            }
        }
        assert!(whole == replayed);
        let nobody = ExecutionKey::new(ShardId(0), 99).expect("a key");
        assert!(engine.execution_at(nobody, 1).await.expect("a read").is_none());
    });
}

/// Segments of an earlier version have no snapshots; and snapshots of another version are passed over.
#[test]
fn without_snapshots_all_is_replayed() {
    for garbage in [None, Some(&b"\xffof another version"[..])] {
        let mut world = World::new(&asking());
        world.live(async |engine| {
            start(&engine, "e", r#"{"p":7}"#).await.expect("starts");
            for _ in 0..200 {
                answer(&engine, "false").await;
            }
        });
        let row =
            now(world.store.execution(key())).expect("at once").expect("a read").expect("the execution");
        let mut mutations = vec![Mutation::DeleteExecution(key()), Mutation::CreateExecution(row)];
        let mut snapshots = 0;
        for mut segment in now(world.store.segments(key(), 1)).expect("at once").expect("a read") {
            let snapshot = match (codec::snapshot_of(&segment.data).expect("own segment"), garbage) {
                (Snapshot::Here(_), Some(garbage)) => Snapshot::Here(garbage),
                (Snapshot::Before(back), Some(_)) => Snapshot::Before(back),
                _ => Snapshot::None,
            };
            snapshots += usize::from(matches!(snapshot, Snapshot::Here(_)));
            let events = codec::decode_segment(&segment.data).expect("own segment");
            segment.data = codec::encode_segment_with(&events, snapshot);
            mutations.push(Mutation::Append { key: key(), segment });
        }
        assert_eq!(snapshots > 2, garbage.is_some());
        let queued = now(world.store.queued(ShardId(0))).expect("at once").expect("a read");
        mutations.extend(queued.into_iter().map(Mutation::Enqueue));
        let unit = Unit { shard: ShardId(0), epoch: Epoch(1), mutations };
        now(world.store.commit(unit)).expect("at once").expect("committed");
        world.live(async |engine| {
            answer(&engine, "false").await;
            let at_9 = engine.execution_at(key(), 9).await.expect("a read").expect("the execution");
            assert_eq!(at_9.history_len(), 9);
        });
        // From here on there are snapshots again.
        let newest = now(world.store.some_segments(key(), Segment::NUMBER_MAX, true, 1)).expect("at once");
        let newest = newest.expect("a read").pop().expect("a segment");
        let found = codec::snapshot_of(&newest.data).expect("own segment");
        assert!(matches!(found, Snapshot::Before(1)), "{found:?}");
        world.live(async |engine| {
            answer(&engine, "true").await;
            assert_eq!(status(&engine, "e").await, Status::Succeeded);
        });
    }
}
