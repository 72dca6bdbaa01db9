//! `stepwright serve`: the server.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use stepwright_api::asl_definitions::AslDefinitions;
use stepwright_api::engine_backend::{EngineBackend, StoredDefinitions, status_of};
use stepwright_api::model::Enumeration as _;
use stepwright_api::own::executions::ExecutionsEndpoint;
use stepwright_api::own::express_executions::ExpressExecutionsEndpoint;
use stepwright_api::own::function_logs::FunctionLogsEndpoint;
use stepwright_api::own::limits::LimitsEndpoint;
use stepwright_api::own::throttling::ThrottlingEndpoint;
use stepwright_api::{Api, Parts, SelfTarget, self_target};
use stepwright_engine::{Engine, EngineOptions, Entropy, HistoryLog, SystemClock};
use stepwright_logs::Log;
use stepwright_server::{self as server, Probes, Server, Tenant};
use stepwright_store::Status;
use stepwright_store::embedded::{Embedded, EmbeddedOptions, Sizes};
use stepwright_types::arn::Account;

use crate::cli::Serve;
use crate::config::{self, Config, Overrides};
use crate::data_directory::{self, Identity};
use crate::descriptors;
use crate::exit::{Exit, Failure, OrExit};
use crate::function_output;
use crate::protection::Protection;
use crate::signals::Signals;
use crate::wiring::{self, Wired};
use crate::{logging, output};

/// Task calls at a time.
const CALLS_MAX: usize = 1_000;
/// How long the log of executions may take to be complete when the server stops.
const LOG_FLUSH_MAX: Duration = Duration::from_secs(5);

pub fn run(arguments: Serve) -> Result<Exit, Failure> {
    logging::start(arguments.log_format, "info");
    let signals = Signals::listen().or_exit(Exit::CannotStart)?;
    let mut config = config::load(Overrides {
        listen: arguments.listen,
        data_dir: arguments.data_dir,
        config: arguments.config,
        template: arguments.template,
        account_id: arguments.account_id,
        region: arguments.region,
        protection: arguments.protection,
    })
    .or_exit(Exit::Usage)?;
    let is_printed = !arguments.no_function_output && config.lambda.print.unwrap_or(true);
    // Before anything is made on the disk.
    drop(
        TcpListener::bind(config.listen)
            .with_context(|| cannot_listen(&config))
            .or_exit(Exit::CannotStart)?,
    );
    let protection = Protection::open(&config.protection, &config.data_dir).or_exit(Exit::Usage)?;
    server::check_exposure(config.listen, &protection.access).or_exit(Exit::Usage)?;
    let runtime = super::runtime()?;
    data_directory::prepare(&config.data_dir).or_exit(Exit::CannotStart)?;
    data_directory::check_complete(&config.data_dir).or_exit(Exit::CannotStart)?;
    let store = Embedded::open(EmbeddedOptions::new(&config.data_dir)).or_exit(Exit::CannotStart)?;
    data_directory::close_files(&config.data_dir);
    let identity = Identity { account_id: config.account_id, region: config.region };
    let identity = data_directory::settle(&config.data_dir, &*store, &config.wanted, identity);
    let identity = runtime.block_on(identity).or_exit(Exit::Usage)?;
    (config.account_id, config.region) = (identity.account_id, identity.region);
    let exit = runtime.block_on(serve(&config, &protection, store.clone(), &signals, is_printed));
    // What is left are calls whose executions are on disk.
    runtime.shutdown_background();
    store.close();
    exit
}

async fn serve(
    config: &Config,
    protection: &Protection,
    store: Arc<Embedded>,
    signals: &Signals,
    is_printed: bool,
) -> Result<Exit, Failure> {
    let metrics = install_metrics().or_exit(Exit::CannotStart)?;
    let wired =
        wiring::wire(config.functions.clone(), &config.lambda, &config.region).or_exit(Exit::Usage)?;
    let log = open_logs(config, &wired, is_printed).or_exit(Exit::Usage)?;
    let this_service = Arc::new(SelfTarget::new());
    let targets = self_target::SERVICES
        .into_iter()
        .fold(wired.targets.clone(), |targets, name| targets.with_integration(name, this_service.clone()));
    let account = Arc::new(Account::new(&*config.region, &*config.account_id));
    let standby = Engine::stand_by(EngineOptions {
        store: store.clone(),
        definitions: Arc::new(StoredDefinitions(store.clone())),
        targets: Arc::new(targets),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(Entropy::from_system()),
        account: account.clone(),
        calls_max: CALLS_MAX,
        cores: Some(super::cores()),
        limits: config.limits().or_exit(Exit::Usage)?,
        snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
        express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
        retention: config.retention().or_exit(Exit::Usage)?,
        observer: None,
        history_log: log.clone().map(|log| log as Arc<dyn HistoryLog>),
    })
    .await
    .or_exit(Exit::CannotStart)?;
    let engine = standby.engine().clone();
    let backend = Arc::new(EngineBackend::new(engine.clone()));
    let api = api(&account, &backend);
    this_service.connect(&api);
    api.resume_deletions();
    api.throttling().set(&config.throttling).context("[throttling]").or_exit(Exit::Usage)?;
    let tenants: Vec<Arc<dyn Tenant>> = vec![
        api.clone(),
        Arc::new(ThrottlingEndpoint(api.throttling().clone())),
        Arc::new(LimitsEndpoint(engine.clone())),
        Arc::new(ExecutionsEndpoint(engine.clone())),
        Arc::new(ExpressExecutionsEndpoint(backend)),
        Arc::new(FunctionLogsEndpoint(wired.functions.logs().clone())),
    ];
    let options = options(config, protection, probes(engine.clone(), store, metrics));
    let server = Server::bind(config.listen, tenants, options)
        .await
        .with_context(|| cannot_listen(config))
        .or_exit(Exit::CannotStart)?;
    standby.go_on();
    protection.follow(signals.clone());
    signals.serving();
    greet(config, &server, &wired, protection);
    let failed = tokio::select! {
        () = server.run() => None,
        () = signals.stopped() => None,
        reason = engine.failed() => Some(reason),
    };
    tracing::info!("stopping: requests in flight are finished, executions go on after the next start");
    engine.stop_computing();
    server.shut_down().await;
    engine.shut_down();
    if let Some(log) = log {
        log.flush(LOG_FLUSH_MAX).await;
    }
    wired.functions.shutdown().await;
    ended(failed)
}

/// How the server ends, if the store has failed for a reason or has not.
fn ended(failed: Option<String>) -> Result<Exit, Failure> {
    match failed {
        Some(reason) => Err(anyhow::anyhow!(reason))
            .context("nothing more can be made durable; what was acknowledged is kept: mend the cause and start again")
            .or_exit(Exit::StoreFailed),
        None => Ok(Exit::Success),
    }
}

fn api(account: &Account, backend: &Arc<EngineBackend>) -> Arc<Api> {
    Arc::new(Api::new(Parts {
        account: account.clone(),
        backend: backend.clone(),
        definitions: Arc::new(AslDefinitions),
        catalog: backend.clone(),
        catalog_lifetime: None,
        environment: Arc::new(stepwright_server::environment::System),
    }))
}

fn cannot_listen(config: &Config) -> String {
    format!("cannot listen on {}", config.listen)
}

/// Warns of what is not as it was declared, opens the log of executions, and begins to show what functions print.
fn open_logs(config: &Config, wired: &Wired, is_printed: bool) -> anyhow::Result<Option<Arc<Log>>> {
    for warning in config.warnings.iter().chain(wired.functions.warnings()) {
        tracing::warn!("{warning}");
    }
    let log = config.logging.open(&config.data_dir, config.listen, |name| std::env::var(name).ok())?;
    let groups = config.logging.of_functions(log.as_ref())?;
    function_output::follow(wired.functions.logs(), is_printed, groups);
    Ok(log)
}

/// How the server is set up.
fn options(config: &Config, protection: &Protection, probes: Probes) -> server::Options {
    server::Options {
        probes,
        limits: limits(),
        access: protection.access.clone(),
        tls: protection.tls.clone(),
        audit: protection.audit.clone(),
        refusals: protection.refusals.clone(),
        hosts: config.hosts.clone(),
        metrics_are_open: config.protection.metrics_are_open,
        ..server::Options::default()
    }
}

/// The server's bounds, as far as the system provides for them.
fn limits() -> server::Limits {
    let limits = server::Limits::default();
    let connections_max = descriptors::connections(limits.connections_max, descriptors::raise());
    server::Limits { connections_max, ..limits }
}

/// What `/healthz`, `/readyz` and `/metrics` answer.
fn probes(engine: Arc<Engine>, store: Arc<Embedded>, metrics: PrometheusHandle) -> Probes {
    let ready = engine.clone();
    Probes {
        is_ready: Arc::new(move || ready.failure_reason().is_none()),
        metrics: Arc::new(move || {
            for (name, value) in engine.gauges() {
                metrics::gauge!(name).set(value as f64);
            }
            let Sizes { database, database_log, log } = store.sizes();
            for (part, bytes) in [("database", database), ("database-log", database_log), ("log", log)] {
                metrics::gauge!("stepwright_store_bytes", "part" => part).set(bytes as f64);
            }
            if let Ok(counts) = store.recent_counts() {
                for status in Status::ALL {
                    let count = counts.get(&status).copied().unwrap_or(0);
                    metrics::gauge!("stepwright_executions", "status" => status_of(status).as_str())
                        .set(count as f64);
                }
            }
            for (limit, holders, waiters) in engine.limit_gauges() {
                metrics::gauge!("stepwright_limit_holders", "limit" => limit.clone()).set(holders as f64);
                metrics::gauge!("stepwright_limit_waiters", "limit" => limit).set(waiters as f64);
            }
            metrics.render()
        }),
    }
}

fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("metrics cannot be recorded")
}

/// Says where the server is, and what to try first.
fn greet(config: &Config, server: &Server, wired: &Wired, protection: &Protection) {
    let scheme = if protection.tls.is_some() { "https" } else { "http" };
    let endpoint = format!("{scheme}://{}", config::reachable(server.local_address()));
    let functions = match config.functions.len() {
        0 => "none declared".to_owned(),
        _ => config.functions.iter().map(|function| function.name.as_str()).collect::<Vec<_>>().join(", "),
    };
    let elsewhere =
        wired.lambda_endpoint.as_deref().map(|url| format!(" (others at {url})")).unwrap_or_default();
    let mut text = format!(
        "stepwright {} is ready\n  endpoint   {endpoint}\n  data       {}\n  account    {} in {}\n  functions  \
         {functions}{elsewhere}\n",
        env!("CARGO_PKG_VERSION"),
        config.data_dir.display(),
        config.account_id,
        config.region
    );
    if protection.access.is_protected() {
        text.push_str(&format!("  callers    signatures are verified ({} keys)\n", protection.key_count));
    }
    if let Some(tls) = &protection.tls {
        text.push_str(&format!("  TLS        {}\n", tls.certificate_path().display()));
        text.push_str(&format!("             SHA-256 {}\n", tls.fingerprint()));
    } else if !server.local_address().ip().is_loopback() {
        tracing::warn!(
            "others can reach this port, and what goes over it can be read on the way: see --tls-generated"
        );
    }
    output::tell(&format!("{text}\n{}", first_steps(config, protection, &endpoint)));
}

/// Commands that work as they stand here. The AWS CLI sends nothing without keys; which ones does not matter to a server that
/// does not ask.
fn first_steps(config: &Config, protection: &Protection, endpoint: &str) -> String {
    let mut variables = String::new();
    if !protection.access.is_protected() {
        variables.push_str("AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ");
    }
    if let Some(tls) = &protection.tls {
        variables.push_str(&format!("AWS_CA_BUNDLE={} ", tls.certificate_path().display()));
    }
    let keys =
        if protection.access.is_protected() { "  (with one of the keys in the environment)" } else { "" };
    format!(
        "Try:  {variables}aws stepfunctions list-state-machines --endpoint-url {endpoint} --region {}{keys}\n",
        config.region
    )
}
