//! The promises of `Store`. Every function gets a new, empty store.

use stepwright_store::{
    CatalogKind, CommitError, Dispatch, Epoch, Execution, ExecutionKey, ExecutionQuery, Expect, Listed,
    Listing, Mutation, Permit, QueueItem, Search, Segment, ShardId, Status, Store, Timer, Unit,
};

use crate::build::*;

pub fn a_shard_is_taken_under_a_rising_epoch(store: &dyn Store) {
    assert_eq!(wait(store.acquire(SHARD)).unwrap(), (Epoch(1), 0));
    assert_eq!(wait(store.acquire(ShardId(255))).unwrap(), (Epoch(1), 0));
    let holder = Holder::new(store);
    assert_eq!(holder.epoch, Epoch(2));
    holder.commit([create(7, "a"), create(41, "b")]);
    assert_eq!(wait(store.acquire(SHARD)).unwrap(), (Epoch(3), 41));
    assert_eq!(wait(store.acquire(ShardId(255))).unwrap(), (Epoch(2), 0));
}

pub fn a_unit_needs_the_current_epoch(store: &dyn Store) {
    for epoch in [0, 1] {
        let unit = Unit { shard: SHARD, epoch: Epoch(epoch), mutations: vec![create(1, "a")] };
        assert!(matches!(wait(store.commit(unit)), Err(CommitError::Fenced)), "never taken");
    }
    let old = Holder::new(store);
    let new = Holder::new(store);
    assert!(matches!(old.try_commit([create(1, "a")]), Err(CommitError::Fenced)));
    assert_eq!(new.execution(key(1)), None);
    new.commit([create(1, "a")]);
    let future = Unit { shard: SHARD, epoch: Epoch(new.epoch.0 + 1), mutations: vec![] };
    assert!(matches!(wait(store.commit(future)), Err(CommitError::Fenced)));
}

pub fn an_execution_is_created_and_found(store: &dyn Store) {
    let holder = Holder::new(store);
    let first = execution(key(1), "machine", "a");
    let with_tail = Execution {
        status: Status::Failed,
        start_ms: i64::MIN,
        stop_ms: Some(i64::MAX),
        head: vec![],
        tail: vec![0; 100_000],
        ..execution(key(ExecutionKey::SEQUENCE_MAX), "another", "Ünïcode \u{0}")
    };
    for execution in [&first, &with_tail] {
        holder.commit([Mutation::CreateExecution(execution.clone())]);
        assert_eq!(holder.execution(execution.key).as_ref(), Some(execution));
        let by_name = wait(store.execution_by_name(&execution.machine, &execution.name)).unwrap();
        assert_eq!(by_name.as_ref(), Some(execution));
    }
    assert_eq!(holder.execution(key(2)), None);
    for (machine, name) in [("machine", "b"), ("another", "a"), ("none", "a"), ("", "")] {
        assert_eq!(wait(store.execution_by_name(machine, name)).unwrap(), None);
    }
}

pub fn an_execution_ends_and_is_reopened(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([create(1, "a")]);
    let created = execution(key(1), "machine", "a");
    for status in Status::ALL {
        holder.commit([end(1, status)]);
        let expected =
            Execution { status, stop_ms: Some(5_001), tail: b"the end".to_vec(), ..created.clone() };
        assert_eq!(holder.execution(key(1)), Some(expected));
        assert_eq!(holder.list(Some(status), None, 9), (vec![1], false));
        assert_eq!(holder.list(None, None, 9), (vec![1], false));
    }
    let reopen = Mutation::SetStatus { key: key(1), status: Status::Running, stop_ms: None, tail: vec![] };
    holder.commit([reopen]);
    assert_eq!(holder.execution(key(1)), Some(created));
    holder.commit([end(2, Status::Failed)]);
    assert_eq!(holder.execution(key(2)), None, "there is none to end");
}

pub fn an_execution_created_and_ended_in_one_unit_has_its_last_status(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([
        end(1, Status::Aborted),
        create(1, "a"),
        append(1, 1),
        end(1, Status::Failed),
        create(2, "b"),
        end(1, Status::Succeeded),
        create(3, "c"),
        end(3, Status::TimedOut),
    ]);
    let statuses = [(1, Status::Succeeded), (2, Status::Running), (3, Status::TimedOut)];
    for (sequence, status) in statuses {
        assert_eq!(holder.execution(key(sequence)).unwrap().status, status);
        assert_eq!(holder.list(Some(status), None, 9), (vec![sequence], false));
    }
    assert_eq!(holder.execution(key(1)).unwrap().tail, b"the end");
    assert_eq!(holder.segments(1, 1), [1]);
}

pub fn a_name_is_unique_within_a_machine(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([create(1, "a"), end(1, Status::Failed)]);
    match holder.try_commit([create(2, "a"), append(2, 1)]) {
        Err(CommitError::NameTaken(row)) => assert_eq!(Some(*row), holder.execution(key(1))),
        other => panic!("{other:?}"),
    }
    assert_eq!((holder.execution(key(2)), holder.segments(2, 1)), (None, vec![]));
    holder.commit([Mutation::CreateExecution(execution(key(2), "another", "a"))]);
    // Both the name and the key are in use: the name is what callers can act on.
    assert!(matches!(holder.try_commit([create(1, "a")]), Err(CommitError::NameTaken(_))));
    assert!(matches!(holder.try_commit([create(1, "b")]), Err(CommitError::Invalid(_))));
    assert!(matches!(
        holder.try_commit([create(3, "c"), create(4, "c")]),
        Err(CommitError::NameTaken(row)) if row.key == key(3)
    ));
    assert_eq!(holder.execution(key(3)), None);
}

pub fn a_refused_unit_leaves_nothing(store: &dyn Store) {
    let holder = Holder::new(store);
    let timer = Timer { due_ms: 1, key: key(1), timer: 1 };
    let task = Dispatch { key: key(1), task: 1 };
    let item = QueueItem { queue: "q".into(), key: key(1), task: 1 };
    let record = |data: Option<&[u8]>, expect| Mutation::Catalog {
        kind: CatalogKind::Activity,
        key: "record".into(),
        data: data.map(<[u8]>::to_vec),
        expect,
    };
    let everything = vec![
        create(1, "a"),
        append(1, 1),
        Mutation::SetTimer(timer),
        Mutation::Dispatched(task),
        Mutation::Enqueue(item.clone()),
        Mutation::SetPermit(Permit { key: key(1), task: 1, data: b"waits".to_vec() }),
        record(Some(b"one"), Expect::Anything),
    ];
    holder.commit(everything);
    let seen = |holder: &Holder<'_>| {
        (
            holder.execution(key(1)),
            holder.execution(key(2)),
            wait(store.segments(key(1), 1)).unwrap(),
            (wait(store.timers(SHARD)).unwrap(), wait(store.dispatches(SHARD)).unwrap()),
            (wait(store.queued(SHARD)).unwrap(), wait(store.permits(SHARD)).unwrap()),
            wait(store.record(CatalogKind::Activity, "record")).unwrap(),
            wait(store.execution_by_name("fresh machine", "b")).unwrap(),
        )
    };
    let before = seen(&holder);
    let refused = vec![
        Mutation::CreateExecution(execution(key(2), "fresh machine", "b")),
        end(1, Status::Failed),
        append(1, 5),
        Mutation::CancelTimer(timer),
        Mutation::SetTimer(Timer { timer: 2, ..timer }),
        Mutation::Answered(task),
        Mutation::Dispatched(Dispatch { task: 2, ..task }),
        Mutation::Dequeue(item.clone()),
        Mutation::Enqueue(QueueItem { task: 2, ..item }),
        Mutation::SetPermit(Permit { key: key(1), task: 1, data: b"has it".to_vec() }),
        Mutation::SetPermit(Permit { key: key(1), task: 2, data: vec![] }),
        Mutation::DropPermit { key: key(1), task: 1 },
        record(Some(b"two"), Expect::Revision(1)),
        record(None, Expect::Revision(2)),
        Mutation::DeleteExecution(key(1)),
        create(3, "c"),
        create(3, "d"),
    ];
    let good = || holder.unit([]);
    let pending = [
        store.commit(holder.unit([create(10, "before")])),
        store.commit(holder.unit(refused.clone())),
        store.commit(holder.unit([create(11, "after")])),
        store.commit(holder.unit(refused)),
        store.commit(good()),
    ];
    let results = pending.map(|pending| wait(pending).is_ok());
    assert_eq!(results, [true, false, true, false, true]);
    assert_eq!(seen(&holder), before);
    assert_eq!(holder.list(None, None, 9).0, [11, 10, 1]);
    holder.commit([Mutation::CreateExecution(execution(key(2), "fresh machine", "b"))]);
}

pub fn units_take_effect_in_the_order_of_their_calls(store: &dyn Store) {
    let holder = Holder::new(store);
    drop(store.commit(holder.unit([create(1, "a")])));
    let pending: Vec<_> = (0..500)
        .map(|number| {
            let tail = vec![(number % 251) as u8; 10];
            let status = Status::Running;
            let change = Mutation::SetStatus { key: key(1), status, stop_ms: Some(number), tail };
            store.commit(holder.unit([change, append(1, 1 + number as u32)]))
        })
        .collect();
    let taken = store.acquire(SHARD);
    let late = store.commit(holder.unit([create(2, "late")]));
    for result in pending.into_iter().rev().map(wait) {
        result.unwrap();
    }
    assert_eq!(wait(taken).unwrap(), (Epoch(2), 1));
    assert!(matches!(wait(late), Err(CommitError::Fenced)));
    assert_eq!(holder.execution(key(1)).unwrap().stop_ms, Some(499));
    assert_eq!(holder.segments(1, 1).len(), 500);
}

pub fn executions_are_listed_newest_first(store: &dyn Store) {
    let holder = Holder::new(store);
    let started = |sequence, start_ms, name: &str| {
        Mutation::CreateExecution(Execution { start_ms, ..execution(key(sequence), "machine", name) })
    };
    holder.commit([started(1, 50, "a"), started(2, 70, "b"), started(3, 50, "c"), started(4, -5, "d")]);
    holder.commit([end(3, Status::Failed), end(4, Status::Failed)]);
    holder.commit([Mutation::CreateExecution(execution(key(5), "another", "a"))]);
    assert_eq!(holder.list(None, None, 9), (vec![2, 3, 1, 4], false));
    assert_eq!(holder.list(Some(Status::Running), None, 9), (vec![2, 1], false));
    assert_eq!(holder.list(Some(Status::Failed), None, 9), (vec![3, 4], false));
    assert_eq!(holder.list(Some(Status::Aborted), None, 9), (vec![], false));
    let query = ExecutionQuery {
        of: Listing::Machine("machine".into()),
        status: Some(Status::Failed),
        oldest_first: false,
        after: None,
        limit: 1,
    };
    let page = wait(store.executions(query.clone())).unwrap();
    let row = holder.execution(key(3)).unwrap();
    assert_eq!(page.items, [Execution { head: vec![], tail: vec![], ..row }]);
    let nobody = ExecutionQuery { of: Listing::Machine("nobody".into()), ..query };
    assert!(wait(store.executions(nobody)).unwrap().items.is_empty());
}

pub fn executions_are_listed_oldest_first(store: &dyn Store) {
    let holder = Holder::new(store);
    let started = |sequence, start_ms, name: &str| {
        Mutation::CreateExecution(Execution { start_ms, ..execution(key(sequence), "machine", name) })
    };
    holder.commit([started(1, 50, "a"), started(2, 70, "b"), started(3, 50, "c"), started(4, -5, "d")]);
    let of = Listing::Machine("machine".into());
    let mut query = ExecutionQuery { of, status: None, oldest_first: true, after: None, limit: 3 };
    let page = wait(store.executions(query.clone())).unwrap();
    let keys = |page: &[Execution]| page.iter().map(|row| row.key.sequence()).collect::<Vec<_>>();
    assert_eq!((keys(&page.items), page.more), (vec![4, 1, 3], true));
    query.after = Some((50, key(1)));
    let page = wait(store.executions(query)).unwrap();
    assert_eq!((keys(&page.items), page.more), (vec![3, 2], false));
}

/// The numbers of the executions that are found, page by page.
fn found(store: &dyn Store, search: Search) -> Vec<u64> {
    let (mut search, mut numbers) = (search, Vec::new());
    loop {
        let page = wait(store.search(search.clone())).unwrap();
        assert!(page.items.len() <= search.limit);
        numbers.extend(page.items.iter().map(|execution| execution.key.sequence()));
        match page.next {
            Some(next) => search.after = Some(next),
            None => return numbers,
        }
    }
}

pub fn executions_are_searched(store: &dyn Store) {
    let holder = Holder::new(store);
    let terms = |sequence, field: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).into()).collect();
        Mutation::SetTerms { key: key(sequence), field: field.into(), values }
    };
    let names = ["order-1", "order-2", "0f8fad5b-d9cb-469f-a165-70867728950e", "0f8f", "other", "order-1"];
    for (sequence, name) in (1..).zip(names) {
        let machine = if sequence % 2 == 0 { "even" } else { "odd" };
        let start_ms = [10, 20, 30, 30, 50, 60][sequence as usize - 1];
        let row = Execution { start_ms, ..execution(key(sequence), machine, name) };
        holder.commit([Mutation::CreateExecution(row)]);
    }
    holder.commit([end(1, Status::Failed), terms(1, "error", &["E"]), terms(1, "customer", &["a", "b"])]);
    holder.commit([end(2, Status::Failed), terms(2, "error", &["E"]), terms(9, "error", &["E"])]);
    holder.commit([end(4, Status::Succeeded), terms(4, "customer", &["b"])]);
    let term = |field: &str, value: &str| (field.into(), value.into());
    let machines = |names: &[&str]| Some(names.iter().map(|name| (*name).into()).collect());
    for limit in [1, 2, 100] {
        let all = Search { limit, ..Search::default() };
        let prefix = |prefix: &str| Search { name_prefix: Some(prefix.into()), ..all.clone() };
        for (search, expected) in [
            (all.clone(), vec![6, 5, 4, 3, 2, 1]),
            (Search { machines: machines(&["odd"]), ..all.clone() }, vec![5, 3, 1]),
            (Search { machines: machines(&["odd", "even", "none"]), ..all.clone() }, vec![6, 5, 4, 3, 2, 1]),
            (Search { machines: machines(&["none"]), ..all.clone() }, vec![]),
            (Search { machines: machines(&[]), ..all.clone() }, vec![]),
            (Search { status: Some(Status::Failed), ..all.clone() }, vec![2, 1]),
            (Search { status: Some(Status::Failed), machines: machines(&["even"]), ..all.clone() }, vec![2]),
            (Search { from_ms: Some(20), until_ms: Some(50), ..all.clone() }, vec![4, 3, 2]),
            (Search { from_ms: Some(50), until_ms: Some(20), ..all.clone() }, vec![]),
            (prefix("order-"), vec![6, 2, 1]),
            (prefix("order-1"), vec![6, 1]),
            (prefix("0f8f"), vec![4, 3]),
            (prefix("0f8fad5b-"), vec![3]),
            (prefix("0f8fad5b-d9cb-469f-a165-70867728950e"), vec![3]),
            (prefix("x"), vec![]),
            (prefix(""), vec![6, 5, 4, 3, 2, 1]),
            (Search { machines: machines(&["even"]), ..prefix("order-") }, vec![6, 2]),
            (Search { terms: vec![term("error", "E")], ..all.clone() }, vec![2, 1]),
            (Search { terms: vec![term("customer", "b")], ..all.clone() }, vec![4, 1]),
            (Search { terms: vec![term("customer", "b"), term("error", "E")], ..all.clone() }, vec![1]),
            (Search { terms: vec![term("customer", "b"), term("error", "F")], ..all.clone() }, vec![]),
            (Search { terms: vec![term("customer", "b")], ..prefix("order") }, vec![1]),
            (Search { terms: vec![term("error", "E")], from_ms: Some(15), ..all.clone() }, vec![2]),
        ] {
            assert_eq!(found(store, search.clone()), expected, "{search:?}");
        }
    }
    // Values are replaced, and go with their execution.
    let has = |field, value| {
        found(store, Search { terms: vec![term(field, value)], limit: 9, ..Search::default() })
    };
    holder.commit([terms(1, "error", &[]), terms(2, "error", &["F"]), Mutation::DeleteExecution(key(4))]);
    assert_eq!((has("error", "E"), has("error", "F"), has("customer", "b")), (vec![], vec![2], vec![1]));
    holder.commit([terms(2, "error", &["E"])]);
    assert_eq!((has("error", "E"), has("error", "F")), (vec![2], vec![]));
}

pub fn executions_are_counted_by_status(store: &dyn Store) {
    let holder = Holder::new(store);
    let counts = |machines: Option<&[&str]>| {
        let machines = machines.map(|names| names.iter().map(|name| (*name).into()).collect());
        wait(store.counts(machines)).unwrap().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(counts(None), []);
    for sequence in 1..=6 {
        let machine = if sequence % 2 == 0 { "even" } else { "odd" };
        let row = execution(key(sequence), machine, &format!("{sequence}"));
        holder.commit([Mutation::CreateExecution(row)]);
    }
    assert_eq!(counts(None), [(Status::Running, 6)]);
    holder.commit([
        end(1, Status::Failed),
        end(2, Status::Failed),
        end(2, Status::Succeeded),
        end(9, Status::Failed),
    ]);
    assert_eq!(counts(None), [(Status::Running, 4), (Status::Succeeded, 1), (Status::Failed, 1)]);
    assert_eq!(counts(Some(&["odd"])), [(Status::Running, 2), (Status::Failed, 1)]);
    assert_eq!(counts(Some(&["odd", "even"])), counts(None));
    assert_eq!(counts(Some(&[])), []);
    holder.commit([
        Mutation::DeleteExecution(key(1)),
        Mutation::DeleteExecution(key(4)),
        Mutation::DeleteExecution(key(9)),
    ]);
    assert_eq!(counts(None), [(Status::Running, 3), (Status::Succeeded, 1)]);
}

pub fn machines_with_executions_are_listed(store: &dyn Store) {
    let holder = Holder::new(store);
    for (sequence, machine) in (1..).zip(["a", "ab", "abc", "b", "ab"]) {
        let name = format!("e{sequence}");
        holder.commit([Mutation::CreateExecution(execution(key(sequence), machine, &name))]);
    }
    // What executions are listed under besides is no machine.
    let listed = Listed { version: Some("abv".into()), ..Listed::default() };
    let row = Execution { listed, ..execution(key(9), "b", "v") };
    holder.commit([Mutation::CreateExecution(row), Mutation::DeleteExecution(key(3))]);
    let machines = |prefix, after, limit| {
        let machines = wait(store.machines(prefix, after, limit)).unwrap();
        machines.iter().map(|machine| machine.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(machines("", None, 9), ["a", "ab", "b"]);
    assert_eq!(machines("a", None, 1), ["a"]);
    assert_eq!(machines("a", Some("a"), 9), ["ab"]);
    assert_eq!(machines("ab", Some(""), 9), ["ab"]);
    assert_eq!(machines("", Some("ab"), 9), ["b"]);
    assert_eq!(machines("c", None, 9), Vec::<String>::new());
}

pub fn executions_are_listed_in_pages(store: &dyn Store) {
    let holder = Holder::new(store);
    for sequence in 1..=20 {
        let mut created = execution(key(sequence), "machine", &format!("name {sequence}"));
        created.start_ms = 100 + sequence as i64 / 5;
        created.status = Status::ALL[sequence as usize % 6];
        holder.commit([Mutation::CreateExecution(created)]);
    }
    let newest_first: Vec<u64> = (1..=20).rev().collect();
    for limit in [1, 3, 7, 19, 20, 21] {
        let (mut seen, mut after) = (Vec::<u64>::new(), None);
        loop {
            let (page, more) = holder.list(None, after, limit);
            seen.extend(&page);
            assert!(page.len() == limit || !more);
            if !more {
                break;
            }
            let last = holder.execution(key(*page.last().unwrap())).unwrap();
            after = Some((last.start_ms, last.key));
        }
        assert_eq!(seen, newest_first, "by {limit}");
    }
    assert_eq!(holder.list(None, None, 0), (vec![], true));
    assert_eq!(holder.list(None, None, usize::MAX), (newest_first, false));
    let failed = Some(Status::Failed);
    assert_eq!(holder.list(failed, None, 2), (vec![20, 14], true));
    assert_eq!(holder.list(failed, Some((102, key(14))), 2), (vec![8, 2], false));
    assert_eq!(holder.list(failed, Some((102, key(13))), 1), (vec![8], true));
    assert_eq!(holder.list(failed, Some((0, key(1))), 1), (vec![], false));
}

pub fn executions_are_listed_under_version_alias_and_map_run(store: &dyn Store) {
    let holder = Holder::new(store);
    let names = |name: &str| Some(std::sync::Arc::from(name));
    let listed = |sequence, listed| {
        let name = format!("name {sequence}");
        Mutation::CreateExecution(Execution { listed, ..execution(key(sequence), "machine", &name) })
    };
    let by_alias =
        |version, alias| Listed { version: names(version), alias: names(alias), ..Listed::default() };
    let child = |items| Listed { map_run: names("run"), item_count: Some(items), ..Listed::default() };
    holder.commit([
        create(1, "name 1"),
        listed(2, Listed { version: names("m:1"), ..Listed::default() }),
        listed(3, by_alias("m:1", "m:live")),
        listed(4, by_alias("m:2", "m:live")),
        listed(5, child(7)),
        listed(6, child(8)),
        listed(7, child(9)),
        // The name of one is not that of another kind.
        listed(8, Listed { version: names("run"), alias: names("machine"), ..Listed::default() }),
    ]);
    holder.commit([end(3, Status::Failed), end(6, Status::Failed), end(7, Status::Failed)]);
    let reopen = Mutation::SetStatus { key: key(6), status: Status::Running, stop_ms: None, tail: vec![] };
    let redriven = |at_ms| Mutation::CountRedrive { key: key(6), at_ms };
    holder.commit([redriven(70), reopen, redriven(80), Mutation::CountRedrive { key: key(99), at_ms: 1 }]);
    let list = |of: Listing, status, limit| {
        let query = ExecutionQuery { of, status, oldest_first: false, after: None, limit };
        wait(store.executions(query)).unwrap().items
    };
    let sequences = |of: Listing, status| {
        list(of, status, 9).iter().map(|execution| execution.key.sequence()).collect::<Vec<_>>()
    };
    let map_run = |redriven| Listing::MapRun { arn: "run".into(), redriven };
    assert_eq!(sequences(Listing::Version("m:1".into()), None), [3, 2]);
    assert_eq!(sequences(Listing::Version("m:1".into()), Some(Status::Failed)), [3]);
    assert_eq!(sequences(Listing::Version("run".into()), None), [8]);
    assert_eq!(sequences(Listing::Alias("m:live".into()), None), [4, 3]);
    assert_eq!(sequences(Listing::Alias("m:live".into()), Some(Status::Running)), [4]);
    assert_eq!(sequences(Listing::Machine("machine".into()), None), [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(sequences(map_run(None), None), [7, 6, 5]);
    assert_eq!(sequences(map_run(None), Some(Status::Running)), [6, 5]);
    assert_eq!(sequences(map_run(Some(true)), None), [6]);
    assert_eq!(sequences(map_run(Some(false)), None), [7, 5]);
    assert_eq!(sequences(map_run(Some(false)), Some(Status::Failed)), [7]);
    let after = Listed { redrives: 2, redriven_ms: Some(80), ..child(8) };
    assert_eq!(list(map_run(Some(true)), None, 1)[0].listed, after);
    assert_eq!(holder.execution(key(6)).unwrap().listed, after);
    assert_eq!(holder.execution(key(3)).unwrap().listed, by_alias("m:1", "m:live"));
    for sequence in [2, 3, 6] {
        holder.commit([Mutation::DeleteExecution(key(sequence))]);
    }
    assert_eq!(sequences(Listing::Version("m:1".into()), None), Vec::<u64>::new());
    assert_eq!(sequences(Listing::Alias("m:live".into()), None), [4]);
    assert_eq!(sequences(map_run(None), None), [7, 5]);
    holder.commit([listed(9, by_alias("m:1", "m:live"))]);
    assert_eq!(sequences(Listing::Version("m:1".into()), None), [9]);
}

pub fn some_segments_are_read_in_both_directions(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([create(1, "a"), create(2, "b"), append(2, 1)]);
    for number in [1, 2, 3, 5, Segment::NUMBER_MAX] {
        holder.commit([append(1, number)]);
    }
    let numbers = |from, newest_first, limit| {
        let segments = wait(store.some_segments(key(1), from, newest_first, limit)).unwrap();
        segments.iter().map(|segment| segment.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, false, 3), [1, 2, 3]);
    assert_eq!(numbers(4, false, 9), [5, Segment::NUMBER_MAX]);
    assert_eq!(numbers(u32::MAX, false, 9), Vec::<u32>::new());
    assert_eq!(numbers(u32::MAX, true, 2), [Segment::NUMBER_MAX, 5]);
    assert_eq!(numbers(4, true, usize::MAX), [3, 2, 1]);
    assert_eq!(numbers(0, true, 9), Vec::<u32>::new());
    assert_eq!(numbers(1, false, 0), Vec::<u32>::new());
}

pub fn segments_are_read_from_a_number_on(store: &dyn Store) {
    // Row ids of the upper half of the shards have the sign bit set.
    for shard in [SHARD, ShardId(0), ShardId(128), ShardId(255)] {
        let holder = Holder::of(store, shard);
        for sequence in [1, 2, ExecutionKey::SEQUENCE_MAX] {
            for number in [1, 4, 9, Segment::NUMBER_MAX] {
                let data = vec![sequence as u8; number as usize];
                let segment = Segment { number, data };
                holder.commit([Mutation::Append { key: key_of(shard, sequence), segment }]);
            }
            let last = Segment::NUMBER_MAX;
            for (from, expected) in [
                (0, vec![1, 4, 9, last]),
                (1, vec![1, 4, 9, last]),
                (3, vec![4, 9, last]),
                (4, vec![4, 9, last]),
                (8, vec![9, last]),
                (9, vec![9, last]),
                (last, vec![last]),
                (last + 1, vec![]),
                (u32::MAX, vec![]),
            ] {
                assert_eq!(holder.segments(sequence, from), expected, "from {from}");
            }
        }
        assert_eq!(holder.segments(3, 1), Vec::<u32>::new());
        let segments = wait(store.segments(key_of(shard, 2), 4)).unwrap();
        assert!(segments[..2].iter().all(|segment| segment.data == vec![2; segment.number as usize]));
    }
}

pub fn the_same_segment_is_not_appended_twice(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([append(1, 1), append(1, 2)]);
    assert!(matches!(holder.try_commit([append(1, 2)]), Err(CommitError::Invalid(_))));
    assert!(matches!(holder.try_commit([append(2, 1), append(1, 1)]), Err(CommitError::Invalid(_))));
    assert_eq!((holder.segments(1, 1), holder.segments(2, 1)), (vec![1, 2], vec![]));
}

pub fn events_beyond_the_limit_are_invalid(store: &dyn Store) {
    let holder = Holder::new(store);
    for number in [0, Segment::NUMBER_MAX + 1, u32::MAX] {
        let refused = holder.try_commit([create(1, "a"), append(1, number)]);
        assert!(matches!(refused, Err(CommitError::Invalid(_))), "{number}: {refused:?}");
    }
    assert_eq!(holder.execution(key(1)), None);
}

pub fn keys_of_other_shards_are_invalid(store: &dyn Store) {
    let holder = Holder::new(store);
    let key = key_of(ShardId(4), 1);
    let queue = "q".into();
    for mutation in [
        Mutation::CreateExecution(execution(key, "machine", "a")),
        Mutation::SetStatus { key, status: Status::Failed, stop_ms: None, tail: vec![] },
        Mutation::Append { key, segment: Segment { number: 1, data: vec![] } },
        Mutation::SetTimer(Timer { due_ms: 1, key, timer: 1 }),
        Mutation::CancelTimer(Timer { due_ms: 1, key, timer: 1 }),
        Mutation::Dispatched(Dispatch { key, task: 1 }),
        Mutation::Answered(Dispatch { key, task: 1 }),
        Mutation::Enqueue(QueueItem { queue, key, task: 1 }),
        Mutation::DeleteExecution(key),
    ] {
        let refused = holder.try_commit([mutation]);
        assert!(matches!(refused, Err(CommitError::Invalid(_))), "{refused:?}");
    }
}

pub fn timers_are_a_set(store: &dyn Store) {
    let holder = Holder::new(store);
    let timer = |due_ms, sequence, timer| Timer { due_ms, key: key(sequence), timer };
    for set in [timer(30, 1, 1), timer(-10, 2, 1), timer(20, 1, 2), timer(20, 1, 1), timer(30, 1, 1)] {
        holder.commit([Mutation::SetTimer(set)]);
    }
    let timers = || wait(store.timers(SHARD)).unwrap();
    assert_eq!(timers(), [timer(-10, 2, 1), timer(20, 1, 1), timer(20, 1, 2), timer(30, 1, 1)]);
    for cancelled in [timer(20, 1, 1), timer(20, 1, 1), timer(99, 2, 1)] {
        holder.commit([Mutation::CancelTimer(cancelled)]);
    }
    assert_eq!(timers(), [timer(-10, 2, 1), timer(20, 1, 2), timer(30, 1, 1)]);
}

pub fn dispatches_are_a_set(store: &dyn Store) {
    let holder = Holder::new(store);
    let task = |sequence, task| Dispatch { key: key(sequence), task };
    for dispatched in [task(2, 1), task(1, 9), task(1, 3), task(2, 1)] {
        holder.commit([Mutation::Dispatched(dispatched)]);
    }
    assert_eq!(wait(store.dispatches(SHARD)).unwrap(), [task(1, 3), task(1, 9), task(2, 1)]);
    for answered in [task(1, 9), task(1, 9), task(3, 1)] {
        holder.commit([Mutation::Answered(answered)]);
    }
    assert_eq!(wait(store.dispatches(SHARD)).unwrap(), [task(1, 3), task(2, 1)]);
    assert_eq!(wait(store.dispatches_of(&[key(1), key(3)])).unwrap(), [task(1, 3)]);
    assert_eq!(wait(store.dispatches_of(&[])).unwrap(), []);
}

pub fn queued_items_keep_their_order(store: &dyn Store) {
    let holder = Holder::new(store);
    let item = |queue: &str, sequence, task| QueueItem { queue: queue.into(), key: key(sequence), task };
    let queued = || wait(store.queued(SHARD)).unwrap();
    for queued in [item("b", 9, 1), item("a", 5, 1), item("b", 1, 7), item("a", 5, 1), item("b", 1, 2)] {
        holder.commit([Mutation::Enqueue(queued)]);
    }
    assert_eq!(queued(), [item("b", 9, 1), item("a", 5, 1), item("b", 1, 7), item("b", 1, 2)]);
    holder.commit([Mutation::Dequeue(item("b", 9, 1)), Mutation::Dequeue(item("a", 1, 2))]);
    holder.commit([Mutation::Dequeue(item("a", 5, 1)), Mutation::Enqueue(item("a", 5, 1))]);
    assert_eq!(queued(), [item("b", 1, 7), item("b", 1, 2), item("a", 5, 1)]);
}

pub fn permits_are_replaced_and_dropped(store: &dyn Store) {
    let holder = Holder::new(store);
    let permit = |sequence, task, data: &str| Permit { key: key(sequence), task, data: data.into() };
    let permits = || wait(store.permits(SHARD)).unwrap();
    for set in [permit(2, 1, "a"), permit(1, 9, ""), permit(1, 0, "b"), permit(2, 1, "c")] {
        holder.commit([Mutation::SetPermit(set)]);
    }
    assert_eq!(permits(), [permit(1, 0, "b"), permit(1, 9, ""), permit(2, 1, "c")]);
    holder.commit([(1, 9), (1, 9), (3, 1)].map(|(of, task)| Mutation::DropPermit { key: key(of), task }));
    assert_eq!(permits(), [permit(1, 0, "b"), permit(2, 1, "c")]);
}

pub fn a_deleted_execution_leaves_nothing(store: &dyn Store) {
    let holder = Holder::new(store);
    for sequence in 1..=3 {
        let key = key(sequence);
        holder.commit([
            create(sequence, &format!("name {sequence}")),
            append(sequence, 1),
            append(sequence, Segment::NUMBER_MAX),
            Mutation::SetTimer(Timer { due_ms: 1, key, timer: 0 }),
            Mutation::SetTimer(Timer { due_ms: 1, key, timer: u32::MAX }),
            Mutation::Dispatched(Dispatch { key, task: u32::MAX }),
            Mutation::Enqueue(QueueItem { queue: "q".into(), key, task: 0 }),
            Mutation::Enqueue(QueueItem { queue: "r".into(), key, task: u32::MAX }),
            Mutation::SetPermit(Permit { key, task: 0, data: vec![1] }),
            Mutation::SetPermit(Permit { key, task: u32::MAX, data: vec![2] }),
        ]);
    }
    holder.commit([Mutation::DeleteExecution(key(2)), Mutation::DeleteExecution(key(9))]);
    assert_eq!(holder.execution(key(2)), None);
    assert_eq!(wait(store.execution_by_name("machine", "name 2")).unwrap(), None);
    assert_eq!(holder.list(None, None, 9), (vec![3, 1], false));
    assert_eq!(holder.segments(2, 0), Vec::<u32>::new());
    assert_eq!(holder.segments(1, 0).len() + holder.segments(3, 0).len(), 4);
    let of_others = |keys: Vec<ExecutionKey>| keys.iter().all(|key| key.sequence() != 2);
    let timers = wait(store.timers(SHARD)).unwrap();
    assert!(timers.len() == 4 && of_others(timers.iter().map(|timer| timer.key).collect()));
    let dispatches = wait(store.dispatches(SHARD)).unwrap();
    assert!(dispatches.len() == 2 && of_others(dispatches.iter().map(|task| task.key).collect()));
    let queued = wait(store.queued(SHARD)).unwrap();
    assert!(queued.len() == 4 && of_others(queued.iter().map(|item| item.key).collect()));
    let permits = wait(store.permits(SHARD)).unwrap();
    assert!(permits.len() == 4 && of_others(permits.iter().map(|permit| permit.key).collect()));
    // The name is free again; and the machine comes and goes with its executions.
    for sequence in [1, 3] {
        holder.commit([Mutation::DeleteExecution(key(sequence))]);
    }
    assert_eq!(holder.list(None, None, 9), (vec![], false));
    holder.commit([Mutation::CreateExecution(execution(key(10), "another", "name 2"))]);
    holder.commit([create(11, "name 2"), create(12, "name 1")]);
    assert_eq!(holder.list(None, None, 9), (vec![12, 11], false));
}

pub fn sequence_numbers_are_not_handed_out_again(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([create(5, "a"), create(8, "b"), create(6, "c")]);
    holder.commit([Mutation::DeleteExecution(key(8)), Mutation::DeleteExecution(key(5))]);
    assert_eq!(wait(store.acquire(SHARD)).unwrap(), (Epoch(2), 8));
}

pub fn records_are_counted_and_guarded(store: &dyn Store) {
    let holder = Holder::new(store);
    let kind = CatalogKind::StateMachine;
    let write = |data: Option<&str>, expect| {
        let data = data.map(|data| data.as_bytes().to_vec());
        holder.try_commit([Mutation::Catalog { kind, key: "arn".into(), data, expect }])
    };
    let current = || {
        let record = wait(store.record(kind, "arn")).unwrap();
        record.map(|record| (String::from_utf8(record.data).unwrap(), record.revision))
    };
    // What is written (nothing: deleted) and expected; whether that is accepted; what is there afterwards.
    type Step<'s> = (Option<&'s str>, Expect, bool, Option<(&'s str, u64)>);
    let steps: [Step<'_>; 13] = [
        (None, Expect::Anything, true, None),
        (None, Expect::Absent, true, None),
        (Some("x"), Expect::Revision(1), false, None),
        (Some("one"), Expect::Absent, true, Some(("one", 1))),
        (Some("x"), Expect::Absent, false, Some(("one", 1))),
        (Some("two"), Expect::Revision(1), true, Some(("two", 2))),
        (Some("x"), Expect::Revision(1), false, Some(("two", 2))),
        (Some("x"), Expect::Revision(3), false, Some(("two", 2))),
        (Some(""), Expect::Anything, true, Some(("", 3))),
        (None, Expect::Revision(2), false, Some(("", 3))),
        (None, Expect::Absent, false, Some(("", 3))),
        (None, Expect::Revision(3), true, None),
        (Some("again"), Expect::Anything, true, Some(("again", 1))),
    ];
    for (number, (data, expect, accepted, after)) in steps.into_iter().enumerate() {
        let result = write(data, expect);
        assert_eq!(result.is_ok(), accepted, "step {number}: {result:?}");
        if let Err(error) = result {
            let CommitError::Conflict { kind: of, key, current } = error else { panic!("{error:?}") };
            assert_eq!((of, &*key), (kind, "arn"));
            let expected = wait(store.record(kind, "arn")).unwrap();
            assert_eq!(current, expected);
        }
        let after = after.map(|(data, revision)| (data.to_owned(), revision));
        assert_eq!(current(), after, "step {number}");
    }
    assert_eq!(wait(store.record(CatalogKind::Tags, "arn")).unwrap(), None);
}

pub fn records_are_listed_by_prefix(store: &dyn Store) {
    let holder = Holder::new(store);
    let keys = ["a", "ab:1", "ab:2", "ab:é", "ac", "b", "", "ab:\u{10ffff}x"];
    for (number, key) in keys.into_iter().enumerate() {
        for kind in [CatalogKind::Activity, CatalogKind::Alias] {
            let data = Some(vec![number as u8]);
            holder.commit([Mutation::Catalog { kind, key: key.into(), data, expect: Expect::Absent }]);
        }
    }
    let list = |prefix, after, limit| {
        let records = wait(store.records(CatalogKind::Activity, prefix, after, limit)).unwrap();
        records.iter().map(|record| record.key.to_string()).collect::<Vec<_>>()
    };
    let last = "ab:\u{10ffff}x";
    assert_eq!(list("", None, 99), ["", "a", "ab:1", "ab:2", "ab:é", last, "ac", "b"]);
    assert_eq!(list("ab:", None, 99), ["ab:1", "ab:2", "ab:é", last]);
    assert_eq!(list("ab:", Some("ab:1"), 2), ["ab:2", "ab:é"]);
    assert_eq!(list("ab:", Some("ab:15"), 1), ["ab:2"]);
    assert_eq!(list("ab:", Some("a"), 1), ["ab:1"]);
    assert_eq!(list("ab:", Some(last), 1), Vec::<String>::new());
    assert_eq!(list("ab:", Some("b"), 1), Vec::<String>::new());
    assert_eq!(list("zz", None, 9), Vec::<String>::new());
    assert_eq!(list("", Some(""), 1), ["a"]);
    assert_eq!(list("", None, 0), Vec::<String>::new());
    assert_eq!(list("b", None, usize::MAX), ["b"]);
}

pub fn shards_do_not_see_each_other(store: &dyn Store) {
    for shard in [ShardId(0), ShardId(1), ShardId(127), ShardId(128), ShardId(255)] {
        let holder = Holder::of(store, shard);
        let (first, last) = (key_of(shard, 0), key_of(shard, ExecutionKey::SEQUENCE_MAX));
        for key in [first, last] {
            holder.commit([
                Mutation::CreateExecution(execution(key, "machine", &format!("{key:?}"))),
                Mutation::SetTimer(Timer { due_ms: 1, key, timer: 1 }),
                Mutation::Dispatched(Dispatch { key, task: 1 }),
                Mutation::Enqueue(QueueItem { queue: "q".into(), key, task: 1 }),
            ]);
        }
        let keys = [first, last];
        let timers = wait(store.timers(shard)).unwrap();
        assert_eq!(timers.iter().map(|timer| timer.key).collect::<Vec<_>>(), keys);
        let dispatches = wait(store.dispatches(shard)).unwrap();
        assert_eq!(dispatches.iter().map(|task| task.key).collect::<Vec<_>>(), keys);
        let queued = wait(store.queued(shard)).unwrap();
        assert_eq!(queued.iter().map(|item| item.key).collect::<Vec<_>>(), keys);
        assert_eq!(wait(store.acquire(shard)).unwrap().1, ExecutionKey::SEQUENCE_MAX);
    }
}

pub fn an_empty_unit_is_committed(store: &dyn Store) {
    let holder = Holder::new(store);
    holder.commit([]);
}
