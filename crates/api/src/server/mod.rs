//! The API on HTTP/1.1: connections, limits, time-outs, shutdown.
//!
//! What comes from outside is bounded everywhere: connections, header bytes and time, body bytes (each and together) and
//! time. Where a bound is reached, the server stops accepting or answers with an AWS error; nothing queues without end.

mod access;
mod body;
mod own;
mod request;
mod response;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::api::Api;
use crate::own::Endpoint;

pub use access::{Access, Verifier};
pub use request::{Fallback, Probes};
pub use response::Body;

/// Bounds of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Open connections; further ones wait in the operating system's queue.
    pub connections_max: u32,
    /// Bytes that a request's head may have, and that are buffered for a connection.
    pub head_bytes_max: usize,
    /// Time for a request's head to arrive; also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// Bytes of a request's body. AWS takes 1 MiB; a definition of that many characters needs more once its quotes are
    /// escaped and it is wrapped into a request.
    pub body_bytes_max: usize,
    /// Time for a request's body to arrive.
    pub body_timeout: Duration,
    /// Bytes of all large bodies together; further ones wait for [`Limits::body_timeout`].
    pub bodies_bytes_max: usize,
    /// Time that requests in flight have to end when the server shuts down.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 8_192,
            head_bytes_max: 64 << 10,
            head_timeout: Duration::from_secs(60),
            body_bytes_max: 4 << 20,
            body_timeout: Duration::from_secs(30),
            bodies_bytes_max: 256 << 20,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// How a server is set up.
#[derive(Clone, Default)]
pub struct Options {
    pub limits: Limits,
    pub access: Access,
    pub probes: Probes,
    /// Stepwright's own endpoints.
    pub own: Vec<Arc<dyn Endpoint>>,
    /// Answers what is not for the API: the console.
    pub fallback: Option<Fallback>,
}

/// Why a server was not started.
#[derive(Debug, Error)]
pub enum BindError {
    /// Whoever reaches the port could run any workflow.
    #[error("refusing to listen on {0}: beyond loopback, credentials have to be configured")]
    NeedsCredentials(SocketAddr),
    /// The operating system refused the address.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// A listening server. [`Server::run`] serves; [`Server::shut_down`] ends it.
pub struct Server {
    listener: Mutex<Option<TcpListener>>,
    local_address: SocketAddr,
    state: Arc<State>,
    connections: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

/// What all connections share.
struct State {
    api: Arc<Api>,
    options: Options,
    /// Permits for large bodies, in KiB.
    bodies: Semaphore,
}

impl Server {
    /// Listens, but does not serve yet. Port 0 takes a free port.
    pub async fn bind(listen: SocketAddr, api: Arc<Api>, options: Options) -> Result<Server, BindError> {
        if !listen.ip().is_loopback() && !options.access.is_protected() {
            return Err(BindError::NeedsCredentials(listen));
        }
        let refused = |error| BindError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let local_address = listener.local_addr().map_err(refused)?;
        let connections = Arc::new(Semaphore::new(options.limits.connections_max as usize));
        let bodies = Semaphore::new(options.limits.bodies_bytes_max >> 10);
        Ok(Server {
            listener: Mutex::new(Some(listener)),
            local_address,
            state: Arc::new(State { api, options, bodies }),
            connections,
            stopping: watch::Sender::new(false),
        })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Serves until [`Server::shut_down`]. Once this future ends or is dropped, nothing is accepted any more; open
    /// connections go on.
    pub async fn run(&self) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(listener) = listener else { return };
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            () = self.accept(listener) => {}
            () = stopped(&mut stopping) => {}
        }
    }

    async fn accept(&self, listener: TcpListener) {
        // The semaphore is never closed.
        while let Ok(permit) = self.connections.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let connection =
                        connection(stream, self.state.clone(), self.stopping.subscribe(), permit);
                    tokio::spawn(connection);
                }
                Err(error) => {
                    // For instance no file descriptor left: others have to end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Stops accepting, answers long polls empty, and waits for the requests in flight, for
    /// [`Limits::drain_timeout`] at most. Returns whether all have ended.
    pub async fn shut_down(&self) -> bool {
        self.stopping.send_replace(true);
        self.state.api.stop_polls();
        drop(self.listener.lock().unwrap_or_else(PoisonError::into_inner).take());
        let limits = &self.state.options.limits;
        let all_ended = self.connections.acquire_many(limits.connections_max);
        tokio::time::timeout(limits.drain_timeout, all_ended).await.is_ok()
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, which is the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// One connection, until the client closes it, it is idle for too long, or the server stops.
async fn connection(
    stream: TcpStream,
    state: Arc<State>,
    mut stopping: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are written whole; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let limits = &state.options.limits;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max.max(8_192))
        .pipeline_flush(true);
    let shared = &state;
    let serve = service_fn(move |request| request::answer(shared.clone(), request));
    let served = builder.serve_connection(TokioIo::new(stream), serve);
    let mut served = std::pin::pin!(served);
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = stopped(&mut stopping) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}
