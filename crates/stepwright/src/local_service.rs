//! The service behind `stepwright run`: everything of a server, in memory, without a port unless one is asked for.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use stepwright_api::asl_definitions::AslDefinitions;
use stepwright_api::definitions::{CheckedDefinition, InvalidDefinition, Validation};
use stepwright_api::engine_backend::{EngineBackend, StoredDefinitions};
use stepwright_api::model::{Operation, StateMachineType, ValidateStateMachineDefinitionSeverity};
use stepwright_api::{Api, Definitions, Parts, SelfTarget, self_target};
use stepwright_asl::program::{Kind, Program, Resource};
use stepwright_asl::{CompileOptions, Format, MachineType, compile};
use stepwright_engine::{Clock, Engine, EngineOptions, Entropy, Observer};
use stepwright_server::{self as server, Server};
use stepwright_store::memory::Memory;
use stepwright_tasks::{Targets, TaskTarget};
use stepwright_types::arn::Account;

use crate::definition::Definition;

/// Task calls at a time.
const CALLS_MAX: usize = 1_000;

/// A state machine that can be executed.
pub struct Machine {
    pub name: String,
    pub definition: Definition,
    pub program: Arc<Program>,
    pub machine_type: MachineType,
}

/// The targets with this service among them; what is made before the service that it calls.
pub struct Circle {
    this_service: Arc<SelfTarget>,
    pub targets: Targets,
}

impl Circle {
    pub fn new(targets: Targets) -> Circle {
        let this_service = Arc::new(SelfTarget::new());
        let targets = self_target::SERVICES
            .into_iter()
            .fold(targets, |targets, name| targets.with_integration(name, this_service.clone()));
        Circle { this_service, targets }
    }
}

/// What a service is made of.
pub struct Options {
    pub account: Arc<Account>,
    pub clock: Arc<dyn Clock>,
    /// Cores that computations which take long may use at a time.
    pub cores: usize,
    pub circle: Circle,
    /// What Task states call; at last the circle's targets.
    pub targets: Arc<dyn TaskTarget>,
    pub observer: Arc<dyn Observer>,
}

pub struct LocalService {
    pub engine: Arc<Engine>,
    api: Arc<Api>,
    account: Arc<Account>,
}

impl LocalService {
    pub async fn open(options: Options) -> Result<LocalService> {
        let Options { account, clock, cores, circle, targets, observer } = options;
        let store = Memory::new();
        let engine = Engine::open(EngineOptions {
            store: store.clone(),
            definitions: Arc::new(StoredDefinitions(store)),
            targets,
            clock,
            entropy: Arc::new(Entropy::from_system()),
            account: account.clone(),
            calls_max: CALLS_MAX,
            cores: Some(cores),
            limits: Vec::new(),
            snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
            express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
            retention: stepwright_engine::retention::Retention::default(),
            observer: Some(observer),
            history_log: None,
        })
        .await?;
        let backend = Arc::new(EngineBackend::new(engine.clone()));
        let api = Arc::new(Api::new(Parts {
            account: (*account).clone(),
            backend: backend.clone(),
            definitions: Arc::new(FileDefinitions),
            catalog: backend,
            catalog_lifetime: None,
            environment: Arc::new(stepwright_server::environment::System),
        }));
        circle.this_service.connect(&api);
        Ok(LocalService { engine, api, account })
    }

    /// Makes the state machines, and the activities that they name.
    pub async fn create(&self, machines: &[Machine]) -> Result<()> {
        for machine in machines {
            let name = &machine.name;
            let account = &self.account;
            let role = format!("arn:{}:iam::{}:role/stepwright-run", account.partition, account.account_id);
            let machine_type = match machine.machine_type {
                MachineType::Standard => "STANDARD",
                MachineType::Express => "EXPRESS",
            };
            let request = json!({
                "name": name, "definition": machine.definition.text, "roleArn": role, "type": machine_type
            });
            let created = call(&self.api, Operation::CreateStateMachine, &request).await;
            created.map_err(|error| anyhow!("the state machine {name} cannot be made: {error}"))?;
        }
        let activities: BTreeSet<&str> =
            machines.iter().flat_map(|machine| activities(&machine.program)).collect();
        for arn in activities {
            let of = Account::of(arn).map_or_else(|| self.account.clone(), Arc::new);
            let name = arn.rsplit(':').next().unwrap_or_default();
            let created = call(&self.api.of(of), Operation::CreateActivity, &json!({ "name": name })).await;
            created.map_err(|error| anyhow!("the activity {name} cannot be made: {error}"))?;
        }
        Ok(())
    }

    /// Starts an execution. Returns when it has begun; one of an EXPRESS state machine, when it has ended.
    pub fn start(
        &self,
        machine: &Machine,
        name: &str,
        input: &str,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let operation = match machine.machine_type {
            MachineType::Standard => Operation::StartExecution,
            MachineType::Express => Operation::StartSyncExecution,
        };
        let machine_arn = self.account.state_machine(&machine.name);
        let request = json!({ "stateMachineArn": machine_arn, "name": name, "input": input });
        let api = self.api.clone();
        async move { call(&api, operation, &request).await }
    }

    /// Listens there, for workers of activities and for those who hold task tokens.
    pub async fn listen(&self, address: SocketAddr) -> Result<Arc<Server>> {
        let server = Server::bind(address, vec![self.api.clone()], server::Options::default()).await?;
        let server = Arc::new(server);
        let serving = server.clone();
        tokio::spawn(async move { serving.run().await });
        Ok(server)
    }
}

/// As a server judges definitions, but files may also be YAML.
struct FileDefinitions;

impl Definitions for FileDefinitions {
    fn check(
        &self,
        definition: &str,
        r#type: StateMachineType,
    ) -> Result<CheckedDefinition, InvalidDefinition> {
        let machine_type = match r#type {
            StateMachineType::Standard => MachineType::Standard,
            StateMachineType::Express => MachineType::Express,
        };
        let options = CompileOptions { format: Format::Detect, machine_type, ..CompileOptions::default() };
        match compile(definition, &options).program {
            Some(_) => Ok(CheckedDefinition::default()),
            None => AslDefinitions.check(definition, r#type),
        }
    }

    fn validate(
        &self,
        definition: &str,
        r#type: StateMachineType,
        severity: ValidateStateMachineDefinitionSeverity,
        results_max: usize,
    ) -> Validation {
        AslDefinitions.validate(definition, r#type, severity, results_max)
    }
}

async fn call(api: &Api, operation: Operation, request: &Value) -> Result<()> {
    let answer = api.call(operation, request.to_string().into()).await;
    answer.map(|_| ()).map_err(|error| anyhow!(error.message))
}

/// The ARNs of the activities that a program names.
fn activities(program: &Program) -> impl Iterator<Item = &str> {
    program.states.iter().filter_map(|state| match &state.kind {
        Kind::Task(task) => match &task.resource {
            Resource::Activity { arn } => Some(&**arn),
            _ => None,
        },
        _ => None,
    })
}
