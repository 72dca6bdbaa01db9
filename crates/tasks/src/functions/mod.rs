//! Lambda functions that run here, as local processes which speak the real Lambda Runtime API.
//!
//! They are declared in the configuration file ([`functions_from_config`]) or in a SAM template
//! ([`functions_from_template`]). Python and Node.js functions run under small bootstraps of our own, `provided` ones are
//! started as they are. Left out: isolation (a function has the rights of the server), memory limits, layers, extensions,
//! versions (any qualifier runs the one code there is).

mod code;
mod config;
mod definition;
mod environment;
mod log;
mod pool;
mod process;
mod runtime;
mod runtime_api;
mod template;
mod yaml;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::lambda::{FunctionName, InvokeAnswer, InvokeError, InvokeRequest, new_request_id};
use pool::Pool;

pub use config::{ConfigError, functions_from_config};
pub use definition::{DefinitionError, FunctionDefinition, Runtime, RuntimeFamily};
pub use log::{InvocationLog, InvocationOutcome, InvocationRecord};
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
    /// What `AWS_REGION` says.
    pub region: String,
    /// A process without work is ended after this time.
    pub idle: Duration,
    /// Whether the code has changed is looked up this often at most; processes with older code are not used again.
    pub code_check: Duration,
}

impl FunctionsOptions {
    /// Takes of the server's environment variables what functions may see: the program search path, the home and
    /// temporary directories, the language, and AWS credentials and endpoints.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, region: &str) -> FunctionsOptions {
        let inherited = variables.into_iter().filter(|(name, _)| runtime::is_inherited(name)).collect();
        let (idle, code_check) = (Duration::from_secs(5 * 60), Duration::from_secs(1));
        FunctionsOptions { inherited, region: region.to_owned(), idle, code_check }
    }
}

/// The functions that run here.
pub struct Functions {
    pools: BTreeMap<String, Arc<Pool>>,
    shared: Arc<Shared>,
}

/// What the pools have in common.
#[derive(Debug)]
struct Shared {
    logs: log::Logs,
    closing: watch::Sender<bool>,
    alive: watch::Sender<usize>,
}

/// Two functions of one name.
#[derive(Debug, thiserror::Error)]
#[error("function {name} is declared twice")]
pub struct DuplicateFunction {
    /// The name.
    pub name: String,
}

impl Functions {
    /// Makes functions known. Processes start with the first invocation. Must be called within a tokio runtime.
    pub fn new(
        definitions: Vec<FunctionDefinition>,
        options: FunctionsOptions,
    ) -> Result<Functions, DuplicateFunction> {
        let (closing, alive) = (watch::Sender::new(false), watch::Sender::new(0));
        let shared = Arc::new(Shared { logs: log::Logs::default(), closing, alive });
        let idle = options.idle;
        let options = Arc::new(options);
        let mut pools: BTreeMap<String, Arc<Pool>> = BTreeMap::new();
        for definition in definitions {
            let name = definition.name.clone();
            let pool = Pool::new(definition, Arc::clone(&options), Arc::clone(&shared));
            if pools.insert(name.clone(), Arc::new(pool)).is_some() {
                return Err(DuplicateFunction { name });
            }
        }
        tokio::spawn(end_idle(
            pools.values().map(Arc::downgrade).collect(),
            shared.closing.subscribe(),
            idle,
        ));
        Ok(Functions { pools, shared })
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

    /// What an invocation wrote, while it runs or when it has ended. `None` if it is not among the recent ones.
    pub fn log(&self, request_id: &str) -> Option<InvocationLog> {
        self.shared.logs.log(request_id)
    }

    /// Recent invocations that have ended, the latest first.
    pub fn recent_invocations(&self) -> Vec<InvocationRecord> {
        self.shared.logs.recent()
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
