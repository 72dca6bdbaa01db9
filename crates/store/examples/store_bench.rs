//! How many units a second the embedded store commits, next to what the disk allows.
//!
//! `cargo run --release -p stepwright-store --example store_bench -- [DIRECTORY] [SECONDS]`
//!
//! Two loads, each with 1, 16 and 256 executions in flight. `one unit`: an execution is created, gets its history (~1 KB) and
//! ends in one unit, as when nothing outside is needed. `four units`: start, two steps with a timer set and cancelled,
//! end. In the same run, on the same disk: a loop that appends 4 KiB and calls fdatasync. Columns: executions a second,
//! commits a second, flushes that the bare loop does in the time of one commit with one in flight, time to the
//! acknowledgement, CPU of the whole process for 1,000 units.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use stepwright_store::embedded::{Embedded, EmbeddedOptions};
use stepwright_store::{
    Epoch, Execution, ExecutionKey, Mutation, Segment, ShardId, Status, Store, Timer, Unit,
};

const SHARD: ShardId = ShardId(0);
const MACHINES: u64 = 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory: PathBuf = arguments.next().unwrap_or_else(|| "store_bench.tmp".into()).into();
    let seconds: f64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let duration = Duration::from_secs_f64(seconds);
    std::fs::create_dir_all(&directory).expect("a directory to write to");
    let flush = fdatasync_loop(&directory, duration.min(Duration::from_secs(2)));
    println!("bare loop: append 4 KiB, fdatasync: {:.0}/s, {:.3} ms each", 1.0 / flush, flush * 1e3);
    println!("load        in flight   exec/s  commits/s  commit/flush  ack p50/p99 ms  CPU ms/1000 units");
    for (name, load) in [("one unit", Load::OneUnit), ("four units", Load::FourUnits)] {
        for in_flight in [1, 16, 256] {
            let store = directory.join(format!("{}-{in_flight}", name.replace(' ', "-")));
            let _ = std::fs::remove_dir_all(&store);
            let result = run(&store, load, in_flight, duration);
            println!(
                "{name:<11} {in_flight:>9} {:>8.0} {:>10.0} {:>13.2}  {:>6.2} / {:<6.2} {:>18.1}",
                result.executions as f64 / seconds,
                result.units as f64 / seconds,
                seconds / result.units as f64 / flush,
                result.ack_p50_ms,
                result.ack_p99_ms,
                result.cpu_ms / result.units as f64 * 1e3,
            );
            let _ = std::fs::remove_dir_all(&store);
        }
    }
    let _ = std::fs::remove_dir_all(&directory);
}

/// Seconds that an append with a flush takes.
fn fdatasync_loop(directory: &Path, duration: Duration) -> f64 {
    let path = directory.join("fdatasync");
    let mut file = std::fs::File::create(&path).expect("a file to append to");
    let started = Instant::now();
    let mut flushes = 0;
    while started.elapsed() < duration {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a flush");
        flushes += 1;
    }
    let each = started.elapsed().as_secs_f64() / f64::from(flushes);
    let _ = std::fs::remove_file(path);
    each
}

#[derive(Clone, Copy)]
enum Load {
    OneUnit,
    FourUnits,
}

struct Measured {
    executions: u64,
    units: u64,
    ack_p50_ms: f64,
    ack_p99_ms: f64,
    cpu_ms: f64,
}

/// An execution that waits for its commit.
struct Running {
    key: ExecutionKey,
    step: u32,
    since: Instant,
    pending: Pin<Box<dyn Future<Output = Result<(), stepwright_store::CommitError>> + Send>>,
}

/// One thread drives all executions; it sleeps until an acknowledgement wakes it.
fn run(directory: &Path, load: Load, in_flight: u64, duration: Duration) -> Measured {
    let store = Embedded::open(EmbeddedOptions::new(directory)).expect("a store");
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (epoch, _) = block_on(store.acquire(SHARD), &waker).expect("the shard");
    let steps = match load {
        Load::OneUnit => 1,
        Load::FourUnits => 4,
    };
    let mut sequence = 0;
    let mut start = |since: Instant| {
        sequence += 1;
        let key = ExecutionKey::new(SHARD, sequence).expect("a sequence number within limits");
        Running { key, step: 1, since, pending: store.commit(unit(load, key, 1, epoch)) }
    };
    let cpu = cpu_ms();
    let started = Instant::now();
    let mut running: Vec<Running> = (0..in_flight).map(|_| start(started)).collect();
    let mut acks_ms = Vec::new();
    let mut executions = 0;
    let mut context = Context::from_waker(&waker);
    while started.elapsed() < duration {
        let mut any = false;
        for execution in &mut running {
            let Poll::Ready(result) = execution.pending.as_mut().poll(&mut context) else { continue };
            result.expect("a commit");
            any = true;
            let now = Instant::now();
            acks_ms.push((now - execution.since).as_secs_f64() * 1e3);
            if execution.step == steps {
                executions += 1;
                *execution = start(now);
            } else {
                execution.step += 1;
                execution.since = now;
                execution.pending = store.commit(unit(load, execution.key, execution.step, epoch));
            }
        }
        if !any {
            std::thread::park();
        }
    }
    let cpu_ms = cpu_ms() - cpu;
    acks_ms.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| acks_ms.get((acks_ms.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    store.close();
    Measured { executions, units: acks_ms.len() as u64, ack_p50_ms: at(0.5), ack_p99_ms: at(0.99), cpu_ms }
}

fn unit(load: Load, key: ExecutionKey, step: u32, epoch: Epoch) -> Unit {
    let segment = |bytes: usize| Mutation::Append {
        key,
        segment: Segment { first_event: step * 2 - 1, data: vec![b'e'; bytes] },
    };
    let timer = |timer: u32| Timer { due_ms: 1_700_000_000_000 + key.sequence() as i64, key, timer };
    let end = || Mutation::SetStatus {
        key,
        status: Status::Succeeded,
        stop_ms: Some(1_700_000_000_000),
        tail: vec![b't'; 60],
    };
    let mutations = match (load, step) {
        (Load::OneUnit, _) => vec![create(key), segment(900), end()],
        (Load::FourUnits, 1) => vec![create(key), segment(900)],
        (Load::FourUnits, 2) => vec![segment(900), Mutation::SetTimer(timer(1))],
        (Load::FourUnits, 3) => vec![segment(900), Mutation::CancelTimer(timer(1))],
        (Load::FourUnits, _) => vec![segment(900), end()],
    };
    Unit { shard: SHARD, epoch, mutations }
}

/// With a name that looks like a random UUID, as clients choose them: it goes anywhere in the index of names.
fn create(key: ExecutionKey) -> Mutation {
    let number = key.sequence();
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let name = format!("{:08x}-{:04x}-4000-8000-{number:012x}", mixed >> 32, mixed & 0xffff);
    Mutation::CreateExecution(Execution {
        key,
        machine: format!("arn:aws:states:us-east-1:123456789012:stateMachine:machine-{}", number % MACHINES)
            .into(),
        name: name.into(),
        status: Status::Running,
        start_ms: 1_700_000_000_000 + number as i64,
        stop_ms: None,
        head: vec![b'h'; 120],
        tail: vec![],
    })
}

/// CPU time of this process so far, all threads. Where the system does not tell: 0.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time, in ticks of 10 ms.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn block_on<T>(mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>, waker: &Waker) -> T {
    let mut context = Context::from_waker(waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
