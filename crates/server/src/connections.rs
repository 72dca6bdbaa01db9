//! The open connections, so many at most. When all places are taken, the connection that has been idle for longest is closed
//! for a new one: clients that keep connections without using them neither fill the server nor keep others out.
//!
//! A connection is idle while no complete request of it is being answered; one that sends a request slowly is idle too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All connections of a server.
pub(crate) struct Connections {
    places: usize,
    registry: Mutex<Registry>,
    /// A connection was closed or became idle.
    changed: Notify,
}

#[derive(Default)]
struct Registry {
    open: usize,
    /// The idle ones, in the order in which they became idle.
    idle: BTreeMap<u64, Arc<Notify>>,
    /// The long polls, in the order in which they began, with what ends them.
    polls: BTreeMap<u64, Arc<Notify>>,
    next: u64,
    /// Those that have to make room and have not gone yet.
    leaving: usize,
}

impl Registry {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add_idle(&mut self, eviction: Arc<Notify>) -> u64 {
        let number = self.number();
        self.idle.insert(number, eviction);
        number
    }
}

impl Connections {
    pub fn new(places: usize) -> Connections {
        Connections { places: places.max(1), registry: Mutex::default(), changed: Notify::new() }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection. If there is none, closes the oldest idle one; if none is idle, ends the oldest long poll,
    /// so that one becomes idle; waits if all are busy.
    pub async fn admit(self: &Arc<Self>) -> Arc<Connection> {
        loop {
            let changed = self.changed.notified();
            {
                let mut registry = self.registry();
                if registry.open < self.places {
                    registry.open += 1;
                    let eviction = Arc::new(Notify::new());
                    let idle = Mutex::new(Some(registry.add_idle(eviction.clone())));
                    return Arc::new(Connection { all: self.clone(), idle, eviction });
                }
                // One for each newcomer, and newcomers come one by one.
                if registry.leaving == 0
                    && let Some((_, eviction)) = registry.idle.pop_first()
                {
                    registry.leaving += 1;
                    eviction.notify_one();
                    metrics::counter!("stepwright_connections_evicted_total").increment(1);
                } else if registry.leaving == 0
                    && let Some((_, end)) = registry.polls.pop_first()
                {
                    end.notify_one();
                    metrics::counter!("stepwright_polls_ended_early_total").increment(1);
                }
            }
            changed.await;
        }
    }

    /// Waits until none is open.
    pub async fn all_closed(&self) {
        loop {
            let changed = self.changed.notified();
            if self.registry().open == 0 {
                return;
            }
            changed.await;
        }
    }

    #[cfg(test)]
    fn open(&self) -> usize {
        self.registry().open
    }
}

/// One connection's place; given back when dropped.
pub(crate) struct Connection {
    all: Arc<Connections>,
    /// Its number among the idle ones; one that is not among them any more has to make room.
    idle: Mutex<Option<u64>>,
    eviction: Arc<Notify>,
}

impl Connection {
    /// Completes when the connection has to make room.
    pub async fn evicted(&self) {
        self.eviction.notified().await;
    }

    /// What is notified to close the connection.
    pub fn eviction(&self) -> &Arc<Notify> {
        &self.eviction
    }

    /// A request (there is one at a time) is complete: until the answer is there, the connection is not closed for another. Does not return if the
    /// connection has to make room: nothing is begun that would be cut off.
    pub async fn work(self: &Arc<Self>) -> Working {
        if self.is_leaving() {
            std::future::pending::<()>().await;
        }
        Working(self.clone())
    }

    /// A request is answered at once: the connection is now the one that was used last.
    pub async fn is_used(self: &Arc<Self>) {
        drop(self.work().await);
    }

    /// Takes it from the idle ones, unless it has to make room.
    fn is_leaving(&self) -> bool {
        let mut registry = self.all.registry();
        let mut idle = self.idle();
        let is_leaving = idle.is_some_and(|number| registry.idle.remove(&number).is_none());
        if !is_leaving {
            *idle = None;
        }
        is_leaving
    }

    fn idle(&self) -> MutexGuard<'_, Option<u64>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let number = self.idle().take();
        let mut registry = self.all.registry();
        registry.open -= 1;
        if number.is_some_and(|number| registry.idle.remove(&number).is_none()) {
            registry.leaving -= 1;
        }
        drop(registry);
        self.all.changed.notify_waiters();
    }
}

/// A request is being answered.
pub(crate) struct Working(Arc<Connection>);

impl Working {
    /// A long poll begins.
    pub fn poll(&self) -> Poll<'_> {
        let end = Arc::new(Notify::new());
        let mut registry = self.0.all.registry();
        let number = registry.number();
        registry.polls.insert(number, end.clone());
        Poll { working: self, number, end }
    }
}

/// A long poll, which ends when its connection is needed for others.
pub struct Poll<'w> {
    working: &'w Working,
    number: u64,
    end: Arc<Notify>,
}

impl Poll<'_> {
    /// Completes when it has to be answered.
    pub async fn ended(&self) {
        self.end.notified().await;
    }
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        self.working.0.all.registry().polls.remove(&self.number);
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let connection = &self.0;
        let mut registry = connection.all.registry();
        *connection.idle() = Some(registry.add_idle(connection.eviction.clone()));
        drop(registry);
        connection.all.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn work(connection: &Arc<Connection>) -> Option<Working> {
        poll(pin!(connection.work()))
    }

    #[test]
    fn the_oldest_idle_one_makes_room() {
        let all = Arc::new(Connections::new(3));
        let admit = || poll(pin!(all.admit()));
        let (first, second, third) = (admit().expect("1"), admit().expect("2"), admit().expect("3"));
        // The first has been used since: the second is now the oldest.
        drop(work(&first));
        let third_works = work(&third).expect("work");
        let mut fourth = pin!(all.admit());
        assert!(poll(fourth.as_mut()).is_none());
        assert!(poll(pin!(second.evicted())).is_some());
        assert!(poll(pin!(first.evicted())).is_none());
        // What it would have begun now is not begun.
        assert!(work(&second).is_none());
        drop(second);
        let fourth = poll(fourth).expect("a place");
        let all_work = (work(&first), work(&fourth), third_works);
        // Nobody has to go: a new one waits until one is idle, and takes its place.
        let mut fifth = pin!(all.admit());
        assert!(poll(fifth.as_mut()).is_none());
        drop(all_work.0);
        assert!(poll(fifth.as_mut()).is_none());
        assert!(poll(pin!(first.evicted())).is_some());
        drop((all_work.1, all_work.2));
        // One newcomer, one that goes.
        assert!(poll(fifth.as_mut()).is_none());
        assert!(poll(pin!(fourth.evicted())).is_none() && poll(pin!(third.evicted())).is_none());
        drop(first);
        drop(poll(fifth).expect("a place"));
        drop((third, fourth));
        assert_eq!(all.open(), 0);
        assert!(poll(pin!(all.all_closed())).is_some());
    }
}
