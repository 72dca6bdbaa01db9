//! The API with the tests' fake backend, for trying clients by hand and for measuring the API alone:
//! `cargo run --release --example fake_server 127.0.0.1:8083`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/fake.rs"]
#[allow(dead_code)]
mod fake;

use std::sync::Arc;

use fake::{FakeBackend, FakeDefinitions, FakeEnvironment};
use stepwright_api::catalog::StoredCatalog;
use stepwright_api::{Api, Parts};
use stepwright_server::{Options, Server};
use stepwright_store::memory::Memory;
use stepwright_store::{ShardId, Store as _};
use stepwright_types::arn::Account;

#[tokio::main]
async fn main() {
    let listen = std::env::args().nth(1).unwrap_or("127.0.0.1:8083".to_owned()).parse().unwrap();
    let store = Memory::new();
    let (epoch, _) = store.acquire(ShardId(0)).await.unwrap();
    let account = Account::new("us-east-1", "123456789012");
    let environment = Arc::new(FakeEnvironment::default());
    let api = Arc::new(Api::new(Parts {
        account: account.clone(),
        backend: Arc::new(FakeBackend::new(account, environment)),
        definitions: Arc::new(FakeDefinitions),
        catalog: Arc::new(StoredCatalog::new(store, ShardId(0), epoch)),
        catalog_lifetime: None,
        environment: Arc::new(stepwright_server::environment::System),
    }));
    let server = Server::bind(listen, vec![api], Options::default()).await.unwrap();
    println!("listening on {}", server.local_address());
    server.run().await;
}
