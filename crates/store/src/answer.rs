//! One value handed from the thread that has it to the future that waits for it. Needs no runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Pending, StoreError};

/// Locks, also after a panic elsewhere: what these mutexes guard is valid between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A future that has its value already.
pub(crate) fn ready<'a, T: Send + 'a>(value: T) -> Pending<'a, T> {
    Box::pin(std::future::ready(value))
}

/// A promise and the future that it fulfils.
pub(crate) fn promise<T, E: From<StoreError>>() -> (Promise<T, E>, Answer<T, E>) {
    let slot = Arc::new(Mutex::new(Slot { value: None, waker: None }));
    (Promise { slot: Some(slot.clone()) }, Answer { slot })
}

/// The side that answers. Dropped unanswered, it answers [`StoreError::Closed`].
pub(crate) struct Promise<T, E: From<StoreError>> {
    slot: Option<Arc<Mutex<Slot<T, E>>>>,
}

/// The side that waits.
pub(crate) struct Answer<T, E> {
    slot: Arc<Mutex<Slot<T, E>>>,
}

struct Slot<T, E> {
    value: Option<Result<T, E>>,
    waker: Option<Waker>,
}

impl<T, E: From<StoreError>> Promise<T, E> {
    pub(crate) fn answer(mut self, value: Result<T, E>) {
        self.fulfil(value);
    }

    fn fulfil(&mut self, value: Result<T, E>) {
        let Some(slot) = self.slot.take() else { return };
        let waker = {
            let mut slot = lock(&slot);
            slot.value = Some(value);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T, E: From<StoreError>> Drop for Promise<T, E> {
    fn drop(&mut self) {
        if self.slot.is_some() {
            self.fulfil(Err(StoreError::Closed.into()));
        }
    }
}

impl<T, E> Future for Answer<T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = lock(&self.slot);
        if let Some(value) = slot.value.take() {
            return Poll::Ready(value);
        }
        match &mut slot.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}
