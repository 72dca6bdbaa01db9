//! What each part of an event is as bytes. A record's fields are written in the order in which they stand here; that
//! order, and the numbers of the variants, are the format: they are only ever added to.

use std::sync::Arc;

use stepwright_asl::program::{FlowId, Integration, Pattern, Resource, StateId};
use stepwright_value::Document;

use super::CodecError;
use super::reader::Reader;
use super::writer::Writer;
use crate::branch::{
    Branch, DistributedMap, Items, Join, MapItem, MapJoin, PendingTask, PendingTimer, Phase, Progress,
    Purpose, Run,
};
use crate::event::{
    Batching, BranchId, EvaluationFailed, EventBody, ExecutionStarted, IterationStarted, MapRunStarted,
    MapStarted, ParallelStarted, RunId, StateExited, StateKind, TaskFailed, TaskId, TaskOutput,
    TaskScheduled, TaskStarted, TaskTimedOut, Timer, TimerId,
};
use crate::execution::Redriven;
use crate::fault::{Evaluation, StateFailure};
use crate::hold::{Held, Holders, Owner, Stop};
use crate::input::TaskPhase;
use crate::outcome::{Failure, Outcome};

/// Something that is written and read.
pub(super) trait Wire: Sized {
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError>;
}

impl Wire for u32 {
    fn write(&self, writer: &mut Writer) {
        writer.number(u64::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<u32, CodecError> {
        u32::try_from(reader.number()?).map_err(|_| reader.damaged())
    }
}

impl Wire for u8 {
    fn write(&self, writer: &mut Writer) {
        writer.byte(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<u8, CodecError> {
        reader.byte()
    }
}

/// Zigzag: small numbers of either sign are short.
impl Wire for i64 {
    fn write(&self, writer: &mut Writer) {
        writer.number(((self << 1) ^ (self >> 63)) as u64);
    }

    fn read(reader: &mut Reader<'_>) -> Result<i64, CodecError> {
        let number = reader.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

impl Wire for f64 {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.to_bits().to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<f64, CodecError> {
        let bytes = <[u8; 8]>::try_from(reader.take(8)?).map_err(|_| reader.damaged())?;
        Ok(f64::from_bits(u64::from_le_bytes(bytes)))
    }
}

impl Wire for bool {
    fn write(&self, writer: &mut Writer) {
        writer.byte(u8::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<bool, CodecError> {
        match reader.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(reader.damaged()),
        }
    }
}

impl<const N: usize> Wire for [u8; N] {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<[u8; N], CodecError> {
        <[u8; N]>::try_from(reader.take(N)?).map_err(|_| reader.damaged())
    }
}

impl Wire for Arc<str> {
    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Arc<str>, CodecError> {
        reader.text()
    }
}

impl Wire for Document {
    fn write(&self, writer: &mut Writer) {
        writer.document(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Document, CodecError> {
        reader.document()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, writer: &mut Writer) {
        self.is_some().write(writer);
        if let Some(value) = self {
            value.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Option<T>, CodecError> {
        bool::read(reader)?.then(|| T::read(reader)).transpose()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, writer: &mut Writer) {
        writer.count(self.len());
        self.iter().for_each(|value| value.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Vec<T>, CodecError> {
        let count = reader.count()?;
        // The count is a claim: room is only made for what was read.
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(T::read(reader)?);
        }
        Ok(values)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
        self.1.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<(A, B), CodecError> {
        Ok((A::read(reader)?, B::read(reader)?))
    }
}

impl<T: Wire> Wire for Box<T> {
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<T>, CodecError> {
        T::read(reader).map(Box::new)
    }
}

/// Things that are shared; what was shared when it was written is read as separate things.
macro_rules! shared {
    ($($name:ident),*) => { $(
        impl Wire for Arc<$name> {
            fn write(&self, writer: &mut Writer) {
                (**self).write(writer);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Arc<$name>, CodecError> {
                $name::read(reader).map(Arc::new)
            }
        }
    )* };
}

shared!(Failure, Resource, MapRunStarted);

macro_rules! number {
    ($($name:ident),*) => { $(
        impl Wire for $name {
            fn write(&self, writer: &mut Writer) {
                self.0.write(writer);
            }

            fn read(reader: &mut Reader<'_>) -> Result<$name, CodecError> {
                u32::read(reader).map($name)
            }
        }
    )* };
}

number!(TaskId, TimerId, BranchId, StateId, FlowId, RunId);

macro_rules! record {
    ($($name:ident { $($field:ident),* })*) => { $(
        impl Wire for $name {
            fn write(&self, writer: &mut Writer) {
                $(Wire::write(&self.$field, writer);)*
            }

            fn read(reader: &mut Reader<'_>) -> Result<$name, CodecError> {
                Ok($name { $($field: Wire::read(reader)?),* })
            }
        }
    )* };
}

record! {
    Timer { id, due_ms }
    Failure { error, cause }
    StateExited { kind, state, name, output, next, assigned }
    EvaluationFailed { failure, location, state }
    TaskScheduled { task, resource, parameters, region, timeout_s, heartbeat_s, credentials, token_hash, timeout, heartbeat }
    TaskStarted { task, resource, worker_name, token_hash, timeout, heartbeat }
    TaskOutput { task, resource, output }
    TaskFailed { task, resource, failure, phase }
    TaskTimedOut { task, resource, failure }
    ParallelStarted { first_branch, flows, input }
    MapStarted { items, length, concurrency, distributed, input }
    MapRunStarted { map_run_arn, label, max_concurrency, tolerated_failure_count, tolerated_failure_percentage, batching }
    Batching { items_max, bytes_max, batch_input }
    IterationStarted { parent, name, index, input, flow }
    Integration { arn, service, resource, action, pattern }
}

/// Variants by number: without fields, with one unnamed field, with named fields; and those that are only read any more.
macro_rules! choice {
    ($name:ident { $($unit_tag:literal = $unit:ident,)* } { $($tuple_tag:literal = $tuple:ident,)* } { $($named_tag:literal = $named:ident { $($field:ident),* },)* } $({ $($old_tag:literal = $old:ident,)* })?) => {
        impl Wire for $name {
            fn write(&self, writer: &mut Writer) {
                match self {
                    $($name::$unit => writer.byte($unit_tag),)*
                    $($name::$tuple(value) => {
                        writer.byte($tuple_tag);
                        value.write(writer);
                    })*
                    $($name::$named { $($field),* } => {
                        writer.byte($named_tag);
                        $($field.write(writer);)*
                    })*
                }
            }

            fn read(reader: &mut Reader<'_>) -> Result<$name, CodecError> {
                Ok(match reader.byte()? {
                    $($unit_tag => $name::$unit,)*
                    $($tuple_tag => $name::$tuple(Wire::read(reader)?),)*
                    $($named_tag => $name::$named { $($field: Wire::read(reader)?),* },)*
                    $($($old_tag => $old(reader)?,)*)?
                    _ => return Err(reader.damaged()),
                })
            }
        }
    };
}

/// The seed came with version 3.
impl Wire for ExecutionStarted {
    fn write(&self, writer: &mut Writer) {
        self.input.write(writer);
        self.role_arn.write(writer);
        self.timer.write(writer);
        self.seed.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<ExecutionStarted, CodecError> {
        let (input, role_arn, timer) = (Wire::read(reader)?, Wire::read(reader)?, Wire::read(reader)?);
        let seed = if reader.version() >= 3 { Wire::read(reader)? } else { None };
        Ok(ExecutionStarted { input, role_arn, timer, seed })
    }
}

// Of a line that is held.
record! {
    Held { owner, whole, stop }
    StateFailure { failure, evaluation, wildcard, tail_id }
    Evaluation { location }
}
choice! { Owner { 0 = Limits, 1 = Debugger, 2 = Test, } {} {} }
choice! {
    Stop { 0 = Entering, 1 = Iteration, 2 = Dispatch, 3 = Left, } { 4 = Result, 5 = Failed, } {}
}

/// Until version 2 all of an execution was held, and by limits alone.
fn paused(reader: &mut Reader<'_>) -> Result<EventBody, CodecError> {
    let owner = Owner::Limits;
    Ok(match bool::read(reader)? {
        true => EventBody::Held(Box::new(Held { owner, whole: true, stop: None })),
        false => EventBody::Released { owner, whole: true },
    })
}

// What only snapshots hold.
record! {
    Join { outputs, running, ended, last_id, stopped, map }
    MapJoin { items, next, concurrency, input, slot_id }
    DistributedMap { items, input, run, stopped, is_redriven }
    Run { id, started, started_id, redrive_count, succeeded }
    MapItem { index, key, value }
    PendingTask { branch, resource, parameters, credentials, timeout_s, heartbeat_s, token_hash, progress, timeout, heartbeat, entered_sequence, attempt, deadline_ms, submitted }
    PendingTimer { due_ms, purpose }
    Redriven { token_hash, at_ms }
}

impl Wire for Items {
    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Items, CodecError> {
        Document::read(reader).map(Items)
    }
}

/// Without its variables and its item, which lines share.
impl Wire for Branch {
    fn write(&self, writer: &mut Writer) {
        (self.id, self.parent).write(writer);
        (self.slot, self.state).write(writer);
        self.phase.write(writer);
        self.input.write(writer);
        (self.last_id, self.before_entered_id).write(writer);
        (self.entered_id, self.entered_sequence).write(writer);
        (self.entered_ms, self.retry_count).write(writer);
        self.attempts.write(writer);
        self.holders.0.write(writer);
        self.stop.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Branch, CodecError> {
        let (id, parent) = Wire::read(reader)?;
        let (slot, state) = Wire::read(reader)?;
        let phase = Wire::read(reader)?;
        let mut branch = Branch::root(state, Wire::read(reader)?);
        (branch.id, branch.parent, branch.slot, branch.phase) = (id, parent, slot, phase);
        (branch.last_id, branch.before_entered_id) = Wire::read(reader)?;
        (branch.entered_id, branch.entered_sequence) = Wire::read(reader)?;
        (branch.entered_ms, branch.retry_count) = Wire::read(reader)?;
        branch.attempts = Wire::read(reader)?;
        branch.holders = Holders(Wire::read(reader)?);
        branch.stop = Wire::read(reader)?;
        Ok(branch)
    }
}

choice! { StateKind { 0 = Pass, 1 = Task, 2 = Choice, 3 = Wait, 4 = Succeed, 5 = Fail, 6 = Parallel, 7 = Map, } {} {} }
choice! { TaskPhase { 0 = Schedule, 1 = Start, 2 = Submit, 3 = Run, } {} {} }
choice! { Pattern { 0 = RequestResponse, 1 = Sync, 2 = Sync2, 3 = WaitForTaskToken, } {} {} }
choice! { Resource {} { 2 = Integration, } { 0 = Lambda { arn }, 1 = Activity { arn }, } }
choice! { Progress { 0 = Scheduled, 1 = Started, 2 = Submitted, } {} {} }
choice! { Purpose { 0 = Execution, } { 1 = Resume, 2 = TaskTimeout, 3 = TaskHeartbeat, } {} }
choice! { Outcome {} { 1 = Failed, 2 = TimedOut, 3 = Aborted, } { 0 = Succeeded { output }, } }
choice! {
    Phase
    { 0 = Entering, 1 = Entered, 4 = Settling, 9 = Stopped, }
    { 2 = Waiting, 3 = Task, 5 = Retrying, 6 = Joining, 7 = Distributed, 8 = Ended, }
    {}
}
choice! {
    EventBody
    {
        20 = ParallelSucceeded, 21 = ParallelFailed, 28 = MapSucceeded, 29 = MapFailed, 31 = MapRunSucceeded,
        33 = MapRunAborted, 40 = BranchEnded, 41 = JoinFailed,
    }
    {
        0 = ExecutionStarted, 2 = ExecutionFailed, 3 = ExecutionTimedOut, 4 = ExecutionAborted, 7 = StateExited,
        9 = EvaluationFailed, 10 = TaskScheduled, 11 = TaskStarted, 12 = TaskSubmitted, 13 = TaskSucceeded,
        14 = TaskFailed, 15 = TaskTimedOut, 19 = ParallelStarted, 23 = MapStarted, 24 = IterationStarted,
        30 = MapRunStarted, 32 = MapRunFailed, 48 = Held,
    }
    {
        1 = ExecutionSucceeded { output }, 5 = ExecutionRedriven { count, timer, token_hash },
        6 = StateEntered { kind, state, name, input }, 8 = StateAborted { kind },
        25 = IterationSucceeded { name, index }, 26 = IterationFailed { name, index },
        27 = IterationAborted { name, index }, 42 = WaitScheduled { timer },
        34 = MapRunRedriven { map_run_arn, count },
        43 = RetryScheduled { retrier, timer }, 44 = TimerFired { timer },
        49 = Released { owner, whole },
    }
    {
        47 = paused,
    }
}
