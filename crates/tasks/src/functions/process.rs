//! A function's process: what it writes is collected, and neither it nor anything that it has started outlives its handle.
//!
//! With a keeper (see `keeper`) that holds for all descendants, and for every end of the server; without one, for the
//! process group.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::keeper::{self, Ending, Word};
use super::log::Output;
use super::memory::peak_bytes;
use super::runtime::Launch;

const READ_BYTES: usize = 16 * 1024;
/// Reads of what is there before a process that writes without end is let go on.
const DRAIN_READS_MAX: usize = 16;
/// What a keeper says has few words.
const WORDS_BYTES_MAX: usize = 4096;

/// A running process.
pub struct Process {
    child: Child,
    /// The process group, where there is no keeper.
    group: Option<Pid>,
    keeper: Option<Keeper>,
    stream: Stream,
    output: Arc<Output>,
    log_stream: String,
}

/// The keeper's end of the socket. The keeper ends everything when it closes.
struct Keeper {
    socket: Option<UnixStream>,
    said: String,
}

struct Stream {
    /// Reads without waiting, beside the task that waits.
    direct: File,
    reader: JoinHandle<()>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        self.stream.reader.abort();
    }
}

impl Process {
    /// Starts it. What it writes goes to `output`.
    pub fn start(launch: &Launch, output: Output) -> std::io::Result<Process> {
        // One pipe for both, so that what is written stays in its order.
        let (reader, writer) = std::io::pipe()?;
        let (mut command, socket) = match &launch.keeper {
            Some(keeper) => {
                let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
                ours.set_nonblocking(true)?;
                let mut command = Command::new(keeper);
                command.arg(keeper::ARGUMENT).arg(launch.memory_mb.to_string()).arg(&launch.program);
                command.stdin(OwnedFd::from(theirs));
                (command, Some(UnixStream::from_std(ours)?))
            }
            None => {
                let mut command = Command::new(&launch.program);
                command.stdin(Stdio::null()).kill_on_drop(true);
                (command, None)
            }
        };
        let child = command
            .args(&launch.arguments)
            .env_clear()
            .envs(&launch.environment)
            .current_dir(&launch.directory)
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .spawn()?;
        drop(command); // it has the other ends of the pipe and the socket
        let keeper = socket.map(|socket| Keeper { socket: Some(socket), said: String::new() });
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let output = Arc::new(output);
        let stream = Stream::open(OwnedFd::from(reader), Arc::clone(&output))?;
        Ok(Process {
            child,
            group: id.filter(|_| keeper.is_none()),
            keeper,
            stream,
            output,
            log_stream: launch.log_stream.clone(),
        })
    }

    /// Lambda's name for its log.
    pub fn log_stream(&self) -> &str {
        &self.log_stream
    }

    /// Where its output is collected.
    pub fn output(&self) -> &Arc<Output> {
        &self.output
    }

    /// Collects what it has written up to now. What was written before a message of the process arrived is in.
    pub fn drain(&mut self) {
        let mut buffer = vec![0; READ_BYTES];
        let mut output = self.output.lock();
        for _ in 0..DRAIN_READS_MAX {
            match self.stream.direct.read(&mut buffer) {
                Ok(read) if read > 0 => output.push(buffer.get(..read).unwrap_or_default()),
                _ => return,
            }
        }
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns when it has ended.
    pub async fn ended(&mut self) -> std::io::Result<Ending> {
        let status = self.child.wait().await?;
        let Some(keeper) = &mut self.keeper else { return Ok(Ending::of(status)) };
        keeper.hear().await;
        // A keeper that says nothing was ended by somebody.
        Ok(keeper.ending().unwrap_or_else(|| Ending::of(status)))
    }

    /// The most memory that the process has taken so far, in MB; `None` where that is not known.
    pub fn memory_peak_mb(&mut self) -> Option<u64> {
        let pid = match &mut self.keeper {
            Some(keeper) => keeper.process()?,
            None => i32::try_from(self.child.id()?).ok()?,
        };
        peak_bytes(pid).map(|bytes| bytes >> 20)
    }

    /// Tells the keeper whether there is something to do, so that it watches only then.
    pub fn works(&self, is_working: bool) {
        let word = if is_working { keeper::WORK } else { keeper::REST };
        if let Some(socket) = self.keeper.as_ref().and_then(|keeper| keeper.socket.as_ref()) {
            let _ = socket.try_write(&[word]); // a keeper that has gone is found out elsewhere
        }
    }

    /// Ends it and all that it has started.
    pub fn kill(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.socket = None;
            return;
        }
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL); // it may have ended by itself
        }
        let _ = self.child.start_kill(); // likewise
    }
}

impl Keeper {
    /// Waits until the keeper has said all that it will.
    async fn hear(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        let mut bytes = Vec::new();
        // What arrived is what was said, whether or not it broke off.
        let _ = socket.take(WORDS_BYTES_MAX as u64).read_to_end(&mut bytes).await;
        self.said.push_str(&String::from_utf8_lossy(&bytes));
    }

    /// The process, once it has been started.
    fn process(&mut self) -> Option<i32> {
        let mut buffer = [0; WORDS_BYTES_MAX];
        if self.said.is_empty()
            && let Some(Ok(read)) = self.socket.as_ref().map(|socket| socket.try_read(&mut buffer))
        {
            self.said.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()));
        }
        self.said.lines().filter_map(Word::parse).find_map(|word| match word {
            Word::Started(pid) => Some(pid),
            _ => None,
        })
    }

    fn ending(&self) -> Option<Ending> {
        self.said.lines().filter_map(Word::parse).find_map(|word| match word {
            Word::Ended(ending) => Some(ending),
            Word::NotStarted(reason) => Some(Ending::NotStarted(reason)),
            Word::Started(_) => None,
        })
    }
}

impl Stream {
    fn open(stream: OwnedFd, output: Arc<Output>) -> std::io::Result<Stream> {
        let direct = File::from(stream.try_clone()?);
        let receiver = pipe::Receiver::from_owned_fd(stream)?; // makes it non-blocking, `direct` too: they share it
        Ok(Stream { direct, reader: tokio::spawn(collect(receiver, output)) })
    }
}

async fn collect(receiver: pipe::Receiver, output: Arc<Output>) {
    let mut buffer = vec![0; READ_BYTES];
    while receiver.ready(Interest::READABLE).await.is_ok() {
        // Read and store under one lock, so that `drain` misses nothing between the two.
        let mut output = output.lock();
        match receiver.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => output.push(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
