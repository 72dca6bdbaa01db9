//! Whose turn it is: first come, first served, and executions take turns.
//!
//! Everybody who comes gets a round: the one that is being served, or if others of the same execution wait already, the round
//! after theirs. Who is in an earlier round is served earlier; within a round, who came earlier. So an execution with a
//! thousand tasks gets one turn in each round, and a second execution does not wait for all of them.

use std::collections::BTreeMap;

use stepwright_store::ExecutionKey;

use crate::dispatch::TaskKey;

#[derive(Default, Debug)]
pub(super) struct Queue {
    /// By round and arrival.
    waiting: BTreeMap<(u64, u64), TaskKey>,
    /// The round that is being served.
    round: u64,
    /// Of each execution that waits: how many times, and the last round it has.
    executions: BTreeMap<ExecutionKey, (u64, u64)>,
}

impl Queue {
    /// Puts a task at its place. `arrival` is unique and rises. Gives the place, by which it is found again.
    pub fn push(&mut self, task: TaskKey, arrival: u64) -> (u64, u64) {
        let (count, last) = self.executions.entry(task.0).or_insert((0, 0));
        let round = if *count == 0 { self.round } else { self.round.max(*last + 1) };
        (*count, *last) = (*count + 1, round);
        self.waiting.insert((round, arrival), task);
        (round, arrival)
    }

    /// Puts a task that has had its turn elsewhere before those that came after it.
    pub fn push_early(&mut self, task: TaskKey, arrival: u64) -> (u64, u64) {
        let (count, last) = self.executions.entry(task.0).or_insert((0, self.round));
        (*count, *last) = (*count + 1, (*last).max(self.round));
        self.waiting.insert((self.round, arrival), task);
        (self.round, arrival)
    }

    pub fn pop(&mut self) -> Option<TaskKey> {
        let ((round, _), task) = self.waiting.pop_first()?;
        self.round = round;
        self.forget(task);
        Some(task)
    }

    pub fn remove(&mut self, place: (u64, u64)) {
        if let Some(task) = self.waiting.remove(&place) {
            self.forget(task);
        }
    }

    fn forget(&mut self, task: TaskKey) {
        if let Some((count, _)) = self.executions.get_mut(&task.0) {
            *count -= 1;
            if *count == 0 {
                self.executions.remove(&task.0);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// In the order in which they will be served as far as is known.
    pub fn iter(&self) -> impl Iterator<Item = TaskKey> {
        self.waiting.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use stepwright_store::ShardId;

    use super::*;

    fn task(execution: u64, task: u32) -> TaskKey {
        (ExecutionKey::new(ShardId(0), execution).expect("a key"), task)
    }

    /// Comings (`e.t`), turns (`>`) and leavings (`-e.t`); the turns that were given.
    fn run(script: &str) -> String {
        let mut queue = Queue::default();
        let mut places = BTreeMap::new();
        let mut turns = Vec::new();
        let name = |text: &str| {
            let (execution, number) = text.split_once('.').expect("e.t");
            task(execution.parse().expect("a number"), number.parse().expect("a number"))
        };
        for (arrival, word) in (0..).zip(script.split_whitespace()) {
            match (word, word.strip_prefix('-')) {
                (">", _) => turns.push(
                    queue.pop().map_or("none".to_owned(), |(key, task)| format!("{}.{task}", key.sequence())),
                ),
                (_, Some(gone)) => queue.remove(places.remove(&name(gone)).expect("there")),
                (word, None) => {
                    places.insert(name(word), queue.push(name(word), arrival));
                }
            }
        }
        turns.join(" ")
    }

    #[test]
    fn turns() {
        for (script, expected) in [
            ("1.1 2.1 3.1 > > > >", "1.1 2.1 3.1 none"),
            // Many of one execution do not keep others waiting.
            ("1.1 1.2 1.3 1.4 2.1 2.2 3.1 > > > > > > >", "1.1 2.1 3.1 1.2 2.2 1.3 1.4"),
            ("1.1 1.2 1.3 > > 2.1 > >", "1.1 1.2 2.1 1.3"),
            ("1.1 1.2 1.3 > 2.1 3.1 > > > >", "1.1 2.1 3.1 1.2 1.3"),
            // Who comes again stands behind its own, and behind those who have not had a turn in this round.
            ("1.1 2.1 > 1.2 > >", "1.1 2.1 1.2"),
            ("1.1 1.2 2.1 -1.1 > > >", "2.1 1.2 none"),
            ("1.1 2.1 -1.1 1.2 > >", "2.1 1.2"),
            // After a long time alone, nobody owes anything.
            ("1.1 1.2 1.3 > > > 2.1 1.4 > >", "1.1 1.2 1.3 2.1 1.4"),
        ] {
            assert_eq!(run(script), expected, "{script}");
        }
    }

    #[test]
    fn who_comes_back_stands_before_those_who_came_later() {
        let mut queue = Queue::default();
        for (execution, arrival) in [(1, 10), (2, 11), (3, 12)] {
            queue.push(task(execution, 1), arrival);
        }
        queue.push_early(task(4, 1), 3);
        queue.push_early(task(5, 1), 11_000);
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|(key, _)| key.sequence()).collect();
        assert_eq!(order, [4, 1, 2, 3, 5]);
        assert!(queue.is_empty() && queue.executions.is_empty());
    }

    #[test]
    fn a_thousand_of_one_and_one_of_another() {
        let mut queue = Queue::default();
        for number in 0..1_000 {
            queue.push(task(1, number), u64::from(number));
        }
        queue.push(task(2, 0), 1_000);
        let place = std::iter::from_fn(|| queue.pop()).position(|(key, _)| key.sequence() == 2);
        assert_eq!(place, Some(1));
    }
}
