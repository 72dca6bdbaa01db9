//! How many units a second the embedded store commits, next to what the disk allows.
//!
//! `cargo run --release -p stepwright-store --example store_bench -- [DIRECTORY] [SECONDS] [IN_FLIGHT ...]`
//!
//! Two loads, each with 1, 16 and 256 executions in flight (or as given). `one unit`: an execution is created, gets its history (~1 KB) and
//! ends in one unit, as when nothing outside is needed. `four units`: start, two steps with a timer set and cancelled,
//! end. In the same run, on the same disk: a loop that appends 4 KiB and calls fdatasync. Columns: executions a second,
//! commits a second, flushes that the bare loop does in the time of one commit with one in flight, time to the
//! acknowledgement, CPU of the thread that writes and of the whole process (with the driver of the load) for 1,000 units.
//! At the end: what 100,000 executions that wait for a timer add to the memory of the process.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
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
    let mut numbers_in_flight: Vec<usize> = arguments.filter_map(|text| text.parse().ok()).collect();
    if numbers_in_flight.is_empty() {
        numbers_in_flight = vec![1, 16, 256];
    }
    std::fs::create_dir_all(&directory).expect("a directory to write to");
    let flush = fdatasync_loop(&directory, duration.min(Duration::from_secs(2)));
    println!("bare loop: append 4 KiB, fdatasync: {:.0}/s, {:.3} ms each", 1.0 / flush, flush * 1e3);
    println!(
        "load        in flight   exec/s  commits/s  commit/flush  ack p50/p99 ms  CPU ms/1000 units: writer, all"
    );
    for (name, load) in [("one unit", Load::OneUnit), ("four units", Load::FourUnits)] {
        for &in_flight in &numbers_in_flight {
            let store = directory.join(format!("{}-{in_flight}", name.replace(' ', "-")));
            let _ = std::fs::remove_dir_all(&store);
            let result = run(&store, load, in_flight, duration);
            println!(
                "{name:<11} {in_flight:>9} {:>8.0} {:>10.0} {:>13.2}  {:>6.2} / {:<6.2} {:>26.1}, {:.1}",
                result.executions as f64 / seconds,
                result.units as f64 / seconds,
                seconds / result.units as f64 / flush,
                result.ack_p50_ms,
                result.ack_p99_ms,
                result.writer_cpu_ms / result.units as f64 * 1e3,
                result.cpu_ms / result.units as f64 * 1e3,
            );
            let _ = std::fs::remove_dir_all(&store);
        }
    }
    parked(&directory.join("parked"));
    let _ = std::fs::remove_dir_all(&directory);
}

/// What the store holds in memory for executions that wait for a timer.
fn parked(directory: &Path) {
    const PARKED: u64 = 100_000;
    let store = Embedded::open(EmbeddedOptions::new(directory)).expect("a store");
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (epoch, _) = block_on(store.acquire(SHARD), &waker).expect("the shard");
    let before = resident_kib();
    let sequences: Vec<u64> = (1..=PARKED).collect();
    for some in sequences.chunks(256) {
        let commit = |&sequence: &u64| {
            let key = ExecutionKey::new(SHARD, sequence).expect("a sequence number within limits");
            let segment = Segment { number: 1, data: vec![b'e'; 500] };
            let timer = Timer { due_ms: 1_700_000_000_000 + sequence as i64, key, timer: 1 };
            let append = Mutation::Append { key, segment };
            let mutations = vec![create(key), append, Mutation::SetTimer(timer)];
            store.commit(Unit { shard: SHARD, epoch, mutations })
        };
        let commits: Vec<_> = some.iter().map(commit).collect();
        for pending in commits {
            block_on(pending, &waker).expect("a commit");
        }
    }
    let after = resident_kib();
    let each = after.saturating_sub(before) * 1024 / PARKED;
    println!("{PARKED} parked: resident {before} KiB before, {after} KiB after, {each} bytes each");
}

/// Resident memory of this process. Where the system does not tell: 0.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()).and_then(|kib| kib.parse().ok()).unwrap_or(0)
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
    writer_cpu_ms: f64,
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
fn run(directory: &Path, load: Load, in_flight: usize, duration: Duration) -> Measured {
    let store = Embedded::open(EmbeddedOptions::new(directory)).expect("a store");
    let unpark = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (epoch, _) = block_on(store.acquire(SHARD), &unpark).expect("the shard");
    let steps = match load {
        Load::OneUnit => 1,
        Load::FourUnits => 4,
    };
    let ready = Arc::new(Ready { places: Mutex::default(), driver: std::thread::current() });
    let wakers: Vec<Waker> =
        (0..in_flight).map(|place| Waker::from(Arc::new(At { place, ready: ready.clone() }))).collect();
    let mut sequence = 0;
    let mut start = |since: Instant| {
        sequence += 1;
        let key = ExecutionKey::new(SHARD, sequence).expect("a sequence number within limits");
        Running { key, step: 1, since, pending: store.commit(unit(load, key, 1, epoch)) }
    };
    let (cpu, writer_cpu) = (cpu_ms("stat"), writer_cpu_ms());
    let started = Instant::now();
    let mut running: Vec<Running> = wakers.iter().map(|_| start(started)).collect();
    let mut acks_ms = Vec::new();
    let mut executions = 0;
    let mut places: Vec<usize> = (0..in_flight).collect();
    while started.elapsed() < duration {
        for place in places.drain(..) {
            let execution = &mut running[place];
            let mut context = Context::from_waker(&wakers[place]);
            while let Poll::Ready(result) = execution.pending.as_mut().poll(&mut context) {
                result.expect("a commit");
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
        }
        std::mem::swap(&mut places, &mut ready.places.lock().expect("no panic while locked"));
        if places.is_empty() {
            std::thread::park();
        }
    }
    let (cpu_ms, writer_cpu_ms) = (cpu_ms("stat") - cpu, writer_cpu_ms() - writer_cpu);
    acks_ms.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| acks_ms.get((acks_ms.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    let (ack_p50_ms, ack_p99_ms) = (at(0.5), at(0.99));
    store.close();
    Measured { executions, units: acks_ms.len() as u64, ack_p50_ms, ack_p99_ms, writer_cpu_ms, cpu_ms }
}

/// The executions whose acknowledgement has come.
struct Ready {
    places: Mutex<Vec<usize>>,
    driver: Thread,
}

struct At {
    place: usize,
    ready: Arc<Ready>,
}

impl Wake for At {
    fn wake(self: Arc<Self>) {
        let mut places = self.ready.places.lock().expect("no panic while locked");
        places.push(self.place);
        if places.len() == 1 {
            drop(places);
            self.ready.driver.unpark();
        }
    }
}

fn unit(load: Load, key: ExecutionKey, step: u32, epoch: Epoch) -> Unit {
    let segment = |bytes: usize| Mutation::Append {
        key,
        segment: Segment { number: step * 2 - 1, data: vec![b'e'; bytes] },
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
        listed: Default::default(),
    })
}

/// CPU time so far, of this process (`stat`) or of a thread of it (`task/ID/stat`). Where the system does not tell: 0.
fn cpu_ms(of: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/self/{of}")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time, in ticks of 10 ms.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// CPU time so far of the thread that writes.
fn writer_cpu_ms() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let is_writer = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.starts_with("stepwright-stor"))
    };
    let writers = threads.map(|thread| thread.path()).filter(is_writer);
    writers.map(|path| cpu_ms(&format!("task/{}/stat", path.file_name().unwrap_or_default().display()))).sum()
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
