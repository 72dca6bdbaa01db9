//! Takes the tested state to its end: with the mock, or with the world.

use std::sync::Arc;

use stepwright_engine::Engine;
use stepwright_machine::test_state::{Inspection, Progress, Setup, StateTest, Verdict};
use stepwright_machine::{ExecutionKind, Failure, Identity, Input, StepError, TaskCall};
use stepwright_types::{error_name, limit};

use super::Waiting;
use super::request::{Request, check_failure_count};
use crate::backend::TestStateError;

/// Runs the state to its end.
pub(super) async fn run(
    engine: &Engine,
    request: Request,
    waiting: Waiting,
) -> Result<(Verdict, Inspection), TestStateError> {
    let start_ms = engine.clock().now_ms();
    let identity = Arc::new(identity(engine, &request, start_ms));
    let configuration = &request.configuration;
    let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let setup = Setup {
        program: request.program.clone(),
        state: request.state,
        identity: identity.clone(),
        variables: request.variables,
        context: request.context,
        retries: count(configuration.retrier_retry_count).unwrap_or(0),
        failed_iterations: count(configuration.map_iteration_failure_count),
        reader_data: configuration.map_item_reader_data.as_deref().map(Into::into),
    };
    let mut test = StateTest::new(setup, start_ms);
    let entropy = &mut || engine.entropy().next();
    let mut progress = test.begin(start_ms, entropy).map_err(internal)?;
    if let (Progress::Lines { iterations }, Some(failed)) =
        (&progress, configuration.map_iteration_failure_count)
        && *iterations > 0
    {
        check_failure_count(failed, *iterations)?;
    }
    let mut answer = request.answer.map(|answer| answer.0);
    loop {
        let now_ms = engine.clock().now_ms();
        progress = match progress {
            Progress::Done(verdict) => return Ok((verdict, test.inspect())),
            Progress::Time => {
                let Some((timer, due_ms)) = test.next_timer() else { return Err(stuck()) };
                if waiting == Waiting::Real {
                    let deadline_ms = start_ms.saturating_add(limit::EXPRESS_DURATION_MS_MAX);
                    engine.clock().sleep_until(due_ms.min(deadline_ms)).await;
                    if due_ms > deadline_ms {
                        return Ok((timed_out(), test.inspect()));
                    }
                }
                test.receive(Input::TimerFired { timer }, due_ms.max(now_ms), entropy).map_err(internal)?
            }
            waits => match (answer.take(), waits) {
                (Some(answer), _) => test.answer(answer, now_ms, entropy).map_err(internal)?,
                (None, Progress::Call(call)) => {
                    let Some(input) = called(engine, *call, &identity, &test, start_ms).await else {
                        return Ok((timed_out(), test.inspect()));
                    };
                    test.receive(input, engine.clock().now_ms(), entropy).map_err(internal)?
                }
                (None, _) => return Err(stuck()),
            },
        };
    }
}

/// What comes of the call, or of its deadline; `None` when the test's time is over.
async fn called(
    engine: &Engine,
    call: TaskCall,
    identity: &Identity,
    test: &StateTest,
    start_ms: i64,
) -> Option<Input> {
    let deadline_ms = start_ms.saturating_add(limit::EXPRESS_DURATION_MS_MAX);
    let timer = test.next_timer().filter(|(_, due_ms)| *due_ms <= deadline_ms);
    let due_ms = timer.map_or(deadline_ms, |(_, due_ms)| due_ms);
    tokio::select! {
        input = engine.call_once(call, identity) => Some(input),
        () = engine.clock().sleep_until(due_ms) => timer.map(|(timer, _)| Input::TimerFired { timer }),
    }
}

/// AWS: a test runs for five minutes at most.
fn timed_out() -> Verdict {
    Verdict::Failed(Failure { error: Some(error_name::TIMEOUT.into()), cause: None })
}

fn internal(error: StepError) -> TestStateError {
    TestStateError::Internal(error.to_string())
}

/// The state waits for something that only a mock can give; `request` has seen to that.
fn stuck() -> TestStateError {
    TestStateError::Internal("the tested state waits for something that cannot come".to_owned())
}

/// AWS: the test is an EXPRESS execution of a state machine of its own.
fn identity(engine: &Engine, request: &Request, start_ms: i64) -> Identity {
    let account = engine.account();
    let (machine, name) = (engine.entropy().uuid(), engine.entropy().uuid());
    let machine_arn = account.state_machine(&machine);
    Identity {
        execution_arn: format!("{}:{name}", machine_arn.replace(":stateMachine:", ":express:")).into(),
        execution_name: name.as_str().into(),
        machine_arn: machine_arn.into(),
        machine_name: machine.into(),
        role_arn: request.role_arn.as_deref().unwrap_or_default().into(),
        start_ms,
        input: request.input.clone(),
        kind: ExecutionKind::Express,
        account: account.clone(),
        locator: "".into(),
    }
}
