//! One budget of memory for what strangers can make the server hold: large bodies on their way in, large answers on their
//! way out.
//!
//! Memory is reserved before it is used, in the order of the requests. While it is lacking, clients that are slow at what
//! holds some of it (sending a body, taking an answer) lose it, the one that began first before the others; quick ones are
//! left alone. Who has waited for [`Budget::patience`] is refused. What is small ([`SMALL_BYTES`]) belongs to the price of a
//! connection and is not counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::error::{ProtocolError, ServerError};
use crate::meter::Meter;

/// Bodies and answers up to this size are not counted: every connection may have them.
pub const SMALL_BYTES: usize = 16 << 10;
/// How long a client may be at something before it can count as slow.
const GRACE: Duration = Duration::from_millis(250);
/// Bytes that a client which is not slow sends or takes in a millisecond: 128 KiB/s. A hundred quick ones beside each other may
/// get no more of a busy machine.
const QUICK_BYTES_PER_MS: u64 = 131;
/// How often who waits looks for slow clients.
const LOOK_INTERVAL: Duration = Duration::from_millis(25);

/// The budget of a server.
pub(crate) struct Budget {
    bytes_max: usize,
    /// How long a request waits for memory.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: usize,
    /// Of `used`: what is given back soon, for its holder has been cut off.
    leaving: usize,
    waiting: VecDeque<Waiter>,
    /// What is held while a client sends or takes something, in the order in which that began.
    turns: BTreeMap<u64, Turn>,
    next: u64,
    looked: Option<Instant>,
}

struct Waiter {
    bytes: usize,
    granted: oneshot::Sender<Share>,
}

/// Something that is the client's to do: to send a body, to take an answer.
struct Turn {
    since: Instant,
    bytes: usize,
    /// How far its connection was when it began.
    from: u64,
    meter: Arc<Meter>,
    cut_off: Arc<Notify>,
    is_cut_off: bool,
}

impl Turn {
    fn is_slow(&self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        let moved = self.meter.bytes().saturating_sub(self.from);
        elapsed >= GRACE
            && (self.meter.is_still_since(now, GRACE)
                || moved < (elapsed.as_millis() as u64).saturating_mul(QUICK_BYTES_PER_MS))
    }
}

impl Budget {
    pub fn new(bytes_max: usize, patience: Duration) -> Arc<Budget> {
        Arc::new(Budget { bytes_max, patience, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory for so many bytes, at once if there is some and nobody waits for it.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let bytes = self.counted(bytes);
        let mut state = self.state();
        let fits = bytes == 0 || (state.waiting.is_empty() && state.used + bytes <= self.bytes_max);
        fits.then(|| self.share(&mut state, bytes))
    }

    /// Memory for what is there already and cannot be done again: it counts, even beyond the budget.
    pub fn take_anyway(self: &Arc<Self>, bytes: usize) -> Share {
        let bytes = self.counted(bytes);
        self.share(&mut self.state(), bytes)
    }

    /// Memory for so many bytes as soon as there is some.
    pub async fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Share, ServerError> {
        if let Some(share) = self.take(bytes) {
            return Ok(share);
        }
        let (granted, mut grant) = oneshot::channel();
        let waiter = Waiter { bytes: self.counted(bytes), granted };
        {
            let mut state = self.state();
            state.waiting.push_back(waiter);
            self.grant(&mut state);
        }
        let waiting = async {
            loop {
                self.make_room();
                tokio::select! {
                    share = &mut grant => return share.map_err(ServerError::internal),
                    () = tokio::time::sleep(LOOK_INTERVAL) => {}
                }
            }
        };
        tokio::time::timeout(self.patience, waiting).await.unwrap_or_else(|_| {
            metrics::counter!("stepwright_memory_refusals_total").increment(1);
            Err(ServerError::new(
                ProtocolError::ServiceUnavailable,
                "The service is busy with other large requests. Try again later.",
            ))
        })
    }

    /// What of so many bytes counts. One alone that is larger than all the budget gets all of it.
    fn counted(&self, bytes: usize) -> usize {
        if bytes <= SMALL_BYTES { 0 } else { bytes.min(self.bytes_max) }
    }

    fn share(self: &Arc<Self>, state: &mut State, bytes: usize) -> Share {
        state.used += bytes;
        Share { budget: self.clone(), bytes, turn: None }
    }

    /// Gives those who wait what there is, in their order.
    fn grant(self: &Arc<Self>, state: &mut State) {
        while let Some(first) = state.waiting.front() {
            if first.granted.is_closed() {
                state.waiting.pop_front();
                continue;
            }
            if state.used + first.bytes > self.bytes_max {
                return;
            }
            let Some(first) = state.waiting.pop_front() else { return };
            let share = self.share(state, first.bytes);
            if let Err(mut unwanted) = first.granted.send(share) {
                state.used -= unwanted.bytes;
                unwanted.bytes = 0;
            }
        }
    }

    /// Cuts off slow clients for those who wait.
    fn make_room(self: &Arc<Self>) {
        let now = Instant::now();
        let mut state = self.state();
        if state.looked.is_some_and(|looked| now.saturating_duration_since(looked) < LOOK_INTERVAL) {
            return;
        }
        state.looked = Some(now);
        self.grant(&mut state);
        let wanted: usize = state.waiting.iter().map(|waiter| waiter.bytes).sum();
        let State { used, leaving, turns, .. } = &mut *state;
        for turn in turns.values_mut() {
            if *used - *leaving + wanted.min(self.bytes_max) <= self.bytes_max {
                return;
            }
            if !turn.is_cut_off && turn.is_slow(now) {
                turn.is_cut_off = true;
                *leaving += turn.bytes;
                turn.cut_off.notify_one();
                metrics::counter!("stepwright_slow_clients_cut_off_total").increment(1);
            }
        }
    }
}

/// Memory that has been taken of the budget; given back when dropped.
pub struct Share {
    budget: Arc<Budget>,
    bytes: usize,
    turn: Option<u64>,
}

impl Share {
    /// So much has become of it.
    pub(crate) fn resize(&mut self, bytes: usize) {
        let bytes = self.budget.counted(bytes);
        if bytes == self.bytes {
            return;
        }
        let mut state = self.budget.state();
        state.used = state.used - self.bytes + bytes;
        self.bytes = bytes;
        self.budget.grant(&mut state);
    }

    /// From now on it is held for a client that sends or takes something, which `meter` counts. `cut_off` is notified when the
    /// memory has to be given back.
    pub(crate) fn begin_turn(&mut self, meter: &Arc<Meter>, cut_off: &Arc<Notify>) {
        self.end_turn();
        if self.bytes == 0 {
            return;
        }
        let turn = Turn {
            since: Instant::now(),
            bytes: self.bytes,
            from: meter.bytes(),
            meter: meter.clone(),
            cut_off: cut_off.clone(),
            is_cut_off: false,
        };
        let mut state = self.budget.state();
        let number = state.next;
        state.next += 1;
        state.turns.insert(number, turn);
        self.turn = Some(number);
    }

    /// The client has done its part.
    pub(crate) fn end_turn(&mut self) {
        if let Some(number) = self.turn.take() {
            self.budget.state().end_turn(number);
        }
    }

    /// Bytes that give the memory back when the last part of them is dropped.
    pub(crate) fn around(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Held { bytes, _share: self })
    }
}

impl State {
    fn end_turn(&mut self, number: u64) {
        if let Some(turn) = self.turns.remove(&number)
            && turn.is_cut_off
        {
            self.leaving -= turn.bytes;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut state = self.budget.state();
        if let Some(number) = self.turn.take() {
            state.end_turn(number);
        }
        state.used -= self.bytes;
        self.budget.grant(&mut state);
    }
}

/// Bytes with the memory that was reserved for them.
struct Held<B> {
    bytes: B,
    _share: Share,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const KIB: usize = 1 << 10;

    fn budget() -> Arc<Budget> {
        Budget::new(100 * KIB, Duration::from_secs(60))
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn memory_is_given_in_the_order_of_the_requests() {
        let budget = budget();
        let first = budget.take(60 * KIB).expect("there is enough");
        let mut large = pin!(budget.reserve(80 * KIB));
        assert!(poll(large.as_mut()).is_none());
        // A smaller one would fit, but came later; a small one is not counted.
        assert!(budget.take(30 * KIB).is_none());
        assert!(budget.take(SMALL_BYTES).is_some());
        let mut later = pin!(budget.reserve(30 * KIB));
        assert!(poll(later.as_mut()).is_none());
        drop(first);
        let large = poll(large).expect("granted").expect("memory");
        assert!(poll(later.as_mut()).is_none());
        drop(large);
        let mut later = poll(later).expect("granted").expect("memory");
        later.resize(90 * KIB);
        assert!(budget.take(20 * KIB).is_none());
        // What is there already counts, even beyond the budget; more than all there is becomes all.
        let beyond = budget.take_anyway(1_000 * KIB);
        drop(later);
        assert!(budget.take(20 * KIB).is_none());
        drop(beyond);
        assert!(budget.take(1_000 * KIB).is_some());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind() {
        let budget = budget();
        let all = budget.take(100 * KIB).expect("there is enough");
        {
            let mut gone = pin!(budget.reserve(100 * KIB));
            assert!(poll(gone.as_mut()).is_none());
            // Granted, and then never looked at.
            drop(all);
        }
        assert!(budget.take(100 * KIB).is_some());
        let all = budget.take(100 * KIB).expect("there is enough");
        {
            let mut gone = pin!(budget.reserve(100 * KIB));
            assert!(poll(gone.as_mut()).is_none());
        }
        drop(all);
        assert!(budget.take(100 * KIB).is_some());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_refused() {
        let budget = Budget::new(100 * KIB, Duration::ZERO);
        let _all = budget.take(100 * KIB);
        let refused = budget.reserve(100 * KIB).await.err().expect("a refusal");
        assert_eq!((refused.kind.name(), refused.kind.http_status()), ("ServiceUnavailable", 503));
    }

    #[tokio::test]
    async fn the_slow_make_room() {
        let budget = budget();
        let (slow, quick, young) = (Arc::new(Meter::new()), Arc::new(Meter::new()), Arc::new(Meter::new()));
        let [cut_slow, cut_quick, cut_young] = std::array::from_fn(|_| Arc::new(Notify::new()));
        let mut shares = [
            budget.take(30 * KIB).expect("memory"),
            budget.take(30 * KIB).expect("memory"),
            budget.take(30 * KIB).expect("memory"),
        ];
        shares[0].begin_turn(&slow, &cut_slow);
        shares[1].begin_turn(&quick, &cut_quick);
        // As if they had begun before.
        for turn in budget.state().turns.values_mut() {
            turn.since = Instant::now().checked_sub(Duration::from_secs(1)).expect("a time");
        }
        quick.add(2 << 20);
        shares[2].begin_turn(&young, &cut_young);
        let mut waiting = pin!(budget.reserve(30 * KIB));
        assert!(poll(waiting.as_mut()).is_none());
        assert!(poll(pin!(cut_slow.notified())).is_some());
        assert!(poll(pin!(cut_quick.notified())).is_none() && poll(pin!(cut_young.notified())).is_none());
        let [slow, quick, young] = shares;
        drop(slow);
        assert!(poll(waiting).expect("granted").is_ok());
        drop((quick, young));
        let state = budget.state();
        assert_eq!((state.used, state.leaving, state.turns.len()), (0, 0, 0));
    }
}
