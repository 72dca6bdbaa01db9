//! The page of everything that can be said to the program and that it says: `docs/reference.md`, made from the code. The tests
//! here compare it; with `STEPWRIGHT_RENEW=1` they write it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::CommandLine;
use crate::exit::Exit;

/// The keys of the configuration file by section: what each one says.
const KEYS: &[(&str, &str, &str)] = &[
    ("[server]", "listen", "address and port, or a port on loopback; `127.0.0.1:8083`"),
    ("[server]", "data_dir", "where everything is kept, relative to the file; `stepwright-data`"),
    ("[server]", "account_id", "the account of ARNs; `123456789012`"),
    ("[server]", "region", "the region of ARNs; `us-east-1`"),
    (
        "[server]",
        "hosts",
        "names by which clients may call the server, besides addresses and this machine's; see [security](security.md)",
    ),
    ("[functions.NAME]", "runtime", "`python3.x`, `nodejs*.x` or `provided*`; see [functions](functions.md)"),
    ("[functions.NAME]", "handler", "`MODULE.FUNCTION`; not for `provided*`"),
    ("[functions.NAME]", "code", "the directory of the code, relative to the file"),
    ("[functions.NAME]", "timeout", "seconds; 3"),
    ("[functions.NAME]", "memory", "MB; 128"),
    ("[functions.NAME]", "env", "a table of environment variables"),
    ("[functions.NAME]", "concurrency", "processes at a time; 4"),
    ("[functions.NAME]", "interpreter", "the program that runs it: a path, or a name on the search path"),
    ("[functions.NAME]", "layers", "a list of directories"),
    ("[functions.NAME]", "credentials", "`none` or `server`"),
    ("[lambda]", "credentials", "`none` or `server`, for functions that do not say; `none`"),
    ("[lambda]", "print", "whether what functions print is shown; true"),
    ("[logging]", "destination", "`file`, `stdout`, `cloudwatch` or `off`; see [logging](logging.md)"),
    (
        "[logging]",
        "file",
        "the log of executions, relative to the file; `logs/executions.jsonl` in the data directory",
    ),
    ("[logging]", "max_file_mb", "MB of one file; 64"),
    ("[logging]", "max_files", "files, the one that is written included; 4"),
    ("[logging]", "endpoint", "the URL of CloudWatch Logs"),
    ("[logging]", "functions", "whether what functions print goes to CloudWatch Logs, too; false"),
    ("[throttling]", "profile", "`off` or `aws`; see [throttling](throttling.md)"),
    ("[throttling]", "operations", "a table of rates by operation"),
    ("[credentials]", "file", "the keys that may call; see [security](security.md)"),
    ("[tls]", "certificate", "the certificate chain, PEM"),
    ("[tls]", "private_key", "its private key, PEM"),
    ("[tls]", "generated", "whether the server makes a certificate itself; false"),
    ("[tls]", "names", "names and addresses for a generated certificate"),
    ("[audit]", "file", "where calls that change something are written down"),
    ("[audit]", "file_bytes_max", "bytes of one file"),
    ("[audit]", "files_max", "files, the one that is written included"),
    ("[metrics]", "open", "whether `/metrics` is answered without a signature; false"),
    ("[[limits]]", "name", "a name; see [limits](limits.md)"),
    ("[[limits]]", "task", "a pattern of tasks"),
    ("[[limits]]", "state_machine", "a pattern of state machines, in place of `task`"),
    ("[[limits]]", "key", "a JSONata expression"),
    ("[[limits]]", "concurrency", "so many at a time"),
    ("[[limits]]", "rate", "`{ count = …, per_s = … }`"),
    (
        "[retention]",
        "keep",
        "how long executions are kept, such as `30d` or `forever`; `90d`; see [retention](retention.md)",
    ),
    ("[retention]", "rules", "the rules below"),
    ("[[retention.rules]]", "state_machine", "a pattern of state machines"),
    ("[[retention.rules]]", "tag", "a tag of state machines: `key` or `key=value`"),
    ("[[retention.rules]]", "keep", "how long their executions are kept"),
];

/// Environment variables that are not those of an option.
const VARIABLES: &[(&str, &str)] = &[
    (
        "STEPWRIGHT_ACCESS_KEY_ID",
        "`serve`: the key that may call, in place of a credentials file; clients: the key to sign with",
    ),
    ("STEPWRIGHT_SECRET_ACCESS_KEY", "its secret"),
    ("STEPWRIGHT_SESSION_TOKEN", "its session token"),
    (
        "AWS_ACCESS_KEY_ID",
        "clients: the key to sign with, where no other is named; `serve`: the key for AWS services",
    ),
    ("AWS_SECRET_ACCESS_KEY", "its secret"),
    ("AWS_SESSION_TOKEN", "its session token"),
    ("AWS_REGION", "clients: the server's region, where the file does not say"),
    ("AWS_DEFAULT_REGION", "as `AWS_REGION`"),
    ("AWS_CA_BUNDLE", "certificates to trust"),
    (
        "AWS_ENDPOINT_URL",
        "where AWS services are: Lambda, CloudWatch Logs; clients: the server, where nothing else says",
    ),
    ("AWS_ENDPOINT_URL_SFN", "clients: the server"),
    ("AWS_ENDPOINT_URL_LAMBDA", "where functions are that are not declared"),
    ("AWS_ENDPOINT_URL_LOGS", "where CloudWatch Logs is"),
    ("LAMBDA_ENDPOINT", "as `AWS_ENDPOINT_URL_LAMBDA`"),
    ("RUST_LOG", "what is logged; `info` for `serve`, `warn` otherwise"),
    ("NO_COLOR", "no colours"),
    ("CLICOLOR_FORCE", "colours also where there is no terminal"),
];

const ENDPOINTS: &[(&str, &str)] = &[
    ("POST /", "the API: `X-Amz-Target: AWSStepFunctions.OPERATION`; [api](api.md)"),
    ("GET /healthz", "whether the process answers"),
    ("GET /readyz", "whether it can do its work"),
    ("GET /metrics", "figures for Prometheus"),
    ("/express-executions", "EXPRESS executions that ended lately; [logging](logging.md)"),
    ("/executions", "a search over the executions of all state machines; [search](search.md)"),
    ("/function-logs", "what functions have printed; [functions](functions.md)"),
    ("/limits", "limits over executions; [limits](limits.md)"),
    ("/throttling", "request rates; [throttling](throttling.md)"),
];

/// What `--json` prints, by command.
const OUTPUTS: &[(&str, &str)] = &[
    (
        "run",
        "a line for each event, as `GetExecutionHistory` has it; then `{\"type\": \"Result\", \"status\", \"output\"}`, or `error`, `cause`, `state` and `pointer`",
    ),
    (
        "validate",
        "a line for each finding: `file`, `code`, `aws_code`, `severity`, `message`, `pointer`, `line`, `column`, `end_line`, `end_column`, `help`, `fix`",
    ),
    ("test-state", "the answer of `TestState`"),
    ("list", "`{\"stateMachines\": […]}` or `{\"executions\": […]}`, with the members of the API"),
    ("describe", "the answer of the API"),
    ("history", "a line for each event, as `GetExecutionHistory` has it"),
    (
        "start",
        "the answer of `StartExecution`; with `--follow` a line for each event, then the answer of `DescribeExecution` (of `StartSyncExecution` for EXPRESS)",
    ),
    ("stop", "the answer of `StopExecution`"),
    ("redrive", "the answer of `RedriveExecution`; with `--follow` as `start`"),
    (
        "logs",
        "a line for each line: `number`, `timestamp`, `functionName`, `requestId`, `logStreamName`, `executionArn`, `stateName`, `isPlatform`, `message`",
    ),
    ("limits", "the answer of `/limits`"),
    ("store", "one object: what the command found or did; [store](store.md)"),
];

const EXITS: [Exit; 6] =
    [Exit::Success, Exit::Negative, Exit::Usage, Exit::CannotStart, Exit::StoreFailed, Exit::OutputFailed];

fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Success => "done",
        Exit::Negative => {
            "the answer is no: the execution failed, a definition has errors, the server refuses"
        }
        Exit::Usage => "the command line, the configuration or an input cannot be used, or no server answers",
        Exit::CannotStart => "the server cannot start",
        Exit::StoreFailed => "nothing more could be made durable",
        Exit::OutputFailed => "standard output cannot be written",
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Reference\n\nMade from the code (`STEPWRIGHT_RENEW=1 cargo test -p stepwright reference`); a test compares them.\n\n\
         ## The configuration file\n\n`stepwright.toml` in the directory where the program starts, or `--config`. The command line goes before it.\n",
    );
    let mut section = "";
    for (name, key, says) in KEYS {
        if *name != section {
            section = name;
            let _ = write!(
                page,
                "\n### {}\n\n| key | |\n|---|---|\n",
                name.replace("[[", "`[[").replace("]]", "]]`")
            );
        }
        let _ = writeln!(page, "| `{key}` | {says} |");
    }
    let table = |page: &mut String, head: &str, rows: &[(&str, &str)]| {
        let _ = write!(page, "\n## {head}\n\n| | |\n|---|---|\n");
        for (name, says) in rows {
            let _ = writeln!(page, "| `{name}` | {says} |");
        }
    };
    let mut variables: Vec<(String, String)> =
        VARIABLES.iter().map(|(name, says)| ((*name).to_owned(), (*says).to_owned())).collect();
    variables.extend(option_variables());
    variables.sort();
    let rows: Vec<(&str, &str)> = variables.iter().map(|(name, says)| (&**name, &**says)).collect();
    table(&mut page, "Environment variables", &rows);
    let codes: Vec<String> = EXITS.iter().map(|exit| (*exit as u8).to_string()).collect();
    let rows: Vec<(&str, &str)> =
        codes.iter().zip(EXITS).map(|(code, exit)| (&**code, meaning(exit))).collect();
    table(&mut page, "Exit codes", &rows);
    table(&mut page, "Endpoints", ENDPOINTS);
    table(&mut page, "What `--json` prints", OUTPUTS);
    page.push_str("\n## Commands\n");
    for command in CommandLine::command().get_subcommands() {
        describe(command, "stepwright", &mut page);
    }
    page
}

/// Variables of options, each once.
fn option_variables() -> BTreeSet<(String, String)> {
    let command = CommandLine::command();
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for sub in command.get_subcommands() {
        for argument in sub.get_arguments() {
            let Some(variable) = argument.get_env().and_then(|name| name.to_str()) else { continue };
            let is_known = VARIABLES.iter().any(|(name, _)| *name == variable)
                || found.iter().any(|(name, _)| name == variable);
            if !is_known {
                let option = argument.get_long().unwrap_or_default();
                found.insert((variable.to_owned(), format!("`--{option}`")));
            }
        }
    }
    found
}

fn describe(command: &Command, above: &str, page: &mut String) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = write!(page, "\n### {name}\n\n{about}\n");
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
        })
        .collect();
    if !arguments.is_empty() {
        page.push_str("\n| | |\n|---|---|\n");
    }
    for argument in arguments {
        let value = match argument.get_action().takes_values() {
            true => argument.get_value_names().unwrap_or_default().join(" "),
            false => String::new(),
        };
        let form = match argument.get_long() {
            Some(long) => format!("--{long} {value}"),
            None => value,
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "| `{}` | {} |", form.trim(), help.replace('|', "\\|").replace('\n', " "));
    }
    for sub in command.get_subcommands() {
        describe(sub, &name, page);
    }
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_page_is_as_the_code() {
    let path = repository().join("docs/reference.md");
    if std::env::var_os("STEPWRIGHT_RENEW").is_some() {
        std::fs::write(&path, page()).expect("the page is written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page(),
        "docs/reference.md is not as the code: STEPWRIGHT_RENEW=1 cargo test -p stepwright reference"
    );
}

/// The keys that the code takes in a section, as its error for an unknown one lists them.
fn keys_of(section: &str) -> BTreeSet<String> {
    let head = section.replace("NAME", "a");
    let required = if section.starts_with("[functions") { "runtime = 'provided'\ncode = '.'\n" } else { "" };
    let text = format!("{head}\n{required}no_such_key = 1\n");
    let error = match section.starts_with("[functions") {
        true => stepwright_tasks::functions::functions_from_config(&text, Path::new("."))
            .expect_err(section)
            .to_string(),
        false => crate::config::check(&text).expect_err(section).to_string(),
    };
    let expected = error.split_once("expected ").unwrap_or_else(|| panic!("{error}")).1;
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_is_there() {
    let sections: BTreeSet<&str> = KEYS.iter().map(|(section, ..)| *section).collect();
    for section in &sections {
        let told: BTreeSet<String> =
            KEYS.iter().filter(|(of, ..)| of == section).map(|(_, key, _)| (*key).to_owned()).collect();
        assert_eq!(told, keys_of(section), "{section}");
    }
    let error = crate::config::check("[no_such_section]").expect_err("unknown").to_string();
    let expected = error.split_once("expected ").expect("a list").1;
    let of_code: BTreeSet<&str> = expected.split('`').skip(1).step_by(2).collect();
    let told: BTreeSet<&str> =
        sections.iter().map(|section| section.trim_matches(['[', ']']).trim_end_matches(".NAME")).collect();
    let left_out: Vec<_> = of_code.difference(&told).collect();
    assert!(left_out.is_empty(), "sections that the page does not have: {left_out:?}");
}

#[test]
fn every_variable_endpoint_and_output_is_there() {
    let page = page();
    let sources = |room: &str| {
        let mut texts = Vec::new();
        let mut directories = vec![repository().join(room)];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).expect("a directory").flatten() {
                match entry.path() {
                    path if path.is_dir() => directories.push(path),
                    path if path.file_name().is_some_and(|name| name != "reference.rs") => {
                        texts.push(std::fs::read_to_string(path).unwrap_or_default());
                    }
                    _ => {}
                }
            }
        }
        texts.join("\n")
    };
    let is_variable = |text: &str| {
        text.starts_with("STEPWRIGHT_") && text.chars().all(|it| it.is_ascii_uppercase() || it == '_')
    };
    for variable in sources("crates/stepwright/src").split('"').filter(|text| is_variable(text)) {
        assert!(page.contains(&format!("`{variable}`")), "{variable} is not on the page");
    }
    let own = sources("crates/api/src/own");
    for after in own.split("fn name(&self) -> &'static str {").skip(1) {
        let name = after.split('"').nth(1).expect("a name");
        assert!(page.contains(&format!("| `/{name}` |")), "/{name} is not on the page");
    }
    let with_json = CommandLine::command();
    let with_json =
        with_json.get_subcommands().filter(|sub| sub.get_arguments().any(|it| it.get_long() == Some("json")));
    let told: Vec<&str> = OUTPUTS.iter().map(|(name, _)| *name).collect();
    for command in with_json {
        assert!(
            told.contains(&command.get_name()),
            "what {} --json prints is not on the page",
            command.get_name()
        );
    }
}
