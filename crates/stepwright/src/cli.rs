//! The command line. `--help` is written to teach.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::Resettable;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::connection::Connection;

/// AWS Step Functions that anyone can run.
///
/// Speaks the Step Functions API, executes the Amazon States Language durably, and shows what is wrong with a definition
/// before it is deployed.
///
/// Exit codes: 0 done; 1 the answer is no (the execution failed, a definition has errors); 2 the command line, the
/// configuration or an input cannot be used; 3 the server cannot start; 4 the store failed; 5 the output cannot be written.
#[derive(Debug, Parser)]
#[command(name = "stepwright", version, max_term_width = 110)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the command line. An empty environment variable is no variable.
pub fn parse() -> Result<CommandLine, clap::Error> {
    let without_empty = |argument: clap::Arg| {
        let is_empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { argument.env(Resettable::Reset) } else { argument }
    };
    let command = CommandLine::command().mut_subcommands(|command| command.mut_args(without_empty));
    CommandLine::from_arg_matches(&command.try_get_matches()?)
}

/// Where to listen: `127.0.0.1:8083`, or the port alone on loopback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "Place")]
pub struct Listen(pub SocketAddr);

/// In a configuration file a port alone may be a number.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Place {
    Port(u16),
    Text(String),
}

impl TryFrom<Place> for Listen {
    type Error = String;

    fn try_from(place: Place) -> Result<Listen, String> {
        match place {
            Place::Port(port) => Ok(Listen((Ipv4Addr::LOCALHOST, port).into())),
            Place::Text(text) => text.parse(),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        let text = text.trim();
        let port = text.strip_prefix(':').or_else(|| text.strip_prefix("localhost:")).unwrap_or(text);
        let address = port.parse::<u16>().map(|port| (Ipv4Addr::LOCALHOST, port).into());
        let address = address.or_else(|_| text.parse::<SocketAddr>());
        address.map(Listen).map_err(|_| {
            format!("{text:?} is not an address and a port, such as 127.0.0.1:8083, nor a port alone")
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(Serve),
    Run(Run),
    TestState(Box<TestState>),
    Validate(Validate),
    Explain(Explain),
    List(List),
    Describe(Describe),
    History(History),
    Start(Start),
    Stop(Stop),
    Redrive(Redrive),
    Logs(Logs),
    Invoke(Invoke),
    Limits(Limits),
    Completions(Completions),
}

/// Start the server: the Step Functions API on one port, everything durable in one directory.
///
/// Point any AWS client at it:
///
///   aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083
///
/// Lambda functions are declared in stepwright.toml (`[functions.NAME]`) or found in a SAM template; others are invoked
/// at the endpoint that LAMBDA_ENDPOINT, AWS_ENDPOINT_URL_LAMBDA or AWS_ENDPOINT_URL names. Beyond loopback the server
/// listens only when --credentials says who may call. SIGTERM and Ctrl-C end the
/// server after the requests in flight; a kill at any moment loses nothing that was acknowledged.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on; a port alone is on loopback.
    #[arg(long, value_name = "ADDRESS", env = "STEPWRIGHT_LISTEN")]
    pub listen: Option<Listen>,
    /// Where everything is kept. One server at a time.
    #[arg(long, value_name = "DIR", env = "STEPWRIGHT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The configuration file; `stepwright.toml` in this directory is read without being named.
    #[arg(long, value_name = "FILE", env = "STEPWRIGHT_CONFIG")]
    pub config: Option<PathBuf>,
    /// A SAM or CloudFormation template whose functions are run locally; `template.yaml` beside the configuration is read
    /// without being named.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The account in whose name ARNs are made.
    #[arg(long, value_name = "ID", env = "STEPWRIGHT_ACCOUNT_ID")]
    pub account_id: Option<String>,
    /// The region in whose name ARNs are made.
    #[arg(long, value_name = "REGION", env = "AWS_DEFAULT_REGION")]
    pub region: Option<String>,
    #[command(flatten)]
    pub protection: crate::protection::Flags,
    /// Do not write into the log what functions print; `stepwright logs` still has it. As `print = false` below `[lambda]`.
    #[arg(long)]
    pub no_function_output: bool,
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Execute one workflow here and now, without a server.
///
/// Shows states as they run: a tree with durations on a terminal, plain lines in a pipe, or with --json one event of
/// AWS's history a line. Prints the output on standard output. Nothing is kept. Ctrl-C stops the execution; a second one
/// ends the program at once.
///
/// Exits with 1 when the execution fails, times out or is stopped; with 2 when the definition or the input cannot be used.
#[derive(Debug, Args)]
#[command(after_long_help = RUN_EXAMPLES)]
pub struct Run {
    /// The definition: `.json`, `.yaml` or `.yml`; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub definition: PathBuf,
    /// The input: JSON text, `@FILE`, or `-` for standard input.
    #[arg(long, short, value_name = "JSON", default_value = "{}")]
    pub input: String,
    /// One JSON object a line: the events of the history, then the result.
    #[arg(long)]
    pub json: bool,
    /// Do not show what functions print.
    #[arg(long)]
    pub no_function_output: bool,
    /// The execution's name.
    #[arg(long, value_name = "NAME", default_value = "run")]
    pub name: String,
    /// As for `serve`: the functions that Task states call.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// As for `serve`: a SAM or CloudFormation template with functions.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
}

/// Test one state of a workflow: what goes in, what comes out, and every stage between.
///
/// Runs the state as AWS's TestState does. With --mock nothing is called; a mock is needed for Map, Parallel, activities,
/// .sync and .waitForTaskToken. Without it, a Task state calls its function. A Wait state does not take its time.
///
///   stepwright test-state --definition order.asl.json --state Charge --input '{"total": 12}' \
///     --mock '{"Payload": {"paid": true}}' --inspection-level debug
///
/// Prints the state's output on standard output, the rest on standard error. Exits with 1 when the state fails or would be
/// tried again; a caught failure is a success.
#[derive(Debug, Args)]
pub struct TestState {
    /// The definition of a workflow or of a single state: `.json`, `.yaml` or `.yml`.
    #[arg(long, short, value_name = "FILE")]
    pub definition: PathBuf,
    /// The state to test, wherever in the workflow it is. Without it: the first.
    #[arg(long, short, value_name = "NAME")]
    pub state: Option<String>,
    /// The input: JSON text, `@FILE`, or `-` for standard input.
    #[arg(long, short, value_name = "JSON", default_value = "{}")]
    pub input: String,
    /// What comes of the state's work: the result itself, or AWS's form `{"result": …}`, `{"errorOutput": {"error": …,
    /// "cause": …}}` with `fieldValidationMode` STRICT, PRESENT or NONE. Results of AWS services are checked against the
    /// service's model.
    #[arg(long, short, value_name = "JSON")]
    pub mock: Option<String>,
    /// The variables that are set, as an object.
    #[arg(long, value_name = "JSON")]
    pub variables: Option<String>,
    /// The context object; needs --mock.
    #[arg(long, value_name = "JSON")]
    pub context: Option<String>,
    /// AWS's stateConfiguration: retrierRetryCount, errorCausedByState, mapIterationFailureCount, mapItemReaderData.
    #[arg(long, value_name = "JSON")]
    pub state_configuration: Option<String>,
    /// How much to show: the outcome, or every stage too.
    #[arg(long, short = 'l', value_enum, ignore_case = true, default_value_t = InspectionLevel::Info)]
    pub inspection_level: InspectionLevel,
    /// AWS's answer as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
    /// As for `serve`: the functions that Task states call.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// As for `serve`: a SAM or CloudFormation template with functions.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
}

/// Check definitions: what AWS would refuse, and what is probably not meant.
///
/// Shows each finding with its source line and how to mend it; `stepwright explain CODE` tells more. Findings go to
/// standard output, a summary to standard error.
///
/// Exits with 1 when there is an error (with --strict, also for a warning), with 2 when a file cannot be read.
#[derive(Debug, Args)]
#[command(after_long_help = VALIDATE_EXAMPLES)]
pub struct Validate {
    /// Definitions: `.json`, `.yaml` or `.yml`; `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// One JSON object a line for each finding: file, code, severity, message, pointer, line and column (from 1, in
    /// characters), help and fix.
    #[arg(long)]
    pub json: bool,
    /// The type of state machine that the definitions are for.
    #[arg(long, value_enum, default_value_t = MachineType::Standard)]
    pub r#type: MachineType,
    /// Treat warnings as errors.
    #[arg(long)]
    pub strict: bool,
    /// Take `${Name}` literally, as AWS does. Without this it is a value that a deployment tool (SAM, CDK, Terraform) fills
    /// in later, and is not checked.
    #[arg(long)]
    pub literal: bool,
}

/// Explain a code that `validate` shows, or an error name such as States.Timeout: what it means, and how to mend it.
#[derive(Debug, Args)]
#[command(after_long_help = EXPLAIN_EXAMPLES)]
pub struct Explain {
    /// The code, such as SW0403, or AWS's, such as MISSING_TRANSITION_TARGET, or an error name; without it, all codes are
    /// listed.
    pub code: Option<String>,
}

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

/// Print a script that completes commands and options in a shell.
#[derive(Debug, Args)]
#[command(after_long_help = COMPLETIONS_EXAMPLES)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

const RUN_EXAMPLES: &str = "\
Examples:
  stepwright run orders.asl.json --input '{\"n\": 1}'
  stepwright run orders.asl.yaml --input @order.json
  stepwright run orders.asl.json --json | jq 'select(.type == \"TaskFailed\")'
  stepwright run orders.asl.json 2>/dev/null | jq .total        (the output alone)

Lambda functions run as local processes when stepwright.toml or template.yaml declares them:

  [functions.greet]
  runtime = \"python3.12\"
  handler = \"greet.handler\"
  code = \"functions/greet\"";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  stepwright validate workflows/*.asl.json
  stepwright validate --strict --json orders.asl.yaml
  aws stepfunctions describe-state-machine --state-machine-arn ARN \\\n    --query definition --output text | stepwright validate -";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  stepwright explain SW0403
  stepwright explain SCHEMA_VALIDATION_FAILED
  stepwright explain States.Timeout
  stepwright explain | grep -i retry";

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

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  stepwright completions bash > ~/.local/share/bash-completion/completions/stepwright
  stepwright completions zsh > \"${fpath[1]}/_stepwright\"
  stepwright completions fish > ~/.config/fish/completions/stepwright.fish";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum MachineType {
    Standard,
    Express,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum InspectionLevel {
    Info,
    Debug,
    Trace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_listen() {
        for (text, expected) in [
            ("8091", Some("127.0.0.1:8091")),
            (":8091", Some("127.0.0.1:8091")),
            ("localhost:8091", Some("127.0.0.1:8091")),
            ("0.0.0.0:1", Some("0.0.0.0:1")),
            ("[::1]:8091", Some("[::1]:8091")),
            ("127.0.0.1", None),
            ("99999", None),
            ("", None),
        ] {
            let found = text.parse::<Listen>().ok().map(|listen| listen.0.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        let of_file = |text: &str| toml::from_str::<std::collections::BTreeMap<String, Listen>>(text);
        for text in ["a = 8091", "a = '8091'"] {
            assert_eq!(of_file(text).expect("a table")["a"].0.port(), 8091);
        }
        assert!(
            of_file("a = 'nope'").is_err_and(|error| error.to_string().contains("such as 127.0.0.1:8083"))
        );
    }
}
