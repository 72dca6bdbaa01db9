//! The log, while an execution is shown: its lines go above the tree.

use std::io;
use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter;

use super::Live;

/// Writes the log where `live` shows the execution.
struct LogInto(Arc<Live>);

/// Sends warnings, or what `RUST_LOG` names, to the view; later calls change nothing.
pub fn start(live: Arc<Live>) {
    let filter = crate::logging::filter("warn");
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).without_time();
    // An error means that logging has been started before.
    let _ = builder.with_ansi(false).with_writer(LogInto(live)).try_init();
}

impl<'a> MakeWriter<'a> for LogInto {
    type Writer = LogLines<'a>;

    fn make_writer(&'a self) -> LogLines<'a> {
        LogLines(&self.0)
    }
}

struct LogLines<'a>(&'a Live);

impl io::Write for LogLines<'_> {
    /// The subscriber writes each event at once.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.note(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
