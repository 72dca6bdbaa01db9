//! The command line. `--help` is written to teach.

mod remote;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::Resettable;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use remote::*;

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
    Init(Init),
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
    Store(crate::commands::store::Store),
    Completions(Completions),
}

/// Begin a project: a workflow, a function that it calls, and the configuration that declares it.
#[derive(Debug, Args)]
pub struct Init {
    /// Where; made if it is not there. Nothing in it is overwritten.
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// What the function is written in.
    #[arg(long, value_enum, default_value_t = Language::Python)]
    pub language: Language,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Language {
    Python,
    Node,
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
    /// The account of a new data directory: of requests that are not signed by another. A directory keeps its own.
    #[arg(long, value_name = "ID", env = "STEPWRIGHT_ACCOUNT_ID")]
    pub account_id: Option<String>,
    /// The region of a new data directory: of requests that are not signed for another. A directory keeps its own. Without
    /// it, AWS_REGION or AWS_DEFAULT_REGION, else us-east-1.
    #[arg(long, value_name = "REGION", env = "STEPWRIGHT_REGION")]
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
/// ends the program at once. Executions that it started and did not wait for are waited for at the end.
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
    /// Fill in `${NAME}` of the definition, as deployment tools do. Can be given more than once.
    #[arg(long, value_name = "NAME=VALUE")]
    pub substitute: Vec<String>,
    /// What a Task state gets instead of calling anything: its result, or `{"errorOutput": {"error": …, "cause": …}}`; `@FILE`
    /// has it in a file. Can be given more than once.
    #[arg(long, value_name = "STATE=JSON")]
    pub mock: Vec<String>,
    /// The type of state machine as which the definition is judged and executed; express as StartSyncExecution does.
    #[arg(long, value_enum, default_value_t = MachineType::Standard)]
    pub r#type: MachineType,
    /// A further state machine, for `states:startExecution` and `aws-sdk:sfn`. `--substitute` and `--mock` hold for it too.
    /// Can be given more than once.
    #[arg(long, value_name = "NAME=FILE")]
    pub machine: Vec<String>,
    /// As --machine, of type EXPRESS.
    #[arg(long, value_name = "NAME=FILE")]
    pub express_machine: Vec<String>,
    /// Serve the Step Functions API there while the execution runs: for workers of its activities, which are made, and for
    /// SendTaskSuccess and its kin.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<Listen>,
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
/// Of a SAM or CloudFormation template, the definitions of its state machines are checked, wherever they stand.
///
/// Shows each finding with its source line and how to mend it; `stepwright explain CODE` tells more. Findings go to
/// standard output, a summary to standard error.
///
/// Exits with 1 when there is an error (with --strict, also for a warning), with 2 when a file cannot be read.
#[derive(Debug, Args)]
#[command(after_long_help = VALIDATE_EXAMPLES)]
pub struct Validate {
    /// Definitions or templates: `.json`, `.yaml` or `.yml`; `-` for standard input.
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
  stepwright run orders.asl.json --mock 'Charge={\"paid\": true}' --substitute TableName=orders
  stepwright run orders.asl.json --machine ship=ship.asl.json  (nested: arn:aws:states:us-east-1:123456789012:stateMachine:ship)
  stepwright run orders.asl.json --listen 8090                 (workers and callbacks reach it there)
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
  stepwright validate template.yaml
  aws stepfunctions describe-state-machine --state-machine-arn ARN \\\n    --query definition --output text | stepwright validate -";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  stepwright explain SW0403
  stepwright explain SCHEMA_VALIDATION_FAILED
  stepwright explain States.Timeout
  stepwright explain | grep -i retry";

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

impl From<MachineType> for stepwright_asl::MachineType {
    fn from(given: MachineType) -> stepwright_asl::MachineType {
        match given {
            MachineType::Standard => stepwright_asl::MachineType::Standard,
            MachineType::Express => stepwright_asl::MachineType::Express,
        }
    }
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
