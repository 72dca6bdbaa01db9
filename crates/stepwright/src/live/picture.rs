//! The picture of an execution that its events paint, for people. Pure, so that a view is tested with events alone.
//!
//! It understands what AWS's events leave to their reader: that a failed state was caught, which line of a Parallel state
//! was the one that failed, and where the failure of the execution began.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwright_asl::program::{Kind, Pattern, Program, Resource, StateId, Transition};
use stepwright_engine::Counts;
use stepwright_machine::event::{
    IterationStarted, ParallelStarted, StateExited, StateKind, TaskScheduled, Timer,
};
use stepwright_machine::{BranchId, Event, EventBody, Failure, Status};
use stepwright_value::Document;

use super::failure::{error_in, written_failure};
use super::news::{News, What};
use super::target;
use super::visit::{Doing, End, Group, Line, Visit};
use super::whom::{self, Whom};

/// An execution as far as its events have told.
pub struct Picture {
    program: Arc<Program>,
    pub start_ms: i64,
    /// Events of AWS's history.
    pub events: u32,
    pub outcome: Option<Ended>,
    lines: BTreeMap<BranchId, Line>,
    noticed: BTreeSet<StateId>,
    news: Vec<News>,
    /// Where workers and holders of task tokens reach the execution.
    pub endpoint: Option<String>,
}

/// How the execution ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub status: Status,
    pub at_ms: i64,
    pub output: Option<Document>,
    pub failure: Option<Failure>,
    /// The innermost state that failed, or was under way when the execution was ended.
    pub origin: Option<Origin>,
}

/// A state's place in the run and in the definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// `ChargeAll[3] > Charge`.
    pub place: String,
    /// `/States/ChargeAll/ItemProcessor/States/Charge`.
    pub pointer: String,
}

impl Picture {
    pub fn new(program: Arc<Program>, start_ms: i64) -> Picture {
        Picture {
            program,
            start_ms,
            events: 0,
            outcome: None,
            lines: BTreeMap::from([(BranchId::ROOT, Line::default())]),
            noticed: BTreeSet::new(),
            news: Vec::new(),
            endpoint: None,
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn line(&self, id: BranchId) -> Option<&Line> {
        self.lines.get(&id)
    }

    /// Takes the first of the machine's own states off the picture if it has ended, with what belongs to it, through `see`.
    pub fn settle<R>(&mut self, see: impl FnOnce(&Picture, &Visit) -> R) -> Option<R> {
        let first = self.lines.get(&BranchId::ROOT)?.visits.front()?;
        first.ended?;
        let seen = see(self, first);
        let visit = self.lines.get_mut(&BranchId::ROOT)?.visits.pop_front()?;
        self.forget_group(visit.group.as_ref());
        Some(seen)
    }

    /// How many of the machine's own states could be settled.
    pub fn settled_len(&self) -> usize {
        self.lines
            .get(&BranchId::ROOT)
            .map_or(0, |line| line.visits.iter().filter(|it| it.ended.is_some()).count())
    }

    /// Applies an event, and says what it means.
    pub fn apply(&mut self, event: &Event) -> Vec<News> {
        if event.id != 0 {
            self.events = self.events.max(event.id);
        }
        let (line, at_ms) = (event.branch, event.timestamp_ms);
        match &event.body {
            EventBody::StateEntered { kind, state, name, .. } => {
                self.entered(line, *state, *kind, name, at_ms)
            }
            EventBody::StateExited(exited) => self.exited(line, exited, at_ms),
            EventBody::StateAborted { .. } => self.aborted(line, at_ms),
            EventBody::EvaluationFailed(failed) => self.attempt_failed(line, &failed.failure),
            EventBody::TaskFailed(failed) => self.attempt_failed(line, &failed.failure),
            EventBody::TaskTimedOut(failed) => self.attempt_failed(line, &failed.failure),
            EventBody::MapRunFailed(failure) => self.attempt_failed(line, failure),
            EventBody::TaskScheduled(scheduled) => self.scheduled(line, scheduled, at_ms),
            EventBody::TaskStarted(_) => self.now_does(line, Doing::Working),
            EventBody::TaskSucceeded(_) | EventBody::MapSucceeded | EventBody::ParallelSucceeded => {
                self.now_does(line, Doing::Settling);
            }
            EventBody::TaskSubmitted(submitted) => self.submitted(line, &submitted.resource),
            EventBody::WaitScheduled { timer } => self.waits(line, *timer, at_ms),
            EventBody::RetryScheduled { retrier, timer } => self.retries(line, *retrier, *timer, at_ms),
            EventBody::TimerFired { .. } => self.goes_on(line),
            EventBody::ParallelStarted(started) => self.parallel_started(line, started),
            EventBody::MapStarted(started) => self.map_started(line, started.length),
            EventBody::MapRunStarted(run) => {
                let group = self.current(line).and_then(|visit| visit.group.as_mut());
                _ = group.map(|group| group.run = Some(run.map_run_arn.clone()));
            }
            EventBody::IterationStarted(started) => self.iteration_started(line, started),
            EventBody::IterationSucceeded { .. } => self.line_ended(line, End::Succeeded),
            EventBody::IterationFailed { .. } => self.line_failed(line, at_ms),
            EventBody::IterationAborted { .. } => {
                self.abort_line(line, at_ms);
                self.line_ended(line, End::Aborted);
            }
            EventBody::ExecutionSucceeded { output } => {
                self.ended(Status::Succeeded, at_ms, Some(output.clone()), None, None);
            }
            EventBody::ExecutionFailed(failure) => {
                self.fail_current(BranchId::ROOT, at_ms, Some(failure));
                let origin = self.origin(End::Failed);
                self.ended(Status::Failed, at_ms, None, Some(failure), origin);
            }
            EventBody::ExecutionTimedOut(failure) => self.cut_off(Status::TimedOut, at_ms, failure),
            EventBody::ExecutionAborted(failure) => self.cut_off(Status::Aborted, at_ms, failure),
            _ => {}
        }
        std::mem::take(&mut self.news)
    }

    fn entered(&mut self, id: BranchId, state: StateId, kind: StateKind, name: &Arc<str>, at_ms: i64) {
        let mut visit = Visit::new(state, name.clone(), kind, at_ms);
        visit.target = target::of_state(self.program.state(state));
        let target = visit.target.clone();
        let forgotten = self.lines.entry(id).or_default().enter(visit);
        self.forget_group(forgotten.and_then(|visit| visit.group).as_ref());
        self.tell(id, at_ms, What::Entered { kind: kind.name(), target });
    }

    fn exited(&mut self, id: BranchId, exited: &StateExited, at_ms: i64) {
        let state = self.program.state(exited.state);
        let elsewhere = match state.transition {
            Some(Transition::Next(next)) => exited.next != Some(next),
            Some(Transition::End) => exited.next.is_some(),
            None => false,
        };
        let is_choice = matches!(state.kind, Kind::Choice(_));
        let next = exited.next.map(|next| self.program.state(next).name.clone());
        let caught = elsewhere || self.current_failure(id).is_some() || self.is_inside_a_state(id);
        if caught {
            self.fail_lines_of(id, at_ms, None);
        }
        let Some(visit) = self.current(id) else { return };
        let took_ms = visit.took_ms(at_ms);
        let what = if caught {
            visit.failure = visit.failure.take().or_else(|| error_in(&exited.output));
            visit.next = next.clone();
            What::Caught { took_ms, failure: visit.failure.clone(), next }
        } else {
            visit.next = next.filter(|_| is_choice);
            What::Exited { took_ms, next: visit.next.clone() }
        };
        visit.ended = Some((at_ms, if caught { End::Caught } else { End::Succeeded }));
        if exited.next.is_none() {
            self.branch_ended(id);
        }
        self.tell(id, at_ms, what);
    }

    /// The last state of a branch has ended. (For an iteration there is an event of its own.)
    fn branch_ended(&mut self, id: BranchId) {
        let parent = self.lines.get(&id).and_then(|line| line.parent);
        let of_parallel = parent.and_then(|(parent, _)| self.current(parent));
        if of_parallel.is_some_and(|visit| visit.kind == StateKind::Parallel) {
            self.line_ended(id, End::Succeeded);
        }
    }

    /// AWS aborts the state too that made its Parallel state fail: it had an answer, but did not come to its end.
    fn aborted(&mut self, id: BranchId, at_ms: i64) {
        let is_settling = self.current(id).is_some_and(|visit| visit.doing == Doing::Settling);
        if is_settling && id != BranchId::ROOT {
            return self.line_failed(id, at_ms);
        }
        self.abort_line(id, at_ms);
        self.branch_aborted(id);
    }

    fn branch_aborted(&mut self, id: BranchId) {
        let parent = self.lines.get(&id).and_then(|line| line.parent);
        let of_parallel = parent.and_then(|(parent, _)| self.current(parent));
        if of_parallel.is_some_and(|visit| visit.kind == StateKind::Parallel) {
            self.line_ended(id, End::Aborted);
        }
    }

    /// Ends what a line, and the lines inside it, are doing.
    fn abort_line(&mut self, id: BranchId, at_ms: i64) {
        for inner in self.inner_lines(id) {
            self.abort_line(inner, at_ms);
            self.line_ended(inner, End::Aborted);
        }
        let Some(visit) = self.current(id) else { return };
        let took_ms = visit.took_ms(at_ms);
        visit.ended = Some((at_ms, End::Aborted));
        self.tell(id, at_ms, What::Aborted { took_ms });
    }

    fn attempt_failed(&mut self, id: BranchId, failure: &Failure) {
        if let Some(visit) = self.current(id) {
            visit.failure = Some(failure.clone());
            visit.doing = Doing::Settling;
        }
    }

    fn scheduled(&mut self, id: BranchId, scheduled: &TaskScheduled, at_ms: i64) {
        let Some(visit) = self.current(id) else { return };
        visit.target = Some(target::of_resource(&scheduled.resource, Some(&scheduled.parameters)));
        visit.failure = None;
        let state = visit.state;
        let waits_for_whom = whom::of_task(scheduled);
        visit.doing = match waits_for_whom {
            Some(Whom::Worker { .. }) => Doing::Worker,
            Some(Whom::TokenHolder { .. }) | None => Doing::Working,
        };
        let Some(whom) = waits_for_whom else { return };
        // Of a token, each task has its own.
        if self.noticed.insert(state) || matches!(whom, Whom::TokenHolder { token: Some(_) }) {
            let text = whom.notice(self.endpoint.as_deref());
            self.tell(id, at_ms, What::Notice { text });
        }
    }

    fn now_does(&mut self, id: BranchId, doing: Doing) {
        if let Some(visit) = self.current(id) {
            visit.doing = doing;
        }
    }

    fn submitted(&mut self, id: BranchId, resource: &Resource) {
        let waits_for_token =
            matches!(resource, Resource::Integration(it) if it.pattern == Pattern::WaitForTaskToken);
        if let Some(visit) = self.current(id) {
            visit.doing = if waits_for_token { Doing::Callback } else { Doing::Job };
        }
    }

    fn waits(&mut self, id: BranchId, timer: Timer, at_ms: i64) {
        if let Some(visit) = self.current(id) {
            visit.doing = Doing::Waiting { due_ms: timer.due_ms };
            self.tell(id, at_ms, What::Waiting { ms: timer.due_ms.saturating_sub(at_ms) });
        }
    }

    fn retries(&mut self, id: BranchId, retrier: u32, timer: Timer, at_ms: i64) {
        self.fail_lines_of(id, at_ms, None);
        let program = self.program.clone();
        let Some(visit) = self.current(id) else { return };
        visit.retries += 1;
        let retriers = &program.state(visit.state).retry;
        let of = retriers.get(retrier as usize).map_or(0, |retrier| retrier.max_attempts);
        visit.doing = Doing::Retrying { due_ms: timer.due_ms, number: visit.retries, of };
        let (number, failure, group) = (visit.retries, visit.failure.clone(), visit.group.take());
        self.forget_group(group.as_ref());
        let delay_ms = timer.due_ms.saturating_sub(at_ms);
        self.tell(id, at_ms, What::Retrying { number, of, delay_ms, failure });
    }

    fn goes_on(&mut self, id: BranchId) {
        if let Some(visit) = self.current(id) {
            visit.doing = Doing::Working;
            visit.failure = None;
        }
    }

    fn parallel_started(&mut self, id: BranchId, started: &ParallelStarted) {
        let total = u32::try_from(started.flows.len()).unwrap_or(u32::MAX);
        let lines: Vec<BranchId> =
            (0..total).map(|at| BranchId(started.first_branch.0.saturating_add(at))).collect();
        for (index, line) in (0..).zip(&lines) {
            self.lines.insert(*line, Line::below(id, index));
        }
        if let Some(visit) = self.current(id) {
            visit.group =
                Some(Group { total, running: total, lines: lines.into_iter().collect(), ..Group::default() });
        }
    }

    fn map_started(&mut self, id: BranchId, total: u32) {
        if let Some(visit) = self.current(id) {
            visit.group = Some(Group { total, ..Group::default() });
        }
    }

    /// How far a map run is whose children are executions of their own.
    pub fn map_run(&mut self, map_run_arn: &str, items: &Counts) {
        let mut groups = self.lines.values_mut().filter_map(|line| line.current_mut()?.group.as_mut());
        if let Some(group) = groups.find(|group| group.run.as_deref() == Some(map_run_arn)) {
            group.count(items);
        }
    }

    fn iteration_started(&mut self, id: BranchId, started: &IterationStarted) {
        self.lines.insert(id, Line::below(started.parent, started.index));
        if let Some(group) = self.current(started.parent).and_then(|visit| visit.group.as_mut()) {
            group.running += 1;
            group.lines.insert(id);
        }
    }

    /// Notes in its group that a line has ended, once.
    fn line_ended(&mut self, id: BranchId, end: End) {
        let Some(line) = self.lines.get_mut(&id).filter(|line| line.end.is_none()) else { return };
        line.end = Some(end);
        let Some((parent, _)) = line.parent else { return };
        let Some(group) = self.current(parent).and_then(|visit| visit.group.as_mut()) else { return };
        group.running = group.running.saturating_sub(1);
        match end {
            End::Succeeded | End::Caught => group.done += 1,
            End::Failed => group.failed += 1,
            End::Aborted => {}
        }
        if !group.remembers(end) {
            group.lines.remove(&id);
            self.forget_line(id);
        }
    }

    fn line_failed(&mut self, id: BranchId, at_ms: i64) {
        let failure = self.fail_current(id, at_ms, None);
        let parent = self.lines.get(&id).and_then(|line| line.parent);
        self.line_ended(id, End::Failed);
        if let Some((parent, _)) = parent
            && let Some(visit) = self.current(parent)
            && visit.failure.is_none()
        {
            visit.failure = failure;
        }
    }

    /// The state in which the line is has failed for good, and so have the states inside it. `known` is why, where an event
    /// has said so.
    fn fail_current(&mut self, id: BranchId, at_ms: i64, known: Option<&Failure>) -> Option<Failure> {
        self.fail_lines_of(id, at_ms, known);
        let program = self.program.clone();
        let visit = self.current(id)?;
        let failure = visit
            .failure
            .take()
            .or_else(|| written_failure(program.state(visit.state)))
            .or_else(|| known.cloned());
        visit.failure = failure.clone();
        let took_ms = visit.took_ms(at_ms);
        visit.ended = Some((at_ms, End::Failed));
        self.tell(id, at_ms, What::Failed { took_ms, failure: failure.clone() });
        failure
    }

    /// Lines of the line's Parallel or Map state that are still in a state when that fails are those that have failed: AWS
    /// has told of the others that they are aborted.
    fn fail_lines_of(&mut self, id: BranchId, at_ms: i64, known: Option<&Failure>) {
        for inner in self.inner_lines(id) {
            let is_in_a_state = self.lines.get(&inner).is_some_and(|line| line.current().is_some());
            if !is_in_a_state {
                continue;
            }
            let failure = self.fail_current(inner, at_ms, known);
            self.line_ended(inner, End::Failed);
            if let Some(visit) = self.current(id)
                && visit.failure.is_none()
            {
                visit.failure = failure;
            }
        }
    }

    fn cut_off(&mut self, status: Status, at_ms: i64, failure: &Failure) {
        self.abort_line(BranchId::ROOT, at_ms);
        let origin = self.origin(End::Aborted);
        self.ended(status, at_ms, None, Some(failure), origin);
    }

    fn ended(
        &mut self,
        status: Status,
        at_ms: i64,
        output: Option<Document>,
        failure: Option<&Failure>,
        origin: Option<Origin>,
    ) {
        self.outcome = Some(Ended { status, at_ms, output, failure: failure.cloned(), origin });
    }

    /// The innermost state that ended like this, from the machine's last state inwards.
    fn origin(&self, end: End) -> Option<Origin> {
        let mut id = BranchId::ROOT;
        let mut visit = self.lines.get(&id)?.visits.back().filter(|visit| visit.end() == Some(end))?;
        while let Some(group) = &visit.group {
            let inner = group.lines.iter().find_map(|line| {
                let inner = self.lines.get(line)?.visits.back()?;
                let same = end == End::Aborted || inner.failure == visit.failure;
                (inner.end() == Some(end) && same).then_some((*line, inner))
            });
            let Some(inner) = inner else { break };
            (id, visit) = inner;
        }
        let pointer = self.program.state(visit.state).pointer.to_string();
        Some(Origin { place: self.place_of(id, &visit.name), pointer })
    }

    /// The place of a state on a line: `ChargeAll[3] > Charge`.
    fn place_of(&self, id: BranchId, name: &str) -> String {
        let mut place = name.to_owned();
        let mut line = self.lines.get(&id);
        while let Some((parent, index)) = line.and_then(|line| line.parent) {
            line = self.lines.get(&parent);
            let outer = line.and_then(|line| line.visits.back()).map(|visit| &*visit.name);
            place = format!("{}[{index}] > {place}", outer.unwrap_or_default());
        }
        place
    }

    fn tell(&mut self, id: BranchId, at_ms: i64, what: What) {
        let name = self.lines.get(&id).and_then(|line| line.visits.back()).map(|visit| visit.name.clone());
        let place = self.place_of(id, &name.unwrap_or_default());
        self.news.push(News { at_ms, place, what });
    }

    fn current(&mut self, id: BranchId) -> Option<&mut Visit> {
        self.lines.get_mut(&id)?.current_mut()
    }

    fn current_failure(&self, id: BranchId) -> Option<&Failure> {
        self.lines.get(&id)?.current()?.failure.as_ref()
    }

    /// Whether a line of the line's Parallel or Map state is still in a state.
    fn is_inside_a_state(&self, id: BranchId) -> bool {
        self.inner_lines(id)
            .iter()
            .any(|inner| self.lines.get(inner).is_some_and(|line| line.current().is_some()))
    }

    fn inner_lines(&self, id: BranchId) -> Vec<BranchId> {
        let group = self.lines.get(&id).and_then(Line::current).and_then(|visit| visit.group.as_ref());
        group.map(|group| group.lines.iter().copied().collect()).unwrap_or_default()
    }

    fn forget_group(&mut self, group: Option<&Group>) {
        for line in group.iter().flat_map(|group| &group.lines) {
            self.forget_line(*line);
        }
    }

    fn forget_line(&mut self, id: BranchId) {
        let Some(line) = self.lines.remove(&id) else { return };
        for visit in line.visits {
            self.forget_group(visit.group.as_ref());
        }
    }
}
