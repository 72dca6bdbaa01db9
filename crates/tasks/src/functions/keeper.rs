//! The keeper of a function's process: a small process of its own between the server and the function, so that whatever the
//! function has started ends with it, and everything ends with the server, however that ends.
//!
//! The server starts its own program again with [`ARGUMENT`]. That process becomes the reaper of all descendants, those in
//! sessions of their own included, starts the function, and watches three things: its standard input, whose other end is the
//! server's and closes with it; the function's process; and the memory that all of them take. It says how the function ended on
//! the same socket, and ends all that is left before it ends itself. While the function has nothing to do, which the server tells
//! it ([`WORK`], [`REST`]), it does not look at anything.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process, pidfd_open,
    set_child_subreaper, set_parent_process_death_signal, wait,
};

use super::memory::{Memory, children};

/// What makes the program a keeper when it is the first argument. Then come the memory in MB, the program to start and its
/// arguments.
pub const ARGUMENT: &str = "__keep-function";

/// What the server says: the function has something to do, or nothing.
pub const WORK: u8 = b'w';
/// See [`WORK`].
pub const REST: u8 = b'r';

/// How often the process is looked at where the system cannot tell when it ends.
const LOOK: Duration = Duration::from_millis(10);

/// What a keeper says, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The process runs.
    Started(i32),
    /// It could not be started.
    NotStarted(String),
    /// It has ended.
    Ended(Ending),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an exit status.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// It was ended because it took more memory than it has.
    OutOfMemory,
    /// It has never run.
    NotStarted(String),
}

impl Word {
    /// Reads a line.
    pub fn parse(line: &str) -> Option<Word> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match kind {
            "started" => Word::Started(rest.parse().ok()?),
            "not-started" => Word::NotStarted(rest.to_owned()),
            "exit" => Word::Ended(Ending::Exit(rest.parse().ok()?)),
            "signal" => Word::Ended(Ending::Signal(rest.parse().ok()?)),
            "memory" => Word::Ended(Ending::OutOfMemory),
            _ => return None,
        })
    }

    fn line(&self) -> String {
        match self {
            Word::Started(pid) => format!("started {pid}\n"),
            Word::NotStarted(reason) | Word::Ended(Ending::NotStarted(reason)) => {
                format!("not-started {}\n", reason.replace('\n', " "))
            }
            Word::Ended(Ending::Exit(code)) => format!("exit {code}\n"),
            Word::Ended(Ending::Signal(signal)) => format!("signal {signal}\n"),
            Word::Ended(Ending::OutOfMemory) => "memory\n".to_owned(),
        }
    }
}

/// Keeps a function if the arguments say so; `None` if this is another start of the program. To be called first of all.
pub fn keep(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let _program = arguments.next()?;
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let memory_mb = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(u32::MAX);
    let Some(program) = arguments.next() else { return Some(ExitCode::from(2)) };
    let mut command = Command::new(program);
    command.args(arguments);
    Some(match kept(command, memory_mb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // the server sees that it has ended
    })
}

fn kept(command: Command, memory_mb: u32) -> std::io::Result<()> {
    let mut server = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    set_child_subreaper(Some(getpid()))?;
    let program = Path::new(command.get_program()).display().to_string();
    let word = match start(command) {
        Ok(process) => {
            server.write_all(Word::Started(process.as_raw_nonzero().get()).line().as_bytes())?;
            watch(&server, process, memory_mb)
        }
        Err(error) => Some(Ending::NotStarted(format!("{program}: {error}"))),
    };
    end_all();
    if let Some(ending) = word {
        server.write_all(Word::Ended(ending).line().as_bytes())?;
    }
    Ok(())
}

fn start(mut command: Command) -> std::io::Result<Pid> {
    let keeper = getpid();
    command.stdin(Stdio::null()).process_group(0);
    // SAFETY: between fork and exec only `prctl` and `getppid` are called, which are async-signal-safe and take no lock and no
    // memory; nothing is shared with the keeper, which has one thread.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The keeper may have ended before the line above.
            if getppid() == Some(keeper) { Ok(()) } else { Err(std::io::ErrorKind::NotConnected.into()) }
        });
    }
    let child = command.spawn()?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| std::io::ErrorKind::Other.into())
}

/// Returns how the process has ended; `None` when the server has gone or does not want it any more.
fn watch(server: &UnixStream, process: Pid, memory_mb: u32) -> Option<Ending> {
    let pidfd: Option<OwnedFd> = pidfd_open(process, PidfdFlags::empty()).ok();
    let mut memory = Memory::new(getpid(), memory_mb);
    let mut next_look = Some(Instant::now());
    loop {
        if let Some(ending) = reaped(process) {
            return Some(ending);
        }
        if next_look.is_some_and(|at| at <= Instant::now()) {
            let look = memory.look();
            if look.is_exceeded {
                return Some(Ending::OutOfMemory);
            }
            next_look = Some(Instant::now() + look.again_after);
        }
        let mut pause = next_look.map(|at| at.saturating_duration_since(Instant::now()));
        let mut events = vec![PollFd::new(server, PollFlags::IN)];
        match &pidfd {
            Some(pidfd) => events.push(PollFd::new(pidfd, PollFlags::IN)),
            None => pause = Some(pause.map_or(LOOK, |pause| pause.min(LOOK))),
        }
        let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
        // An interruption is no reason to end.
        let has_news = poll(&mut events, pause.as_ref()).is_ok_and(|ready| ready > 0)
            && events.first().is_some_and(|server| !server.revents().is_empty());
        if has_news {
            next_look = match heard(server)? {
                REST => None,
                _ => Some(Instant::now()),
            };
        }
    }
}

/// The last of what the server says; `None` when it has gone.
fn heard(mut server: &UnixStream) -> Option<u8> {
    let mut words = [0; 64];
    match server.read(&mut words) {
        Ok(read) => words.get(..read)?.last().copied(),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Some(WORK),
        Err(_) => None,
    }
}

/// Takes the end of whatever has ended; that of the process itself is told.
fn reaped(process: Pid) -> Option<Ending> {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == process {
            return Some(ending(status));
        }
    }
    None
}

fn ending(status: WaitStatus) -> Ending {
    let status = std::process::ExitStatus::from_raw(status.as_raw());
    Ending::of(status)
}

impl Ending {
    /// What an exit status means.
    pub fn of(status: std::process::ExitStatus) -> Ending {
        match status.signal() {
            Some(signal) => Ending::Signal(signal),
            None => Ending::Exit(status.code().unwrap_or_default()),
        }
    }
}

/// Ends all descendants. Each one that ends leaves its children to this process, so that there is an end to it.
fn end_all() {
    loop {
        for child in children(getpid()) {
            let _ = kill_process(child, Signal::KILL); // it may have ended by itself
        }
        // One that has just been left to us is found in the next round.
        match wait(WaitOptions::NOHANG) {
            Ok(None) => pause(),
            Ok(Some(_)) => {}
            Err(_) => return, // no children are left
        }
    }
}

/// A moment, in which what has been ended may come to its end.
fn pause() {
    let moment = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
    let _ = poll(&mut [], Some(&moment)); // sooner is as good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for word in [
            Word::Started(7),
            Word::Ended(Ending::Exit(3)),
            Word::Ended(Ending::Signal(9)),
            Word::Ended(Ending::OutOfMemory),
            Word::NotStarted("No such file or directory (os error 2)".to_owned()),
        ] {
            assert_eq!(Word::parse(word.line().trim_end()), Some(word));
        }
        assert_eq!(Word::parse("exit x"), None);
        assert_eq!(Word::parse(""), None);
    }

    #[test]
    fn other_starts_are_left_alone() {
        let keep = |arguments: &[&str]| keep(arguments.iter().map(OsString::from));
        assert!(keep(&[]).is_none() && keep(&["stepwright"]).is_none());
        assert!(keep(&["stepwright", "serve"]).is_none());
    }
}
