//! The options of the commands that speak to a server, and of `invoke`, which does without one.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::connection::Connection;

/// List the state machines of a server, or the executions of one of them, the newest first.
#[derive(Debug, Args)]
#[command(after_long_help = LIST_EXAMPLES)]
pub struct List {
    /// A state machine, by name or ARN: its executions are listed.
    #[arg(value_name = "MACHINE")]
    pub machine: Option<String>,
    /// Only executions with this status.
    #[arg(long, value_enum, ignore_case = true, requires = "machine")]
    pub status: Option<ExecutionStatus>,
    /// So many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub max: usize,
    #[command(flatten)]
    pub connection: Connection,
}

/// Describe a state machine, an execution, an activity or a map run of a server.
#[derive(Debug, Args)]
#[command(after_long_help = DESCRIBE_EXAMPLES)]
pub struct Describe {
    /// MACHINE, MACHINE/EXECUTION, or an ARN.
    #[arg(value_name = "WHAT")]
    pub what: String,
    #[command(flatten)]
    pub connection: Connection,
}

/// Show the history of an execution of a server; with --follow, until it ends.
///
/// With --follow it exits with 1 when the execution fails, times out or is stopped.
#[derive(Debug, Args)]
#[command(after_long_help = HISTORY_EXAMPLES)]
pub struct History {
    /// MACHINE/EXECUTION, an ARN, or MACHINE for its newest execution.
    #[arg(value_name = "EXECUTION")]
    pub execution: String,
    /// Go on until the execution has ended.
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Start an execution on a server.
///
/// Prints its ARN; with --follow, shows what happens on standard error and prints the output. Then it exits with 1 when the
/// execution fails, times out or is stopped.
#[derive(Debug, Args)]
#[command(after_long_help = START_EXAMPLES)]
pub struct Start {
    /// The state machine, by name or ARN.
    #[arg(value_name = "MACHINE")]
    pub machine: String,
    /// The input: JSON text, `@FILE`, or `-` for standard input.
    #[arg(long, short, value_name = "JSON", default_value = "{}")]
    pub input: String,
    /// The execution's name; without it the server makes one.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Go on until the execution has ended, and print its output.
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Stop an execution on a server.
#[derive(Debug, Args)]
pub struct Stop {
    /// MACHINE/EXECUTION, an ARN, or MACHINE for its newest execution.
    #[arg(value_name = "EXECUTION")]
    pub execution: String,
    /// The error name that the execution ends with.
    #[arg(long, value_name = "NAME")]
    pub error: Option<String>,
    /// Why it is stopped.
    #[arg(long, value_name = "TEXT")]
    pub cause: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// Go on with an execution that did not succeed, from the state that failed.
#[derive(Debug, Args)]
pub struct Redrive {
    /// MACHINE/EXECUTION, an ARN, or MACHINE for its newest execution.
    #[arg(value_name = "EXECUTION")]
    pub execution: String,
    /// Go on until the execution has ended, and print its output.
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Show what the functions of a server have printed, as Lambda's log has it.
#[derive(Debug, Args)]
#[command(after_long_help = LOGS_EXAMPLES)]
pub struct Logs {
    /// Only of this execution: MACHINE/EXECUTION, an ARN, or MACHINE for its newest execution.
    #[arg(value_name = "EXECUTION")]
    pub execution: Option<String>,
    /// Only of states of this name.
    #[arg(long, short, value_name = "NAME")]
    pub state: Option<String>,
    /// Only of this function.
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// Go on with what comes.
    #[arg(long, short)]
    pub follow: bool,
    /// Without the lines of the platform: START, END, REPORT.
    #[arg(long)]
    pub no_platform: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Invoke a function that the configuration or a template declares, here and now, without a server.
///
/// Prints its answer on standard output, and what it prints itself on standard error. Exits with 1 when it fails.
#[derive(Debug, Args)]
#[command(after_long_help = INVOKE_EXAMPLES)]
pub struct Invoke {
    /// The function.
    #[arg(value_name = "FUNCTION")]
    pub function: String,
    /// The event: JSON text, `@FILE`, or `-` for standard input.
    #[arg(long, short, value_name = "JSON", default_value = "{}")]
    pub input: String,
    /// As for `serve`: where functions are declared.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// As for `serve`: a SAM or CloudFormation template with functions.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ExecutionStatus {
    Running,
    Succeeded,
    Failed,
    #[value(name = "timed_out")]
    TimedOut,
    Aborted,
    #[value(name = "pending_redrive")]
    PendingRedrive,
}

/// Look at the limits over executions of a server, and change them while it runs.
///
/// A limit lets only so many tasks (or executions) run at a time, or start in a while, over all executions or for each value
/// of a key. Limits are declared in stepwright.toml (`[[limits]]`); one that is set here stands in front of that until it is
/// removed, also after a restart. Without a command, all are listed.
///
/// Exits with 1 when the server refuses, with 2 when it cannot be reached.
#[derive(Debug, Args)]
#[command(after_long_help = LIMITS_EXAMPLES)]
pub struct Limits {
    #[command(subcommand)]
    pub command: Option<LimitsCommand>,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Subcommand)]
pub enum LimitsCommand {
    /// All limits, with how many hold a place and how many wait.
    List,
    /// One limit: who holds a place, who waits, and for how long.
    Show { name: String },
    /// Set a limit; one of the same name is replaced as a whole.
    Set(Box<SetLimit>),
    /// Remove a limit that was set here; one of the same name in stepwright.toml applies again.
    Remove { name: String },
}

#[derive(Debug, Args)]
pub struct SetLimit {
    pub name: String,
    /// Tasks whose resource (or Lambda function: ARN or name) is as this pattern with `*` and `?` says.
    #[arg(
        long,
        value_name = "PATTERN",
        required_unless_present = "state_machine",
        conflicts_with = "state_machine"
    )]
    pub task: Option<String>,
    /// Executions of state machines whose ARN or name is as this pattern says; others wait before their first state.
    #[arg(long, value_name = "PATTERN")]
    pub state_machine: Option<String>,
    /// A JSONata expression; each of its values is limited by itself.
    #[arg(long, value_name = "{% EXPRESSION %}")]
    pub key: Option<String>,
    /// So many at a time.
    #[arg(long, value_name = "COUNT", required_unless_present = "rate")]
    pub concurrency: Option<u32>,
    /// So many starts in so many seconds.
    #[arg(long, value_name = "COUNT/SECONDS", value_parser = rate)]
    pub rate: Option<(u32, u32)>,
}

fn rate(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('/').and_then(|(count, seconds)| {
        Some((count.trim().parse().ok()?, seconds.trim().trim_end_matches('s').parse().ok()?))
    });
    parts.ok_or_else(|| "a rate is COUNT/SECONDS, such as 100/60".to_owned())
}

const LIST_EXAMPLES: &str = "\
Examples:
  stepwright list
  stepwright list orders --status failed
  stepwright list --json | jq -r .stateMachines[].name";

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  stepwright describe orders
  stepwright describe orders/first
  stepwright describe orders --json | jq -r .definition";

const HISTORY_EXAMPLES: &str = "\
Examples:
  stepwright history orders/first
  stepwright history orders --follow         (the newest execution, until it ends)
  stepwright history orders --json | jq 'select(.type == \"TaskFailed\")'";

const START_EXAMPLES: &str = "\
Examples:
  stepwright start orders --input '{\"order\": 7}'
  stepwright start orders --input @order.json --name first --follow";

const LOGS_EXAMPLES: &str = "\
Examples:
  stepwright logs --follow
  stepwright logs orders/first --state Charge
  stepwright logs --function greet --json";

const INVOKE_EXAMPLES: &str = "\
Examples:
  stepwright invoke greet --input '{\"name\": \"Ada\"}'
  stepwright invoke HelloFunction --template template.yaml --input @event.json";

const LIMITS_EXAMPLES: &str = "\
Examples:
  stepwright limits
  stepwright limits show payments
  stepwright limits set payments --task 'charge*' --concurrency 5
  stepwright limits set per-customer --task 'charge*' --key '{% $states.input.customer %}' --concurrency 1 --rate 100/60
  stepwright limits remove payments

Over https, AWS_CA_BUNDLE names the certificates to trust.";
