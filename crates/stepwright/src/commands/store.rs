//! `stepwright store`: looks after a data directory.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stepwright_store::embedded::care::{self, Loss, Sizes, Verified};
use stepwright_store::embedded::{EmbeddedOptions, OpenError};

use crate::config::{self, Overrides};
use crate::exit::{Exit, Failure, OrExit};
use crate::output;

/// Look after a data directory: sizes, verification, compaction, backup and restore, repair.
///
/// sizes, verify and backup work also while a server has the directory; the others need it for themselves.
///
/// Exits with 1 when verify or repair finds something, with 2 when the directory cannot be used, with 3 when it is in use.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Store {
    #[command(subcommand)]
    pub command: StoreCommand,
    /// The data directory; without it the one that stepwright.toml names.
    #[arg(long, global = true, value_name = "DIR", env = "STEPWRIGHT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "STEPWRIGHT_CONFIG")]
    pub config: Option<PathBuf>,
    /// One JSON object.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// How much space files, tables and indexes take, and how many executions there are.
    Sizes,
    /// Read everything and check every checksum.
    Verify,
    /// Write the database anew, without the space of what was deleted.
    Compact,
    /// Write a copy into a new directory. What was acknowledged before is in it.
    Backup { to: PathBuf },
    /// Put a backup into a data directory that has no store.
    Restore { from: PathBuf },
    /// Open a log again that has lost or damaged records. Says what would be given up; does it with --yes.
    Repair {
        /// Give up what cannot be saved.
        #[arg(long)]
        yes: bool,
    },
}

const EXAMPLES: &str = "\
Examples:
  stepwright store sizes
  stepwright store verify --data-dir /var/lib/stepwright --json
  stepwright store backup /backup/stepwright-monday
  stepwright store restore /backup/stepwright-monday --data-dir /var/lib/stepwright
  stepwright store repair                 (says what would be given up)
  stepwright store repair --yes";

pub fn run(arguments: Store) -> Result<Exit, Failure> {
    let data_dir = match arguments.data_dir {
        Some(data_dir) => data_dir,
        None => {
            let named = Overrides { config: arguments.config, ..Overrides::default() };
            config::load(named).or_exit(Exit::Usage)?.data_dir
        }
    };
    let options = EmbeddedOptions::new(&data_dir);
    let at = data_dir.display();
    let (text, answer, exit) = match arguments.command {
        StoreCommand::Sizes => {
            let sizes = care::sizes(&options).or_code()?;
            (sizes_text(&sizes), sizes_json(&sizes), Exit::Success)
        }
        StoreCommand::Verify => {
            let verified = care::verify(&options).or_code()?;
            let exit = if verified.findings.is_empty() { Exit::Success } else { Exit::Negative };
            (verified_text(&verified), verified_json(&verified), exit)
        }
        StoreCommand::Compact => {
            let (before, after) = care::compact(&options).or_code()?;
            let answer = json!({ "bytes_before": before, "bytes_after": after });
            (format!("{at}: {} before, {} now\n", size(before), size(after)), answer, Exit::Success)
        }
        StoreCommand::Backup { to } => {
            let bytes = care::backup(&options, &to).or_code()?;
            let answer = json!({ "directory": to, "bytes": bytes });
            (format!("{}: {}\n", to.display(), size(bytes)), answer, Exit::Success)
        }
        StoreCommand::Restore { from } => {
            let bytes = care::restore(&from, &data_dir).or_code()?;
            let answer = json!({ "directory": data_dir, "bytes": bytes });
            (format!("{at}: {} from {}\n", size(bytes), from.display()), answer, Exit::Success)
        }
        StoreCommand::Repair { yes } => {
            let loss = care::examine(&options).or_code()?;
            let is_repaired = loss.is_some() && yes;
            if is_repaired {
                care::repair(&options).or_code()?;
            }
            let exit = if loss.is_some() && !yes { Exit::Negative } else { Exit::Success };
            let answer = loss_json(loss.as_ref(), is_repaired);
            let text = match &loss {
                Some(loss) => loss_text(loss, is_repaired),
                None => format!("{at}: nothing that was acknowledged is missing in the log\n"),
            };
            (text, answer, exit)
        }
    };
    output::write(&if arguments.json { format!("{answer:#}\n") } else { text })?;
    Ok(exit)
}

/// The exit code of what a directory cannot be opened for.
trait OrCode<T> {
    fn or_code(self) -> Result<T, Failure>;
}

impl<T> OrCode<T> for Result<T, OpenError> {
    fn or_code(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let code = match error {
                OpenError::InUse { .. } => Exit::CannotStart,
                OpenError::Damaged { .. } | OpenError::Lost { .. } => Exit::Negative,
                _ => Exit::Usage,
            };
            Failure { code, error: anyhow!(error) }
        })
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn sizes_text(sizes: &Sizes) -> String {
    let mut text = String::new();
    let mut line = |size: String, what: &str| text.push_str(&format!("{size:>12}  {what}\n"));
    for (path, bytes) in &sizes.files {
        line(size(*bytes), &path.display().to_string());
    }
    for (name, bytes) in &sizes.tables {
        line(size(*bytes), &format!("table or index {name}"));
    }
    line(size(sizes.free), "free in the database: `stepwright store compact` gives it back");
    for (status, count) in &sizes.executions {
        line(count.to_string(), &format!("executions {status:?}"));
    }
    text
}

fn sizes_json(sizes: &Sizes) -> Value {
    let named = |(name, bytes): &(String, u64)| json!({ "name": name, "bytes": bytes });
    let file = |(path, bytes): &(PathBuf, u64)| json!({ "path": path, "bytes": bytes });
    let executions = sizes.executions.iter().map(|(status, count)| (format!("{status:?}"), json!(count)));
    json!({
        "files": sizes.files.iter().map(file).collect::<Vec<_>>(),
        "tables": sizes.tables.iter().map(named).collect::<Vec<_>>(),
        "free_bytes": sizes.free,
        "executions": Value::Object(executions.collect()),
    })
}

fn verified_text(verified: &Verified) -> String {
    let mut text: String = verified.findings.iter().map(|finding| format!("{finding}\n")).collect();
    let Verified { findings, pages, rows, is_in_use } = verified;
    let log = if *is_in_use { "; the log was left out: a server is writing it" } else { "" };
    text.push_str(&match findings.len() {
        0 => format!("{pages} pages and {rows} rows are as they were written{log}\n"),
        care::FINDINGS_MAX => format!("{} findings and perhaps more{log}\n", care::FINDINGS_MAX),
        count => format!("{count} findings{log}\n"),
    });
    text
}

fn verified_json(verified: &Verified) -> Value {
    let Verified { findings, pages, rows, is_in_use } = verified;
    json!({ "findings": findings, "pages": pages, "rows": rows, "log_verified": !is_in_use })
}

fn loss_text(loss: &Loss, is_repaired: bool) -> String {
    let Loss { file, found, kept, newest, readable, executions } = loss;
    let (verb, given_up) = if is_repaired { ("is", "were") } else { ("would be", "would be") };
    let mut text = format!("{}: {found}\n", file.display());
    let count = newest.saturating_sub(*kept);
    text.push_str(&format!(
        "Everything up to record {kept} {verb} kept; at most {count} records after it {given_up} given up: {readable} that can be read \
         but follow one that is missing, and {} of which nobody can say what was in them.\n",
        count.saturating_sub(*readable)
    ));
    for execution in executions {
        text.push_str(&format!("  given up: {execution}\n"));
    }
    if !is_repaired {
        text.push_str(
            "Nothing was changed. Make a copy of the directory, then: stepwright store repair --yes\n",
        );
    }
    text
}

fn loss_json(loss: Option<&Loss>, is_repaired: bool) -> Value {
    let loss = loss.map(|loss| {
        let Loss { file, found, kept, newest, readable, executions } = loss;
        let records = newest.saturating_sub(*kept);
        json!({ "file": file, "found": found, "kept_up_to": kept, "given_up_records": records,
            "given_up_readable": readable, "given_up": executions })
    });
    json!({ "loss": loss, "repaired": is_repaired })
}
