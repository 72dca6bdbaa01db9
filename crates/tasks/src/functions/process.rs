//! A process in a process group of its own, whose output is collected and which never outlives its handle.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::Interest;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::log::Output;
use super::runtime::Launch;

const READ_BYTES: usize = 16 * 1024;

/// A running process.
pub struct Process {
    child: Child,
    group: Option<Pid>,
    streams: Vec<Stream>,
    output: Arc<Output>,
}

struct Stream {
    /// Reads without waiting, beside the task that waits.
    direct: File,
    reader: JoinHandle<()>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        for stream in &self.streams {
            stream.reader.abort();
        }
    }
}

impl Process {
    /// Starts it.
    pub fn start(launch: &Launch) -> std::io::Result<Process> {
        let mut child = Command::new(&launch.program)
            .args(&launch.arguments)
            .env_clear()
            .envs(&launch.environment)
            .current_dir(&launch.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let output = Arc::new(Output::default());
        let stdout = child.stdout.take().map(|stream| stream.into_owned_fd());
        let stderr = child.stderr.take().map(|stream| stream.into_owned_fd());
        let mut process = Process { child, group, streams: Vec::new(), output };
        for stream in [stdout, stderr].into_iter().flatten() {
            let stream = Stream::open(stream?, Arc::clone(&process.output))?;
            process.streams.push(stream);
        }
        Ok(process)
    }

    /// Where its output is collected.
    pub fn output(&self) -> &Arc<Output> {
        &self.output
    }

    /// Collects what it has written up to now. What was written before a message of the process arrived is in.
    pub fn drain(&mut self) {
        let mut buffer = vec![0; READ_BYTES];
        for stream in &mut self.streams {
            let mut output = self.output.lock();
            // A process that writes without end must not hold us: one log's length is enough.
            for _ in 0..super::log::LOG_BYTES_MAX / READ_BYTES {
                match stream.direct.read(&mut buffer) {
                    Ok(read) if read > 0 => output.push(buffer.get(..read).unwrap_or_default()),
                    _ => break,
                }
            }
        }
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns when it has ended.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends it and all that it has started.
    pub fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL); // it may have ended by itself
        }
        let _ = self.child.start_kill(); // likewise
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
