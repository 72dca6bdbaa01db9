//! A local function as it is declared, whoever declared it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Lambda's default `Timeout`.
pub const TIMEOUT_S_DEFAULT: u32 = 3;
/// Lambda's greatest `Timeout`.
pub const TIMEOUT_S_MAX: u32 = 900;
/// Lambda's default `MemorySize`.
pub const MEMORY_MB_DEFAULT: u32 = 128;
/// Processes of one function at a time, unless declared otherwise.
pub const CONCURRENCY_DEFAULT: usize = 4;
/// Lambda's default limit for an account.
pub const CONCURRENCY_MAX: usize = 1000;

/// A function that runs here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDefinition {
    /// The name that callers use.
    pub name: String,
    /// Another name for it: the logical id of a template.
    pub logical_id: Option<String>,
    /// What runs it.
    pub runtime: Runtime,
    /// `MODULE.FUNCTION`; for `provided` runtimes passed on in `_HANDLER`.
    pub handler: String,
    /// Directory of the code, the working directory of its processes.
    pub code: PathBuf,
    /// The code itself, where it stands in a template: the text of the module `index`. Then there is no directory.
    pub inline_code: Option<String>,
    /// Directories with what Lambda would have below `/opt`; later ones lie over earlier ones.
    pub layers: Vec<PathBuf>,
    /// The program that runs it, instead of the one that the runtime names.
    pub interpreter: Option<PathBuf>,
    /// Where its AWS credentials come from, if that is declared.
    pub credentials: Option<CredentialsSource>,
    /// Seconds that an invocation may take.
    pub timeout_s: u32,
    /// What it and its children may take.
    pub memory_mb: u32,
    /// Environment variables of its own.
    pub environment: BTreeMap<String, String>,
    /// Processes at a time, each with one invocation.
    pub concurrency: usize,
}

/// Where a function's AWS credentials come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsSource {
    /// None that are good for anything: what signs requests finds a key, `test`.
    #[default]
    None,
    /// Those of the server's environment.
    Server,
}

/// A runtime by its name in AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Such as `python3.12`.
    pub name: String,
    /// How it is started.
    pub family: RuntimeFamily,
    /// The version of the language: `3.12`, `22`. Empty where the name has none.
    pub version: String,
}

/// The runtimes that differ in how they are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeFamily {
    /// The Python bootstrap.
    Python,
    /// The Node.js bootstrap.
    Node,
    /// The code's own executable speaks the Runtime API.
    Provided,
}

/// A declaration that cannot be used. The text begins with the function's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Not a runtime of this version.
    #[error(
        "function {function}: runtime {runtime:?} is not available in this version (python3.x, nodejs*.x and provided* are)"
    )]
    Runtime {
        /// Function.
        function: String,
        /// What it asks for.
        runtime: String,
    },
    /// A member is missing.
    #[error("function {function}: {member} is missing")]
    Missing {
        /// Function.
        function: String,
        /// Member, as its source spells it.
        member: &'static str,
    },
    /// A member has a value that cannot be.
    #[error("function {function}: {member} is {value}, but must be {wanted}")]
    Value {
        /// Function.
        function: String,
        /// Member, as its source spells it.
        member: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// The code is not a directory.
    #[error("function {function}: its code {path} is not a directory{hint}")]
    Code {
        /// Function.
        function: String,
        /// Where the code should be.
        path: String,
        /// What to do, where that is clear.
        hint: &'static str,
    },
    /// A layer that is no directory of the template.
    #[error("function {function}: its layer {layer} is not a directory of this template and is left out")]
    Layer {
        /// Function.
        function: String,
        /// The layer, as the template names it.
        layer: String,
    },
    /// What this version cannot run.
    #[error("function {function}: {what} cannot run here; {hint}")]
    Unsupported {
        /// Function.
        function: String,
        /// Such as `code in S3`.
        what: String,
        /// What to do instead.
        hint: &'static str,
    },
}

impl Runtime {
    /// Finds a runtime by its name.
    pub fn parse(function: &str, name: &str) -> Result<Runtime, DefinitionError> {
        let (family, version) = if name.starts_with("python3") {
            let version = name.strip_prefix("python").unwrap_or_default();
            (RuntimeFamily::Python, if version == "3" { "" } else { version })
        } else if let Some(version) = name.strip_prefix("nodejs") {
            (RuntimeFamily::Node, version.strip_suffix(".x").unwrap_or(version))
        } else if name.starts_with("provided") {
            (RuntimeFamily::Provided, "")
        } else {
            return Err(DefinitionError::Runtime { function: function.to_owned(), runtime: name.to_owned() });
        };
        Ok(Runtime { name: name.to_owned(), family, version: version.to_owned() })
    }
}

impl FunctionDefinition {
    /// Checks what does not need the file system.
    pub fn checked(self) -> Result<FunctionDefinition, DefinitionError> {
        let refuse = |member, value: String, wanted| {
            Err(DefinitionError::Value { function: self.name.clone(), member, value, wanted })
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(allowed) {
            return refuse("name", format!("{:?}", self.name), "1 to 64 letters, digits, '-' and '_'");
        }
        if !(1..=TIMEOUT_S_MAX).contains(&self.timeout_s) {
            return refuse("timeout", self.timeout_s.to_string(), "from 1 to 900 seconds");
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return refuse("concurrency", self.concurrency.to_string(), "from 1 to 1000");
        }
        if self.runtime.family != RuntimeFamily::Provided && !self.handler.contains('.') {
            return refuse("handler", format!("{:?}", self.handler), "of the form MODULE.FUNCTION");
        }
        Ok(self)
    }

    /// Checks that the code is there.
    pub fn check_code(&self) -> Result<(), DefinitionError> {
        if self.inline_code.is_some() || self.code.is_dir() {
            return Ok(());
        }
        let zip = self.code.extension().is_some_and(|extension| extension == "zip" || extension == "jar");
        let hint = if zip { "; unpack the archive and name the directory" } else { "" };
        Err(DefinitionError::Code {
            function: self.name.clone(),
            path: self.code.display().to_string(),
            hint,
        })
    }

    /// What is not there although it is declared: for whoever starts this, before the first invocation finds out.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.check_code().err().iter().map(ToString::to_string).collect();
        let name = &self.name;
        for layer in self.layers.iter().filter(|layer| !layer.is_dir()) {
            warnings.push(format!(
                "function {name}: its layer {} is not a directory and is left out",
                layer.display()
            ));
        }
        if warnings.is_empty() && self.layers.is_empty() {
            warnings.extend(self.check_handler());
        }
        warnings
    }

    /// The handler's file may also come from elsewhere: this is a hint only.
    fn check_handler(&self) -> Option<String> {
        let slash = self.handler.rfind('/').map_or(0, |at| at + 1);
        let (path, endings): (String, &[&str]) = match self.runtime.family {
            RuntimeFamily::Python => {
                (self.handler.rsplit_once('.')?.0.replace('.', "/"), &[".py", "/__init__.py"])
            }
            RuntimeFamily::Node => {
                let dot = self.handler.get(slash..)?.find('.')? + slash;
                (self.handler.get(..dot)?.to_owned(), &["", ".js", ".mjs", ".cjs"])
            }
            RuntimeFamily::Provided => {
                let (bootstrap, own) = (self.code.join("bootstrap"), self.code.join(&self.handler));
                return (!bootstrap.is_file() && !own.is_file())
                    .then(|| format!("function {}: {} is not there", self.name, bootstrap.display()));
            }
        };
        let is_there = |ending: &&str| self.code.join(format!("{path}{ending}")).is_file();
        if endings.iter().any(is_there) {
            return None;
        }
        let built = if is_there(&".ts") { "; TypeScript has to be built first" } else { "" };
        let file = format!("{path}{}", endings.iter().find(|ending| !ending.is_empty()).unwrap_or(&""));
        Some(format!(
            "function {}: its handler is {}, but there is no {file} in {}{built}",
            self.name,
            self.handler,
            self.code.display()
        ))
    }
}
