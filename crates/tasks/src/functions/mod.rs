//! Lambda functions that run here, as local processes which speak the real Lambda Runtime API.
//!
//! They are declared in the configuration file ([`functions_from_config`]) or in a SAM template
//! ([`functions_from_template`]). Python and Node.js functions run under small bootstraps of our own, `provided` ones are
//! started as they are. A function has its declared memory, and its children end with it. Left out: isolation (a function has
//! the rights of the server), extensions, versions (any qualifier runs the one code there is).

mod code;
mod config;
mod definition;
mod environment;
mod inline;
mod interpreters;
pub mod keeper;
mod layers;
mod log;
mod memory;
mod pool;
mod process;
mod runtime;
mod runtime_api;
mod state_machines;
mod template;
mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::lambda::{FunctionName, InvokeAnswer, InvokeError, InvokeRequest, new_request_id};
use inline::InlineCode;
use interpreters::Interpreters;
use pool::Pool;

pub use config::{ConfigError, functions_from_config};
pub use definition::{CredentialsSource, DefinitionError, FunctionDefinition, Runtime, RuntimeFamily};
pub use log::{Caller, InvocationOutcome, InvocationRecord, LogFilter, LogLine, Logs, Origin};
pub use state_machines::{MachineDefinition, TemplateMachine, state_machines_in_template};
pub use template::{TemplateContext, TemplateError, TemplateFunctions, functions_from_template};

/// How often idle processes are looked for.
const IDLE_CHECK: Duration = Duration::from_secs(30);
/// How long [`Functions::shutdown`] waits for processes that were ended.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);

/// What all functions share.
#[derive(Clone, Debug)]
pub struct FunctionsOptions {
    /// Variables of the server that functions see; see [`FunctionsOptions::new`].
    pub inherited: BTreeMap<String, String>,
    /// The server's AWS credentials.
    pub credentials: BTreeMap<String, String>,
    /// Which credentials functions get that do not say.
    pub credentials_source: CredentialsSource,
    /// The program that keeps functions when it is started as [`keeper`] says. Without one only the process group of a
    /// function ends with it, and its memory is not watched.
    pub keeper: Option<PathBuf>,
    /// What `AWS_REGION` says.
    pub region: String,
    /// A process without work is ended after this time.
    pub idle: Duration,
    /// Whether the code has changed is looked up this often at most; processes with older code are not used again.
    pub code_check: Duration,
    /// Finds the programs of runtimes.
    interpreters: Interpreters,
}

impl FunctionsOptions {
    /// Takes of the server's environment variables what functions may see: the program search path, the home and
    /// temporary directories, the language, and endpoints of AWS services. Its credentials are kept apart.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, region: &str) -> FunctionsOptions {
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        let those = |is_wanted: &dyn Fn(&str) -> bool| {
            let wanted = variables.iter().filter(|(name, _)| is_wanted(name));
            wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        FunctionsOptions {
            inherited: those(&runtime::is_inherited),
            credentials: those(&|name| runtime::CREDENTIALS.contains(&name)),
            credentials_source: CredentialsSource::None,
            keeper: None,
            region: region.to_owned(),
            idle: Duration::from_secs(5 * 60),
            code_check: Duration::from_secs(1),
            interpreters: Interpreters::new(variables.iter().map(|(name, value)| (&**name, &**value))),
        }
    }
}

/// The functions that run here.
pub struct Functions {
    pools: BTreeMap<String, Arc<Pool>>,
    shared: Arc<Shared>,
    warnings: Vec<String>,
    _inline: InlineCode,
}

/// What the pools have in common.
#[derive(Debug)]
struct Shared {
    logs: Arc<Logs>,
    closing: watch::Sender<bool>,
    alive: watch::Sender<usize>,
}

/// Functions that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// Two functions of one name.
    #[error("function {name} is declared twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Code that stands in a template has no place.
    #[error("the code of a template cannot be written into the temporary directory: {0}")]
    InlineCode(std::io::Error),
}

impl Functions {
    /// Makes functions known. Processes start with the first invocation. Must be called within a tokio runtime.
    pub fn new(
        mut definitions: Vec<FunctionDefinition>,
        mut options: FunctionsOptions,
    ) -> Result<Functions, FunctionsError> {
        let inline = InlineCode::write(&mut definitions).map_err(FunctionsError::InlineCode)?;
        let (closing, alive) = (watch::Sender::new(false), watch::Sender::new(0));
        let shared = Arc::new(Shared { logs: Arc::default(), closing, alive });
        let idle = options.idle;
        let mut warnings = Vec::new();
        let mut interpreters = std::mem::take(&mut options.interpreters);
        let options = Arc::new(options);
        let mut pools: BTreeMap<String, Arc<Pool>> = BTreeMap::new();
        for definition in definitions {
            let name = definition.name.clone();
            warnings.extend(definition.warnings());
            let interpreter = interpreters.find(&definition).map(|found| {
                warnings.extend(found.warning);
                found.program
            });
            let pool = Pool::new(definition, interpreter, Arc::clone(&options), Arc::clone(&shared));
            if pools.insert(name.clone(), Arc::new(pool)).is_some() {
                return Err(FunctionsError::Duplicate { name });
            }
        }
        tokio::spawn(end_idle(
            pools.values().map(Arc::downgrade).collect(),
            shared.closing.subscribe(),
            idle,
        ));
        Ok(Functions { pools, shared, warnings, _inline: inline })
    }

    /// What is declared and cannot be had as it is declared, for whoever starts this.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether a function of this name runs here. Region, account and qualifier do not matter; a template's logical id is
    /// a name, too.
    pub fn has(&self, function: &FunctionName) -> bool {
        self.pool(&function.name).is_some()
    }

    /// Invokes a function that runs here.
    pub async fn invoke(&self, request: InvokeRequest) -> Result<InvokeAnswer, InvokeError> {
        match self.pool(&request.function.name) {
            Some(pool) => pool.invoke(request).await,
            None => Err(InvokeError::Service {
                status: 404,
                code: "ResourceNotFoundException".to_owned(),
                message: format!("Function not found: {}", request.qualified_arn()),
                request_id: new_request_id(),
            }),
        }
    }

    /// What is declared, by name.
    pub fn definitions(&self) -> impl Iterator<Item = &FunctionDefinition> {
        self.pools.values().map(|pool| pool.definition())
    }

    /// What functions print.
    pub fn logs(&self) -> &Arc<Logs> {
        &self.shared.logs
    }

    /// Processes at the moment, idle ones among them.
    pub fn processes(&self) -> usize {
        *self.shared.alive.borrow()
    }

    /// Ends the processes that have had nothing to do for `limit`.
    pub fn end_idle(&self, limit: Duration) {
        self.pools.values().for_each(|pool| pool.end_idle(limit));
    }

    /// Ends all processes, also those that work, and waits a little until they are gone.
    pub async fn shutdown(&self) {
        self.shared.closing.send_replace(true);
        self.pools.values().for_each(|pool| pool.close());
        let mut alive = self.shared.alive.subscribe();
        let gone = alive.wait_for(|alive| *alive == 0);
        if tokio::time::timeout(SHUTDOWN_WAIT, gone).await.is_err() {
            tracing::warn!("not all function processes have ended");
        }
    }

    fn pool(&self, name: &str) -> Option<&Arc<Pool>> {
        self.pools.get(name).or_else(|| {
            let is_named = |pool: &&Arc<Pool>| pool.definition().logical_id.as_deref() == Some(name);
            self.pools.values().find(is_named)
        })
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.shared.closing.send_replace(true);
        self.pools.values().for_each(|pool| pool.close());
    }
}

async fn end_idle(pools: Vec<Weak<Pool>>, mut closing: watch::Receiver<bool>, limit: Duration) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(IDLE_CHECK) => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
        pools.iter().filter_map(Weak::upgrade).for_each(|pool| pool.end_idle(limit));
    }
}
