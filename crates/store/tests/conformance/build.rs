//! Short ways to write units, and to wait for futures.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use stepwright_store::{
    CommitError, Epoch, Execution, ExecutionKey, ExecutionQuery, Listed, Listing, Mutation, Segment, ShardId,
    Status, Store, Unit,
};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the future on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

pub const SHARD: ShardId = ShardId(3);

pub fn key(sequence: u64) -> ExecutionKey {
    key_of(SHARD, sequence)
}

pub fn key_of(shard: ShardId, sequence: u64) -> ExecutionKey {
    ExecutionKey::new(shard, sequence).unwrap()
}

pub fn execution(key: ExecutionKey, machine: &str, name: &str) -> Execution {
    Execution {
        key,
        machine: machine.into(),
        name: name.into(),
        status: Status::Running,
        start_ms: 1_000 + key.sequence() as i64,
        stop_ms: None,
        head: format!("head of {name}").into_bytes(),
        tail: vec![],
        listed: Listed::default(),
    }
}

pub fn create(sequence: u64, name: &str) -> Mutation {
    Mutation::CreateExecution(execution(key(sequence), "machine", name))
}

pub fn end(sequence: u64, status: Status) -> Mutation {
    let stop_ms = Some(5_000 + sequence as i64);
    Mutation::SetStatus { key: key(sequence), status, stop_ms, tail: b"the end".to_vec() }
}

pub fn append(sequence: u64, number: u32) -> Mutation {
    let data = format!("events of {sequence} from {number}").into_bytes();
    Mutation::Append { key: key(sequence), segment: Segment { number, data } }
}

/// A holder of a shard.
pub struct Holder<'s> {
    pub store: &'s dyn Store,
    pub shard: ShardId,
    pub epoch: Epoch,
}

impl<'s> Holder<'s> {
    pub fn new(store: &'s dyn Store) -> Holder<'s> {
        Holder::of(store, SHARD)
    }

    pub fn of(store: &'s dyn Store, shard: ShardId) -> Holder<'s> {
        let (epoch, _) = wait(store.acquire(shard)).unwrap();
        Holder { store, shard, epoch }
    }

    pub fn unit(&self, mutations: impl Into<Vec<Mutation>>) -> Unit {
        Unit { shard: self.shard, epoch: self.epoch, mutations: mutations.into() }
    }

    pub fn try_commit(&self, mutations: impl Into<Vec<Mutation>>) -> Result<(), CommitError> {
        wait(self.store.commit(self.unit(mutations)))
    }

    pub fn commit(&self, mutations: impl Into<Vec<Mutation>>) {
        self.try_commit(mutations).unwrap();
    }

    pub fn execution(&self, key: ExecutionKey) -> Option<Execution> {
        wait(self.store.execution(key)).unwrap()
    }

    /// The numbers of the executions of "machine" and whether more follow.
    pub fn list(
        &self,
        status: Option<Status>,
        after: Option<(i64, ExecutionKey)>,
        limit: usize,
    ) -> (Vec<u64>, bool) {
        let query = ExecutionQuery {
            of: Listing::Machine("machine".into()),
            status,
            oldest_first: false,
            after,
            limit,
        };
        let page = wait(self.store.executions(query)).unwrap();
        (page.items.iter().map(|execution| execution.key.sequence()).collect(), page.more)
    }

    /// The first events of the execution's segments.
    pub fn segments(&self, sequence: u64, from: u32) -> Vec<u32> {
        let segments = wait(self.store.segments(key_of(self.shard, sequence), from)).unwrap();
        segments.iter().map(|segment| segment.number).collect()
    }
}
