//! The operations as one object: JSON body in, JSON body out. Knows no HTTP.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use stepwright_types::arn::Account;
use tokio::sync::{OnceCell, Semaphore, watch};

use crate::actions;
use crate::backend::Backend;
use crate::catalog::{Catalog, CatalogStore};
use crate::definitions::Definitions;
use crate::deletion::Deletions;
use crate::error::{ApiError, ProtocolError};
use crate::model::Operation;
use crate::model::check::{Checked, Object, Path, Violations, Wire};
use crate::page_token::PageTokens;
use crate::quotas::Quotas;
use crate::throttling::Throttling;
use stepwright_server::Environment;

/// Definitions up to this size are checked within a millisecond or two.
const SHORT_BYTES_MAX: usize = 32 << 10;
/// Longer ones that are checked at a time.
const CHECKS_MAX: usize = 2;

/// What an [`Api`] is made of.
pub struct Parts {
    /// Whose ARNs it gives out, unless a request is of another account or region.
    pub account: Account,
    pub backend: Arc<dyn Backend>,
    pub definitions: Arc<dyn Definitions>,
    pub catalog: Arc<dyn CatalogStore>,
    /// How long catalogue records may be answered from memory although another process may have changed them; `None`
    /// when this process alone writes to the catalogue.
    pub catalog_lifetime: Option<Duration>,
    pub environment: Arc<dyn Environment>,
}

/// The service, in the name of one account and region.
pub struct Api {
    pub(crate) account: Arc<Account>,
    service: Arc<Service>,
}

/// What all accounts share.
pub struct Service {
    pub(crate) backend: Arc<dyn Backend>,
    definitions: Arc<dyn Definitions>,
    /// Bounds the long definitions that are checked at a time.
    checks: Arc<Semaphore>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) deletions: Deletions,
    pub(crate) environment: Arc<dyn Environment>,
    throttling: Arc<Throttling>,
    pub(crate) quotas: Quotas,
    page_tokens: OnceCell<PageTokens>,
    stopping: watch::Sender<bool>,
}

impl Deref for Api {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Api {
    pub fn new(parts: Parts) -> Api {
        Api::with_quotas(parts, Quotas::default())
    }

    /// With other quotas than AWS's defaults.
    pub fn with_quotas(parts: Parts, quotas: Quotas) -> Api {
        let catalog = Arc::new(Catalog::new(parts.catalog, parts.catalog_lifetime));
        let service = Service {
            deletions: Deletions::new(catalog.clone(), parts.backend.clone()),
            throttling: Arc::new(Throttling::new(&parts.account.region)),
            backend: parts.backend,
            definitions: parts.definitions,
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            catalog,
            environment: parts.environment,
            quotas,
            page_tokens: OnceCell::new(),
            stopping: watch::Sender::new(false),
        };
        Api { account: Arc::new(parts.account), service: Arc::new(service) }
    }

    /// The same service in the name of another account and region.
    pub fn of(&self, account: Arc<Account>) -> Api {
        Api { account, service: self.service.clone() }
    }

    /// In whose name it is.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Performs an operation: `body` is the request's JSON, the result the response's.
    /// The body is let go as soon as it has been read.
    pub async fn call(&self, operation: Operation, body: Bytes) -> Result<Vec<u8>, ApiError> {
        actions::perform(self, operation, body).await
    }
}

impl Service {
    /// Checks a definition; a long one on a thread of its own, so that others need not wait for their answers.
    pub(crate) async fn checking<T: Send + 'static>(
        &self,
        definition: &str,
        check: impl FnOnce(&dyn Definitions, &str) -> T + Send + 'static,
    ) -> T {
        if definition.len() <= SHORT_BYTES_MAX {
            return check(&*self.definitions, definition);
        }
        // The semaphore is never closed.
        let place = self.checks.clone().acquire_owned().await.ok();
        let (definitions, definition) = (self.definitions.clone(), definition.to_owned());
        let checked = tokio::task::spawn_blocking(move || {
            let checked = check(&*definitions, &definition);
            drop(place);
            checked
        });
        match checked.await {
            Ok(checked) => checked,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The process ends.
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends long polls: they are answered empty, now and from now on.
    pub fn stop_polls(&self) {
        self.stopping.send_replace(true);
    }

    /// Completes when [`Api::stop_polls`] has been called.
    pub(crate) fn polls_stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.subscribe();
        async move {
            // An error means that the service is gone, which ends polls as well.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// How many requests each operation takes.
    pub fn throttling(&self) -> &Arc<Throttling> {
        &self.throttling
    }

    /// Whether a request from outside may be served now.
    pub(crate) fn admits(&self, operation: Operation) -> bool {
        self.throttling.admits(operation, || self.environment.now_ms())
    }

    /// What makes page tokens; read from the catalogue once.
    pub(crate) async fn page_tokens(&self) -> Result<&PageTokens, ApiError> {
        let load = || PageTokens::load(self.catalog.store(), &*self.environment);
        self.page_tokens.get_or_try_init(load).await
    }
}

/// Reads a request and checks the model's constraints. No body at all counts as an empty object.
pub(crate) fn decode<T: Checked>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let Object(wire): Object<T::Wire> = serde_json::from_slice(body)
        .map_err(|error| ApiError::protocol(ProtocolError::Serialization, error.to_string()))?;
    let mut violations = Violations::default();
    let checked = wire.check(&Path::ROOT, &mut violations);
    match checked {
        Some(checked) if violations.is_empty() => Ok(checked),
        _ => Err(ApiError::validation(violations.message())),
    }
}

/// Writes a response.
pub(crate) fn encode(answer: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(answer).map_err(ApiError::internal)
}
