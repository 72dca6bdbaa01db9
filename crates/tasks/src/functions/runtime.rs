//! How a function's process is started: program, arguments and environment variables.
//!
//! The process sees what Lambda would show it and what the declaration gives it, and of the server's own environment
//! only what is on the list below.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::definition::{FunctionDefinition, RuntimeFamily};
use crate::lambda::new_request_id;

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
}

/// Whether functions may see a variable of the server.
pub fn is_inherited(name: &str) -> bool {
    const AWS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    INHERITED.contains(&name) || AWS.contains(&name) || name.starts_with("AWS_ENDPOINT_URL")
}

/// What a declaration may not set, as on AWS. Region and credentials it may: where functions run side by side with a
/// server, they may well belong to another account.
fn is_reserved(name: &str) -> bool {
    name == "_HANDLER" || name.starts_with("AWS_LAMBDA_") || name.starts_with("LAMBDA_")
}

/// What to start for a function. `inherited` has the server's variables that pass on, `runtime_api` is where the
/// process finds its Runtime API, without scheme.
pub fn launch(
    definition: &FunctionDefinition,
    inherited: &BTreeMap<String, String>,
    region: &str,
    runtime_api: String,
) -> Launch {
    // A relative directory would be searched from the child's own working directory.
    let directory = std::path::absolute(&definition.code).unwrap_or_else(|_| definition.code.clone());
    let search = inherited.get("PATH").map(String::as_str).unwrap_or_default();
    let bare = |name: &str| PathBuf::from(name);
    let (program, arguments) = match definition.runtime.family {
        RuntimeFamily::Python => {
            // Not `python3.12`: version managers put names on the path that refuse to run.
            let program = find_program(search, "python3").unwrap_or_else(|| bare("python3"));
            (program, vec!["-c".to_owned(), PYTHON_BOOTSTRAP.to_owned()])
        }
        RuntimeFamily::Node => {
            let program = find_program(search, "node").unwrap_or_else(|| bare("node"));
            let arguments = ["--input-type=module", "--eval", NODE_BOOTSTRAP];
            (program, arguments.map(str::to_owned).to_vec())
        }
        RuntimeFamily::Provided => (provided_program(&directory, &definition.handler), Vec::new()),
    };
    let mut environment = inherited.clone();
    environment.extend(lambda_variables(definition, region, &directory, runtime_api));
    let own = definition.environment.iter().filter(|(name, _)| !is_reserved(name));
    environment.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    Launch { program, arguments, environment, directory }
}

/// The executable `bootstrap`; where there is none, one that has the handler's name.
fn provided_program(directory: &Path, handler: &str) -> PathBuf {
    let bootstrap = directory.join("bootstrap");
    let named = directory.join(handler);
    if !bootstrap.is_file() && named.is_file() { named } else { bootstrap }
}

fn find_program(search: &str, name: &str) -> Option<PathBuf> {
    std::env::split_paths(search).map(|directory| directory.join(name)).find(|candidate| candidate.is_file())
}

/// Source: Lambda Developer Guide, "Defined runtime environment variables".
fn lambda_variables(
    definition: &FunctionDefinition,
    region: &str,
    directory: &Path,
    runtime_api: String,
) -> Vec<(String, String)> {
    let today = jiff::Timestamp::now().strftime("%Y/%m/%d").to_string();
    let stream = format!("{today}/[$LATEST]{}", new_request_id().replace('-', ""));
    let variables: [(&str, String); 14] = [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", definition.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", definition.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", definition.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
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
        let inherited = BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]);
        let launch = launch(&definitions[0], &inherited, "eu-west-1", "127.0.0.1:1".to_owned());
        assert_eq!((launch.program.to_str(), launch.arguments.len()), (Some("/p/src/bootstrap"), 0));
        let mut environment = launch.environment;
        let stream = environment.remove("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_default();
        assert!(stream.contains("/[$LATEST]"), "{stream}");
        let found: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            found,
            [
                "AWS_DEFAULT_REGION=eu-west-1",
                "AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
                "AWS_LAMBDA_FUNCTION_NAME=f",
                "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
                "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f",
                "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1",
                "AWS_REGION=x",
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
