//! What serves HTTP/1.1, with or without TLS: connections, limits, time-outs, callers, audit, shutdown.
//!
//! - [`Tenant`] is what answers requests: a service of AWS, an endpoint at a path. It gets a [`Call`], which says who calls, and
//!   gives an [`Answer`], whole or as a stream.
//! - [`endpoint`] is plain JSON for tenants at a path.
//! - [`Access`] says who may call, [`Hosts`] under which names and from which pages, [`AuditFile`] keeps who did what.
//!
//! What comes from outside is bounded everywhere: connections, header bytes and time, body bytes (each and together) and
//! time. Where a bound is reached, the server stops accepting or answers with an AWS error; nothing queues without end.
//!
//! Invariant: this crate does not know what its tenants do.

mod access;
mod audit;
mod audit_file;
mod body;
mod budget;
mod connections;
pub mod endpoint;
pub mod environment;
pub mod error;
mod file_stamp;
mod gate;
mod hosts;
mod key_file;
mod keys;
mod meter;
mod refusals;
mod request;
mod response;
mod signatures;
mod tenant;
mod tls;
mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use access::{Access, Caller, Verifier};
pub use audit_file::{AuditFile, AuditLimits};
pub use budget::{SMALL_BYTES, Share};
pub use connections::Poll;
pub use environment::Environment;
pub use error::{ProtocolError, ServerError};
pub use hosts::Hosts;
pub use key_file::{KeyFile, KeyFileError};
pub use keys::{KeyRing, Keys, KeysError};
pub use request::Probes;
pub use response::{Answer, AwsError, Body};
pub use signatures::Signatures;
pub use tenant::{Answering, Call, Operation, Place, Tenant};
pub use tls::{Tls, TlsError};
pub use wire::WriteLimits;

use audit::Audit;
use budget::Budget;
use connections::Connections;
use gate::Peer;
use meter::Meter;
use refusals::Refusals;
use tenant::Tenants;
use wire::Wire;

/// Bounds of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Open connections. For one more, the one that has been idle for longest is closed; if none is idle, it waits in the
    /// operating system's queue.
    pub connections_max: u32,
    /// Bytes that a request's head may have, and that are buffered for a connection.
    pub head_bytes_max: usize,
    /// Time for a TLS handshake.
    pub handshake_timeout: Duration,
    /// Time for a request's head to arrive; also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// Bytes of a request's body. AWS takes 1 MiB; a definition of that many characters needs more once its quotes are
    /// escaped and it is wrapped into a request.
    pub body_bytes_max: usize,
    /// Time for a request's body to arrive.
    pub body_timeout: Duration,
    /// What a client has to take of an answer, while there is more of it than the operating system buffers.
    pub write: WriteLimits,
    /// Bytes of all large bodies and answers together. For what does not fit, slow clients are cut off.
    pub memory_bytes_max: usize,
    /// How long a request waits for memory before it is refused.
    pub memory_patience: Duration,
    /// Time that requests in flight have to end when the server shuts down.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 8_192,
            head_bytes_max: 16 << 10,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(60),
            body_bytes_max: 4 << 20,
            body_timeout: Duration::from_secs(30),
            write: WriteLimits { window: Duration::from_secs(20), window_bytes_min: 320 << 10 },
            memory_bytes_max: 256 << 20,
            memory_patience: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// How a server is set up.
#[derive(Clone)]
pub struct Options {
    pub limits: Limits,
    pub access: Access,
    pub tls: Option<Arc<Tls>>,
    pub audit: Option<Arc<AuditFile>>,
    /// Where some of the requests are noted that are refused before it is known who calls.
    pub refusals: Option<Arc<AuditFile>>,
    /// Under which names the server may be called.
    pub hosts: Hosts,
    /// Whether a protected server shows its metrics to everybody, not only to this machine and to callers.
    pub metrics_are_open: bool,
    pub probes: Probes,
    pub environment: Arc<dyn Environment>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            limits: Limits::default(),
            access: Access::default(),
            tls: None,
            audit: None,
            refusals: None,
            hosts: Hosts::default(),
            metrics_are_open: false,
            probes: Probes::default(),
            environment: Arc::new(environment::System),
        }
    }
}

/// Why a server was not started.
#[derive(Debug, Error)]
pub enum BindError {
    /// Whoever reaches the port could run any workflow.
    #[error(
        "refusing to listen on {0}: others could reach it, and nobody has said who may call. Write keys into a file, such as\n\n  \
         [me]\n  aws_access_key_id = AKIDME\n  aws_secret_access_key = (what `openssl rand -base64 30` prints)\n\n\
         for you alone to read (chmod 600), and name it: stepwright serve --listen {0} --credentials FILE\n\
         Or listen on 127.0.0.1:{port}, where only this machine can call. docs/security.md tells more",
        port = .0.port()
    )]
    NeedsCredentials(SocketAddr),
    /// The operating system refused the address.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// Refuses to listen where others could call although nobody has said who may.
pub fn check_exposure(listen: SocketAddr, access: &Access) -> Result<(), BindError> {
    if !listen.ip().is_loopback() && !access.is_protected() {
        return Err(BindError::NeedsCredentials(listen));
    }
    Ok(())
}

/// A listening server. [`Server::run`] serves; [`Server::shut_down`] ends it.
pub struct Server {
    listener: Mutex<Option<TcpListener>>,
    local_address: SocketAddr,
    state: Arc<State>,
    connections: Arc<Connections>,
    stopping: watch::Sender<bool>,
}

/// What all connections share.
struct State {
    tenants: Tenants,
    options: Options,
    budget: Arc<Budget>,
    refusals: Refusals,
}

impl State {
    fn audit(&self) -> Audit<'_> {
        Audit { file: self.options.audit.as_deref() }
    }
}

impl Server {
    /// Listens, but does not serve yet. Port 0 takes a free port.
    pub async fn bind(
        listen: SocketAddr,
        tenants: Vec<Arc<dyn Tenant>>,
        options: Options,
    ) -> Result<Server, BindError> {
        check_exposure(listen, &options.access)?;
        let refused = |error| BindError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let local_address = listener.local_addr().map_err(refused)?;
        let connections = Arc::new(Connections::new(options.limits.connections_max as usize));
        let refusals = Refusals::new(options.refusals.clone());
        let budget = Budget::new(options.limits.memory_bytes_max, options.limits.memory_patience);
        Ok(Server {
            listener: Mutex::new(Some(listener)),
            local_address,
            state: Arc::new(State { tenants: Tenants(tenants), options, budget, refusals }),
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
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    let peer = Peer {
                        address,
                        connection: self.connections.admit().await,
                        incoming: Arc::new(Meter::new()),
                        outgoing: Arc::new(Meter::new()),
                    };
                    tokio::spawn(connection(stream, peer, self.state.clone(), self.stopping.subscribe()));
                }
                Err(error) => {
                    // For instance no file descriptor left: others have to end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Stops accepting, tells the tenants, and waits for the requests in flight, for
    /// [`Limits::drain_timeout`] at most. Returns whether all have ended.
    pub async fn shut_down(&self) -> bool {
        self.stopping.send_replace(true);
        for tenant in &self.state.tenants.0 {
            tenant.stop();
        }
        drop(self.listener.lock().unwrap_or_else(PoisonError::into_inner).take());
        let limits = &self.state.options.limits;
        tokio::time::timeout(limits.drain_timeout, self.connections.all_closed()).await.is_ok()
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, which is the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// One connection, until the client closes it, it is idle for too long, it has to make room, or the server stops.
async fn connection(stream: TcpStream, peer: Peer, state: Arc<State>, stopping: watch::Receiver<bool>) {
    // Answers are written whole; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let place = peer.connection.clone();
    let stream = Wire::new(stream, peer.incoming.clone(), peer.outgoing.clone(), state.options.limits.write);
    let served = async {
        let Some(tls) = &state.options.tls else {
            return serve(stream, peer, &state, stopping).await;
        };
        match tokio::time::timeout(state.options.limits.handshake_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, peer, &state, stopping).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
            Err(_) => tracing::debug!("the TLS handshake took too long"),
        }
    };
    tokio::select! {
        () = served => {}
        () = place.evicted() => tracing::debug!("an idle connection made room"),
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    state: &Arc<State>,
    mut stopping: watch::Receiver<bool>,
) {
    let limits = &state.options.limits;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max.max(8_192));
    // Boxed: a connection has room for the future of a request all the time, also while it is idle.
    let service = service_fn(move |request| Box::pin(request::answer(state.clone(), peer.clone(), request)));
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
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
