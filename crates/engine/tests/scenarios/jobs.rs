//! Jobs of `.sync` tasks that nobody waits for any more are stopped, whenever the process ends.

use std::sync::{Arc, Mutex};

use stepwright_engine::Engine;
use stepwright_store::{Dispatch, ShardId, Status, Store as _};
use stepwright_tasks::{BoxFuture, Call, CancellationSignal, Failure, Success, TaskTarget};
use stepwright_value::Document;

use crate::{MACHINE, World, flushing, pass_ms, start, status};

/// Starts jobs (if their input says so, at once), which never end; remembers which were stopped, with what was known of them.
#[derive(Default)]
struct Jobs {
    stopped: Mutex<Vec<(String, Option<String>)>>,
    stopping: Stopping,
}

#[derive(Default, Clone, Copy)]
enum Stopping {
    #[default]
    Works,
    Fails,
    /// The process ends before it is done.
    Hangs,
}

impl TaskTarget for Jobs {
    fn call(&self, call: Call, _: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        Box::pin(async move {
            if call.parameters.text().contains("never") {
                std::future::pending::<()>().await;
            }
            if call.parameters.text().contains("soon") {
                pass_ms(5).await;
            }
            Ok(Success { output: Document::from_stored_text(r#"{"job":1}"#) })
        })
    }

    fn await_job(
        &self,
        _: Call,
        _: Document,
        mut cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        Box::pin(async move {
            cancel.cancelled().await;
            Err(Failure::new("Cancelled", "nobody reads this"))
        })
    }

    fn stop_job(&self, call: Call, submitted: Option<Document>) -> BoxFuture<'static, Result<(), Failure>> {
        self.stopped
            .lock()
            .expect("no panic")
            .push((call.idempotency_token, submitted.map(|submitted| submitted.to_string())));
        let stopping = self.stopping;
        Box::pin(async move {
            match stopping {
                Stopping::Works => Ok(()),
                Stopping::Fails => Err(Failure::new("No", "not now")),
                Stopping::Hangs => std::future::pending().await,
            }
        })
    }
}

impl Jobs {
    fn stopped(&self) -> Vec<Option<String>> {
        self.stopped.lock().expect("no panic").iter().map(|(_, submitted)| submitted.clone()).collect()
    }
}

fn world(jobs: &Arc<Jobs>, fields: &str) -> World {
    let task = r#""Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync","End":true,
        "Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:111111111111:stateMachine:c","Input.$":"$"}"#;
    let mut world = World::new(&format!(r#"{{"StartAt":"T","States":{{"T":{{{task}{fields}}}}}}}"#));
    world.targets = jobs.clone();
    world
}

fn dispatches(world: &World) -> Vec<Dispatch> {
    stepwright_testkit::now(world.store.dispatches(ShardId(0))).expect("at once").expect("a read")
}

async fn stop(engine: &Arc<Engine>) {
    let key = engine.find(MACHINE, "e").await.expect("a read").expect("the execution").row.key;
    engine.stop(key, None, None).await.expect("stops");
}

#[test]
fn with_its_execution() {
    let jobs = Arc::new(Jobs::default());
    let mut world = world(&jobs, "");
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        pass_ms(1_000).await;
        assert_eq!(jobs.stopped(), []);
        stop(&engine).await;
        pass_ms(1).await;
        assert_eq!(jobs.stopped(), [Some(r#"{"job":1}"#.to_owned())]);
    });
    assert_eq!(dispatches(&world), []);
}

#[test]
fn with_its_task() {
    let jobs = Arc::new(Jobs::default());
    let mut world = world(&jobs, r#","TimeoutSeconds":5"#);
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        pass_ms(5_001).await;
        assert_eq!(status(&engine, "e").await, Status::Failed);
        assert_eq!(jobs.stopped().len(), 1);
    });
    assert_eq!(dispatches(&world), []);
}

#[test]
fn when_the_answer_of_its_start_was_lost() {
    let jobs = Arc::new(Jobs::default());
    let mut world = world(&jobs, "");
    world.live(async |engine| {
        start(&engine, "e", r#""never""#).await.expect("starts");
        pass_ms(1_000).await;
        stop(&engine).await;
        pass_ms(1_000).await;
        assert_eq!(jobs.stopped(), [], "it is still being started");
    });
    world.live(async |_| pass_ms(1).await);
    assert_eq!(jobs.stopped(), [None]);
    assert_eq!(jobs.stopped.lock().expect("no panic")[0].0.len(), 64, "the start's idempotency token");
    assert_eq!(dispatches(&world), []);
}

#[test]
fn after_a_crash_that_came_in_between() {
    for stopping in [Stopping::Fails, Stopping::Hangs] {
        let jobs = Arc::new(Jobs { stopping, ..Jobs::default() });
        let mut world = world(&jobs, "");
        world.live(async |engine| {
            start(&engine, "e", "{}").await.expect("starts");
            pass_ms(1_000).await;
            stop(&engine).await;
            pass_ms(1).await;
        });
        assert_eq!((jobs.stopped().len(), dispatches(&world).len()), (1, 1));
        let again = Arc::new(Jobs::default());
        world.targets = again.clone();
        world.live(async |_| pass_ms(1).await);
        world.live(async |_| pass_ms(1).await);
        assert_eq!((again.stopped().len(), dispatches(&world).len()), (1, 0));
        let (first, again) =
            (jobs.stopped.lock().expect("no panic"), again.stopped.lock().expect("no panic"));
        assert_eq!(first[0], again[0]);
    }
}

#[test]
fn though_the_answer_of_its_start_crosses_the_stop() {
    let jobs = Arc::new(Jobs::default());
    let mut world = world(&jobs, "");
    let disk = world.slow_disk();
    world.live_with(
        async || flushing(&disk, 10).await,
        async |engine| {
            start(&engine, "e", r#""soon""#).await.expect("starts");
            // The stop is being committed when the call is answered.
            stop(&engine).await;
            pass_ms(50).await;
            assert_eq!(status(&engine, "e").await, Status::Aborted);
            assert_eq!(jobs.stopped(), [Some(r#"{"job":1}"#.to_owned())]);
        },
    );
    assert_eq!(stepwright_testkit::now(disk.dispatches(ShardId(0))).expect("at once").expect("a read"), []);
}

#[test]
fn but_not_one_that_was_awaited_to_its_end() {
    let jobs = Arc::new(Jobs::default());
    let mut world = world(&jobs, "");
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        pass_ms(1_000).await;
    });
    world.live(async |engine| {
        pass_ms(1_000).await;
        assert_eq!((status(&engine, "e").await, jobs.stopped().len()), (Status::Running, 0));
    });
}
