//! The same random units against two adapters: the same answers, and the same to be read afterwards.

use std::sync::Arc;

use stepwright_store::{
    CatalogKind, CommitError, Dispatch, Epoch, Execution, ExecutionKey, ExecutionQuery, Expect, Listed,
    Listing, Mutation, Permit, QueueItem, Search, Segment, ShardId, Status, Store, Timer, Unit,
};

use crate::adapter;
use crate::build::{key_of, wait};

/// A small generator of random numbers (SplitMix64), so that a seed says everything.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn key(&mut self, shard: ShardId) -> ExecutionKey {
        key_of(shard, self.below(12))
    }

    fn text(&mut self) -> Arc<str> {
        ["a", "b", "c", "d", "e"][self.below(5) as usize].into()
    }

    fn bytes(&mut self) -> Vec<u8> {
        vec![self.below(256) as u8; self.below(40) as usize]
    }

    fn status(&mut self) -> Status {
        Status::ALL[self.below(6) as usize]
    }

    fn listed(&mut self) -> Listed {
        let mut some = |limit| (self.below(2) == 0).then(|| self.below(limit));
        let name = |number: u64| ["a", "b", "c"][number as usize].into();
        Listed {
            version: some(3).map(name),
            alias: some(3).map(name),
            map_run: some(3).map(name),
            item_count: some(9).map(|count| count as u32),
            redrives: self.below(2) as u32,
            redriven_ms: None,
        }
    }

    fn mutation(&mut self, shard: ShardId) -> Mutation {
        let key = self.key(shard);
        let timer = Timer { due_ms: self.below(4) as i64, key, timer: self.below(3) as u32 };
        let task = self.below(3) as u32;
        match self.below(16) {
            0 | 1 => {
                let kind = [CatalogKind::Activity, CatalogKind::Tags][self.below(2) as usize];
                let data = (self.below(3) > 0).then(|| self.bytes());
                let expect = [Expect::Anything, Expect::Absent, Expect::Revision(self.below(3))]
                    [self.below(3) as usize];
                Mutation::Catalog { kind, key: self.text(), data, expect }
            }
            2 | 3 => Mutation::CreateExecution(Execution {
                key,
                machine: self.text(),
                name: self.text(),
                status: self.status(),
                start_ms: self.below(5) as i64,
                stop_ms: None,
                head: self.bytes(),
                tail: vec![],
                listed: self.listed(),
            }),
            4 => {
                let stop_ms = Some(self.below(100) as i64);
                Mutation::SetStatus { key, status: self.status(), stop_ms, tail: self.bytes() }
            }
            5 => {
                let number = 1 + self.below(30) as u32;
                Mutation::Append { key, segment: Segment { number, data: self.bytes() } }
            }
            12 => Mutation::CountRedrive { key, at_ms: self.below(9) as i64 },
            6 => Mutation::SetTimer(timer),
            7 => Mutation::CancelTimer(timer),
            8 => Mutation::Dispatched(Dispatch { key, task }),
            9 => Mutation::Answered(Dispatch { key, task }),
            10 if self.below(2) == 0 => Mutation::Enqueue(QueueItem { queue: self.text(), key, task }),
            10 => Mutation::Dequeue(QueueItem { queue: self.text(), key, task }),
            11 => Mutation::SetPermit(Permit { key, task, data: self.bytes() }),
            13 => Mutation::DropPermit { key, task },
            14 if self.below(2) == 0 => {
                let values = (0..self.below(3)).map(|_| self.text()).collect();
                Mutation::SetTerms { key, field: self.text(), values }
            }
            _ => Mutation::DeleteExecution(key),
        }
    }
}

/// What is to be read from a store, all of it.
fn everything(store: &dyn Store) -> String {
    let mut all = String::new();
    let mut add = |what: &dyn std::fmt::Debug| all.push_str(&format!("{what:?}\n"));
    for shard in [ShardId(0), ShardId(200)] {
        for sequence in 0..12 {
            let key = key_of(shard, sequence);
            add(&wait(store.execution(key)).unwrap());
            add(&wait(store.dispatches_of(&[key])).unwrap());
            for from in [0, 7, 31] {
                add(&wait(store.segments(key, from)).unwrap());
                add(&wait(store.some_segments(key, from, true, 2)).unwrap());
            }
        }
        add(&wait(store.timers(shard)).unwrap());
        add(&wait(store.dispatches(shard)).unwrap());
        add(&wait(store.queued(shard)).unwrap());
        add(&wait(store.permits(shard)).unwrap());
    }
    for machine in ["a", "b", "c", "d", "e"] {
        for name in ["a", "b", "c", "d", "e"] {
            add(&wait(store.execution_by_name(machine, name)).unwrap());
        }
        for status in Status::ALL.map(Some).into_iter().chain([None]) {
            for after in [None, Some((2, key_of(ShardId(0), 6)))] {
                for of in [
                    Listing::Machine(machine.into()),
                    Listing::Version(machine.into()),
                    Listing::Alias(machine.into()),
                    Listing::MapRun { arn: machine.into(), redriven: None },
                    Listing::MapRun { arn: machine.into(), redriven: Some(true) },
                    Listing::MapRun { arn: machine.into(), redriven: Some(false) },
                ] {
                    let oldest_first = matches!(of, Listing::Alias(_)) || after.is_some();
                    let query = ExecutionQuery { of, status, oldest_first, after, limit: 3 };
                    add(&wait(store.executions(query)).unwrap());
                }
            }
        }
    }
    for text in ["a", "b", "c"] {
        for status in [None, Some(Status::Failed)] {
            let search = Search { status, limit: 99, ..Search::default() };
            let machines = Some([text.into(), "d".into()].into());
            for search in [
                Search { machines: machines.clone(), ..search.clone() },
                Search { name_prefix: Some(text.into()), from_ms: Some(1), ..search.clone() },
                Search { terms: vec![(text.into(), "b".into())], until_ms: Some(4), ..search.clone() },
                Search { terms: vec![("a".into(), text.into())], machines, ..search.clone() },
            ] {
                add(&wait(store.search(search)).unwrap());
            }
        }
        add(&wait(store.counts(Some([text.into()].into()))).unwrap());
    }
    add(&wait(store.counts(None)).unwrap());
    for (prefix, after) in [("", None), ("b", None), ("", Some("b")), ("a", Some("c"))] {
        add(&wait(store.machines(prefix, after, 3)).unwrap());
    }
    for kind in [CatalogKind::Activity, CatalogKind::Tags] {
        add(&wait(store.records(kind, "", None, 99)).unwrap());
    }
    all
}

fn told(result: Result<(), CommitError>) -> String {
    match result {
        Err(CommitError::Invalid(_)) => "invalid".into(),
        other => format!("{other:?}"),
    }
}

fn differs_nowhere(seed: u64) {
    let mut random = Random(seed);
    let stores = [adapter::memory(), adapter::embedded()];
    let mut shards = [ShardId(0), ShardId(200)].map(|shard| (shard, Epoch(0)));
    for round in 0..60 {
        if round % 20 == 0 {
            for (shard, epoch) in &mut shards {
                let [one, other] = [0, 1].map(|store| wait(stores[store].0.acquire(*shard)).unwrap());
                assert_eq!(one, other, "seed {seed}, round {round}");
                *epoch = one.0;
            }
        }
        let units: Vec<Unit> = (0..random.below(24))
            .map(|_| {
                let (shard, epoch) = shards[random.below(2) as usize];
                let mutations = (0..random.below(7)).map(|_| random.mutation(shard)).collect();
                Unit { shard, epoch, mutations }
            })
            .collect();
        let [one, other] = [0, 1].map(|store| {
            let pending: Vec<_> = units.iter().map(|unit| stores[store].0.commit(unit.clone())).collect();
            pending.into_iter().map(|pending| told(wait(pending))).collect::<Vec<_>>()
        });
        for (unit, (one, other)) in units.iter().zip(one.iter().zip(&other)) {
            assert_eq!(one, other, "seed {seed}, round {round}: {unit:#?}");
        }
        // To read everything takes far longer than to change something.
        if round % 15 == 14 {
            assert_eq!(everything(&*stores[0].0), everything(&*stores[1].0), "seed {seed}, round {round}");
        }
    }
}

#[test]
fn memory_and_embedded_agree() {
    for seed in 0..12 {
        differs_nowhere(seed);
    }
}
