//! Where what takes long is computed: on threads of their own, so that nobody waits for it who only wants an answer.
//!
//! What an input leads to is computed where it arrives as long as that takes no more than a [`Moment`]. What takes longer comes
//! here: at most [`THREADS_MAX`] threads, of which no more compute at a time than there are cores. They take turns of
//! [`SLICE_MS`], also in the middle of an expression, so that a long computation keeps no other one waiting. Who finds no
//! thread waits for one; first come, first served.
//!
//! A computation ends early when its execution is to be stopped, when the execution's time is over, and when the process ends.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_machine::Budget;
use stepwright_store::ExecutionKey;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// Computations that have begun, at a time. Each may hold what one step makes, and 10 MiB for an expression.
const THREADS_MAX: usize = 32;
/// How long one computes until another one has its turn.
const SLICE_MS: i64 = 10;
/// How long a step may compute until it is made durable, and its execution takes its place behind others.
const STEP_MS: i64 = 100;
/// How long a step may compute where its input has arrived: on a thread that serves others too.
const MOMENT_MS: i64 = 5;

/// What a step may use where its input has arrived.
pub(crate) struct Moment<'c> {
    clock: &'c dyn Clock,
    until_ms: i64,
}

impl<'c> Moment<'c> {
    pub fn new(clock: &'c dyn Clock) -> Moment<'c> {
        Moment { clock, until_ms: clock.now_ms() + MOMENT_MS }
    }
}

impl Budget for Moment<'_> {
    fn has_more(&self) -> bool {
        self.goes_on()
    }

    fn goes_on(&self) -> bool {
        self.clock.now_ms() < self.until_ms
    }
}

/// The threads, and who computes.
pub(crate) struct Computer {
    clock: Arc<dyn Clock>,
    threads: Arc<Semaphore>,
    /// `None`: everything is computed where it is asked for, one after another, as a simulation wants it.
    cores: Option<Arc<Semaphore>>,
    interrupts: Interrupts,
}

/// Who wants computations to end.
#[derive(Default)]
struct Interrupts {
    /// How many wait to stop each execution.
    stops: Mutex<HashMap<ExecutionKey, usize>>,
    /// How many wait in all: mostly none, and then nobody has to look.
    count: AtomicUsize,
    is_closing: AtomicBool,
    changed: Notify,
}

impl Interrupts {
    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, usize>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn concern(&self, subject: &Subject) -> bool {
        if self.is_closing.load(Ordering::Relaxed) {
            return true;
        }
        match subject {
            Subject::Step(key) => self.count.load(Ordering::Acquire) > 0 && self.lock().contains_key(key),
            Subject::Caller(is_gone) => is_gone.load(Ordering::Relaxed),
        }
    }
}

/// Somebody waits to stop an execution.
pub(crate) struct Stopping<'c> {
    interrupts: &'c Interrupts,
    key: ExecutionKey,
}

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        let mut stops = self.interrupts.lock();
        if let Some(count) = stops.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                stops.remove(&self.key);
            }
        }
        self.interrupts.count.fetch_sub(1, Ordering::Release);
    }
}

/// For whom is computed.
#[derive(Clone)]
enum Subject {
    /// A step of an execution.
    Step(ExecutionKey),
    /// A caller, who may go away.
    Caller(Arc<AtomicBool>),
}

/// Told when the caller's future is dropped.
struct Caller(Arc<AtomicBool>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Computer {
    /// `cores`: how many may compute at a time; `None`: everything is computed where it is asked for.
    pub fn new(clock: Arc<dyn Clock>, cores: Option<usize>) -> Computer {
        Computer {
            clock,
            threads: Arc::new(Semaphore::new(THREADS_MAX)),
            cores: cores.map(|cores| Arc::new(Semaphore::new(cores.max(1)))),
            interrupts: Interrupts::default(),
        }
    }

    /// Until this is dropped, no step of the execution goes on.
    pub fn stopping(&self, key: ExecutionKey) -> Stopping<'_> {
        *self.interrupts.lock().entry(key).or_default() += 1;
        self.interrupts.count.fetch_add(1, Ordering::Release);
        self.interrupts.changed.notify_waiters();
        Stopping { interrupts: &self.interrupts, key }
    }

    /// Ends all computations, and lets none begin: the process ends.
    pub fn close(&self) {
        self.interrupts.is_closing.store(true, Ordering::Relaxed);
        self.interrupts.changed.notify_waiters();
    }

    pub fn is_closing(&self) -> bool {
        self.interrupts.is_closing.load(Ordering::Relaxed)
    }

    /// A step of an execution that takes long. `None` when it was interrupted before it began; `state` comes back in any case.
    pub async fn step<S: Send + 'static, T: Send + 'static>(
        self: &Arc<Self>,
        key: ExecutionKey,
        deadline_ms: Option<i64>,
        state: S,
        work: impl FnOnce(&mut S, &Slice) -> T + Send + 'static,
    ) -> (S, Option<T>) {
        self.run(Subject::Step(key), deadline_ms, state, work).await
    }

    /// Something that a caller wants to know; it is interrupted when the caller goes away, and at the deadline. `None` when the
    /// process ends.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        deadline_ms: Option<i64>,
        work: impl FnOnce(&Slice) -> T + Send + 'static,
    ) -> Option<T> {
        let caller = Caller(Arc::default());
        let subject = Subject::Caller(caller.0.clone());
        let (_, answer) = self.run(subject, deadline_ms, (), |(), slice| work(slice)).await;
        answer.filter(|_| !self.is_closing())
    }

    async fn run<S: Send + 'static, T: Send + 'static>(
        self: &Arc<Self>,
        subject: Subject,
        deadline_ms: Option<i64>,
        mut state: S,
        work: impl FnOnce(&mut S, &Slice) -> T + Send + 'static,
    ) -> (S, Option<T>) {
        let computer = self.clone();
        let Some(cores) = self.cores.clone() else {
            if self.interrupts.concern(&subject) {
                return (state, None);
            }
            let result = work(&mut state, &Slice::new(computer, subject, deadline_ms, None));
            return (state, Some(result));
        };
        let Some(thread) = self.thread(&subject).await else { return (state, None) };
        // No semaphore is ever closed.
        let core = cores.acquire_owned().await.ok();
        let computed = tokio::task::spawn_blocking(move || {
            let result = work(&mut state, &Slice::new(computer, subject, deadline_ms, core));
            drop(thread);
            (state, result)
        });
        match computed.await {
            Ok((state, result)) => (state, Some(result)),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends, and nothing that waits for it goes on.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits for a thread; `None` when the computation is interrupted meanwhile.
    async fn thread(&self, subject: &Subject) -> Option<OwnedSemaphorePermit> {
        let mut thread = std::pin::pin!(self.threads.clone().acquire_owned());
        loop {
            let mut changed = std::pin::pin!(self.interrupts.changed.notified());
            changed.as_mut().enable();
            if self.interrupts.concern(subject) {
                return None;
            }
            tokio::select! {
                biased;
                thread = &mut thread => return thread.ok(),
                () = changed => {}
            }
        }
    }
}

/// The budget of a computation.
pub(crate) struct Slice {
    computer: Arc<Computer>,
    subject: Subject,
    /// When the time for it is over.
    deadline_ms: Option<i64>,
    /// `None` while it waits for its turn, and where nobody takes turns.
    core: RefCell<Option<OwnedSemaphorePermit>>,
    /// When this slice began.
    since_ms: Cell<i64>,
    /// What earlier slices took.
    used_ms: Cell<i64>,
}

impl Slice {
    fn new(
        computer: Arc<Computer>,
        subject: Subject,
        deadline_ms: Option<i64>,
        core: Option<OwnedSemaphorePermit>,
    ) -> Slice {
        let since_ms = Cell::new(computer.clock.now_ms());
        Slice { computer, subject, deadline_ms, core: RefCell::new(core), since_ms, used_ms: Cell::new(0) }
    }

    /// How long it has computed so far.
    pub fn used_ms(&self) -> i64 {
        self.used_ms.get() + (self.computer.clock.now_ms() - self.since_ms.get())
    }

    /// Whether the computation is to end where it is.
    fn is_interrupted(&self) -> bool {
        let is_late = self.deadline_ms.is_some_and(|deadline_ms| self.computer.clock.now_ms() >= deadline_ms);
        is_late || self.computer.interrupts.concern(&self.subject)
    }

    /// Lets others compute, if its slice is over.
    fn give_way(&self) {
        let now_ms = self.computer.clock.now_ms();
        let slice_ms = now_ms - self.since_ms.get();
        let Some(cores) = self.computer.cores.as_ref().filter(|_| slice_ms >= SLICE_MS) else { return };
        let mut core = self.core.borrow_mut();
        *core = None;
        *core = Handle::current().block_on(cores.clone().acquire_owned()).ok();
        self.used_ms.set(self.used_ms.get() + slice_ms);
        self.since_ms.set(self.computer.clock.now_ms());
    }
}

impl Budget for Slice {
    fn has_more(&self) -> bool {
        self.used_ms() < STEP_MS && self.goes_on()
    }

    fn goes_on(&self) -> bool {
        self.give_way();
        !self.is_interrupted()
    }
}
