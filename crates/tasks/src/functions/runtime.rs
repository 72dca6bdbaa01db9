//! How a function's process is started: program, arguments and environment variables.
//!
//! The process sees what Lambda would show it and what the declaration gives it, and of the server's own environment
//! only what is on the list below.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::definition::{CredentialsSource, FunctionDefinition, RuntimeFamily};
use super::{FunctionsOptions, layers};

const PYTHON_BOOTSTRAP: &str = include_str!("bootstrap/bootstrap.py");
const NODE_BOOTSTRAP: &str = include_str!("bootstrap/bootstrap.mjs");

/// Variables of the server that functions may see. Those of [`is_inherited`] come on top.
const INHERITED: [&str; 7] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// A process to start.
#[derive(Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// All of its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: PathBuf,
    /// The program that keeps it; see `keeper`.
    pub keeper: Option<PathBuf>,
    /// Lambda's name for its log.
    pub log_stream: String,
    /// What it and its children may take.
    pub memory_mb: u32,
}

/// The variables that are AWS credentials.
pub const CREDENTIALS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Whether functions may see a variable of the server.
pub fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name) || name.starts_with("AWS_ENDPOINT_URL")
}

/// What a declaration may not set, as on AWS. Region and credentials it may: where functions run side by side with a
/// server, they may well belong to another account.
fn is_reserved(name: &str) -> bool {
    name == "_HANDLER" || name.starts_with("AWS_LAMBDA_") || name.starts_with("LAMBDA_")
}

/// What to start for a function. `runtime_api` is where the process finds its Runtime API, without scheme.
pub fn launch(
    definition: &FunctionDefinition,
    interpreter: Option<&Path>,
    options: &FunctionsOptions,
    log_stream: &str,
    runtime_api: String,
) -> Launch {
    // A relative directory would be searched from the child's own working directory.
    let directory = std::path::absolute(&definition.code).unwrap_or_else(|_| definition.code.clone());
    let own_program = || provided_program(&directory, &definition.handler);
    let program = interpreter.map_or_else(own_program, Path::to_owned);
    let arguments = match definition.runtime.family {
        RuntimeFamily::Python => vec!["-c".to_owned(), PYTHON_BOOTSTRAP.to_owned()],
        RuntimeFamily::Node => node_arguments(definition.memory_mb),
        RuntimeFamily::Provided => Vec::new(),
    };
    let mut environment = options.inherited.clone();
    environment.extend(credentials(definition, options));
    environment.extend(lambda_variables(definition, &options.region, &directory, log_stream, runtime_api));
    let own = definition.environment.iter().filter(|(name, _)| !is_reserved(name));
    environment.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    layers::add(definition, &mut environment);
    let (keeper, memory_mb) = (options.keeper.clone(), definition.memory_mb);
    Launch {
        program,
        arguments,
        environment,
        directory,
        keeper,
        memory_mb,
        log_stream: log_stream.to_owned(),
    }
}

/// Lambda's shares of the memory for the old and the new objects of Node.js.
fn node_arguments(memory_mb: u32) -> Vec<String> {
    let new_mb = memory_mb / 10;
    vec![
        format!("--max-old-space-size={}", memory_mb - new_mb),
        format!("--max-semi-space-size={}", (new_mb / 2).max(1)),
        "--input-type=module".to_owned(),
        "--eval".to_owned(),
        NODE_BOOTSTRAP.to_owned(),
    ]
}

/// The server's keys are for the server alone, unless the configuration says otherwise. Software development kits sign
/// nothing without a key, and would look for one elsewhere.
fn credentials(definition: &FunctionDefinition, options: &FunctionsOptions) -> BTreeMap<String, String> {
    match definition.credentials.unwrap_or(options.credentials_source) {
        CredentialsSource::Server => options.credentials.clone(),
        CredentialsSource::None => {
            let key = |name: &str| (name.to_owned(), "test".to_owned());
            CREDENTIALS.into_iter().take(2).map(key).collect()
        }
    }
}

/// The executable `bootstrap`; where there is none, one that has the handler's name.
fn provided_program(directory: &Path, handler: &str) -> PathBuf {
    let bootstrap = directory.join("bootstrap");
    let named = directory.join(handler);
    if !bootstrap.is_file() && named.is_file() { named } else { bootstrap }
}

/// Source: Lambda Developer Guide, "Defined runtime environment variables".
fn lambda_variables(
    definition: &FunctionDefinition,
    region: &str,
    directory: &Path,
    log_stream: &str,
    runtime_api: String,
) -> Vec<(String, String)> {
    let variables: [(&str, String); 14] = [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", definition.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", definition.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", definition.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", definition.runtime.name)),
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("LAMBDA_TASK_ROOT", directory.display().to_string()),
        ("LAMBDA_RUNTIME_DIR", directory.display().to_string()),
        ("_HANDLER", definition.handler.clone()),
        ("TZ", ":UTC".to_owned()),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::functions_from_config;
    use super::*;

    #[test]
    fn what_a_process_is_started_with() {
        let config = "[functions.f]\nruntime = 'provided.al2023'\ncode = 'src'\nmemory = 256\n\
                      env = { STAGE = 'dev', AWS_REGION = 'x', _HANDLER = 'evil', AWS_LAMBDA_RUNTIME_API = 'evil' }";
        let definitions = functions_from_config(config, Path::new("/p")).expect("a configuration");
        let variables =
            [("PATH", "/bin"), ("AWS_ACCESS_KEY_ID", "mine"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut options = FunctionsOptions::new(variables, "eu-west-1");
        let start = |options: &FunctionsOptions| {
            launch(&definitions[0], None, options, "stream", "127.0.0.1:1".to_owned())
        };
        let launch = start(&options);
        assert_eq!((launch.program.to_str(), launch.arguments.len()), (Some("/p/src/bootstrap"), 0));
        options.credentials_source = CredentialsSource::Server;
        assert_eq!(start(&options).environment.get("AWS_ACCESS_KEY_ID").map(String::as_str), Some("mine"));
        let environment = launch.environment;
        let found: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            found,
            [
                "AWS_ACCESS_KEY_ID=test",
                "AWS_DEFAULT_REGION=eu-west-1",
                "AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
                "AWS_LAMBDA_FUNCTION_NAME=f",
                "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
                "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f",
                "AWS_LAMBDA_LOG_STREAM_NAME=stream",
                "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1",
                "AWS_REGION=x",
                "AWS_SECRET_ACCESS_KEY=test",
                "LAMBDA_RUNTIME_DIR=/p/src",
                "LAMBDA_TASK_ROOT=/p/src",
                "PATH=/bin",
                "STAGE=dev",
                "TZ=:UTC",
                "_HANDLER=bootstrap",
            ]
        );
    }
}
