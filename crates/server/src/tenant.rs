//! Tenants: what answers requests on the server's port. The server knows who calls, within which bounds, and what is noted
//! about it; a tenant knows what its requests mean.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderName;
use hyper::http::request::Parts;
use stepwright_sigv4::{SERVICE_STATES, is_region};
use stepwright_types::arn::Account;

use crate::access::Caller;
use crate::budget::{Budget, Share};
use crate::connections::{Poll, Working};
use crate::error::ServerError;
use crate::keys::is_account_id;
use crate::response::Answer;
use crate::signatures::{claimed_scope, claimed_service};

pub(crate) const X_AMZ_TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What answers the requests of one place.
pub trait Tenant: Send + Sync + 'static {
    /// Which requests are for it.
    fn place(&self) -> Place;

    /// The operation that a request names by its head. What names none goes into the audit log by its method and path.
    fn operation(&self, _head: &Parts) -> Option<Operation> {
        None
    }

    /// Answers a request of a caller who may call.
    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a>;

    /// The server stops: what goes on without an end of its own (long polls, streams) ends now.
    fn stop(&self) {}
}

/// Where a tenant is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// An AWS service whose requests are a `POST` to `/` and name their operation in `X-Amz-Target`, after this prefix.
    Target { prefix: &'static str, signing_name: &'static str },
    /// An AWS service with other requests: what is signed for it, wherever it goes that is nobody's path.
    Signed { signing_name: &'static str },
    /// A first part of paths: `limits` for `/limits` and what is below.
    Path(&'static str),
    /// What is for nobody else.
    Rest,
}

impl Place {
    /// The name of the service for which its requests have to be signed.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Place::Target { signing_name, .. } | Place::Signed { signing_name } => signing_name,
            Place::Path(_) | Place::Rest => SERVICE_STATES,
        }
    }

    /// Whether its callers are clients of AWS.
    pub(crate) fn is_service(self) -> bool {
        matches!(self, Place::Target { .. } | Place::Signed { .. })
    }
}

/// An operation, as metrics and the audit log see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    pub name: &'static str,
    /// Whether it changes something, or makes something happen: such a call is noted in the audit log.
    pub changes: bool,
}

/// A request that has come in whole, of a caller who may call.
pub struct Call<'s> {
    pub head: &'s Parts,
    /// The parts of the path, percent-decoded; only for a tenant at a [`Place::Path`].
    pub path: Vec<String>,
    /// Held by nobody else: who drops it gives its memory back.
    pub body: Bytes,
    pub caller: &'s Caller,
    pub request_id: &'s str,
    /// Whether the call is noted in the audit log, which then wants to know what it was about ([`Answer::about`]).
    pub is_audited: bool,
    pub(crate) budget: &'s Arc<Budget>,
    pub(crate) working: &'s Working,
}

impl Call<'_> {
    /// In whose name the request is to be performed: the region that it was signed for, and the account of its key (or the
    /// account that stands in the place of a key's id, as clients of emulators have it), where it says so; else the server's.
    pub fn account(&self, own: &Arc<Account>) -> Arc<Account> {
        let Some((access_key_id, region)) = claimed_scope(self.head) else { return own.clone() };
        let region = if is_region(region) { region } else { &own.region };
        let account_id = match self.caller {
            Caller::Known { account_id: Some(account_id), .. } => account_id,
            _ if is_account_id(access_key_id) => access_key_id,
            _ => &own.account_id,
        };
        if *region == own.region && *account_id == own.account_id {
            return own.clone();
        }
        Arc::new(Account::new(region, account_id))
    }

    /// A long poll begins.
    pub fn begin_poll(&self) -> Poll<'_> {
        self.working.poll()
    }

    /// Memory for the making of an answer, as soon as there is some.
    pub async fn reserve(&self, bytes: usize) -> Result<Share, ServerError> {
        self.budget.reserve(bytes).await
    }

    /// Memory for an answer that is there, if there is some now.
    pub fn take(&self, bytes: usize) -> Option<Share> {
        self.budget.take(bytes)
    }
}

/// The tenants of a server.
pub(crate) struct Tenants(pub Vec<Arc<dyn Tenant>>);

impl Tenants {
    /// Whose request it is.
    pub fn find(&self, head: &Parts) -> Option<&Arc<dyn Tenant>> {
        if head.method == Method::POST && matches!(head.uri.path(), "/" | "") {
            let target = head.headers.get(X_AMZ_TARGET).and_then(|target| target.to_str().ok());
            let target = target.unwrap_or_default();
            let named =
                self.at(|place| matches!(place, Place::Target { prefix, .. } if target.starts_with(prefix)));
            // What names no operation of anybody is told so by the first of the services.
            return named
                .or_else(|| self.signed(head))
                .or_else(|| self.at(Place::is_service))
                .or_else(|| self.rest());
        }
        let first = first_part(head);
        self.at(|place| matches!(place, Place::Path(part) if part == first))
            .or_else(|| self.signed(head))
            .or_else(|| self.rest())
    }

    fn at(&self, is_meant: impl Fn(Place) -> bool) -> Option<&Arc<dyn Tenant>> {
        self.0.iter().find(|tenant| is_meant(tenant.place()))
    }

    /// The service that a request is signed for, unless its requests have a target.
    fn signed(&self, head: &Parts) -> Option<&Arc<dyn Tenant>> {
        let service = claimed_service(head)?;
        self.at(|place| matches!(place, Place::Signed { signing_name } if signing_name == service))
    }

    fn rest(&self) -> Option<&Arc<dyn Tenant>> {
        self.at(|place| place == Place::Rest)
    }
}

fn first_part(head: &Parts) -> &str {
    head.uri.path().trim_start_matches('/').split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hyper::{Request, StatusCode};

    use super::*;
    use crate::response;

    struct At(Place);

    impl Tenant for At {
        fn place(&self) -> Place {
            self.0
        }

        fn answer<'a>(&'a self, _: Call<'a>) -> Answering<'a> {
            Box::pin(std::future::ready(response::text(StatusCode::OK, String::new())))
        }
    }

    const FLOWS: Place = Place::Target { prefix: "Flows.", signing_name: "flows" };
    const TABLES: Place = Place::Target { prefix: "Tables_1.", signing_name: "tables" };
    const FILES: Place = Place::Signed { signing_name: "files" };
    const LIMITS: Place = Place::Path("limits");

    fn found(places: &[Place], method: Method, path: &str, headers: &[(&str, &str)]) -> Option<Place> {
        let tenants = places.iter().map(|place| Arc::new(At(*place)) as Arc<dyn Tenant>);
        let tenants = Tenants(tenants.collect());
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        tenants.find(&head).map(|tenant| tenant.place())
    }

    #[test]
    fn whose_request_it_is() {
        let target = |target| ("x-amz-target", target);
        let signed = |service: &str| {
            format!("AWS4-HMAC-SHA256 Credential=A/20260101/r/{service}/aws4_request, SignedHeaders=host")
        };
        let (files, flows) = (signed("files"), signed("flows"));
        let (files, flows) = (("authorization", files.as_str()), ("authorization", flows.as_str()));
        let (post, get) = (|| Method::POST, || Method::GET);
        for (method, path, headers, expected) in [
            (post(), "/", &[target("Flows.Start")][..], FLOWS),
            (post(), "/", &[target("Tables_1.Put")], TABLES),
            (post(), "/", &[target("Tables_1.Put"), files], TABLES),
            (post(), "/", &[target("Other.Put")], FLOWS),
            (post(), "/", &[], FLOWS),
            (post(), "/", &[files], FILES),
            (get(), "/", &[files], FILES),
            (get(), "/", &[target("Flows.Start")], Place::Rest),
            (get(), "/", &[], Place::Rest),
            (get(), "/limits", &[], LIMITS),
            (get(), "/limits/a%20b", &[], LIMITS),
            (Method::PUT, "/limits/", &[files], LIMITS),
            (get(), "/limitsX", &[], Place::Rest),
            (get(), "/bucket/key", &[files], FILES),
            (get(), "/bucket/key", &[flows], Place::Rest),
        ] {
            let all = [LIMITS, FLOWS, TABLES, FILES, Place::Rest];
            assert_eq!(found(&all, method, path, headers), Some(expected), "{path} {headers:?}");
        }
        assert_eq!(found(&[LIMITS], post(), "/", &[]), None);
        assert_eq!(found(&[FLOWS, LIMITS], get(), "/x", &[]), None);
    }
}
