//! Functions of the configuration file: `[functions.NAME]` tables of `stepwright.toml`. All other tables are left alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::definition::{
    CONCURRENCY_DEFAULT, CredentialsSource, DefinitionError, FunctionDefinition, MEMORY_MB_DEFAULT, Runtime,
    TIMEOUT_S_DEFAULT,
};

/// A configuration whose functions cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or not the members that a function has. Has line and column.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// One function is not right.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    functions: BTreeMap<String, Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    runtime: String,
    handler: Option<String>,
    code: PathBuf,
    timeout: Option<u32>,
    memory: Option<u32>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    concurrency: Option<usize>,
    interpreter: Option<PathBuf>,
    #[serde(default)]
    layers: Vec<PathBuf>,
    credentials: Option<CredentialsSource>,
}

/// Reads the functions of a configuration text. `directory` is where the file stands: `code` is relative to it.
pub fn functions_from_config(text: &str, directory: &Path) -> Result<Vec<FunctionDefinition>, ConfigError> {
    let file: File = toml::from_str(text)?;
    let definition = |(name, table): (String, Table)| {
        let runtime = Runtime::parse(&name, &table.runtime)?;
        let handler = match (table.handler, runtime.family) {
            (Some(handler), _) => handler,
            (None, super::RuntimeFamily::Provided) => "bootstrap".to_owned(),
            (None, _) => return Err(DefinitionError::Missing { function: name, member: "handler" }.into()),
        };
        let definition = FunctionDefinition {
            name,
            logical_id: None,
            runtime,
            handler,
            code: directory.join(table.code),
            inline_code: None,
            layers: table.layers.into_iter().map(|layer| directory.join(layer)).collect(),
            // A bare name is looked for on the search path.
            interpreter: table.interpreter.map(|program| match program.components().count() {
                1 => program,
                _ => directory.join(program),
            }),
            credentials: table.credentials,
            timeout_s: table.timeout.unwrap_or(TIMEOUT_S_DEFAULT),
            memory_mb: table.memory.unwrap_or(MEMORY_MB_DEFAULT),
            environment: table.env,
            concurrency: table.concurrency.unwrap_or(CONCURRENCY_DEFAULT),
        };
        Ok(definition.checked()?)
    };
    file.functions.into_iter().map(definition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let error =
            functions_from_config(text, Path::new("/p")).expect_err("a bad configuration").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn functions() {
        let text = r#"
            [server]
            port = 8083
            [functions.hello]
            runtime = "python3.12"
            handler = "app.handler"
            code = "src/hello"
            [functions.native]
            runtime = "provided.al2023"
            code = "/opt/native"
            timeout = 10
            memory = 512
            concurrency = 2
            env = { STAGE = "dev" }
        "#;
        let found = functions_from_config(text, Path::new("/p")).expect("a good configuration");
        let brief: Vec<_> = found
            .iter()
            .map(|f| {
                (
                    f.name.as_str(),
                    f.handler.as_str(),
                    f.code.to_str(),
                    f.timeout_s,
                    f.memory_mb,
                    f.concurrency,
                )
            })
            .collect();
        assert_eq!(
            brief,
            [
                ("hello", "app.handler", Some("/p/src/hello"), 3, 128, 4),
                ("native", "bootstrap", Some("/opt/native"), 10, 512, 2)
            ]
        );
        assert_eq!(found[1].environment.get("STAGE").map(String::as_str), Some("dev"));
    }

    #[test]
    fn refused() {
        check("[functions.f]\nruntime = 'ruby3.3'\ncode = '.'", "runtime \"ruby3.3\" is not available");
        check("[functions.f]\nruntime = 'python3.12'\ncode = '.'", "function f: handler is missing");
        check(
            "[functions.f]\nruntime = 'python3.12'\nhandler = 'h'\ncode = '.'",
            "of the form MODULE.FUNCTION",
        );
        check("[functions.f]\nruntime = 'provided'\ncode = '.'\ntimeout = 901", "from 1 to 900 seconds");
        check("[functions.f]\nruntime = 'provided'\ncode = '.'\ntimeOut = 9", "unknown field `timeOut`");
        check("[functions.'a b']\nruntime = 'provided'\ncode = '.'", "letters, digits");
    }
}
