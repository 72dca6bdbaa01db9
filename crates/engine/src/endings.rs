//! Who waits in this process for the end of an execution: a state with `.sync` for its child, `StartSyncExecution` for its
//! execution. Nothing is polled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_machine::Outcome;
use stepwright_store::{ExecutionKey, Status};
use tokio::sync::{mpsc, oneshot};

use crate::engine::Engine;
use crate::error::LoadError;
use crate::map_runs::News;

/// As many as there are waiting callers; a caller that goes away is forgotten at once.
#[derive(Default)]
pub(crate) struct Endings(Mutex<HashMap<ExecutionKey, Vec<Ear>>>);

/// Who hears of one end.
enum Ear {
    Once(oneshot::Sender<Outcome>),
    /// The driver of a map run, of its child.
    Run(mpsc::UnboundedSender<News>),
}

impl Ear {
    fn tell(self, key: ExecutionKey, outcome: Option<&Outcome>) {
        // Who has gone away meanwhile need not hear it.
        match self {
            Ear::Once(ear) => _ = outcome.map(|outcome| ear.send(outcome.clone())),
            Ear::Run(ear) => _ = ear.send(News::Ended(key, outcome.cloned())),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Ear::Once(ear) => ear.is_closed(),
            Ear::Run(ear) => ear.is_closed(),
        }
    }
}

impl Endings {
    /// From now on the end of the execution is heard.
    pub fn listen(self: &Arc<Self>, key: ExecutionKey) -> Listener {
        let (sender, receiver) = oneshot::channel();
        self.lock().entry(key).or_default().push(Ear::Once(sender));
        Listener { endings: self.clone(), key, receiver }
    }

    /// The end of a map run's child goes to the run's driver.
    pub fn forward(&self, key: ExecutionKey, news: mpsc::UnboundedSender<News>) {
        self.lock().entry(key).or_default().push(Ear::Run(news));
    }

    /// The execution has ended, and everybody may know.
    pub fn tell(&self, key: ExecutionKey, outcome: &Outcome) {
        self.tell_all(key, Some(outcome));
    }

    /// Nobody will say how the execution ended.
    pub fn forget(&self, key: ExecutionKey) {
        self.tell_all(key, None);
    }

    fn tell_all(&self, key: ExecutionKey, outcome: Option<&Outcome>) {
        let ears = self.lock().remove(&key);
        for ear in ears.into_iter().flatten() {
            ear.tell(key, outcome);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, Vec<Ear>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits.
pub(crate) struct Listener {
    endings: Arc<Endings>,
    key: ExecutionKey,
    receiver: oneshot::Receiver<Outcome>,
}

impl Listener {
    /// How the execution has ended; `None` when nobody will say any more.
    pub async fn heard(&mut self) -> Option<Outcome> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.receiver.close();
        let mut listeners = self.endings.lock();
        if let Some(others) = listeners.get_mut(&self.key) {
            others.retain(|other| !other.is_closed());
            if others.is_empty() {
                listeners.remove(&self.key);
            }
        }
    }
}

impl Engine {
    /// Resolves when the execution has ended (and that is durable), at once when it has already. Costs nothing while it
    /// waits. `false` when there is no such execution.
    pub async fn ended(&self, key: ExecutionKey) -> Result<bool, LoadError> {
        let mut listener = self.endings.listen(key);
        match self.store.execution(key).await? {
            None => Ok(false),
            Some(row) if row.status == Status::Running => {
                listener.heard().await;
                Ok(true)
            }
            Some(_) => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwright_store::ShardId;
    use stepwright_value::Document;

    use super::*;

    #[tokio::test]
    async fn all_who_listen_hear_it_and_nobody_is_kept() {
        let endings = Arc::new(Endings::default());
        let key = ExecutionKey::new(ShardId(0), 1).expect("a key");
        let outcome = Outcome::Succeeded { output: Document::from_stored_text("{}") };
        let (mut first, mut second, gone) = (endings.listen(key), endings.listen(key), endings.listen(key));
        drop(gone);
        assert_eq!(endings.lock().get(&key).map(Vec::len), Some(2));
        endings.tell(key, &outcome);
        assert_eq!(first.heard().await, Some(outcome.clone()));
        assert_eq!(second.heard().await, Some(outcome.clone()));
        let mut lost = endings.listen(key);
        endings.forget(key);
        assert_eq!(lost.heard().await, None);
        drop(endings.listen(key));
        assert!(endings.lock().is_empty());
        endings.tell(key, &outcome);
    }
}
