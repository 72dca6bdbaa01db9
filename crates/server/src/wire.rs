//! A connection as the operating system has it, with a meter on each way, and an end to clients that do not take their
//! answers: while something waits to be written, each [`WriteLimits::window`] has to move so many bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::meter::Meter;

/// What a client has to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteLimits {
    pub window: Duration,
    /// Bytes that have to go in a window, unless all goes that there is.
    pub window_bytes_min: u64,
}

/// A stream under observation.
pub(crate) struct Wire<S> {
    stream: S,
    incoming: Arc<Meter>,
    outgoing: Arc<Meter>,
    limits: WriteLimits,
    /// The window that runs while something waits to be written.
    blocked: Option<Blocked>,
    lingering: Option<Lingering>,
}

/// An end that waits for the client: closing while bytes come that nobody has read would take the answer from it.
struct Lingering {
    ends: Pin<Box<Sleep>>,
    bytes: usize,
}

/// How long, and for how much, a client that still sends is waited for.
const LINGERING_TIME: Duration = Duration::from_secs(2);
const LINGERING_BYTES: usize = 64 << 20;

struct Blocked {
    ends: Pin<Box<Sleep>>,
    /// What had gone when it began.
    from: u64,
}

impl<S> Wire<S> {
    pub fn new(stream: S, incoming: Arc<Meter>, outgoing: Arc<Meter>, limits: WriteLimits) -> Wire<S> {
        Wire { stream, incoming, outgoing, limits, blocked: None, lingering: None }
    }

    /// Notes what came of a write.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes)) => self.outgoing.add(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return self.wait(context).map(Err),
        }
        result
    }

    /// Ready with an error when the client takes too little.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let gone = self.outgoing.bytes();
            let blocked = self.blocked.get_or_insert_with(|| Blocked {
                ends: Box::pin(tokio::time::sleep(self.limits.window)),
                from: gone,
            });
            std::task::ready!(blocked.ends.as_mut().poll(context));
            if gone - blocked.from < self.limits.window_bytes_min {
                metrics::counter!("stepwright_answers_not_taken_total").increment(1);
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the answer is not taken"));
            }
            self.blocked = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.incoming.add(buffer.filled().len() - before);
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Whoever flushes has written all there was.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        if result.is_ready() {
            self.blocked = None;
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        if !self.incoming.is_abandoned() {
            return Poll::Ready(Ok(()));
        }
        let Wire { stream, lingering, .. } = &mut *self;
        let lingering = lingering.get_or_insert_with(|| Lingering {
            ends: Box::pin(tokio::time::sleep(LINGERING_TIME)),
            bytes: LINGERING_BYTES,
        });
        let mut unwanted = [0; 16 << 10];
        while lingering.ends.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut unwanted);
            let result = std::task::ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            lingering.bytes = lingering.bytes.saturating_sub(buffer.filled().len());
            if result.is_err() || buffer.filled().is_empty() || lingering.bytes == 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
