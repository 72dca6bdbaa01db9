//! How many `lambda:invoke` calls a second go to an endpoint on loopback:
//! `taskset -c 0 cargo test --release -p stepwright-tasks -- --ignored --nocapture throughput`.

use std::time::Instant;

use stepwright_tasks::{CancellationSignal, TaskTarget};

use crate::endpoint::Server;
use crate::{INVOKE, call};

#[tokio::test]
#[ignore = "measures; wants release mode"]
async fn throughput() {
    const IN_FLIGHT: usize = 64;
    const CALLS_EACH: usize = 1000;
    let server = Server::start().await;
    let target = server.target();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let target = target.clone();
        tasks.spawn(async move {
            for _ in 0..CALLS_EACH {
                let parameters = r#"{"FunctionName":"f","Payload":{"order":1,"items":["a","b"]}}"#;
                target.call(call(INVOKE, parameters), CancellationSignal::never()).await.expect("a result");
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("no panic");
    }
    let calls = (IN_FLIGHT * CALLS_EACH) as f64;
    println!("{:.0} calls/s", calls / started.elapsed().as_secs_f64());
}
