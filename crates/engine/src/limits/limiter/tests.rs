//! The limiter by itself: scripts of what happens, and who has a turn.

use stepwright_store::ShardId;

use super::*;
use crate::limits::LimitDefinition;

fn limits(definitions: &str) -> Vec<Arc<Limit>> {
    let definitions: Vec<LimitDefinition> = serde_json::from_str(definitions).expect("definitions");
    Limit::compile_all(definitions).expect("limits").into_iter().map(Arc::new).collect()
}

fn task(name: &str) -> TaskKey {
    let (execution, number) = name.split_once('.').expect("e.t");
    let key = ExecutionKey::new(ShardId(0), execution.parse().expect("a number")).expect("a key");
    (key, number.parse().expect("a number"))
}

fn place(lanes: &str, arrival: u64, granted_ms: Option<i64>) -> Place {
    let lane = |text: &str| {
        let (limit, key) =
            text.split_once(':').map_or((text, None), |(limit, key)| (limit, Some(key.into())));
        Lane { limit: limit.into(), key }
    };
    Place {
        lanes: lanes.split('+').map(lane).collect(),
        execution_arn: "arn".into(),
        state: None,
        arrival,
        since_ms: 0,
        granted_ms,
    }
}

/// A script: `+e.t=lanes` comes, `!e.t=lanes` was there and held, `-e.t` has ended, `(e.t` and `)e.t` its call begins and
/// ends, `@ms` time, `?limits` other limits. After each word those who have a turn are written down.
fn run(definitions: &str, script: &str) -> String {
    let mut limiter = Limiter::default();
    limiter.set_limits(&limits(definitions));
    let (mut now_ms, mut said) = (0, Vec::new());
    for (arrival, word) in (1..).zip(script.split_whitespace()) {
        let (sign, rest) = word.split_at(1);
        let (name, lanes) = rest.split_once('=').unwrap_or((rest, ""));
        match sign {
            "+" => limiter.enter(task(name), place(lanes, arrival, None)),
            "!" => limiter.restore(task(name), place(lanes, arrival, Some(0))),
            "-" => limiter.ended(task(name)),
            "(" => assert!(limiter.call_began(task(name), now_ms), "{word}"),
            ")" => limiter.call_ended(task(name)),
            "@" => now_ms = rest.parse().expect("milliseconds"),
            "?" => limiter.set_limits(&limits(rest)),
            _ => panic!("{word}"),
        }
        for ((key, number), place) in limiter.turns(now_ms) {
            assert_eq!(place.granted_ms, Some(now_ms));
            said.push(format!("{}.{number}", key.sequence()));
            limiter.granted();
            limiter.started((key, number), now_ms);
        }
        said.push("|".to_owned());
    }
    let all: usize = limiter.lanes.values().map(|road| road.queue.len()).sum();
    let waiting = limiter.guests.values().filter(|guest| matches!(guest.at, At::Waits(..))).count();
    assert_eq!(all, waiting, "everybody who waits waits in one queue");
    said.join(" ")
}

const TWO: &str = r#"[{"name":"a","task":"*","concurrency":2}]"#;
const BOTH: &str =
    r#"[{"name":"all","task":"*","concurrency":2},{"name":"each","task":"*","concurrency":1}]"#;
const SLOW: &str = r#"[{"name":"r","task":"*","rate":{"count":2,"per_s":10}}]"#;

#[test]
fn turns() {
    for (definitions, script, expected) in [
        (TWO, "+1.1=a +1.2=a +1.3=a +2.1=a -1.1 -1.2", "1.1 | 1.2 | | | 1.3 | 2.1 |"),
        (
            TWO,
            "+1.1=a +1.2=a +1.3=a +1.4=a +1.5=a +2.1=a -1.1 -1.2 -1.3",
            "1.1 | 1.2 | | | | | 1.3 | 2.1 | 1.4 |",
        ),
        // Each key by itself.
        (TWO, "+1.1=a:x +1.2=a:x +1.3=a:x +1.4=a:y -1.1", "1.1 | 1.2 | | 1.4 | 1.3 |"),
        // One who waits may go; what is not there has no effect.
        (TWO, "+1.1=a +1.2=a +1.3=a +1.4=a -1.3 -9.9 -1.1", "1.1 | 1.2 | | | | | 1.4 |"),
        // A place is free when the task has ended and no call is under way.
        (TWO, "+1.1=a +1.2=a +1.3=a (1.1 -1.1 )1.1", "1.1 | 1.2 | | | | 1.3 |"),
        (TWO, "+1.1=a +1.2=a +1.3=a (1.1 )1.1 (1.1 )1.1 -1.1", "1.1 | 1.2 | | | | | | 1.3 |"),
        // Who held before holds still, even more than is allowed now.
        (TWO, "!1.1=a !1.2=a !1.3=a +2.1=a -1.1 -1.2", "| | | | | 2.1 |"),
        (
            TWO,
            r#"+1.1=a +1.2=a ?[{"name":"a","task":"*","concurrency":1}] +1.3=a -1.1 -1.2 ?[{"name":"a","task":"*","concurrency":3}]"#,
            "1.1 | 1.2 | | | | 1.3 | |",
        ),
        // A limit that is gone holds nobody back; when it comes back, it counts those who are there.
        (
            TWO,
            r#"+1.1=a +1.2=a +1.3=a ?[] ?[{"name":"a","task":"*","concurrency":3}] +1.4=a -1.2"#,
            "1.1 | 1.2 | | 1.3 | | | 1.4 |",
        ),
    ] {
        assert_eq!(run(definitions, script), expected, "{script}");
    }
}

#[test]
fn several_limits_are_taken_all_at_once_or_not_at_all() {
    for (script, expected) in [
        // 1.2 waits for its key, and keeps nobody else waiting.
        ("+1.1=all+each:x +1.2=all+each:x +2.1=all+each:y +3.1=all+each:z -1.1", "1.1 | | 2.1 | | 3.1 |"),
        // It comes back before those who came later.
        (
            "+1.1=all+each:x +1.2=all+each:x +2.1=all+each:y +3.1=all+each:z -2.1 -1.1",
            "1.1 | | 2.1 | | 3.1 | 1.2 |",
        ),
        ("+1.1=each:x+all +2.1=all +3.1=each:x+all +4.1=all -1.1 -2.1 -4.1", "1.1 | 2.1 | | | 3.1 | 4.1 | |"),
    ] {
        assert_eq!(run(BOTH, script), expected, "{script}");
    }
}

#[test]
fn rates() {
    for (script, expected) in [
        ("+1.1=r +1.2=r +1.3=r @10000 @10001 +1.4=r +1.5=r", "1.1 | 1.2 | | | 1.3 | 1.4 | |"),
        // Ended or not, a start is a start.
        ("+1.1=r +1.2=r -1.1 -1.2 +1.3=r @10001", "1.1 | 1.2 | | | | 1.3 |"),
        ("+1.1=r:x +1.2=r:x +1.3=r:x +2.1=r:y", "1.1 | 1.2 | | 2.1 |"),
        // Another rate counts what has started.
        (
            r#"+1.1=r +1.2=r +1.3=r ?[{"name":"r","task":"*","rate":{"count":3,"per_s":10}}] +1.4=r @10001"#,
            "1.1 | 1.2 | | 1.3 | | 1.4 |",
        ),
        // A call that is made again after a restart counts anew.
        ("!1.1=r @500 (1.1 +1.2=r +1.3=r @10500 @10501", "| | | 1.2 | | | 1.3 |"),
    ] {
        assert_eq!(run(SLOW, script), expected, "{script}");
    }
}

#[test]
fn a_window_from_before_this_process_is_taken_for_full() {
    let mut limiter = Limiter::default();
    let limits = limits(SLOW);
    limiter.filled(&limits, 1_000);
    limiter.set_limits(&limits);
    limiter.enter(task("1.1"), place("r", 1, None));
    assert_eq!(limiter.turns(1_000), []);
    assert_eq!(limiter.wakes_ms(), Some(11_001));
    assert_eq!(limiter.turns(11_001).len(), 1);
    // A key that comes first much later finds an empty one.
    for number in 1..=3 {
        limiter.enter(task(&format!("2.{number}")), place("r:late", 1 + number, None));
    }
    assert_eq!(limiter.turns(60_000).len(), 2);
}

#[test]
fn what_is_offered_takes_up_a_start_until_it_is_taken() {
    let mut limiter = Limiter::default();
    limiter.set_limits(&limits(SLOW));
    limiter.restore(task("1.1"), place("r", 1, Some(0)));
    limiter.restore_offered(task("1.1"));
    for number in 2..=4 {
        limiter.enter(task(&format!("1.{number}")), place("r", number, None));
    }
    assert_eq!(limiter.turns(0).len(), 1, "the second is offered too");
    assert_eq!(limiter.turns(60_000).len(), 0, "however long nobody takes them");
    limiter.started(task("1.1"), 60_000);
    assert_eq!((limiter.turns(60_000).len(), limiter.wakes_ms()), (0, Some(70_001)));
    // One that ended before anybody took it was no start.
    limiter.ended(task("1.2"));
    assert_eq!(limiter.turns(60_000).len(), 1);
    assert_eq!((limiter.turns(70_000).len(), limiter.turns(70_001).len()), (0, 1));
}

#[test]
fn what_is_not_needed_is_forgotten() {
    let mut limiter = Limiter::default();
    limiter.set_limits(&limits(r#"[{"name":"r","task":"*","concurrency":5,"rate":{"count":2,"per_s":10}}]"#));
    for number in 1..=100 {
        let name = format!("{number}.1");
        limiter.enter(task(&name), place(&format!("r:{number}"), number, None));
        assert_eq!(limiter.turns(0).len(), 1);
        limiter.granted();
        limiter.started(task(&name), 0);
        limiter.ended(task(&name));
    }
    limiter.turns(0);
    assert_eq!((limiter.lanes.len(), limiter.guests.len()), (100, 0), "their starts still count");
    limiter.turns(60_000);
    assert_eq!((limiter.lanes.len(), limiter.wakes.len(), limiter.turns.len()), (0, 0, 0));
}

#[test]
fn turns_are_given_a_few_at_a_time() {
    let mut limiter = Limiter::default();
    for number in 1..=1_000 {
        limiter.enter(task(&format!("{number}.1")), place("a", number, None));
    }
    let first = limiter.turns(0).len();
    assert_eq!((first, limiter.turns(0).len()), (GRANTS_MAX, 0));
    (0..100).for_each(|_| limiter.granted());
    assert_eq!(limiter.turns(0).len(), 100);
}
