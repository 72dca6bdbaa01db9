//! A server with a fake backend, and a client for it.

pub mod fake;

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use stepwright_api::catalog::StoredCatalog;
use stepwright_api::{Api, Parts, Quotas};
use stepwright_server::{Options, Server, Tenant};
use stepwright_store::memory::Memory;
use stepwright_store::{CatalogKind, ShardId, Store as _};
use stepwright_types::arn::Account;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use fake::{FakeBackend, FakeDefinitions, FakeEnvironment};

pub const ROLE: &str = "arn:aws:iam::123456789012:role/any";
pub const PASS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;

pub struct TestServer {
    pub server: Arc<Server>,
    pub backend: Arc<FakeBackend>,
    pub address: SocketAddr,
    client: Client,
}

impl TestServer {
    pub async fn start() -> TestServer {
        TestServer::with(Options::default()).await
    }

    /// A server whose own client cannot be used, as with TLS.
    pub async fn listening(options: Options) -> TestServer {
        TestServer::with(options).await
    }

    pub async fn with(options: Options) -> TestServer {
        TestServer::with_tenants(options, |_| Vec::new()).await
    }

    /// A server with tenants beside the API.
    pub async fn with_tenants(
        options: Options,
        others: impl FnOnce(&Api) -> Vec<Arc<dyn Tenant>>,
    ) -> TestServer {
        let (api, backend) = api().await;
        let mut tenants = others(&api);
        tenants.push(api);
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Arc::new(Server::bind(any_port, tenants, options).await.unwrap());
        let running = server.clone();
        tokio::spawn(async move { running.run().await });
        let address = server.local_address();
        let client = Client::connect(address).await;
        TestServer { server, backend, address, client }
    }

    /// Calls an operation that succeeds.
    pub async fn ok(&mut self, operation: &str, request: Value) -> Value {
        let answer = self.client.call(operation, request.to_string()).await;
        assert_eq!(answer.status, 200, "{operation} {request}: {}", answer.body);
        answer.json()
    }

    /// Calls an operation that is refused with status 400: the error's name and message.
    pub async fn refused(&mut self, operation: &str, request: Value) -> (String, String) {
        let answer = self.client.call(operation, request.to_string()).await;
        assert_eq!(answer.status, 400, "{operation} {request}: {}", answer.body);
        answer.error()
    }

    pub async fn send(&mut self, operation: &str, body: impl Into<Bytes>) -> Answer {
        self.client.call(operation, body).await
    }

    /// The kind of each catalogue record that is stored.
    pub async fn records(&self) -> Vec<CatalogKind> {
        let store = self.backend.catalog.get().unwrap();
        let mut kinds = Vec::new();
        for kind in [
            CatalogKind::StateMachine,
            CatalogKind::Revision,
            CatalogKind::Tags,
            CatalogKind::Version,
            CatalogKind::Alias,
        ] {
            kinds.extend(store.records(kind, "", None, 999).await.unwrap().iter().map(|_| kind));
        }
        kinds
    }

    /// A state machine with this name; its ARN.
    pub async fn machine(&mut self, name: &str) -> String {
        let request = serde_json::json!({"name": name, "definition": PASS, "roleArn": ROLE});
        text(&self.ok("CreateStateMachine", request).await, "stateMachineArn")
    }
}

pub async fn api() -> (Arc<Api>, Arc<FakeBackend>) {
    api_with(Quotas::default()).await
}

pub async fn api_with(quotas: Quotas) -> (Arc<Api>, Arc<FakeBackend>) {
    let store = Memory::new();
    let (epoch, _) = store.acquire(ShardId(0)).await.unwrap();
    let account = Account::new("us-east-1", "123456789012");
    let environment = Arc::new(FakeEnvironment::default());
    let backend = Arc::new(FakeBackend::new(account.clone(), environment.clone()));
    let _ = backend.catalog.set(store.clone());
    let parts = Parts {
        account,
        backend: backend.clone(),
        definitions: Arc::new(FakeDefinitions),
        catalog: Arc::new(StoredCatalog::new(store, ShardId(0), epoch)),
        catalog_lifetime: None,
        environment,
    };
    (Arc::new(Api::with_quotas(parts, quotas)), backend)
}

/// A member that is a text.
pub fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}")).to_owned()
}

pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The error's name (without namespace) and message.
    pub fn error(&self) -> (String, String) {
        let json = self.json();
        let full = text(&json, "__type");
        let name = full.split_once('#').expect("a namespace").1.to_owned();
        (name, json["message"].as_str().unwrap_or_default().to_owned())
    }
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Client {
        Client::over(TcpStream::connect(address).await.unwrap()).await
    }

    pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Client {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Client { sender }
    }

    pub async fn call(&mut self, operation: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::post("/")
            .header("host", "localhost")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::new(body.into()))
            .unwrap();
        self.request(request).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.request(Request::get(path).header("host", "localhost").body(Full::default()).unwrap()).await
    }

    pub async fn request(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}
