//! Who holds and who waits, and who is next.
//!
//! Each value of a limit's key is a lane with its own holders, queue and window. Somebody whom several limits concern needs
//! them all, and takes them all at once or none: nobody keeps one while waiting for another. It waits in one lane, that which
//! has no room; when it has its turn there and another has none, it goes on waiting in that one, ahead of those who came
//! later, and those behind it are not kept waiting.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::definition::{Limit, Rate};
use super::place::{Lane, Place};
use super::queue::Queue;
use super::rate::{Next, Window};
use crate::dispatch::TaskKey;
use stepwright_store::ExecutionKey;

/// Turns that have been given and are being made durable, at most.
const GRANTS_MAX: usize = 256;

#[derive(Default)]
pub(super) struct Limiter {
    limits: BTreeMap<Arc<str>, Arc<Limit>>,
    /// Limits that were there before this process: when it began, and so their windows are taken for full then.
    full_ms: BTreeMap<Arc<str>, i64>,
    lanes: BTreeMap<Lane, Road>,
    guests: BTreeMap<TaskKey, Guest>,
    /// Lanes in which somebody may have a turn.
    turns: VecDeque<Lane>,
    /// When to look at a lane again because of its window.
    wakes: BTreeSet<(i64, Lane)>,
    granting: usize,
}

/// A lane's state.
#[derive(Default)]
struct Road {
    holders: BTreeSet<TaskKey>,
    queue: Queue,
    window: Window,
    /// It stands in [`Limiter::turns`].
    is_listed: bool,
}

struct Guest {
    place: Place,
    at: At,
}

enum At {
    /// In the queue of this lane, at this place.
    Waits(Lane, (u64, u64)),
    Has {
        start: Start,
        is_called: bool,
        has_ended: bool,
    },
}

/// What a rate knows of somebody who has had its turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It has not been seen, and each window keeps a start for it.
    Due,
    /// It was seen, or was to be, by a process before this one.
    Before,
    Seen,
}

/// Whether somebody may go.
enum Room {
    Free,
    Full,
    /// When the window has a start to give: milliseconds since 1970.
    Later(i64),
}

impl Limiter {
    pub fn is_idle(&self) -> bool {
        self.limits.is_empty() && self.guests.is_empty()
    }

    /// Replaces the limits. Who is there stays; what has no limit any more is free.
    pub fn set_limits(&mut self, limits: &[Arc<Limit>]) {
        self.limits = limits.iter().map(|limit| (limit.name.clone(), limit.clone())).collect();
        for lane in self.lanes.keys().cloned().collect::<Vec<_>>() {
            self.list(&lane);
        }
    }

    /// What started just before this process is not known: the windows of these limits are taken for full.
    pub fn filled(&mut self, limits: &[Arc<Limit>], now_ms: i64) {
        self.full_ms.extend(limits.iter().map(|limit| (limit.name.clone(), now_ms)));
    }

    /// Somebody who was there before this process.
    pub fn restore(&mut self, task: TaskKey, place: Place) {
        match place.granted_ms {
            None => self.enter(task, place),
            Some(_) => {
                for lane in &place.lanes {
                    self.road(lane).holders.insert(task);
                }
                let at = At::Has { start: Start::Before, is_called: false, has_ended: false };
                self.guests.insert(task, Guest { place, at });
            }
        }
    }

    /// A task that was offered to workers before this process, and that none has taken.
    pub fn restore_offered(&mut self, task: TaskKey) {
        let Some(guest) = self.guests.get_mut(&task) else { return };
        let At::Has { start: start @ Start::Before, .. } = &mut guest.at else { return };
        *start = Start::Due;
        for lane in guest.place.lanes.clone() {
            self.road(&lane).window.lend();
        }
    }

    /// Somebody comes.
    pub fn enter(&mut self, task: TaskKey, place: Place) {
        let Some(lane) = place.lanes.first().cloned() else { return };
        let spot = self.road(&lane).queue.push(task, place.arrival);
        self.list(&lane);
        self.guests.insert(task, Guest { place, at: At::Waits(lane, spot) });
    }

    /// Those who have their turn now. Each is to be followed by [`Limiter::granted`].
    pub fn turns(&mut self, now_ms: i64) -> Vec<(TaskKey, Place)> {
        while let Some((due_ms, _)) = self.wakes.first()
            && *due_ms <= now_ms
        {
            if let Some((_, lane)) = self.wakes.pop_first() {
                self.list(&lane);
            }
        }
        let mut turns = Vec::new();
        while self.granting < GRANTS_MAX
            && let Some(lane) = self.turns.pop_front()
        {
            if let Some(road) = self.lanes.get_mut(&lane) {
                road.is_listed = false;
            }
            if let Some(turn) = self.next(&lane, now_ms) {
                self.granting += 1;
                turns.push(turn);
                self.list(&lane);
            }
        }
        turns
    }

    /// When to ask for turns although nothing has happened. Milliseconds since 1970.
    pub fn wakes_ms(&self) -> Option<i64> {
        self.wakes.first().map(|(due_ms, _)| *due_ms)
    }

    /// A turn that was given is durable, or came to nothing.
    pub fn granted(&mut self) {
        self.granting = self.granting.saturating_sub(1);
    }

    /// The next in a lane that has its turn in all its lanes.
    fn next(&mut self, lane: &Lane, now_ms: i64) -> Option<(TaskKey, Place)> {
        loop {
            if self.lanes.get(lane).is_none_or(|road| road.queue.is_empty()) {
                self.tidy(lane, now_ms);
                return None;
            }
            match self.room(lane, now_ms) {
                Room::Free => {}
                Room::Full => return None,
                Room::Later(due_ms) => {
                    self.wakes.insert((due_ms, lane.clone()));
                    return None;
                }
            }
            let task = self.lanes.get_mut(lane)?.queue.pop()?;
            let lanes = self.guests.get(&task)?.place.lanes.clone();
            if let Some(other) = lanes.iter().find(|other| !self.is_free(other, now_ms)) {
                self.move_to(task, other, now_ms);
                continue;
            }
            return self.take(task, &lanes, now_ms);
        }
    }

    fn take(&mut self, task: TaskKey, lanes: &[Lane], now_ms: i64) -> Option<(TaskKey, Place)> {
        for lane in lanes {
            let road = self.road(lane);
            road.holders.insert(task);
            road.window.lend();
        }
        let guest = self.guests.get_mut(&task)?;
        guest.at = At::Has { start: Start::Due, is_called: false, has_ended: false };
        guest.place.granted_ms = Some(now_ms);
        Some((task, guest.place.clone()))
    }

    fn move_to(&mut self, task: TaskKey, lane: &Lane, now_ms: i64) {
        let Some(arrival) = self.guests.get(&task).map(|guest| guest.place.arrival) else { return };
        let spot = self.road(lane).queue.push_early(task, arrival);
        if let Room::Later(due_ms) = self.room(lane, now_ms) {
            self.wakes.insert((due_ms, lane.clone()));
        }
        if let Some(guest) = self.guests.get_mut(&task) {
            guest.at = At::Waits(lane.clone(), spot);
        }
    }

    /// Somebody who had its turn has started.
    pub fn started(&mut self, task: TaskKey, now_ms: i64) {
        let Some(guest) = self.guests.get_mut(&task) else { return };
        let At::Has { start, .. } = &mut guest.at else { return };
        let before = std::mem::replace(start, Start::Seen);
        if before == Start::Seen {
            return;
        }
        for lane in guest.place.lanes.clone() {
            let rate = self.rate(&lane);
            let window = &mut self.road(&lane).window;
            if before == Start::Due {
                window.give_back();
            }
            if let Some(rate) = rate {
                window.start(rate, now_ms);
            }
            self.list(&lane);
        }
    }

    /// Somebody has had its turn, and its start has not been seen.
    pub fn is_due(&self, task: TaskKey) -> bool {
        let at = self.guests.get(&task).map(|guest| &guest.at);
        matches!(at, Some(At::Has { start: Start::Due, .. }))
    }

    /// A call is under way for the task: says whether it holds a place. It does so until the call has ended, even if the task
    /// ends before.
    pub fn call_began(&mut self, task: TaskKey, now_ms: i64) -> bool {
        self.started(task, now_ms);
        match self.guests.get_mut(&task).map(|guest| &mut guest.at) {
            Some(At::Has { is_called, .. }) => {
                *is_called = true;
                true
            }
            _ => false,
        }
    }

    pub fn call_ended(&mut self, task: TaskKey) {
        if let Some(At::Has { is_called, has_ended, .. }) =
            self.guests.get_mut(&task).map(|guest| &mut guest.at)
        {
            *is_called = false;
            if *has_ended {
                self.free(task);
            }
        }
    }

    /// The task has ended, and that is durable.
    pub fn ended(&mut self, task: TaskKey) {
        match self.guests.get_mut(&task).map(|guest| &mut guest.at) {
            Some(At::Has { is_called: true, has_ended, .. }) => *has_ended = true,
            Some(_) => self.free(task),
            None => {}
        }
    }

    fn free(&mut self, task: TaskKey) {
        let Some(guest) = self.guests.remove(&task) else { return };
        if let At::Waits(lane, spot) = &guest.at
            && let Some(road) = self.lanes.get_mut(lane)
        {
            road.queue.remove(*spot);
        }
        let is_due = matches!(guest.at, At::Has { start: Start::Due, .. });
        for lane in &guest.place.lanes {
            if let Some(road) = self.lanes.get_mut(lane) {
                road.holders.remove(&task);
                if is_due {
                    road.window.give_back();
                }
            }
            self.list(lane);
        }
    }

    /// The tasks of an execution that are here, task 0 being the execution itself.
    pub fn tasks_of(&self, key: ExecutionKey) -> Vec<u32> {
        self.guests.range((key, 0)..=(key, u32::MAX)).map(|((_, task), _)| *task).collect()
    }

    pub fn is_here(&self, task: TaskKey) -> bool {
        self.guests.contains_key(&task)
    }

    /// The lanes of a limit with those who hold, and those who wait there in the order of their turns.
    pub fn lanes_of<'l>(
        &'l self,
        limit: &'l str,
    ) -> impl Iterator<Item = (&'l Lane, Vec<&'l Place>, Vec<&'l Place>)> {
        let first = Lane { limit: limit.into(), key: None };
        let lanes = self.lanes.range(first..).take_while(move |(lane, _)| &*lane.limit == limit);
        let place = |task: TaskKey| self.guests.get(&task).map(|guest| &guest.place);
        lanes.map(move |(lane, road)| {
            let holders = road.holders.iter().filter_map(|task| place(*task)).collect();
            (lane, holders, road.queue.iter().filter_map(place).collect())
        })
    }

    /// How many hold and how many wait.
    pub fn counts_of(&self, limit: &str) -> (usize, usize) {
        let first = Lane { limit: limit.into(), key: None };
        let lanes = self.lanes.range(first..).take_while(|(lane, _)| &*lane.limit == limit);
        lanes.fold((0, 0), |(holders, waiters), (_, road)| {
            (holders + road.holders.len(), waiters + road.queue.len())
        })
    }

    fn is_free(&self, lane: &Lane, now_ms: i64) -> bool {
        matches!(self.room(lane, now_ms), Room::Free)
    }

    fn room(&self, lane: &Lane, now_ms: i64) -> Room {
        let (Some(limit), Some(road)) = (self.limits.get(&lane.limit), self.lanes.get(lane)) else {
            return Room::Free;
        };
        let concurrency = limit.definition.concurrency.map_or(usize::MAX, |count| count as usize);
        if road.holders.len() >= concurrency {
            return Room::Full;
        }
        match limit.definition.rate.map_or(Next::Now, |rate| road.window.next(rate, now_ms)) {
            Next::Now => Room::Free,
            Next::At(due_ms) => Room::Later(due_ms),
            Next::Unknown => Room::Full,
        }
    }

    fn rate(&self, lane: &Lane) -> Option<Rate> {
        self.limits.get(&lane.limit)?.definition.rate
    }

    fn road(&mut self, lane: &Lane) -> &mut Road {
        let full = self.full_ms.get(&lane.limit).zip(self.rate(lane));
        self.lanes.entry(lane.clone()).or_insert_with(|| Road {
            window: full.map_or_else(Window::default, |(at_ms, rate)| Window::full(rate, *at_ms)),
            ..Road::default()
        })
    }

    fn list(&mut self, lane: &Lane) {
        if let Some(road) = self.lanes.get_mut(lane)
            && !std::mem::replace(&mut road.is_listed, true)
        {
            self.turns.push_back(lane.clone());
        }
    }

    /// Forgets a lane that is as if it had never been there, or comes back when its window is empty.
    fn tidy(&mut self, lane: &Lane, now_ms: i64) {
        let Some(road) = self.lanes.get(lane).filter(|road| road.holders.is_empty()) else { return };
        match self.rate(lane).and_then(|rate| road.window.empty_ms(rate, now_ms)) {
            Some(empty_ms) => drop(self.wakes.insert((empty_ms, lane.clone()))),
            None => drop(self.lanes.remove(lane)),
        }
    }
}

#[cfg(test)]
mod tests;
