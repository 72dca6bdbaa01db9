//! Events as AWS's history shows them: `HistoryEvent` of the Step Functions API, as JSON text.
//!
//! Total: every event is either projected or internal. Nothing in here depends on anything but the event.

use std::fmt::Write;

use stepwright_asl::program::Resource;
use stepwright_types::error_name;
use stepwright_value::{Document, write_string};

use crate::event::{Event, EventBody, StateExited, TaskFailed, TaskScheduled};
use crate::input::TaskPhase;
use crate::outcome::Failure;

/// Appends the event as a `HistoryEvent`. `include_data`: with inputs, outputs, parameters and variables. `false` for an
/// internal event: then nothing was appended.
pub fn to_aws(event: &Event, include_data: bool, out: &mut String) -> bool {
    if event.id == 0 {
        return false;
    }
    let (seconds, millis) = (event.timestamp_ms.div_euclid(1000), event.timestamp_ms.rem_euclid(1000));
    // Writing to a string cannot fail.
    let _ = write!(out, "{{\"timestamp\":{seconds}.{millis:03},\"type\":\"");
    write_type(&event.body, out);
    let _ = write!(out, "\",\"id\":{},\"previousEventId\":{}", event.id, event.previous_id);
    if let Some(member) = details_member(&event.body) {
        let _ = write!(out, ",\"{member}\":");
        write_details(event, include_data, out);
    }
    out.push('}');
    true
}

/// AWS's name of the event's type; `None` for an internal event.
pub fn type_name(event: &Event) -> Option<String> {
    if event.id == 0 {
        return None;
    }
    let mut name = String::new();
    write_type(&event.body, &mut name);
    Some(name)
}

/// Appends the object that AWS shows as `…EventDetails` (in logs: `details`); `{}` for an event that has none.
pub fn write_details(event: &Event, include_data: bool, out: &mut String) {
    write_bounded_details(event, include_data, usize::MAX, out);
}

/// As [`write_details`], with inputs, outputs, parameters and variables cut where their escaped texts would together be
/// longer than `payload_bytes_max`; the member `…Details` then says that they are truncated. For logs.
pub fn write_bounded_details(event: &Event, include_data: bool, payload_bytes_max: usize, out: &mut String) {
    let mut details = Details { out, include_data, bytes_left: payload_bytes_max, first: true };
    details.out.push('{');
    details.body(&event.body);
    details.out.push('}');
}

/// Which family of task events a resource has.
fn family(resource: &Resource) -> &'static str {
    match resource {
        Resource::Lambda { .. } => "LambdaFunction",
        Resource::Activity { .. } => "Activity",
        Resource::Integration(_) => "Task",
    }
}

fn write_type(body: &EventBody, out: &mut String) {
    let parts: [&str; 2] = match body {
        EventBody::ExecutionStarted(_) => ["Execution", "Started"],
        EventBody::ExecutionSucceeded { .. } => ["Execution", "Succeeded"],
        EventBody::ExecutionFailed(_) => ["Execution", "Failed"],
        EventBody::ExecutionTimedOut(_) => ["Execution", "TimedOut"],
        EventBody::ExecutionAborted(_) => ["Execution", "Aborted"],
        EventBody::ExecutionRedriven { .. } => ["Execution", "Redriven"],
        EventBody::StateEntered { kind, .. } => [kind.name(), "StateEntered"],
        EventBody::StateExited(exited) => [exited.kind.name(), "StateExited"],
        EventBody::StateAborted { kind } => [kind.name(), "StateAborted"],
        EventBody::EvaluationFailed(_) => ["Evaluation", "Failed"],
        EventBody::TaskScheduled(scheduled) => [family(&scheduled.resource), "Scheduled"],
        EventBody::TaskStarted(started) => [family(&started.resource), "Started"],
        EventBody::TaskSubmitted(submitted) => [family(&submitted.resource), "Submitted"],
        EventBody::TaskSucceeded(succeeded) => [family(&succeeded.resource), "Succeeded"],
        EventBody::TaskFailed(failed) => [family(&failed.resource), failure_suffix(failed)],
        EventBody::TaskTimedOut(timed_out) => [family(&timed_out.resource), "TimedOut"],
        EventBody::ParallelStarted(_) => ["ParallelState", "Started"],
        EventBody::ParallelSucceeded => ["ParallelState", "Succeeded"],
        EventBody::ParallelFailed => ["ParallelState", "Failed"],
        EventBody::MapStarted(_) => ["MapState", "Started"],
        EventBody::IterationStarted(_) => ["MapIteration", "Started"],
        EventBody::IterationSucceeded { .. } => ["MapIteration", "Succeeded"],
        EventBody::IterationFailed { .. } => ["MapIteration", "Failed"],
        EventBody::IterationAborted { .. } => ["MapIteration", "Aborted"],
        EventBody::MapSucceeded => ["MapState", "Succeeded"],
        EventBody::MapFailed => ["MapState", "Failed"],
        EventBody::MapRunStarted(_) => ["MapRun", "Started"],
        EventBody::MapRunSucceeded => ["MapRun", "Succeeded"],
        EventBody::MapRunFailed(_) => ["MapRun", "Failed"],
        EventBody::MapRunAborted => ["MapRun", "Aborted"],
        EventBody::MapRunRedriven { .. } => ["MapRun", "Redriven"],
        EventBody::BranchEnded
        | EventBody::JoinFailed
        | EventBody::WaitScheduled { .. }
        | EventBody::RetryScheduled { .. }
        | EventBody::TimerFired { .. }
        | EventBody::Held(_)
        | EventBody::Released { .. } => ["", ""],
    };
    parts.iter().for_each(|part| out.push_str(part));
}

/// AWS has not every event for every family: there is no `LambdaFunctionSubmitFailed`, no `ActivityStartFailed`.
fn failure_suffix(failed: &TaskFailed) -> &'static str {
    match (&*failed.resource, failed.phase) {
        (Resource::Lambda { .. } | Resource::Activity { .. }, TaskPhase::Schedule) => "ScheduleFailed",
        (Resource::Lambda { .. } | Resource::Integration(_), TaskPhase::Start) => "StartFailed",
        (Resource::Integration(_), TaskPhase::Submit) => "SubmitFailed",
        (Resource::Integration(_), TaskPhase::Schedule) => "StartFailed",
        _ => "Failed",
    }
}

fn details_member(body: &EventBody) -> Option<&'static str> {
    Some(match body {
        EventBody::ExecutionStarted(_) => "executionStartedEventDetails",
        EventBody::ExecutionSucceeded { .. } => "executionSucceededEventDetails",
        EventBody::ExecutionFailed(_) => "executionFailedEventDetails",
        EventBody::ExecutionTimedOut(_) => "executionTimedOutEventDetails",
        EventBody::ExecutionAborted(_) => "executionAbortedEventDetails",
        EventBody::ExecutionRedriven { .. } => "executionRedrivenEventDetails",
        EventBody::StateEntered { .. } => "stateEnteredEventDetails",
        EventBody::StateExited(_) => "stateExitedEventDetails",
        EventBody::EvaluationFailed(_) => "evaluationFailedEventDetails",
        EventBody::TaskScheduled(scheduled) => match &*scheduled.resource {
            Resource::Lambda { .. } => "lambdaFunctionScheduledEventDetails",
            Resource::Activity { .. } => "activityScheduledEventDetails",
            Resource::Integration(_) => "taskScheduledEventDetails",
        },
        EventBody::TaskStarted(started) => match &*started.resource {
            Resource::Lambda { .. } => return None,
            Resource::Activity { .. } => "activityStartedEventDetails",
            Resource::Integration(_) => "taskStartedEventDetails",
        },
        EventBody::TaskSubmitted(_) => "taskSubmittedEventDetails",
        EventBody::TaskSucceeded(succeeded) => match &*succeeded.resource {
            Resource::Lambda { .. } => "lambdaFunctionSucceededEventDetails",
            Resource::Activity { .. } => "activitySucceededEventDetails",
            Resource::Integration(_) => "taskSucceededEventDetails",
        },
        EventBody::TaskFailed(failed) => match (&*failed.resource, failure_suffix(failed)) {
            (Resource::Lambda { .. }, "ScheduleFailed") => "lambdaFunctionScheduleFailedEventDetails",
            (Resource::Lambda { .. }, "StartFailed") => "lambdaFunctionStartFailedEventDetails",
            (Resource::Lambda { .. }, _) => "lambdaFunctionFailedEventDetails",
            (Resource::Activity { .. }, "ScheduleFailed") => "activityScheduleFailedEventDetails",
            (Resource::Activity { .. }, _) => "activityFailedEventDetails",
            (Resource::Integration(_), "StartFailed") => "taskStartFailedEventDetails",
            (Resource::Integration(_), "SubmitFailed") => "taskSubmitFailedEventDetails",
            (Resource::Integration(_), _) => "taskFailedEventDetails",
        },
        EventBody::TaskTimedOut(timed_out) => match &*timed_out.resource {
            Resource::Lambda { .. } => "lambdaFunctionTimedOutEventDetails",
            Resource::Activity { .. } => "activityTimedOutEventDetails",
            Resource::Integration(_) => "taskTimedOutEventDetails",
        },
        EventBody::MapStarted(_) => "mapStateStartedEventDetails",
        EventBody::IterationStarted(_) => "mapIterationStartedEventDetails",
        EventBody::IterationSucceeded { .. } => "mapIterationSucceededEventDetails",
        EventBody::IterationFailed { .. } => "mapIterationFailedEventDetails",
        EventBody::IterationAborted { .. } => "mapIterationAbortedEventDetails",
        EventBody::MapRunStarted(_) => "mapRunStartedEventDetails",
        EventBody::MapRunFailed(_) => "mapRunFailedEventDetails",
        EventBody::MapRunRedriven { .. } => "mapRunRedrivenEventDetails",
        _ => return None,
    })
}

/// Writes the members of a details object.
struct Details<'a> {
    out: &'a mut String,
    include_data: bool,
    /// What payloads may still take, escaped.
    bytes_left: usize,
    first: bool,
}

impl Details<'_> {
    fn body(&mut self, body: &EventBody) {
        match body {
            EventBody::ExecutionStarted(started) => {
                self.data("input", "inputDetails", &started.input);
                self.text("roleArn", &started.role_arn);
            }
            EventBody::ExecutionSucceeded { output } => self.data("output", "outputDetails", output),
            EventBody::ExecutionTimedOut(_) => self.text("error", error_name::TIMEOUT),
            EventBody::ExecutionFailed(failure)
            | EventBody::ExecutionAborted(failure)
            | EventBody::MapRunFailed(failure) => self.failure(failure),
            EventBody::ExecutionRedriven { count, .. } => self.number("redriveCount", i64::from(*count)),
            EventBody::StateEntered { name, input, .. } => {
                self.text("name", name);
                self.data("input", "inputDetails", input);
            }
            EventBody::StateExited(exited) => self.exited(exited),
            EventBody::EvaluationFailed(failed) => {
                self.failure(&failed.failure);
                if let Some(location) = &failed.location {
                    self.text("location", location);
                }
                self.text("state", &failed.state);
            }
            EventBody::TaskScheduled(scheduled) => self.scheduled(scheduled),
            EventBody::TaskStarted(started) => {
                self.resource(&started.resource);
                if let Some(name) = &started.worker_name {
                    self.text("workerName", name);
                }
            }
            EventBody::TaskSubmitted(task) | EventBody::TaskSucceeded(task) => {
                self.resource(&task.resource);
                self.data("output", "outputDetails", &task.output);
            }
            EventBody::TaskFailed(failed) => {
                self.resource(&failed.resource);
                self.failure(&failed.failure);
            }
            EventBody::TaskTimedOut(timed_out) => {
                self.resource(&timed_out.resource);
                self.failure(&timed_out.failure);
            }
            EventBody::MapStarted(started) => self.number("length", i64::from(started.length)),
            EventBody::IterationStarted(started) => self.iteration(&started.name, started.index),
            EventBody::IterationSucceeded { name, index }
            | EventBody::IterationFailed { name, index }
            | EventBody::IterationAborted { name, index } => self.iteration(name, *index),
            EventBody::MapRunStarted(started) => self.text("mapRunArn", &started.map_run_arn),
            EventBody::MapRunRedriven { map_run_arn, count } => {
                self.text("mapRunArn", map_run_arn);
                self.number("redriveCount", i64::from(*count));
            }
            _ => {}
        }
    }

    fn exited(&mut self, exited: &StateExited) {
        self.text("name", &exited.name);
        self.data("output", "outputDetails", &exited.output);
        if exited.assigned.is_empty() || !self.include_data {
            return;
        }
        self.key("assignedVariables");
        self.out.push('{');
        let mut truncated = false;
        for (at, (name, value)) in exited.assigned.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            write_string(name, self.out);
            self.out.push(':');
            truncated |= self.payload(value.text());
        }
        self.out.push('}');
        self.truncated("assignedVariablesDetails", truncated);
    }

    fn scheduled(&mut self, scheduled: &TaskScheduled) {
        match &*scheduled.resource {
            Resource::Lambda { arn } | Resource::Activity { arn } => {
                self.text("resource", arn);
                self.data("input", "inputDetails", &scheduled.parameters);
            }
            Resource::Integration(integration) => {
                self.text("resourceType", &integration.service);
                self.text("resource", &integration.resource);
                self.text("region", &scheduled.region);
                if self.include_data {
                    self.key("parameters");
                    self.payload(scheduled.parameters.text());
                }
            }
        }
        if let Some(seconds) = scheduled.timeout_s {
            self.number("timeoutInSeconds", seconds);
        }
        let lambda = matches!(&*scheduled.resource, Resource::Lambda { .. });
        if let Some(seconds) = scheduled.heartbeat_s.filter(|_| !lambda) {
            self.number("heartbeatInSeconds", seconds);
        }
        if let Some(role_arn) = &scheduled.credentials {
            self.key("taskCredentials");
            self.out.push_str("{\"roleArn\":");
            write_string(role_arn, self.out);
            self.out.push('}');
        }
    }

    /// Service and action, which only the events of integrations have.
    fn resource(&mut self, resource: &Resource) {
        if let Resource::Integration(integration) = resource {
            self.text("resourceType", &integration.service);
            self.text("resource", &integration.resource);
        }
    }

    fn iteration(&mut self, name: &str, index: u32) {
        self.text("name", name);
        self.number("index", i64::from(index));
    }

    fn failure(&mut self, failure: &Failure) {
        if let Some(error) = &failure.error {
            self.text("error", error);
        }
        if let Some(cause) = &failure.cause {
            self.text("cause", cause);
        }
    }

    fn key(&mut self, key: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_string(text, self.out);
    }

    fn number(&mut self, key: &str, number: i64) {
        self.key(key);
        let _ = write!(self.out, "{number}");
    }

    fn data(&mut self, key: &str, details: &str, document: &Document) {
        if self.include_data {
            self.key(key);
            let truncated = self.payload(document.text());
            self.truncated(details, truncated);
        }
    }

    fn truncated(&mut self, key: &str, truncated: bool) {
        self.key(key);
        let _ = write!(self.out, "{{\"truncated\":{truncated}}}");
    }

    /// Writes as much of a payload as may still be written; whether that is less than the whole.
    fn payload(&mut self, text: &str) -> bool {
        let start = self.out.len();
        write_string(text, self.out);
        let bytes = self.out.len() - start - 2;
        let truncated = bytes > self.bytes_left;
        if truncated {
            self.out.truncate(start);
            write_string(prefix(text, self.bytes_left), self.out);
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        truncated
    }
}

/// The beginning of `text` whose escaped form has no more than `bytes_max`.
fn prefix(text: &str, bytes_max: usize) -> &str {
    let mut bytes = 0;
    for (at, character) in text.char_indices() {
        bytes += match character {
            '"' | '\\' => 2,
            control if control < ' ' => 6,
            other => other.len_utf8(),
        };
        if bytes > bytes_max {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::BranchId;

    #[test]
    fn payloads_are_cut_between_characters() {
        for (text, bytes_max, expected) in [
            (r#"{"a":1}"#, 100, r#"{"output":"{\"a\":1}","outputDetails":{"truncated":false}}"#),
            (r#"{"a":1}"#, 9, r#"{"output":"{\"a\":1}","outputDetails":{"truncated":false}}"#),
            (r#"{"a":1}"#, 8, r#"{"output":"{\"a\":1","outputDetails":{"truncated":true}}"#),
            (r#"{"a":1}"#, 2, r#"{"output":"{","outputDetails":{"truncated":true}}"#),
            ("\"é\"", 3, r#"{"output":"\"","outputDetails":{"truncated":true}}"#),
            ("\"é\"", 4, r#"{"output":"\"é","outputDetails":{"truncated":true}}"#),
        ] {
            let event = Event {
                sequence: 1,
                id: 1,
                previous_id: 0,
                timestamp_ms: 0,
                branch: BranchId::ROOT,
                body: EventBody::ExecutionSucceeded { output: Document::from_stored_text(text) },
            };
            let mut out = String::new();
            write_bounded_details(&event, true, bytes_max, &mut out);
            assert_eq!(out, expected, "{text} in {bytes_max}");
        }
    }
}
