//! Structured logs on standard error. What is logged is chosen by `RUST_LOG` (default `info`).

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;
use crate::terminal::Stream;

/// Starts logging; later calls change nothing.
pub fn start(format: LogFormat, default_level: &str) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(default_level))
        .with_writer(std::io::stderr)
        .with_ansi(Stream::Error.ability().theme.colour)
        .log_internal_errors(false)
        .with_target(false);
    // An error means that logging has been started before.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// What `RUST_LOG` says, if it says anything.
pub fn filter(default_level: &str) -> EnvFilter {
    let variable = std::env::var("RUST_LOG").ok().filter(|value| !value.trim().is_empty());
    let chosen = variable.and_then(|value| EnvFilter::try_new(value).ok());
    chosen.unwrap_or_else(|| EnvFilter::new(default_level))
}
