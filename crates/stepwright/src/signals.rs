//! Signals to the server, on a thread of their own: nothing that the process is busy with keeps them waiting.
//!
//! SIGTERM and SIGINT end the server: at once while it starts, cleanly once it serves, and whatever happens after
//! [`STOP_MAX`]; a second one ends it at once. What was acknowledged is on disk at any time. SIGHUP has files read again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};

/// How long a clean end may take.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Exit codes of processes that a signal ends are this and its number.
const EXIT_BASE: i32 = 128;

/// The signals that have come.
#[derive(Clone)]
pub struct Signals {
    is_serving: Arc<AtomicBool>,
    stop: watch::Receiver<bool>,
    hangup: Arc<Notify>,
}

/// What is listened to.
struct Ears {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn listen() -> anyhow::Result<Signals> {
        let (stopping, stop) = watch::channel(false);
        let signals = Signals { is_serving: Arc::default(), stop, hangup: Arc::default() };
        let heard = signals.clone();
        let (ready, is_ready) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("signals".to_owned());
        let listening = thread.spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async {
                let ears = Ears::open();
                let opened = ready.send(ears.as_ref().map(|_| ()).map_err(|error| error.kind().into()));
                if let (Ok(()), Ok(ears)) = (opened, ears) {
                    heard.hear(ears, stopping).await;
                }
            });
        });
        listening.context("no thread for signals")?;
        is_ready.recv().context("no thread for signals")?.context("signals cannot be handled")?;
        Ok(signals)
    }

    /// From now on there is something to end cleanly.
    pub fn serving(&self) {
        self.is_serving.store(true, Ordering::Relaxed);
    }

    /// Completes when the server is to stop.
    pub async fn stopped(&self) {
        // An error means that nobody listens any more: then signals end the process by themselves.
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Completes on SIGHUP.
    pub async fn hung_up(&self) {
        self.hangup.notified().await;
    }

    async fn hear(&self, mut ears: Ears, stopping: watch::Sender<bool>) {
        loop {
            let number = tokio::select! {
                _ = ears.terminate.recv() => SignalKind::terminate().as_raw_value(),
                _ = ears.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                _ = ears.hangup.recv() => {
                    self.hangup.notify_one();
                    continue;
                }
            };
            if *self.stop.borrow() || !self.is_serving.load(Ordering::Relaxed) {
                std::process::exit(EXIT_BASE + number);
            }
            stopping.send_replace(true);
            tokio::spawn(async move {
                tokio::time::sleep(STOP_MAX).await;
                tracing::error!("the clean end takes too long: the next start does the rest");
                std::process::exit(EXIT_BASE + number);
            });
        }
    }
}

impl Ears {
    fn open() -> std::io::Result<Ears> {
        Ok(Ears {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}
