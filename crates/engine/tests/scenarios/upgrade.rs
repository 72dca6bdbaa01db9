//! Executions of other versions: those of earlier ones go on as they began, those of later ones are refused.

use std::sync::Arc;

use stepwright_engine::Head;
use stepwright_machine::BehaviourFlags;
use stepwright_store::{Epoch, ExecutionKey, Mutation, ShardId, Status, Store as _, Unit};
use stepwright_testkit::now;

use super::{World, pass_ms, start, status};

/// Accepted once, as far as this test is concerned: today's rules refuse the field.
const WAIT: &str =
    r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9,"Accepted":"once","End":true}}}"#;

/// Makes the only execution one that was started with this behaviour.
fn started_with(world: &World, behaviour: Option<u32>) {
    let key = ExecutionKey::new(ShardId(0), 1).expect("a key");
    let mut row = now(world.store.execution(key)).expect("at once").expect("a read").expect("the execution");
    let mut head = Head::decode(&row.head).expect("a head");
    assert_eq!(head.behaviour, Some(BehaviourFlags::CURRENT.number()));
    head.behaviour = behaviour;
    row.head = head.encode();
    let mut mutations = vec![Mutation::DeleteExecution(key), Mutation::CreateExecution(row)];
    let segments = now(world.store.segments(key, 1)).expect("at once").expect("a read");
    mutations.extend(segments.into_iter().map(|segment| Mutation::Append { key, segment }));
    mutations.extend(world.timers().into_iter().map(Mutation::SetTimer));
    let unit = Unit { shard: ShardId(0), epoch: Epoch(1), mutations };
    now(world.store.commit(unit)).expect("at once").expect("committed");
}

fn waiting() -> World {
    let mut world = World::new(WAIT);
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
    });
    world
}

#[test]
fn an_execution_of_an_earlier_version_goes_on() {
    let mut world = waiting();
    started_with(&world, None);
    world.live(async |engine| {
        pass_ms(10_000).await;
        assert_eq!(status(&engine, "e").await, Status::Succeeded);
    });
}

#[test]
fn an_execution_of_a_later_version_is_refused_and_stays() {
    let mut world = waiting();
    let later = BehaviourFlags::CURRENT.number() + 1;
    started_with(&world, Some(later));
    world.live(async |engine| {
        pass_ms(10_000).await;
        assert_eq!(status(&engine, "e").await, Status::Running, "it is listed and described");
        let key = ExecutionKey::new(ShardId(0), 1).expect("a key");
        let refused = engine.stop(key, None, Some(Arc::from("why"))).await.expect_err("refused").to_string();
        assert!(
            refused.contains(":execution:m:e cannot go on: it was started by a later version"),
            "{refused}"
        );
        assert!(refused.contains(&format!("behaviour {later}")), "{refused}");
    });
}
