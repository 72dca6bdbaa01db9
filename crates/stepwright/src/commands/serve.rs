//! `stepwright serve`: the server.

use std::sync::Arc;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use stepwright_api::asl_definitions::AslDefinitions;
use stepwright_api::engine_backend::{EngineBackend, StoredDefinitions};
use stepwright_api::{Api, Parts, Server};
use stepwright_engine::{Engine, EngineOptions, Entropy, SystemClock};
use stepwright_store::{Embedded, EmbeddedOptions, OpenError};
use stepwright_types::arn::Account;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Serve;
use crate::config::{self, Config, Overrides};
use crate::exit::{Exit, Failure, OrExit};
use crate::logging;
use crate::wiring::{self, Wired};

/// Task calls at a time.
const CALLS_MAX: usize = 1_000;

pub fn run(arguments: Serve) -> Result<Exit, Failure> {
    logging::start(arguments.log_format, "info");
    let config = config::load(Overrides {
        listen: arguments.listen,
        data_dir: arguments.data_dir,
        config: arguments.config,
        template: arguments.template,
        account_id: arguments.account_id,
        region: arguments.region,
    })
    .or_exit(Exit::Usage)?;
    let store = Embedded::open(EmbeddedOptions::new(&config.data_dir)).map_err(|error| match error {
        error @ (OpenError::InUse { .. } | OpenError::Foreign { .. }) => Failure { code: Exit::CannotStart, error: error.into() },
        error => Failure { code: Exit::CannotStart, error: error.into() },
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")
        .or_exit(Exit::CannotStart)?;
    let exit = runtime.block_on(serve(&config, store.clone()));
    // What is left are calls whose executions are on disk.
    runtime.shutdown_background();
    store.close();
    exit
}

async fn serve(config: &Config, store: Arc<Embedded>) -> Result<Exit, Failure> {
    let metrics = install_metrics().or_exit(Exit::CannotStart)?;
    let wired = wiring::wire(config.functions.clone(), &config.region).or_exit(Exit::Usage)?;
    let account = Arc::new(Account::new(&*config.region, &*config.account_id));
    let engine = Engine::open(EngineOptions {
        store: store.clone(),
        definitions: Arc::new(StoredDefinitions(store.clone())),
        targets: wired.targets.clone(),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(Entropy::from_system()),
        account: account.clone(),
        calls_max: CALLS_MAX,
        observer: None,
    })
    .await
    .or_exit(Exit::CannotStart)?;
    let backend = Arc::new(EngineBackend::new(engine.clone()));
    let api = Arc::new(Api::new(Parts {
        account: (*account).clone(),
        backend: backend.clone(),
        definitions: Arc::new(AslDefinitions),
        catalog: backend,
        catalog_lifetime: None,
        environment: Arc::new(stepwright_api::environment::System),
    }));
    let server = Server::bind(config.listen, api, probes(&engine, metrics)).await.or_exit(Exit::CannotStart)?;
    greet(config, &server, &wired);
    let failed = tokio::select! {
        () = server.run() => None,
        () = stop_signal() => None,
        reason = engine.failed() => Some(reason),
    };
    tracing::info!("stopping: requests in flight are finished, executions go on after the next start");
    server.shut_down().await;
    engine.shut_down();
    wired.functions.shutdown().await;
    Ok(if failed.is_some() { Exit::StoreFailed } else { Exit::Success })
}
